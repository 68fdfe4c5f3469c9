/* fetch.h: one request to an upstream; sole home of libcurl. With TLS all of it is libcurl's; without,
 * libcurl connects and the exchange is framed here (direct.h), at half the cost. Both behave alike.
 *
 * One fetcher per loop, with its pool of kept-alive connections. All calls and callbacks on its
 * thread. HTTP/1.1 only; no redirects (a 3xx is an answer like any other), no proxies, no cookies,
 * no decompression, http and https only, header values checked (reliability U1 to U10). A request
 * on a kept connection that the upstream had closed meanwhile is sent again on a new one, once and
 * only when no byte of an answer had come. The process must ignore SIGPIPE. */
#pragma once

#include "base/buf.h"
#include "fetch/guard.h"
#include "loop/loop.h"

struct fetcher;
struct fetch;

/* A file of certificates (PEM) that may sign those of upstreams, beside the system's. Before anything is
 * fetched; the path is held on to. E_FILE: it cannot be read, or holds none. */
enum { FETCH_TRUST_OK = 0, FETCH_TRUST_E_FILE = 1 };
int fetch_trust(const char *ca_file) _must_use_;

int fetcher_new(struct loop *loop, struct fetcher **ret) _must_use_;
void fetcher_free(struct fetcher *f); /* cancels what runs */

enum fetch_fault {                  /* why a fetch ended without a complete answer */
                   FETCH_DONE = 0,  /* complete answer */
                   FETCH_E_CONNECT, /* refused, unreachable, DNS */
                   FETCH_E_TLS,           /* no version or cipher in common, broken off */
                   FETCH_E_TLS_UNTRUSTED, /* certificate signed by nobody that is known here */
                   FETCH_E_TLS_EXPIRED,   /* or not valid yet */
                   FETCH_E_TLS_HOST,      /* certificate of another host */
                   FETCH_E_BLOCKED, /* guard said no */
                   FETCH_E_TIMEOUT_CONNECT,
                   FETCH_E_TIMEOUT_FIRST_BYTE,
                   FETCH_E_TIMEOUT_IDLE,
                   FETCH_E_TIMEOUT_TOTAL,
                   FETCH_E_RESET,    /* connection died after the request was sent */
                   FETCH_E_PROTOCOL, /* malformed or truncated answer */
                   FETCH_E_TOO_LARGE,
};
const char *fetch_fault_name(enum fetch_fault f); /* "timeout_first_byte" */

struct fetch_header {
    const char *name;
    struct str value;
};

struct fetch_request {
    const char *method; /* "POST" */
    const char *url;    /* whole; must pass guard_url() */
    /* Copied. Names that frame the message (host, content-length, ...) are refused. */
    const struct fetch_header *headers;
    size_t header_count;
    struct str body; /* must live until done or cancelled; p NULL: none */
    /* In its place a body that stands in several, at most BUF_PIECES_MAX. The list itself is copied. */
    const struct str *pieces;
    size_t n_pieces;
    enum guard_network network;
    /* Each 0: none. Connect counts name look-up and TLS; first byte counts from the connection's
     * being ready, sending the body included; idle is between bytes of the answer and rests while
     * the fetch is paused. */
    int connect_timeout_ms, first_byte_timeout_ms, idle_timeout_ms, total_timeout_ms;
    size_t reply_max; /* bytes of the body */
};

struct fetch_head {
    int status;
    struct str content_type;
    /* Response headers, names lower case, valid during the head callback only. */
    const struct fetch_header *headers;
    size_t header_count;
};

/* start: fetch_start(); sent: the connection is ready and the request begins to go out (at once for
 * a kept connection); first byte: of the answer's head; end: the fault or the last byte, as seen by
 * the loop. 0: not reached. */
struct fetch_timing {
    int64_t start_mono_ns, sent_mono_ns, first_byte_mono_ns, end_mono_ns;
};

struct fetch_callbacks {
    /* Head complete. */
    void (*head)(struct fetch *, const struct fetch_head *, void *ctx);
    /* Body bytes as they come. Return false to pause; go on with fetch_resume(). The bytes were
     * taken either way. */
    bool (*chunk)(struct fetch *, struct str bytes, void *ctx);
    /* Exactly once unless cancelled; the fetch is freed afterwards. */
    void (*done)(struct fetch *, enum fetch_fault fault, void *ctx);
};

/* Starts, also from within callbacks; callbacks never run inside this call. FETCH_START_E_URL:
 * guard_url() refuses it (an address that the guard refuses ends with FETCH_E_BLOCKED). E_HEADER: a
 * header or the method. */
enum { FETCH_START_OK = 0, FETCH_START_E_URL = 1, FETCH_START_E_HEADER = 2 };
int fetch_start(struct fetcher *f, const struct fetch_request *request,
                const struct fetch_callbacks *callbacks, void *ctx, struct fetch **ret) _must_use_;
void fetch_resume(struct fetch *f);
/* No callback after this, also when called inside one; f is freed. The upstream connection is
 * closed at the end of the turn. Not after done. */
void fetch_cancel(struct fetch *f);
void fetch_read_timing(const struct fetch *f, struct fetch_timing *ret); /* also within done */

struct fetcher_stats {
    uint64_t started, reused; /* reused: on a kept connection */
    unsigned running;
};
void fetcher_read_stats(const struct fetcher *f, struct fetcher_stats *ret); /* any thread */

/* Blocking form for workers (probe an account, payment providers): appends the body to out, which
 * bounds it beside reply_max. 0 with *ret_fault and *ret_status (0: no head came), or an outcome of
 * fetch_start(). Any thread without a running loop. */
struct buf;
int fetch_blocking(const struct fetch_request *request, int *ret_status, struct buf *out,
                   enum fetch_fault *ret_fault) _must_use_;
