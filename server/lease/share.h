/* share.h: what a node gives itself of a limit by the minute while the database does not answer.
 *
 * Only of purses that turn every minute (hold_want.minute: requests and tokens), never of money, budgets
 * or permits; only while the database is away (heartbeat.h), and not beyond the node's grace. Of each
 * minute a node has limit / nodes at most, rounded down, by the nodes of its last good heartbeat, and
 * less what was leased to it of that minute before; nor has it more than was left of the minute when it
 * last heard. Beyond that calls are refused as the database would refuse them; a call that needs more
 * than a whole share is not, it has to wait for the database.
 *
 * What holds, all replicas taken together:
 * - In a minute all through which the database is away no more than the limit is let in, as long as all
 *   count the same nodes. One that joins is counted by the others with their next heartbeat: when the
 *   database goes within those 5 s their shares may be one node's too large.
 * - In the minute in which it goes no node has more than its share, or what was leased to it, whichever
 *   is more. Where none was leased more than its share that is the limit; else it is exceeded at most
 *   by what was leased beyond shares, so it is never twice the limit.
 * - In the minute in which it is back it leases again what is left by its own count, and shares end,
 *   with the next heartbeat: a second, or as long as a try to connect takes. Calls that shares let in
 *   are in that count once they are settled. So the limit may be exceeded by the shares at most, and is
 *   by what of them was not settled when it was leased.
 * - A node that alone cannot reach the database has its share beside what the others lease.
 * A share is forgotten with the process and given at most once a minute and process. */
#pragma once

#include "lease/hold.h"

/* Takes all wants of the ask from what the node has and may give itself. HOLD_OK; HOLD_E_REFUSED: see
 * ask->refusal; HOLD_E_SHORT: nothing was taken, something is short that only the database has. Any
 * thread, outside the till. For this room only. */
int share_hold(struct node *n, struct hold_ask *ask) _must_use_;
/* Must the cell be kept because it knows of a share of the minute that runs? */
bool share_counts(const struct cell *c, int64_t now_ms);
