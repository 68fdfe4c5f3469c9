/* listener.h: the port: one libmicrohttpd daemon per loop, sharing the port with SO_REUSEPORT.
 *
 * Sole home of libmicrohttpd with its neighbours in this room. Runs gate (request framing rules) in
 * the first callback, reads bodies up to the route's limit, watches suspended connections for
 * hang-up, keeps own deadlines, then dispatches by the route's `runs`. A client that closes its
 * sending side while it is owed an answer counts as gone. The process must ignore SIGPIPE. */
#pragma once

#include "http/router.h"
#include "loop/jobs.h"

struct listener;
struct memory_guard;

struct listener_config {
    struct loop *loop;
    const char *address;                      /* "127.0.0.1", "::" (both families) ... */
    uint16_t port;                            /* 0: any free one, see listener_port() */
    const char *tls_cert_file, *tls_key_file; /* NULL: plain */
    const struct router *router;
    const struct net_block *trusted;
    size_t trusted_count;
    /* Of this listener; what is above is answered with 503. Behind a trusted proxy the second
     * counts requests at work by client address. */
    unsigned max_connections, max_per_address;
    int head_timeout_ms;  /* for a whole head */
    int body_timeout_ms;  /* before the pace of BOUND_BODY_BYTES_PER_S is asked for */
    int idle_timeout_ms;  /* kept alive between requests */
    int write_timeout_ms; /* without a byte acknowledged by the client */
    int shed_after_ms;    /* see admission.h; 0: never */
    bool refuse_chunked;  /* 411: for what stands behind a proxy, see gate.h */
    struct memory_guard *memory; /* NULL: none */
    /* Runs a RUNS_ON_* worker route; set by app. Answers with request_reply on the loop. */
    void (*dispatch)(struct request *r, void *ctx);
    /* Renders a problem as a page into the request's answer; set by app. */
    void (*problem_page)(struct request *r, const struct problem *p, struct response *out,
                         void *ctx);
    void *ctx; /* also reachable by loop handlers as listener_ctx() */
};

enum { LISTENER_OK = 0, LISTENER_E_TAKEN = 1, LISTENER_E_ADDRESS = 2, LISTENER_E_TLS = 3 };
/* Loop thread, or before the loop runs. */
int listener_new(const struct listener_config *config, struct listener **ret) _must_use_;
/* Is there more to do on its loop than one turn takes? Loop thread. */
bool listener_has_backlog(const struct listener *l);
void *listener_ctx(const struct listener *l);
uint16_t listener_port(const struct listener *l);
/* Takes over limits, times and what is refused from `to`, and reads the files with the certificate again;
 * the rest of it does not matter. LISTENER_E_TLS: these are no certificate with its key, and the one that
 * is shown stays. Any thread, but not once listener_free may be called. */
int listener_change(struct listener *l, const struct listener_config *to) _must_use_;
/* Stops accepting and closes idle connections; running requests go on and close theirs. */
void listener_drain(struct listener *l);
size_t listener_active(const struct listener *l); /* requests not yet answered; any thread */
/* Only when nothing is active, or to cut what is (`gone` is called). Requests that are still held
 * stay readable; answers to them go nowhere. */
void listener_free(struct listener *l);
/* Exclusive bind and close again: is somebody (also without SO_REUSEPORT) on this port? */
int listener_probe(const char *address,
                   uint16_t port) _must_use_; /* LISTENER_OK, _E_TAKEN, _E_ADDRESS */

struct listener_stats {
    uint64_t requests, timeouts, gone;
    /* By what a request was turned away: its framing, too many connections, memory, a loop that was
     * behind, no descriptor left. */
    uint64_t refused_by_gate, refused_by_limits, refused_by_memory, shed, turned_away;
    unsigned connections;
};
/* Any thread. */
void listener_read_stats(const struct listener *l, struct listener_stats *ret);
