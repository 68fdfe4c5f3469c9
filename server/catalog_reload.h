/* catalog_reload.h: the catalogue is loaded anew when it has changed, on a worker of the lane `pages`, and the loops
 * are told.
 *
 * One load is under way or waits for a worker, and at most one more is wanted behind it, however many changes are
 * told meanwhile: what is loaded next has all of them. A load that failed is tried again at each poll. */
#pragma once

#include <pthread.h>

#include "gateway/services.h"
#include "loop/jobs.h"

struct catalog_reload {
    const struct services *services;
    struct job job;
    pthread_mutex_t lock;
    bool under_way, again;
    bool failed; /* the last one: what the loops have may be old */
};

/* services: outlives it; its catalogue, lane and gateways are there before anything is told. */
void catalog_reload_init(struct catalog_reload *c, const struct services *services);
void catalog_reload_done(struct catalog_reload *c); /* after the lane has ended */
/* Something of the catalogue has changed. Any thread. */
void catalog_reload_changed(struct catalog_reload *c);
/* The database was asked and knows of no change: a load that failed is tried again. Any thread. */
void catalog_reload_polled(struct catalog_reload *c);
