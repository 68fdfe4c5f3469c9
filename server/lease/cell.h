/* cell.h: what this node holds of one purse: a figure that loops draw on without a lock.
 *
 * `free` is leased and not held by a call. A cell of a purse that turns (a minute, a month) is
 * valid until its window ends; a take that crosses the turn may count against either window, by at
 * most one call. Takes and gives are made inside the team's till (till.h), deposits with it closed,
 * so a new window or session never meets what belongs to the old. Counted references; the node
 * keeps one of each until nobody else has any.
 *
 * What the node gave itself of a minute (share.h) is a window of its own, told from what was leased
 * of that minute by a microsecond, at which no window begins: what was held of one never comes back
 * to the other. */
#pragma once

#include <stdatomic.h>

#include "lease/node.h"

struct till;

struct cell {
    atomic_uint refs;
    struct till *till; /* of the team; counted */
    struct team_id team;
    struct purse_id purse;
    atomic_llong free;
    /* Start of the window it belongs to, and CELL_SHARE_US if it is a share; INT64_MIN: never turns */
    atomic_llong window_us;
    atomic_llong valid_until_ms; /* the node's clock; INT64_MAX: for ever; 0: nothing granted yet */
    atomic_llong used_at_ms;     /* last take, for giving idle slack back */
    atomic_ullong epoch;         /* of the node when it was granted */
    /* As the last grant told, for headers and pages: of the whole purse, not of this node. */
    atomic_llong capacity, spoken_for;
    atomic_uint wanted;   /* its slack is to go back, and why: bits of the enum below */
    atomic_bool in_doubt; /* a grant's answer did not come: more may be leased than is known here */
    atomic_llong low;     /* with less than this it is to be filled up; 0: it is not */
    struct cell *next;    /* of the same till, under its lock */
    /* Below: of whoever runs the till. */
    int64_t seen_no; /* the last grant whose answer came, of those that the database noted */
    int64_t had, had_ms;           /* what was free when it had come, and when */
    int64_t lease, most, ahead_ms; /* as the last want said */
    int64_t back_no; /* the last return that was sent, and what of it may not have arrived */
    atomic_llong back_amount;
    int64_t back_window_us;
    uint64_t back_epoch;
    /* Below: with the till closed. */
    int64_t granted;     /* in the window, less what went back */
    int64_t heard_us;    /* the window that capacity and spoken_for were told of */
    int64_t own_us, own; /* the last minute of which the node gave itself a share, and how much */
};

enum {
    CELL_WANTED_IDLE = 1,      /* if no call has touched it until it goes */
    CELL_WANTED_ELSEWHERE = 2, /* by another node */
};
/* Slack that no call has touched for so long goes back. */
#define CELL_IDLE_MS 10000
/* Has no call touched it for so long? */
static inline bool cell_idle(const struct cell *c, int64_t now_ms)
{
    return atomic_load(&c->used_at_ms) + CELL_IDLE_MS <= now_ms;
}

#define CELL_SHARE_US 1
static inline bool cell_window_shared(int64_t window_us)
{
    return window_us & CELL_SHARE_US;
}
/* When it begins, whoever gave of it. */
static inline int64_t cell_window_start(int64_t window_us)
{
    return window_us & ~(int64_t)CELL_SHARE_US;
}

struct cell *cell_ref(struct cell *c);
void cell_unref(struct cell *c); /* NULL is fine */

/* All of amount, or nothing. Any thread. */
bool cell_take(struct cell *c, uint64_t epoch, int64_t now_ms, int64_t amount);
/* As much of amount as is there; what was taken. */
int64_t cell_take_some(struct cell *c, uint64_t epoch, int64_t now_ms, int64_t amount);
/* Back into the window it came from; else it is void. */
void cell_give(struct cell *c, uint64_t epoch, int64_t window_us, int64_t amount);
/* A grant has arrived, asked for at sent_ms. The till is closed. */
void cell_deposit(struct cell *c, uint64_t epoch, int64_t sent_ms, int64_t window_us,
                  int64_t left_us, int64_t amount);
/* What is free now is a share of the minute that begins at start_us. The till is closed. */
void cell_share(struct cell *c, uint64_t epoch, int64_t start_us, int64_t until_ms, int64_t amount);
/* A share is no more to be had; what is held of it stays held. The till is closed. */
void cell_share_over(struct cell *c);
