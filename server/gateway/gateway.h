/* gateway.h: what one loop has for its calls, and the handlers of the model API.
 *
 * One struct gateways per process, one struct gateway per loop; a listener's ctx is its loop's
 * gateway. A loop touches nothing of another loop but the counters (atomics). The life of a call is
 * in call.h. */
#pragma once

#include "catalog/snapshot.h"
#include "fetch/fetch.h"
#include "gateway/call_keep.h"
#include "gateway/metrics.h"
#include "gateway/services.h"
#include "gateway/videos_late.h"

struct key_book;
struct key_cache;
struct gateway;

struct gateways {
    const struct services *services;
    struct gateway **loop; /* of services->loops */
    unsigned loops;
    struct key_book *book; /* what any loop knows of keys */
    struct videos_late late; /* jobs whose rows are still to be made */
    atomic_uint shadows;         /* calls in flight that are shadows */
    atomic_ullong kept[KEPTS];   /* answers, by how keeping them ended */
    atomic_size_t keeping_bytes; /* of those on their way to the database */
};

struct gateway {
    struct gateways *all;
    unsigned index;
    const struct services *services;
    struct loop *loop;
    struct fetcher *fetcher;
    struct catalog *catalog; /* this loop's reference; NULL before the first load */
    struct key_cache *keys;
    struct list calls;      /* struct call, in flight */
    struct list counts;     /* of count.c, waiting for a key or a provider */
    struct list videos;     /* of videos.h, waiting for a key, a worker or a provider */
    struct list held_back;  /* of refusal.c */
    struct loop_timer tick; /* once a second while there is something for it; see gateway_wind() */
    unsigned recheck_turn;
    unsigned draining_upstreams; /* calls without a client that are read for their usage */
    int64_t refusals_logged_s;   /* the second of the last log line about refused requests */
    unsigned refusals_quiet;     /* refused since, unlogged */
    struct str user_agent;       /* towards upstreams */
    struct buf scratch;          /* what one callback gathers for a client; empty between them */
    struct metrics metrics;
    atomic_llong oldest_ms; /* when the oldest call in flight began, on the monotonic clock; 0: none */
    /* Changes on their way to this loop (any thread): beyond BOUND_CHANGES all are one `all`. */
    atomic_uint changes_waiting;
    atomic_bool change_overflow;
};

/* services must outlive it. */
int gateways_new(const struct services *services, struct gateways **ret) _must_use_;
void gateways_free(struct gateways *all); /* NULL is fine; after its loops' gateways */

/* One per loop, before it runs; index < services->loops. */
int gateway_new(struct gateways *all, unsigned index, struct loop *loop,
                struct gateway **ret) _must_use_;
/* Loop thread. From now on the tick comes once a second until nothing is in flight or held back: what
 * was held back of blocked calls is written, figures that others read are brought up to date. */
void gateway_wind(struct gateway *g);
/* Loop thread, or when it does not run any more; cuts what is still in flight. NULL is fine. */
void gateway_free(struct gateway *g);
/* Loop thread. Ends every call in flight, as if its upstream had died: the end of draining. */
void gateway_cut(struct gateway *g);
/* Calls in flight, any thread. */
unsigned gateways_in_flight(const struct gateways *all);
/* Age of the oldest call in flight, to the second; any thread. 0: none. */
int64_t gateways_oldest_ms(const struct gateways *all);
/* Calls ended since the start, and keys in all caches; any thread. */
void gateways_count(const struct gateways *all, uint64_t *ret_calls, uint64_t *ret_keys);

/* What the listener heard ("key:12", "team:3", "answers:3", "catalogue", "all"); any thread. The catalogue's
 * holder has the new snapshot already. Running calls of revoked keys are cut. */
void gateways_changed(struct gateways *all, struct str payload);

/* Handlers of routes (RUNS_ON_LOOP). */
void gateway_call(struct request *r);       /* a model call; the route says its endpoint */
void gateway_count(struct request *r);      /* how many tokens a prompt has: count.h */
void gateway_models(struct request *r);     /* GET /v1/models */
void gateway_model(struct request *r);      /* GET /v1/models/{id} */
void gateway_response(struct request *r);   /* GET /v1/responses/{id} */
void gateway_response_delete(struct request *r); /* DELETE /v1/responses/{id} */
void gateway_response_cancel(struct request *r); /* POST /v1/responses/{id}/cancel */
void gateway_response_items(struct request *r);  /* GET /v1/responses/{id}/input_items */
void gateway_videos(struct request *r);          /* GET /v1/videos */
void gateway_video(struct request *r);           /* GET /v1/videos/{id} */
void gateway_video_delete(struct request *r);    /* DELETE /v1/videos/{id} */
void gateway_video_content(struct request *r);   /* GET /v1/videos/{id}/content */
void gateway_gemini_models(struct request *r);   /* GET /v1beta/models */
void gateway_gemini_model(struct request *r);    /* GET /v1beta/models/{model} */
void gateway_metrics(struct request *r);    /* GET /metrics, Prometheus text format 0.0.4 */
void gateway_livez(struct request *r);      /* GET /livez: the process lives */
void gateway_readyz(struct request *r);     /* GET /readyz: calls can be admitted */
