/* video_keeper.h: jobs that make videos and that nobody asks after, so that what a failed one has cost is given
 * back without a client. Its callers are one thread's. */
#pragma once

#include "db/db.h"
#include "gateway/services.h"

/* Takes jobs that are due (nobody else gets them meanwhile), asks their providers, notes what they say. Ends
 * early where stop says so. 0, DB_E_AWAY or < 0. */
int video_keeper_round(const struct services *services, struct db *db, bool (*stop)(void *ctx), void *ctx) _must_use_;
