/* transfer.h: a fetch and its fetcher from the inside; private to this room. */
#pragma once

#include <curl/curl.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "fetch/answer.h"

enum {
    TRANSFER_HEADERS_MAX = ANSWER_HEADERS_MAX,
    TRANSFER_EASIES_KEPT = 64, /* idle easy handles: their set-up is most of their cost */
    TRANSFER_KEPT_S = 55,      /* balancers commonly close idle connections after 60 s */
    TRANSFER_URLS_KNOWN = 64,
    TRANSFER_HEAD_BYTES_MAX = 65536,
    TRANSFER_READ_BYTES = 32768, /* at a time, of a plain connection */
};

/* A URL that guard_url() has found good, so that it is not asked about each request to it. */
struct approved {
    enum guard_network network;
    char *url;
};

struct line;

struct fetcher {
    struct loop *loop;
    CURLM *multi;
    struct loop_timer timer; /* libcurl's */
    struct loop_timer soon;  /* the hook's, when it has something to do */
    struct loop_hook hook;
    bool due;   /* libcurl wants to run now */
    bool acted; /* libcurl has run: look for messages */
    bool through_libcurl; /* plain connections too; for tests */
    struct list starting, running, resumed, dead;
    struct watch **watches; /* by descriptor */
    size_t n_watches;
    CURL *easies[TRANSFER_EASIES_KEPT];
    size_t n_easies;
    struct list kept; /* idle lines, the latest first: those that were so before this turn, */
    struct list just_kept; /* and those since */
    long n_kept, kept_max; /* of lines, and of libcurl's */
    struct approved approved[TRANSFER_URLS_KNOWN]; /* by the sum of their bytes */
    char *bytes; /* TRANSFER_READ_BYTES that were just read */
    atomic_uint_fast64_t started, reused;
    atomic_uint n_running;
};

enum transfer_phase { TRANSFER_CONNECTING, TRANSFER_WAITING, TRANSFER_READING };

struct fetch {
    struct fetcher *fetcher;
    struct list link;        /* of starting, running, dead */
    struct list resume_link; /* of resumed */
    CURL *easy;
    struct curl_slist *headers;
    struct fetch_callbacks callbacks;
    void *ctx;
    enum guard_network network;
    int connect_timeout_ms, first_byte_timeout_ms, idle_timeout_ms, total_timeout_ms;
    size_t reply_max, reply_bytes;
    struct loop_timer deadline;
    int64_t start_ms, phase_ms; /* on the loop's clock; phase_ms: the last byte while reading */
    struct fetch_timing timing;
    enum transfer_phase phase;
    bool head_done;
    bool pausing;           /* the taker wants no more: libcurl's next bytes are refused */
    bool paused;            /* libcurl has been paused */
    bool over;              /* done was called, or cancelled */
    bool sound;             /* it was done, and well */
    enum fetch_fault fault; /* decided by us; FETCH_DONE: libcurl decides */
    struct buf head_text;
    uint32_t *line_at; /* of TRANSFER_HEADERS_MAX; NULL: none has come by libcurl */
    size_t n_lines;
    /* Of direct.c. */
    bool direct, to_head;
    bool again;           /* the request goes out for the second time */
    bool stopped_sending; /* the connection takes no more */
    struct line *line;    /* NULL: not connected yet, or not any more */
    struct answer answer;
    struct buf out;  /* the request's head, then its origin; of libcurl's: a body that was in pieces */
    size_t head_n;   /* bytes of the head in it */
    size_t out_at;   /* bytes of head and body that have gone out */
    struct str body[BUF_PIECES_MAX]; /* the caller's */
    size_t n_body, body_bytes;
};

/* Options and callbacks of one easy handle, or the head of what goes out without one. Outcomes as
 * fetch_start(). */
int transfer_prepare(struct fetch *f, const struct fetch_request *request) _must_use_;
/* An easy handle that connects to the URL and does nothing more. */
int transfer_connect_only(struct fetch *f, const char *url) _must_use_;
/* The request begins to go out; bytes of an answer have come. */
void transfer_sent(struct fetch *f);
void transfer_heard(struct fetch *f);
/* Ends the fetch and tells its owner. */
void transfer_finish(struct fetch *f, enum fetch_fault fault);
CURL *transfer_take_easy(struct fetcher *f);
/* sound: it ended as it should. After a failure libcurl may keep something in a handle that its next
 * use trips over, for good. */
void transfer_give_easy(struct fetcher *f, CURL *easy, bool sound);
enum fetch_fault transfer_fault(const struct fetch *f, CURLcode code);
/* As fetch_trust() was told; NULL: the system's certificates alone. */
const char *trust_file(void);
/* The next deadline and the fault it means; INT64_MAX: none. */
int64_t transfer_deadline_ms(const struct fetch *f, enum fetch_fault *ret_fault);
/* Sets the timer to it: whenever it may have come nearer. Bytes only push it away; the timer finds
 * out when it fires. */
void transfer_arm(struct fetch *f);

/* Tells those whose transfers libcurl has ended; whenever it has run, outside its callbacks. */
void transfers_read_done(struct fetcher *f);

/* Sockets of the multi handle. */
int watch_socket(CURL *easy, curl_socket_t fd, int what, void *fetcher, void *unused);
curl_socket_t watch_open(void *fetch, curlsocktype purpose, struct curl_sockaddr *address);
int watch_close(void *fetcher, curl_socket_t fd);
/* Takes the connected socket of a fetch out of libcurl's hands, whose easy handle goes; < 0: there is
 * none. */
int watch_take_over(struct fetch *f);
void watches_done(struct fetcher *f);
