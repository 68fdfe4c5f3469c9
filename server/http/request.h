/* request.h: one client request as handlers see it, and the ways to answer it.
 *
 * Lives on its loop; made when the head is complete, the body is read whole up to the route's limit
 * before the handler runs. A request handed to a worker is not touched by the loop meanwhile, and
 * stays readable, headers too, while it is held, whatever becomes of the client. It ends when
 * answered and flushed, or when the client is gone; its arena dies with it. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/id.h"
#include "http/problem.h"
#include "loop/loop.h"

struct route;
struct stream;

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS
};

struct net_address {
    uint8_t ip[16]; /* IPv4 as ::ffff:a.b.c.d */
    uint16_t port;
};
bool net_address_parse(struct str text, struct net_address *ret);
#define NET_ADDRESS_TEXT 46
void net_address_text(const struct net_address *a, char out[NET_ADDRESS_TEXT]);
/* "10.0.0.0/8", "2001:db8::/32" or a single address. */
struct net_block {
    uint8_t ip[16];
    uint8_t bits; /* of 128 */
};
bool net_block_parse(struct str text, struct net_block *ret);
bool net_block_has(const struct net_block *b, const struct net_address *a);

struct http_header {
    const char *name; /* lower case in answers */
    struct str value;
};

/* A whole answer, filled by handlers; strings must live as long as the request's arena. */
struct response {
    int status;
    const char *content_type;
    struct str body;
    struct http_header headers[24];
    size_t header_count;
    /* Set by a worker that has answered through stream.h: request_reply() then sends nothing. */
    struct stream *stream;
};
/* Refuses (asserts on name, drops and logs on value) CR, LF, NUL. */
void response_header(struct response *r, const char *name, struct str value);

struct request {
    struct loop *loop;
    struct arena *arena;
    struct listener *listener;
    const struct route *route;
    enum http_method method;
    struct str path, query; /* raw, as matched; query without '?' */
    struct str params[4];   /* of the route's {name}s, in order, percent-decoded */
    struct str body;
    struct net_address peer; /* after TRUSTED_PROXIES */
    bool https;              /* own TLS, or X-Forwarded-Proto from a trusted peer */
    struct call_id id;       /* x-tollgate-request-id */
    int64_t began_mono_ns;
    int64_t began_wall_us;
    void *user; /* the handler's */

    /* Called at most once, on the loop, when the client went away before the answer was complete;
     * set by handlers that wait. The request stays valid until request_release(). */
    void (*gone)(struct request *);
    struct http_conn *conn_;
};

struct str request_header(const struct request *r, const char *name); /* first; p NULL if absent */
struct str request_cookie(const struct request *r, const char *name);
/* Percent-decoded value in the arena; p NULL if absent. */
struct str request_query(struct request *r, const char *name);
/* Every header in turn; stops when fn returns false. */
void request_each_header(const struct request *r,
                         bool (*fn)(void *ctx, struct str name, struct str value), void *ctx);

/* Answers. Exactly one of these per request, on its loop; afterwards the handler must not touch
 * the request unless it holds it. */
void request_reply(struct request *r, const struct response *response);
/* Renders the problem in the format of the route's family (see problem.h). */
void request_fail(struct request *r, const struct problem *p);

/* A handler that goes on after returning keeps the request alive with hold and ends with release
 * (loop thread). */
void request_hold(struct request *r);
void request_release(struct request *r);
/* A second request with the same head, route and body, which no client waits for: answers to it go
 * nowhere. It has an id, a time and an arena of its own, and holds the first, whose strings it reads;
 * held by the caller. NULL when memory is out. Loop thread. */
struct request *request_again(struct request *first) _must_use_;

/* A request that this process makes of itself, on `of`'s loop, route and behalf: no client, no connection, no
 * headers; body is copied. Its answer goes to answered(), exactly once: a whole one, or NULL where it ended
 * without. Streams have nobody to go to. The caller lets go with request_release(), and answered() may be
 * called within that. NULL: no memory, and answered() is never called. Loop thread. */
typedef void request_answered(void *ctx, struct request *r, const struct response *answer);
struct request *request_new_inner(const struct request *of, struct str body,
                                  request_answered *answered, void *ctx) _must_use_;

/* Streaming answer (loop thread): head goes out at once with Transfer-Encoding: chunked. */
enum { STREAM_OK = 0, STREAM_E_FULL = 1, STREAM_E_GONE = 2 };
int request_stream_begin(struct request *r, const struct response *head) _must_use_;
/* Copies bytes to the client's queue. STREAM_E_FULL: taken, but more than BOUND_STREAM_QUEUE_BYTES
 * wait: stop until drained() is called. */
int request_stream_write(struct request *r, struct str bytes) _must_use_;
void request_stream_on_drained(struct request *r, void (*drained)(struct request *));
void request_stream_end(struct request *r);
/* The last bytes and the end, in one packet where that can be. */
void request_stream_end_with(struct request *r, struct str bytes);
/* Ends with a broken chunked body so that the client sees an incomplete answer. */
void request_stream_abort(struct request *r);
