/* timers.c: see timers.h. */
#include "loop/timers.h"

#include <errno.h>

#include "base/err.h"

enum { HEAP_FIRST = 64, WAIT_MAX_MS = 3600 * 1000 };

void timers_done(struct timers *ts)
{
    for (size_t i = 0; i < ts->n; i++)
        ts->heap[i]->loop = NULL;
    free(ts->heap);
}

/* Of the same time those that were armed in an earlier turn come first. */
static bool is_before(const struct loop_timer *a, const struct loop_timer *b)
{
    return a->at_ms < b->at_ms || (a->at_ms == b->at_ms && a->turn < b->turn);
}

static void place(struct timers *ts, size_t i, struct loop_timer *t)
{
    ts->heap[i] = t;
    t->heap_index = i;
}

static void sift_up(struct timers *ts, size_t i)
{
    struct loop_timer *t = ts->heap[i];

    for (; i && is_before(t, ts->heap[(i - 1) / 2]); i = (i - 1) / 2)
        place(ts, i, ts->heap[(i - 1) / 2]);
    place(ts, i, t);
}

static void sift_down(struct timers *ts, size_t i)
{
    struct loop_timer *t = ts->heap[i];

    for (;;) {
        size_t child = 2 * i + 1;

        if (child + 1 < ts->n && is_before(ts->heap[child + 1], ts->heap[child]))
            child++;
        if (child >= ts->n || !is_before(ts->heap[child], t))
            break;
        place(ts, i, ts->heap[child]);
        i = child;
    }
    place(ts, i, t);
}

static int make_room(struct timers *ts)
{
    size_t cap = ts->cap ? ts->cap * 2 : HEAP_FIRST;
    struct loop_timer **heap;

    if (ts->n < ts->cap)
        return 0;
    heap = reallocarray(ts->heap, cap, sizeof(*heap));
    if (!heap)
        return err_origin(-ENOMEM);
    ts->heap = heap;
    ts->cap = cap;
    return 0;
}

int timers_set(struct timers *ts, struct loop_timer *t, int64_t at_ms, bool armed)
{
    if (!armed) {
        int r = make_room(ts);

        if (r < 0)
            return err_trace(r);
        place(ts, ts->n++, t);
    }
    t->at_ms = MAX(at_ms, ts->fired_ms);
    t->turn = ts->turn;
    sift_up(ts, t->heap_index);
    sift_down(ts, t->heap_index);
    return 0;
}

void timers_clear(struct timers *ts, struct loop_timer *t)
{
    size_t i = t->heap_index;
    struct loop_timer *last = ts->heap[--ts->n];

    assert(ts->heap[i] == t || last == t);
    t->loop = NULL;
    if (last == t)
        return;
    place(ts, i, last);
    sift_up(ts, i);
    sift_down(ts, last->heap_index);
}

void timers_fire(struct timers *ts, int64_t now_ms)
{
    ts->turn++;
    ts->fired_ms = now_ms;
    while (ts->n && ts->heap[0]->at_ms <= now_ms && ts->heap[0]->turn < ts->turn) {
        struct loop_timer *t = ts->heap[0];

        timers_clear(ts, t);
        t->fired(t);
    }
}

int timers_wait_ms(const struct timers *ts, int64_t now_ms)
{
    if (!ts->n)
        return -1;
    if (ts->heap[0]->at_ms <= now_ms)
        return 0;
    return (int)MIN(ts->heap[0]->at_ms - now_ms, (int64_t)WAIT_MAX_MS);
}
