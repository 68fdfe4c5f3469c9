/* node.h: this process as the database knows it: a session that leases slices of purses.
 *
 * One per process. A thread of its own beats the heart (5 s), reaps sessions whose heart stands
 * still, and looks for slack to give back; it and the money lane are the only ones that speak to
 * the database, through the port (port.h). Without an acknowledged heartbeat for NODE_GRACE_MS
 * nothing is admitted any more; a session without one for NODE_REAP_MS is taken apart by the others
 * (reliability 1.4). Until then calls go on by what is leased, and of limits by the minute the node
 * gives itself a share (share.h). */
#pragma once

#include <stdatomic.h>

#include "db/db.h"
#include "loop/jobs.h"

#define NODE_HEARTBEAT_MS 5000
#define NODE_GRACE_MS 55000
#define NODE_REAP_MS 60000

struct node;
struct cell;

struct node_config {
    const char *conninfo, *name, *version;
    struct jobs *lane; /* money: its workers' state is a struct db */
};

/* Opens a session; the database has to answer. */
int node_new(const struct node_config *config, struct db *db, struct node **ret) _must_use_;
/* The lane is about to be freed: nothing is put on it any more. NULL is fine. Any thread. */
void node_lane_ends(struct node *n);
/* Gives every lease back and closes the session. No hold may be left. NULL is fine. */
void node_free(struct node *n);
/* Calls of the session could not be settled: node_free() is not to close it, since what it holds is
 * spent. Whoever replays the journal does, or it is reaped. Any thread. */
void node_leave_open(struct node *n);

/* The running session; 0 while a reaped one is being replaced. Any thread. */
int64_t node_session(const struct node *n);
/* Names the session too: what was taken under another epoch is not given back. Any thread. */
uint64_t node_epoch(const struct node *n);
/* May calls be admitted, i.e. was the heartbeat acknowledged lately? Any thread. */
bool node_admits(const struct node *n);
/* Somebody learnt from the database that the session was reaped. Any thread. */
void node_fenced(struct node *n);

/* This node's cell of a purse, counted; made on first use. Any thread. NULL: out of memory. */
struct cell *node_cell(struct node *n, struct team_id team, struct purse_id purse) _must_use_;

/* How many nodes live, this one included, as the last good heartbeat told; 0: this session has had none.
 * Any thread. */
unsigned node_count_live(const struct node *n);

struct node_view { /* for pages and metrics */
    int64_t session, heartbeat_age_ms;
    size_t cells;
    unsigned nodes; /* that live, this one included */
    bool away; /* the database is: the heartbeat is not answered */
    uint64_t grants, refusals, returns, reaped_others, fenced;
    uint64_t shares; /* of a minute's limit, that the node gave itself meanwhile */
};
void node_read(struct node *n, struct node_view *ret);
