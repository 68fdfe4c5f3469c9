/* inside.h: a node without threads: what the files of this room know of it, and how a simulator
 * drives one. */
#pragma once

#include "lease/node.h"
#include "lease/port.h"

struct hold_ask;
struct till;

/* The port outlives the node. */
struct node *node_core_new(const struct ledger_port *port) _must_use_;
void node_core_free(struct node *n);
/* Nothing is asked of the database, and nothing will be without another call. */
bool node_idle(struct node *n);
/* Does what is due: heartbeat, looks, reaping, waiting asks, slack that lies idle. Milliseconds until
 * something is due next, unless the port is stirred before. */
int node_tick(struct node *n);

const struct ledger_port *node_port(const struct node *n);
int64_t node_now_ms(const struct node *n);
/* That session is dead; nothing happens if it is not the running one. Any thread. */
void node_fenced_session(struct node *n, int64_t session);
/* The ask waits until its due_ms_, then goes through its till again. Any thread. */
void node_park(struct node *n, struct hold_ask *ask);
/* Does the database not answer? See heartbeat.h. Any thread. */
bool node_away(const struct node *n);
/* It did not answer somebody: the next heartbeat is sent at once, and says. Any thread. */
void node_probe(struct node *n);
/* The node gave itself a share (share.h); they end when the database is back. The till is closed. */
void node_shared(struct node *n);
bool node_left_open(const struct node *n); /* see node_leave_open() */
/* The next number for a grant or a return: each is larger than all before it in this process, so
 * that a purse's cell, or a team's till, that was let go and made anew does not count from one again
 * where the database remembers more. Any thread. */
int64_t node_number(struct node *n);
/* A cell has more free than before, or may have, for all that is known here: somebody may want it. Any
 * thread, after the cell was changed. */
void node_slackened(struct node *n);
void node_count(struct node *n, int hold_outcome);
void node_count_back(struct node *n, size_t purses);
