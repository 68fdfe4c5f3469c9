/* exchange.h: one request and its answer; private to this room.
 *
 * The exchange is its own object with two legs, each holding one reference: libmicrohttpd's, which
 * its completion callback only detaches, and the handler's (request_hold). So neither a client that
 * hangs up nor a late worker can free it under the other. All on the listener's loop. */
#pragma once

#include "http/conn.h"
#include "http/gate.h"

enum exchange_state {
    EXCHANGE_HEAD,      /* made when the request line was read */
    EXCHANGE_BODY,      /* the head was accepted; a body may come */
    EXCHANGE_HANDLING,  /* the handler has it and owes an answer */
    EXCHANGE_STREAMING, /* a streaming answer has begun, the handler may write */
    EXCHANGE_LEAVING,   /* the handler has said all; bytes may still be on their way */
    EXCHANGE_OVER,      /* detached: delivered, or the client is gone */
};

struct MHD_Response;

struct exchange {
    struct request request; /* what handlers see */
    unsigned refs;
    enum exchange_state state;
    struct http_conn *conn; /* NULL when over */
    struct list link;       /* of the listener's exchanges */
    struct list backlog_link;
    struct str target;      /* raw */
    struct gate_header *headers;
    size_t header_count;
    struct buf body;
    struct intake intake;      /* the body's rest */
    uint64_t dropped_bytes;    /* of a body that is not kept */
    bool sized;                /* the body's length was announced */
    uint64_t promised_bytes;   /* by the memory guard; see admission.h */
    enum problem_code refusal; /* answered once the request has been read */
    const char *allow;         /* for 405 */
    bool close;                /* answer with Connection: close */
    bool counted_address;      /* in the listener's tally, for clients behind a proxy */
    struct stream *stream;     /* of a worker, see stream.h */
    struct exchange *first;    /* whose head and body it has: see request_again() */

    /* A streaming answer; see answer_stream.c. */
    struct buf queue;
    size_t queue_at; /* what stands before it has been sent */
    bool chunked;    /* the client knows chunks, and nothing stands between us and its socket */
    bool ours;       /* chunked, and the head is out: the socket is written here */
    bool corked;     /* the kernel holds the head back until something is behind it */
    bool queueing;   /* libmicrohttpd is being given the answer */
    bool full;       /* the writer was told to stop */
    bool broken;     /* end with an incomplete body */
    void (*drained)(struct request *);
    struct list drained_link;

    request_answered *answered; /* of a request without a client; NULL once it was called */
    void *answered_ctx;
};

static inline struct exchange *exchange_of(const struct request *r)
{
    return container_of(r, struct exchange, request);
}

/* For a request line just read. NULL when memory is out. */
struct exchange *exchange_new(struct http_conn *c, const char *target) _must_use_;
void exchange_ref(struct exchange *x);
void exchange_unref(struct exchange *x);

/* The three steps in which libmicrohttpd hands a request over. False: cut the connection. */
bool exchange_head(struct exchange *x, const char *method, const char *version) _must_use_;
bool exchange_body(struct exchange *x, struct str bytes) _must_use_;
bool exchange_dispatch(struct exchange *x) _must_use_;
/* Hands a request that has come whole to its handler, or answers why not. */
void exchange_handle(struct exchange *x);

/* The client went away: tells a handler that still owes something. */
void exchange_gone(struct exchange *x);
/* libmicrohttpd has ended the request: its leg leaves. */
void exchange_detach(struct exchange *x);
/* Takes m over. A failure is the end of the connection: the client sees it closed. */
void exchange_queue_answer(struct exchange *x, const struct response *response,
                           struct MHD_Response *m);
/* Gives the answer of a request without a client to whom it is for, the first time. */
void exchange_answer_inner(struct exchange *x, const struct response *answer);
/* The client's socket takes bytes again. */
void exchange_writable(struct exchange *x);
/* What the kernel was told to hold back goes out; safe twice. */
void exchange_uncork(struct exchange *x);
/* Tells the writers of queues that have run low. */
void exchange_run_drained(struct listener *l);
