/* timers.h: the min-heap of a loop's timers. Only loop.c includes it. */
#pragma once

#include "loop/loop.h"

struct timers {
    struct loop_timer **heap;
    size_t n, cap;
    uint64_t turn;    /* grows with each timers_fire() */
    int64_t fired_ms; /* the latest one's now: nothing is armed for earlier */
};

void timers_done(struct timers *ts);
/* -ENOMEM only for one that was not armed. */
int timers_set(struct timers *ts, struct loop_timer *t, int64_t at_ms, bool armed) _must_use_;
void timers_clear(struct timers *ts, struct loop_timer *t); /* must be armed */
/* Fires what is due; what the callbacks arm waits for the next turn at least. */
void timers_fire(struct timers *ts, int64_t now_ms);
/* Until the next one is due, for epoll_wait: -1 when there is none. */
int timers_wait_ms(const struct timers *ts, int64_t now_ms);
