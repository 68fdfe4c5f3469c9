/* reap.h: noticing nodes that died, by their heartbeat counter and our own monotonic clock.
 *
 * No wall clock is compared: a counter that stood still for NODE_REAP_MS of our own time, over looks
 * that succeeded at most REAP_GAP_MS apart, belongs to a dead node (reliability 1.4). */
#pragma once

#include "lease/lease_sql.h"

#define REAP_GAP_MS 14000

struct reap {
    struct {
        int64_t id, hb, still_ms;
    } seen[LEASE_SESSIONS_MAX];
    size_t n;
    int64_t looked_ms;
    uint64_t reaped; /* by the last look */
};

/* One look, about every heartbeat. *ret_alone: no other session lives. 0, or < 0. */
int reap_look(struct reap *r, struct db *db, struct arena *a, int64_t own, int64_t now_ms,
              bool *ret_alone) _must_use_;
