/* refusal.h: what is written down when a request is refused.
 *
 * Before its key is known: a counter and at most one log line a second. Afterwards the call is a
 * row; beyond BOUND_REFUSALS_PER_S a second per key and node the rows are held back and one row a
 * second stands for all of them (its `repeat`). Loop thread. */
#pragma once

#include "gateway/gateway.h"

struct call;
struct known_key;

void refusal_early(struct gateway *g, struct request *r, const struct problem *p,
                   enum metrics_refusal why);
/* Writes the finished record of a call that was never sent upstream, or holds it back. */
void refusal_record(struct call *c);
/* Writes the rows that stand for what was held back: once a second, and when the loop ends. */
void refusal_flush(struct gateway *g);
