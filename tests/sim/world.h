/* world.h: one seed's world: virtual time, what is going to happen in it, and how it ends when a
 * rule is broken.
 *
 * Everything is decided by the seed through base/random, and all time is read through base/clock or
 * the port, so a seed runs the same way whenever it is run. One thread. */
#pragma once

#include "base/base.h"
#include "base/random.h"
#include "books.h"
#include "calls.h"
#include "faults.h"
#include "judge.h"
#include "plan.h"
#include "process.h"

struct world;
struct event;
typedef void (*event_fn)(struct world *w, struct event *e);

struct event {
    int64_t at_us;
    uint64_t no; /* of two at the same time the earlier made comes first */
    event_fn fn;
    struct process *process; /* whose it is: it waits while that is paused, is void when it died */
    uint32_t life;           /* of the process; see process.h */
    bool postponed;          /* its process stands still */
    void *arg;
};

struct wire;
struct pg;

struct world {
    uint64_t seed;
    struct plan plan;
    int64_t now_us;
    int64_t wall_us; /* Unix time at now_us = 0 by a clock that never jumped */

    struct event *queue; /* a heap */
    size_t n_queue, cap_queue;
    uint64_t next_no;

    struct books books;
    struct pg *pg; /* NULL: the model alone */
    struct process process[PLAN_NODES];
    struct wire *wire;
    struct faults faults;
    struct judge judge;
    struct key_id key[PLAN_TEAMS][PLAN_KEYS];

    struct sim_call *calls; /* by number */
    size_t n_calls, cap_calls;
    struct sim_call *asking; /* list of those that wait for the database's answer */

    bool stopping; /* no more new calls and faults */
    bool ending;   /* what ends is not started again */
    bool jumped;   /* the database's clock did */
    /* When anything last went wrong that may cost somebody their answer. */
    int64_t disturbed_us;

    struct tally {
        uint64_t calls, admitted, refused, away, finished, late, kills, lost_disks, torn, power,
            pauses, inner_pauses, outages, jumps, lost_requests, lost_replies, stragglers, drains,
            shared, reaps, disk_full, events, overspent_nano;
    } tally;
};

/* delay_us from now. process NULL: nobody's. */
void world_at(struct world *w, int64_t delay_us, event_fn fn, struct process *p, void *arg);
/* What was postponed for this process comes now. */
void world_hasten(struct world *w, const struct process *p);
/* Until nothing is queued before until_us; it is then until_us. */
void world_run(struct world *w, int64_t until_us);

/* Until then somebody may get another answer than on a good day. */
void world_disturb(struct world *w, int64_t until_us);

/* A rule is broken: says which and how to see it again, and ends the program with 1. */
_noreturn_ void world_fail(const struct world *w, const char *fmt, ...) _printf_(2, 3);
#define world_hold(w, expr, ...) ((expr) ? (void)0 : world_fail((w), __VA_ARGS__))

/* With --trace: one line with the virtual time. */
extern bool world_traced;
void world_trace_line(const struct world *w, const char *fmt, ...) _printf_(2, 3);
#define world_trace(w, ...) (world_traced ? world_trace_line((w), __VA_ARGS__) : (void)0)

/* The dice. Uniform, both ends included. */
int64_t dice_between(int64_t from, int64_t to);
/* True once in n. n 0: never. */
bool dice_once_in(uint32_t n);

#define SECOND_US ((int64_t)1000000)
#define MS_US ((int64_t)1000)
