/* lease.h: one ask of a call, from the queue to its answer: what the node has is taken, what is
 * missing is granted by the database, and only the database refuses.
 *
 * A refusal that another node's slack could cure waits for the recall and is tried again, up to
 * 350 ms. One at a time per till, on whoever runs it. For this room only. */
#pragma once

#include "lease/hold.h"
#include "lease/till.h"

struct lease;

struct lease *lease_new(struct till *t) _must_use_; /* free() ends it */
/* Ends with till_next(t). */
void lease_begin(struct lease *l, struct hold_ask *ask);
/* More for cells that have little left, while there is enough for everybody. Ends with
 * till_next(t). */
void lease_fill(struct lease *l);
/* Asks the database what it granted to cells that are in doubt, so that what nobody knew of goes
 * back like any other slack. True: it does, and ends with till_next(t); false: there are none. */
bool lease_ask_after(struct lease *l);
