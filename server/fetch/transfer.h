/* transfer.h: a fetch and its fetcher from the inside; private to this room. */
#pragma once

#include <curl/curl.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "fetch/fetch.h"

enum {
    TRANSFER_HEADERS_MAX = 128, /* of an answer */
    TRANSFER_EASIES_KEPT = 64,  /* idle easy handles: their set-up is most of their cost */
};

struct fetcher {
    struct loop *loop;
    CURLM *multi;
    struct loop_timer timer; /* libcurl's */
    struct loop_hook hook;
    bool due;   /* libcurl wants to run now */
    bool acted; /* libcurl has run: look for messages */
    struct list starting, running, resumed, dead;
    struct watch **watches; /* by descriptor */
    size_t n_watches;
    CURL *easies[TRANSFER_EASIES_KEPT];
    size_t n_easies;
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
    enum fetch_fault fault; /* decided by us; FETCH_DONE: libcurl decides */
    struct buf head_text;
    size_t line_at[TRANSFER_HEADERS_MAX];
    size_t n_lines;
};

/* Options and callbacks of one easy handle. Outcomes as fetch_start(). */
int transfer_prepare(struct fetch *f, const struct fetch_request *request) _must_use_;
enum fetch_fault transfer_fault(const struct fetch *f, CURLcode code);
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
void watches_done(struct fetcher *f);
