/* fetch.h: one request to an upstream over libcurl's multi interface; sole home of libcurl.
 *
 * One fetcher per loop. All calls and callbacks on its thread. No redirects, no proxies, no cookies,
 * http and https only, header values checked for CR, LF, NUL (reliability U1 to U10). */
#pragma once

#include "base/str.h"
#include "fetch/guard.h"
#include "loop/loop.h"

struct fetcher;
struct fetch;

int fetcher_new(struct loop *loop, struct fetcher **ret) _must_use_;
void fetcher_free(struct fetcher *f);

enum fetch_fault { /* why a fetch ended without a complete answer */
    FETCH_DONE = 0,       /* complete answer */
    FETCH_E_CONNECT,      /* refused, unreachable, DNS */
    FETCH_E_TLS,
    FETCH_E_BLOCKED,      /* guard said no */
    FETCH_E_TIMEOUT_CONNECT,
    FETCH_E_TIMEOUT_FIRST_BYTE,
    FETCH_E_TIMEOUT_IDLE,
    FETCH_E_TIMEOUT_TOTAL,
    FETCH_E_RESET,        /* connection died after the request was sent */
    FETCH_E_PROTOCOL,     /* malformed or truncated answer */
    FETCH_E_TOO_LARGE,
};
const char *fetch_fault_name(enum fetch_fault f); /* "timeout_first_byte" */

struct fetch_header {
    const char *name;
    struct str value;
};

struct fetch_request {
    const char *method; /* "POST" */
    const char *url;    /* whole; parsed by CURLU */
    const struct fetch_header *headers;
    size_t header_count;
    struct str body; /* must live until done */
    enum guard_network network;
    int connect_timeout_ms, first_byte_timeout_ms, idle_timeout_ms, total_timeout_ms;
    size_t reply_max;
};

struct fetch_head {
    int status;
    struct str content_type;
    /* Response headers, names lower case, valid during the head callback only. */
    const struct fetch_header *headers;
    size_t header_count;
};

struct fetch_timing {
    int64_t start_mono_ns, sent_mono_ns, first_byte_mono_ns, end_mono_ns; /* 0: not reached */
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

/* Starts; callbacks never run inside this call. FETCH_E_BLOCKED for a URL the guard refuses. */
enum { FETCH_START_OK = 0, FETCH_START_E_URL = 1, FETCH_START_E_HEADER = 2 };
int fetch_start(struct fetcher *f, const struct fetch_request *request,
                const struct fetch_callbacks *callbacks, void *ctx, struct fetch **ret) _must_use_;
void fetch_resume(struct fetch *f);
/* No callback after this, also when called inside one. The upstream connection is closed. */
void fetch_cancel(struct fetch *f);
void fetch_read_timing(const struct fetch *f, struct fetch_timing *ret);

/* Blocking form for workers (probe an account, payment providers): body up to reply_max in out. */
struct buf;
int fetch_blocking(const struct fetch_request *request, int *ret_status, struct buf *out,
                   enum fetch_fault *ret_fault) _must_use_;
