/* hold.h: what a call has set aside while it runs: up to 12 (purse, amount) pairs, all or none.
 *
 * Ends exactly once: hold_end with what was used, or hold_release. Usually taken from the node's
 * cells without leaving the thread (hold_take); when a cell is short the money lane asks the
 * database (hold_ask), and only the database refuses; but for limits by the minute while it is away
 * (share.h). */
#pragma once

#include "base/bounds.h"
#include "lease/cell.h"

struct hold_want {
    struct cell *cell;
    int64_t amount; /* > 0; nano-dollars, requests, tokens or permits */
    int64_t lease;  /* how much to lease when asking anyway; at least amount */
    int64_t most;   /* lease up to this where it is spent fast; 0: never more */
    /* What is spent fast is leased for so long. From NODE_GRACE_MS on it is also filled up before it
     * is used up, so that calls go on when the database is away. */
    int64_t ahead_ms;
    /* The limit of a purse that turns every minute, of which a node may give itself a share while the
     * database is away (share.h); 0: it may not. */
    int64_t minute;
};

struct hold {
    size_t n;                             /* 0: nothing is held */
    uint64_t epoch;                       /* of the session whose leases these are */
    struct cell *cell[BOUND_HOLD_PURSES]; /* counted */
    int64_t amount[BOUND_HOLD_PURSES];
    int64_t window_us[BOUND_HOLD_PURSES];
};

enum { HOLD_OK = 0, HOLD_E_SHORT = 1, HOLD_E_REFUSED = 2, HOLD_E_AWAY = 3, HOLD_E_BUSY = 4 };

/* No I/O. HOLD_E_SHORT: nothing was taken; ask. hold must be empty. Loop thread. */
int hold_take(struct node *n, struct hold *hold, const struct hold_want *wants,
              size_t n_wants) _must_use_;

/* Which want the database refused, and how its purse stands. */
struct hold_refusal {
    size_t which;
    int64_t capacity, used; /* used: and leased */
    int64_t resets_at_us;   /* end of the window, Unix time; 0: never */
};

struct hold_ask {
    struct hold_want wants[BOUND_HOLD_PURSES]; /* of one team */
    size_t n_wants;
    struct hold *hold; /* empty, or the call's own, to be extended by wants of the same cells */
    /* On the loop. HOLD_OK: taken. HOLD_E_REFUSED: see refusal. HOLD_E_AWAY: the database is out of
     * reach. The caller keeps ask, hold and cells alive until then. */
    void (*answered)(struct hold_ask *ask, int outcome);
    struct hold_refusal refusal;
    struct hold_ask *next_; /* in the queue of the team's till, or parked */
    struct loop *loop_;
    struct loop_msg msg_;
    struct till *till_;
    int64_t due_ms_;
    unsigned round_, waits_;
    size_t short_; /* which want round_ counts for */
    int outcome_;
};
/* HOLD_OK: answered() will be called; HOLD_E_BUSY: the lane is full, it will not. Loop thread.
 * Without a loop it is called by whoever serves the ask, which with the database away may be this very
 * call. */
int hold_ask(struct node *n, struct loop *loop, struct hold_ask *ask) _must_use_;

/* More of what is held already, without I/O: wants name cells of the hold. HOLD_E_SHORT: nothing
 * was taken, and the hold is as it was. */
int hold_extend(struct node *n, struct hold *hold, const struct hold_want *wants,
                size_t n_wants) _must_use_;

/* used[i] of hold->amount[i] stays used, until settled; the rest goes back. used may be more than
 * was held: the excess is no lease's, the settle batch books it straight to the purse. Empties the
 * hold. */
void hold_end(struct node *n, struct hold *hold, const int64_t *used);
void hold_release(struct node *n, struct hold *hold); /* nothing was used; empty is fine */

/* For lease.c and share.c: adds to the hold, with a reference of its own; takes all or none from cells
 * of one till that the caller is inside of, or has closed; and the answer. */
void hold_put(struct hold *hold, struct cell *c, uint64_t epoch, int64_t amount, int64_t window_us);
bool hold_take_inside(struct node *n, struct hold *hold, const struct hold_want *wants,
                      size_t n_wants);
void hold_answer(struct hold_ask *ask, int outcome);
