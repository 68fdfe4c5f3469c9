/* hold.c: see hold.h. What is in the cells is taken here; what has to be asked for goes through the
 * team's till (lease.c). */
#include "lease/hold.h"

#include "lease/inside.h"
#include "lease/share.h"
#include "lease/till.h"

void hold_put(struct hold *hold, struct cell *c, uint64_t epoch, int64_t amount, int64_t window_us)
{
    for (size_t i = 0; i < hold->n; i++)
        if (hold->cell[i] == c) {
            /* What was held of a window that is over is void, and must not come back to this one. */
            hold->amount[i] = amount + (hold->window_us[i] == window_us ? hold->amount[i] : 0);
            hold->window_us[i] = window_us;
            return;
        }
    assert(hold->n < BOUND_HOLD_PURSES);
    hold->epoch = epoch;
    hold->cell[hold->n] = cell_ref(c);
    hold->amount[hold->n] = amount;
    hold->window_us[hold->n] = window_us;
    hold->n++;
}

bool hold_take_inside(struct node *n, struct hold *hold, const struct hold_want *wants,
                      size_t n_wants)
{
    uint64_t epoch = node_epoch(n);
    int64_t now_ms = node_now_ms(n);

    if (!node_admits(n) || (hold->n && hold->epoch != epoch))
        return false;
    for (size_t i = 0; i < n_wants; i++) {
        if (cell_take(wants[i].cell, epoch, now_ms, wants[i].amount))
            continue;
        while (i-- > 0)
            cell_give(wants[i].cell, epoch, atomic_load(&wants[i].cell->window_us),
                      wants[i].amount);
        return false;
    }
    for (size_t i = 0; i < n_wants; i++)
        hold_put(hold, wants[i].cell, epoch, wants[i].amount,
                 atomic_load(&wants[i].cell->window_us));
    return true;
}

static bool left_little(const struct hold_want *wants, size_t n_wants)
{
    for (size_t i = 0; i < n_wants; i++)
        if (atomic_load_explicit(&wants[i].cell->free, memory_order_relaxed) <
            atomic_load_explicit(&wants[i].cell->low, memory_order_relaxed))
            return true;
    return false;
}

static int enter_and_take(struct node *n, struct hold *hold, const struct hold_want *wants,
                          size_t n_wants)
{
    struct till *till = n_wants ? wants[0].cell->till : NULL;
    bool taken;

    if (!till)
        return node_admits(n) ? HOLD_OK : HOLD_E_SHORT;
    till_enter(till);
    taken = hold_take_inside(n, hold, wants, n_wants);
    till_leave(till);
    if (taken && left_little(wants, n_wants))
        till_fill(till);
    return taken ? HOLD_OK : HOLD_E_SHORT;
}

int hold_take(struct node *n, struct hold *hold, const struct hold_want *wants, size_t n_wants)
{
    assert(hold->n == 0);
    return enter_and_take(n, hold, wants, n_wants);
}

int hold_extend(struct node *n, struct hold *hold, const struct hold_want *wants, size_t n_wants)
{
    return enter_and_take(n, hold, wants, n_wants);
}

/* --- asking --- */

static void deliver(struct loop_msg *msg)
{
    struct hold_ask *ask = container_of(msg, struct hold_ask, msg_);

    ask->answered(ask, ask->outcome_);
}

void hold_answer(struct hold_ask *ask, int outcome)
{
    ask->outcome_ = outcome;
    if (!ask->loop_) {
        ask->answered(ask, outcome);
        return;
    }
    ask->msg_.fn = deliver;
    loop_post(ask->loop_, &ask->msg_);
}

int hold_ask(struct node *n, struct loop *loop, struct hold_ask *ask)
{
    int outcome;

    assert(ask->n_wants > 0);
    assert(ask->n_wants <= BOUND_HOLD_PURSES);
    for (size_t i = 1; i < ask->n_wants; i++)
        assert(ask->wants[i].cell->till == ask->wants[0].cell->till);
    ask->loop_ = loop;
    ask->till_ = ask->wants[0].cell->till;
    ask->round_ = ask->waits_ = 0;
    ask->short_ = ask->n_wants;
    /* The lane may be full of those that wait for a database that says nothing. */
    outcome = node_away(n) ? share_hold(n, ask) : HOLD_E_SHORT;
    if (outcome != HOLD_E_SHORT) {
        hold_answer(ask, outcome);
        return HOLD_OK;
    }
    return till_ask(ask->till_, ask) ? HOLD_OK : HOLD_E_BUSY;
}

/* --- the end --- */

void hold_end(struct node *n, struct hold *hold, const int64_t *used)
{
    (void)n;
    for (size_t i = 0; i < hold->n; i++) {
        struct cell *c = hold->cell[i];
        int64_t back = hold->amount[i] - (used ? used[i] : 0);

        till_enter(c->till);
        cell_give(c, hold->epoch, hold->window_us[i], back);
        till_leave(c->till);
        cell_unref(c);
    }
    hold->n = 0;
}

void hold_release(struct node *n, struct hold *hold)
{
    hold_end(n, hold, NULL);
}
