/* oversight.h: figures of the whole installation for /metrics, which may not ask the database: one
 * thread reads them from time to time, any loop prints what was read last. */
#pragma once

#include <stdatomic.h>

#include "base/buf.h"
#include "db/db.h"

struct oversight {
    atomic_llong findings;         /* open */
    atomic_llong window_us;        /* when the last minute's check ended; 0: never */
    atomic_llong full_us;          /* the same of the last full one */
    atomic_llong late_transfers;   /* usage of sessions that had been reaped */
    atomic_llong late_nano;
    atomic_llong reaped;           /* sessions */
    atomic_llong exposed_nano;     /* was leased to them */
    atomic_llong leased_nano;      /* of wallets, to all nodes */
    atomic_llong videos_running;   /* jobs of the last 24 hours that their providers have not ended */
    atomic_llong videos_completed, videos_failed;
    atomic_llong videos_returned_nano; /* of the charges of those that failed */
    atomic_llong read_us;          /* when this was read; 0: never */
};

/* Own transaction, own connection. */
int oversight_read(struct db *db, struct oversight *ret) _must_use_;
/* Nothing before the first reading. Any thread. */
void oversight_print(const struct oversight *o, struct buf *out);
