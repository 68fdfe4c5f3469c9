/* metrics.h: what is counted on each loop, and its printing for Prometheus.
 *
 * Written by the loop that owns it, read by whichever loop answers /metrics: relaxed atomics, so
 * figures may be one event behind each other. Labels have closed vocabularies only. */
#pragma once

#include <stdatomic.h>

#include "base/buf.h"
#include "base/money.h"
#include "guard/guardrail.h"
#include "model/record.h"
#include "routing/fallback.h"

/* Upper bounds of the latency histogram's buckets, in milliseconds; one more for the rest. */
#define METRICS_LATENCY_BOUNDS                                                    \
    {                                                                             \
        1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000 \
    }
#define METRICS_BUCKETS 16

enum metrics_refusal { REFUSED_NO_KEY, REFUSED_BAD_KEY, REFUSED_BUSY, REFUSED_DRAINING, REFUSALS };

/* Why a call that was to be shadowed was not (call_shadow.h). */
enum shadow_drop {
    SHADOW_DROP_REFUSED,   /* its team refuses it */
    SHADOW_DROP_OWN_KEY,   /* an account of its team's own could serve it */
    SHADOW_DROP_TOO_LARGE, /* its body is */
    SHADOW_DROP_LOAD,      /* the node has something better to do, or ends */
    SHADOW_DROP_FULL,      /* as many run as may */
    SHADOW_DROP_NO_ROUTE,  /* the key or the request rules the model out, or it cannot do what is asked */
    SHADOW_DROP_CEILING,   /* the day's ceiling */
    SHADOW_DROP_NOT_SENT,  /* no account was free for it */
    SHADOW_DROPS
};

struct metrics {
    atomic_ullong calls[7];  /* by enum call_outcome */
    atomic_ullong status[6]; /* by hundreds: 1xx .. 5xx; 0: others */
    atomic_ullong attempts[TRY_OUTCOMES];
    atomic_ullong skipped;
    atomic_ullong found[GUARD_ACTIONS]; /* by guardrails, by what they do with it */
    atomic_ullong refused[REFUSALS];
    atomic_ullong latency[METRICS_BUCKETS], latency_us_sum;
    atomic_ullong first_byte[METRICS_BUCKETS], first_byte_us_sum;
    atomic_ullong input_tokens, output_tokens;
    atomic_ullong charge_nano, cost_nano;
    atomic_ullong shadows[7]; /* by enum call_outcome; none of them is in what stands above */
    atomic_ullong shadows_dropped[SHADOW_DROPS], shadow_cost_nano;
    atomic_ullong key_hits, key_misses;
    atomic_uint in_flight, keys;
};

/* A call has ended: everything that its record tells. */
void metrics_call(struct metrics *m, const struct call_record *r);
void metrics_attempt(struct metrics *m, enum try_outcome outcome);
void metrics_refused(struct metrics *m, enum metrics_refusal why);
void metrics_guard(struct metrics *m, enum guard_action action, uint64_t findings);
void metrics_shadow(struct metrics *m, const struct call_record *r);
void metrics_shadow_dropped(struct metrics *m, enum shadow_drop why);
/* Adds what is in from to the sums in into. */
void metrics_add(struct metrics *into, const struct metrics *from);
void metrics_print(const struct metrics *m, struct buf *out);
