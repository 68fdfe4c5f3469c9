/* cell.c: see cell.h. The figure is one atomic; window and validity stand beside it, so a take at
 * the very turn of a window may fall on either side of it. */
#include "lease/cell.h"

#include "lease/inside.h"
#include "lease/till.h"

struct cell *cell_ref(struct cell *c)
{
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void cell_unref(struct cell *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
        return;
    till_unref(c->till);
    free(c);
}

static bool usable(const struct cell *c, uint64_t epoch, int64_t now_ms)
{
    return atomic_load_explicit(&c->epoch, memory_order_acquire) == epoch &&
           now_ms < atomic_load_explicit(&c->valid_until_ms, memory_order_acquire);
}

/* Takes min..want; what was taken, 0 if less than min is there. */
static int64_t take(struct cell *c, uint64_t epoch, int64_t now_ms, int64_t min, int64_t want)
{
    int64_t taken;
    long long have;

    if (!usable(c, epoch, now_ms))
        return 0;
    have = atomic_load_explicit(&c->free, memory_order_relaxed);
    do {
        if (have < min || have <= 0)
            return 0;
        taken = MIN((int64_t)have, want);
    } while (!atomic_compare_exchange_weak_explicit(&c->free, &have, have - taken,
                                                    memory_order_acq_rel, memory_order_relaxed));
    atomic_store_explicit(&c->used_at_ms, now_ms, memory_order_relaxed);
    return taken;
}

bool cell_take(struct cell *c, uint64_t epoch, int64_t now_ms, int64_t amount)
{
    return amount == 0 || take(c, epoch, now_ms, amount, amount) == amount;
}

int64_t cell_take_some(struct cell *c, uint64_t epoch, int64_t now_ms, int64_t amount)
{
    return take(c, epoch, now_ms, 1, amount);
}

void cell_give(struct cell *c, uint64_t epoch, int64_t window_us, int64_t amount)
{
    if (amount <= 0 || atomic_load_explicit(&c->epoch, memory_order_acquire) != epoch ||
        atomic_load_explicit(&c->window_us, memory_order_acquire) != window_us)
        return;
    atomic_fetch_add(&c->free, amount);
    node_slackened(c->till->node);
}

void cell_deposit(struct cell *c, uint64_t epoch, int64_t sent_ms, int64_t window_us,
                  int64_t left_us, int64_t amount)
{
    if (cell_window_start(atomic_load(&c->window_us)) != window_us)
        c->granted = 0;
    if (atomic_load(&c->epoch) != epoch || atomic_load(&c->window_us) != window_us) {
        atomic_store(&c->free, 0);
        atomic_store(&c->window_us, window_us);
        atomic_store(&c->epoch, epoch);
    }
    /* Counted from before the database looked at its clock: too early rather than too late. */
    atomic_store(&c->valid_until_ms, left_us < 0 ? INT64_MAX : sent_ms + left_us / 1000);
    atomic_fetch_add(&c->free, amount);
    c->granted += amount;
    atomic_store(&c->used_at_ms, sent_ms);
    node_slackened(c->till->node);
}

void cell_share(struct cell *c, uint64_t epoch, int64_t start_us, int64_t until_ms, int64_t amount)
{
    if (cell_window_start(atomic_load(&c->window_us)) != start_us)
        c->granted = 0;
    if (c->own_us != start_us)
        c->own = 0;
    c->own_us = start_us;
    if (atomic_load(&c->epoch) != epoch || cell_window_start(atomic_load(&c->window_us)) != start_us)
        atomic_store(&c->free, 0);
    atomic_store(&c->window_us, start_us | CELL_SHARE_US);
    atomic_store(&c->epoch, epoch);
    atomic_store(&c->valid_until_ms, until_ms);
    atomic_fetch_add(&c->free, amount);
    c->own += amount;
}

void cell_share_over(struct cell *c)
{
    if (!cell_window_shared(atomic_load(&c->window_us)))
        return;
    atomic_store(&c->epoch, 0); /* no session's: nothing is taken of it, nor comes back */
    atomic_store(&c->free, 0);
}
