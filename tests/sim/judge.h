/* judge.h: the rules that hold in every seed, kept by what the simulator itself saw of each call.
 *
 * Money: what is booked and what calls still keep never goes beyond what there is, but for what was
 * leased to sessions that were reaped, what calls cost beyond their hold, and what an operator took
 * out (reliability 1.5). Shares of a minute that nodes give themselves are the limit by the number of
 * nodes, each, and none is given where nothing goes wrong. A call is booked once, for what its last
 * record on the disk says. Nobody is let in after the node's deadline. Nobody is refused what was free
 * all the while. A session whose node is well is not reaped. In the end everything is booked and nothing
 * is leased. */
#pragma once

#include "calls.h"
#include "plan.h"

#define JUDGE_WINDOWS 64

struct judge_window {
    int64_t window_us;
    int64_t kept;    /* by calls that are not booked yet; of a window that turns: by all its calls */
    int64_t exposed; /* leased to sessions that were reaped */
    /* Of a share (CELL_SHARE_US): what each node may have given itself, in the life that it was seen in,
     * and in those before. */
    int64_t share[PLAN_NODES], shares_before;
    unsigned life[PLAN_NODES];
};
struct judge_purse {
    struct judge_window window[JUDGE_WINDOWS];
    size_t n;
    int64_t capacity_max;
    int64_t beyond; /* what calls cost beyond their hold */
    int64_t withdrawn;
    int64_t late, lost; /* booked to a session that is gone; lost with a disk */
};
struct judge {
    struct judge_purse purse[BOOK_PURSES];
};

void judge_init(struct world *w);

/* Of calls; see calls.c for when. */
void judge_asks(struct world *w, struct sim_call *c);
void judge_answered(struct world *w, struct sim_call *c, int outcome);
void judge_admitted(struct world *w, struct sim_call *c);
void judge_extended(struct world *w, struct sim_call *c);
void judge_unheld(struct world *w, struct sim_call *c);
void judge_ended(struct world *w, struct sim_call *c, const int64_t *used);
void judge_process_died(struct world *w, struct sim_call *c);
void judge_set_aside(struct world *w, struct call_id id);

/* Of nodes and their disks. */
void judge_booted(struct world *w, struct process *p);
void judge_disk_lost(struct world *w, struct process *p);
void judge_power_lost(struct world *w, struct process *p);

/* Of the database. */
void judge_session_reaped(struct world *w, int64_t session);
void judge_looked_at(struct world *w); /* something was granted or returned */
void judge_withdrawn(struct world *w, struct team_id team, int64_t nano);
void judge_capacity(struct world *w, const struct book_purse *p);
void judge_books(struct world *w);
void judge_nodes(struct world *w); /* slow: with --trace after each event, else once */

/* When all has come to rest: everything is booked, only slack is leased. */
void judge_rest(struct world *w);
/* When every node has ended: nothing is leased. */
void judge_end(struct world *w);
bool judge_is_at_rest(struct world *w);
