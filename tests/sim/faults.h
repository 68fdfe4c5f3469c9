/* faults.h: what goes wrong from outside: nodes, disks, clocks, the database, and people who change
 * balances and limits meanwhile. */
#pragma once

#include "base/base.h"

struct world;
struct process;

struct faults {
    bool database_away;
    int64_t database_ahead_us; /* of true Unix time */
    int64_t away_until_us;
};

void faults_start(struct world *w);
/* From now on nothing goes wrong any more, and what is down comes back, if it ever does. */
void faults_stop(struct world *w);
/* The process is down: will it be started again? */
void faults_died(struct world *w, struct process *p);
