/* plan.h: what kind of world a seed is: how many nodes, what they may spend, and what goes wrong. */
#pragma once

#include "base/base.h"

#define PLAN_NODES 4
#define PLAN_TEAMS 2
#define PLAN_KEYS 2

/* Once in so many tries or, for what happens from outside, so many faults; 0: never. */
struct plan_faults {
    unsigned kill, drain, lost_disk, power, pause, outage, jump, disk_full;
    unsigned inner;                       /* pauses and kills within a step of the real code */
    unsigned lost_request, lost_reply, straggler, slow; /* messages */
    unsigned busy;                        /* the lane refuses */
    unsigned poisoned;                    /* calls that the database will never take */
    unsigned gone;                        /* a node that died and never returns */
    int64_t every_us;                     /* mean time between two faults from outside; 0: none */
};

struct plan {
    unsigned nodes, teams, keys;
    int64_t length_us;     /* of calls and faults; the time to settle comes on top */
    int64_t between_us;    /* mean time between two calls */
    int64_t hold_nano;     /* the largest */
    int64_t duration_us;   /* of a call, the longest */
    unsigned shortfall;    /* calls that cost more than they held, once in so many */
    int64_t wallet_nano;   /* of a team, at first */
    bool even;             /* every call holds hold_nano and costs all of it */
    struct plan_faults faults;
};

/* From the dice. `real`: short, for a database that takes its time. */
void plan_make(struct plan *ret, bool real);
