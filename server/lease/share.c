/* share.c: see share.h. The database's minutes go on by the node's own monotonic clock, from where the
 * last one that it was told of ends. */
#include "lease/share.h"

#include "base/clock.h"
#include "lease/inside.h"
#include "lease/till.h"

#define MINUTE_MS INT64_C(60000)
#define MINUTE_US (MINUTE_MS * 1000)

struct minute {
    int64_t start_us, until_ms;
};

/* The minute that runs; false: the cell was never told of one. */
static bool minute_now(const struct cell *c, int64_t now_ms, struct minute *ret)
{
    int64_t start_us = cell_window_start(atomic_load(&c->window_us));
    int64_t until_ms = atomic_load(&c->valid_until_ms), turns;

    if (!until_ms || until_ms == INT64_MAX)
        return false;
    turns = now_ms < until_ms ? 0 : (now_ms - until_ms) / MINUTE_MS + 1;
    *ret = (struct minute){start_us + turns * MINUTE_US, until_ms + turns * MINUTE_MS};
    return true;
}

bool share_counts(const struct cell *c, int64_t now_ms)
{
    return c->own_us && now_ms < atomic_load(&c->valid_until_ms) &&
           c->own_us == cell_window_start(atomic_load(&c->window_us));
}

static int64_t share_of(const struct node *n, const struct hold_want *want)
{
    unsigned nodes = node_count_live(n);

    return nodes ? want->minute / nodes : 0;
}

/* What of its share the node has not had yet. */
static int64_t left_of(const struct cell *c, const struct minute *m, int64_t share)
{
    int64_t had = c->own_us == m->start_us ? c->own : 0, left;

    if (cell_window_start(atomic_load(&c->window_us)) == m->start_us)
        had += c->granted;
    left = share - had;
    if (c->heard_us == m->start_us)
        left = MIN(left, (int64_t)(atomic_load(&c->capacity) - atomic_load(&c->spoken_for)));
    return left;
}

static int64_t has(const struct node *n, const struct cell *c, int64_t now_ms)
{
    bool usable = atomic_load(&c->epoch) == node_epoch(n) && now_ms < atomic_load(&c->valid_until_ms);

    return usable ? MAX((int64_t)atomic_load(&c->free), (int64_t)0) : 0;
}

/* The till is closed. */
static void give(struct node *n, const struct hold_want *want, int64_t now_ms)
{
    struct cell *c = want->cell;
    struct minute m;
    int64_t left;

    if (!want->minute || has(n, c, now_ms) >= want->amount || !minute_now(c, now_ms, &m))
        return;
    left = left_of(c, &m, share_of(n, want));
    if (left <= 0)
        return;
    cell_share(c, node_epoch(n), m.start_us, m.until_ms, left);
    /* For headers: what is free here is all that is left. */
    atomic_store(&c->capacity, want->minute);
    atomic_store(&c->spoken_for, want->minute);
    node_shared(n);
}

/* The till is closed. Whether the first want that is short was had already, within this minute. */
static int refuse(const struct node *n, struct hold_ask *ask, int64_t now_ms)
{
    for (size_t i = 0; i < ask->n_wants; i++) {
        const struct hold_want *want = &ask->wants[i];
        struct minute m;

        if (has(n, want->cell, now_ms) >= want->amount)
            continue;
        if (want->amount > share_of(n, want) || !minute_now(want->cell, now_ms, &m))
            return HOLD_E_SHORT;
        ask->refusal = (struct hold_refusal){
            .which = i,
            .capacity = want->minute,
            .used = want->minute - has(n, want->cell, now_ms),
            .resets_at_us = clock_wall_us() + (m.until_ms - now_ms) * 1000};
        return HOLD_E_REFUSED;
    }
    return HOLD_E_SHORT;
}

static bool any_minute(const struct hold_ask *ask)
{
    for (size_t i = 0; i < ask->n_wants; i++)
        if (ask->wants[i].minute)
            return true;
    return false;
}

int share_hold(struct node *n, struct hold_ask *ask)
{
    struct till *t = ask->till_;
    int outcome = HOLD_E_SHORT;
    int64_t now_ms;

    if (!any_minute(ask))
        return HOLD_E_SHORT;
    till_close(t);
    now_ms = node_now_ms(n);
    if (node_admits(n) && (!ask->hold->n || ask->hold->epoch == node_epoch(n))) {
        for (size_t i = 0; i < ask->n_wants; i++)
            give(n, &ask->wants[i], now_ms);
        outcome = hold_take_inside(n, ask->hold, ask->wants, ask->n_wants)
                      ? HOLD_OK
                      : refuse(n, ask, now_ms);
    }
    till_open(t);
    return outcome;
}
