/* reap.h: noticing nodes that died, by their heartbeat counter and our own monotonic clock.
 *
 * No wall clock is compared: a counter that stood still for NODE_REAP_MS of our own time, over
 * looks that succeeded at most REAP_GAP_MS apart, belongs to a dead node (reliability 1.4). Pure.
 * For this room only. */
#pragma once

#include "lease/port.h"

#define REAP_LOOK_MS 5000
#define REAP_GAP_MS 14000

struct reap {
    struct {
        int64_t id, hb, still_ms;
    } seen[LOOK_SESSIONS];
    size_t n;
    int64_t looked_ms; /* when the last look was answered; 0: never */
};

/* What a look showed that was sent and answered at these moments. True: *ret_session, whose counter
 * stands at *ret_hb, is dead; each look names one at most. */
bool reap_observe(struct reap *r, const struct look_call *look, int64_t sent_ms,
                  int64_t answered_ms, int64_t *ret_session, int64_t *ret_hb);
/* A look failed: the time until the next tells nothing. */
void reap_blind(struct reap *r);
