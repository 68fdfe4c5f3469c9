/* parked.h: asks that wait for a moment, until their due_ms_, and then go through their tills again.
 * For this room only. */
#pragma once

#include <pthread.h>

#include "base/base.h"

struct hold_ask;

struct parked {
    pthread_mutex_t lock;
    struct hold_ask *first;
};

void parked_init(struct parked *p);
void parked_done(struct parked *p); /* none is left */
void parked_add(struct parked *p, struct hold_ask *ask); /* any thread */
/* Sends on what is due; *next_ms: when the first of the others will be, if that is sooner. The node's
 * thread. */
void parked_wake(struct parked *p, int64_t now_ms, int64_t *next_ms);
