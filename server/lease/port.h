/* port.h: the one table of functions through which lease and ledger reach the world.
 *
 * The state machines (lease, giveback, heartbeat, reap, settle) call a function of the port with a
 * call struct of their own and go on when its `done` is called: at once and from within, as the
 * server's port over PostgreSQL does (lease_port.c, ledger/flush.c), or later, as a simulator does.
 * A call struct stays where it is until then. The same C runs in both. */
#pragma once

#include "base/bounds.h"
#include "base/id.h"
#include "base/str.h"
#include "model/settlement.h"

struct cell;
struct till;
struct journal_segment;

/* FENCED: the session is not live, nothing was done. AWAY: unknown whether it was done. REFUSED: it
 * was not, and never will be. */
enum { PORT_OK = 0, PORT_E_FENCED = 1, PORT_E_AWAY = 2, PORT_E_REFUSED = 3 };

struct grant_line {
    struct cell *cell;
    int64_t need, want; /* both 0: only what was missed is asked for */
    /* The answer. missed: granted earlier, but the answer was lost. */
    int64_t granted, missed, capacity, spoken_for; /* spoken_for: used and leased, by all nodes */
    bool shorted, elsewhere;                       /* elsewhere: another session has some of it */
    int64_t window_us;                             /* INT64_MIN: never turns */
    int64_t left_us;                               /* of the window; -1: never turns */
};
struct grant_call {
    int64_t session, no; /* no: counts up; see lease_grant() in migrations/0004 */
    struct team_id team;
    struct grant_line line[BOUND_HOLD_PURSES];
    size_t n;
    void (*done)(struct grant_call *, int outcome);
};

/* Slack on its way back. The same no may be sent again, it counts once. */
struct back_line {
    struct cell *cell;
    int64_t no, amount, window_us;
};
#define BACK_LINES 32
struct back_call {
    int64_t session;
    struct back_line line[BACK_LINES];
    size_t n;
    void (*done)(struct back_call *, int outcome);
};

struct session_call { /* open, heartbeat and close */
    int64_t session;  /* open: the answer */
    unsigned nodes;   /* heartbeat: how many live */
    void (*done)(struct session_call *, int outcome);
};

#define LOOK_SESSIONS 256
#define LOOK_RECALLS 200
struct look_call {
    int64_t session;
    bool sessions; /* wanted: every live session and its heartbeat counter */
    struct {
        int64_t id, hb;
    } seen[LOOK_SESSIONS];
    size_t n_seen;
    struct { /* purses of which slack is wanted back */
        struct team_id team;
        struct purse_id purse;
    } recall[LOOK_RECALLS];
    size_t n_recalls;
    void (*done)(struct look_call *, int outcome);
};
struct reap_call {
    int64_t session, hb;
    bool reaped;
    void (*done)(struct reap_call *, int outcome);
};

/* Finished calls, of any number of teams, booked all or none; see settle_batch() in migrations/0004.
 * Those that are booked already count once. So many at most: what a batch writes for each of its teams
 * is written for several calls then, where there are many of both, and a wallet is locked for a fifth
 * of a second. */
#define SETTLE_CALLS 5000
struct settle_call {
    int64_t session; /* whose leases they draw on; 0: of a session that is gone */
    const struct settle_entry *entry[SETTLE_CALLS];
    size_t n;
    bool live; /* the answer: was the session? */
    void (*done)(struct settle_call *, int outcome);
};

struct ledger_port {
    void *ctx;
    /* Monotonic; counts through suspend. Any thread. */
    int64_t (*now_ms)(void *ctx);

    /* till_run(till, hand) will be called soon on a thread that may wait; hand is the port's own
     * and comes back in grant and back. Outcome 1: not now, there is too much to do. Any thread. */
    int (*soon)(void *ctx, struct till *till);
    void (*grant)(void *ctx, void *hand, struct grant_call *call);
    void (*back)(void *ctx, void *hand, struct back_call *call);
    /* node_tick() has something to do sooner than it said. Any thread; may be NULL. */
    void (*stir)(void *ctx);

    /* The node's own thread. */
    void (*open)(void *ctx, struct session_call *call);
    void (*heartbeat)(void *ctx, struct session_call *call);
    void (*close)(void *ctx, struct session_call *call);
    void (*look)(void *ctx, struct look_call *call);
    void (*reap)(void *ctx, struct reap_call *call);

    /* The flusher's thread. */
    void (*settle)(void *ctx, struct settle_call *call);
    /* Writes bytes behind what writer wrote before; the segment they are in is the port's. Loop. */
    int (*append)(void *ctx, unsigned writer, struct str bytes, struct journal_segment **ret);
    /* What was appended until now shall outlive a loss of power. The flusher's thread. */
    int (*sync)(void *ctx);
};
