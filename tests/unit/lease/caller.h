/* caller.h: somebody who wants a hold and waits for the answer, as a call does. */
#pragma once

#include "lease/money.h"

/* One caller: with a loop of its own to be answered on, as the gateway's calls have. A loop that was
 * stopped stays so: each ask gets a new one. */
struct caller {
    struct node *node;
    struct loop *loop;
    struct hold_ask ask;
    int outcome;
};

static inline void caller_answered(struct hold_ask *ask, int outcome)
{
    struct caller *c = container_of(ask, struct caller, ask);

    c->outcome = outcome;
    loop_stop(c->loop);
}

static inline void caller_init(struct caller *c, struct node *node)
{
    *c = (struct caller){.node = node};
}

/* Takes or asks, and waits for the answer: HOLD_OK, HOLD_E_REFUSED, HOLD_E_AWAY or HOLD_E_BUSY. */
static inline int caller_hold(struct caller *c, struct hold *hold, const struct hold_want *wants,
                              size_t n)
{
    int r = hold->n ? hold_extend(c->node, hold, wants, n) : hold_take(c->node, hold, wants, n);

    if (r != HOLD_E_SHORT)
        return r;
    memset(&c->ask, 0, sizeof(c->ask));
    memcpy(c->ask.wants, wants, n * sizeof(*wants));
    c->ask.n_wants = n;
    c->ask.hold = hold;
    c->ask.answered = caller_answered;
    c->loop = loop_new("caller");
    assert_non_null(c->loop);
    r = hold_ask(c->node, c->loop, &c->ask);
    if (r == HOLD_OK) {
        assert_int_equal(loop_run(c->loop), 0);
        r = c->outcome;
    }
    loop_free(c->loop);
    return r;
}
