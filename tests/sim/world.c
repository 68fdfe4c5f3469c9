/* world.c: see world.h. */
#include "world.h"

#include <stdarg.h>
#include <stdio.h>

#include "memory.h"

bool world_traced;

int64_t dice_between(int64_t from, int64_t to)
{
    uint64_t span = (uint64_t)(to - from) + 1;

    if (span <= UINT32_MAX)
        return from + random_below((uint32_t)span);
    return from + (int64_t)(random_u64() % span);
}

bool dice_once_in(uint32_t n)
{
    return n && random_below(n) == 0;
}

/* --- the queue: a heap, four below each, as moving an event costs more than comparing two --- */

#define HEAP ((size_t)4)

static bool before(const struct event *a, const struct event *b)
{
    return a->at_us < b->at_us || (a->at_us == b->at_us && a->no < b->no);
}

static void push(struct world *w, struct event e)
{
    size_t i = w->n_queue++;

    if (w->n_queue > w->cap_queue) {
        size_t cap = w->cap_queue ? w->cap_queue * 2 : 1024;

        w->queue = keep_grow(w->queue, w->cap_queue * sizeof(e), cap * sizeof(e));
        w->cap_queue = cap;
    }
    for (; i && before(&e, &w->queue[(i - 1) / HEAP]); i = (i - 1) / HEAP)
        w->queue[i] = w->queue[(i - 1) / HEAP];
    w->queue[i] = e;
}

/* The first of those below i; n_queue: there are none. */
static size_t first_below(const struct world *w, size_t i)
{
    size_t first = MIN(HEAP * i + 1, w->n_queue);

    for (size_t k = first + 1; k <= HEAP * i + HEAP && k < w->n_queue; k++)
        if (before(&w->queue[k], &w->queue[first]))
            first = k;
    return first;
}

static struct event pop(struct world *w)
{
    struct event first = w->queue[0], last = w->queue[--w->n_queue];
    size_t i = 0;

    for (size_t below = first_below(w, 0); below < w->n_queue; below = first_below(w, i)) {
        if (!before(&w->queue[below], &last))
            break;
        w->queue[i] = w->queue[below];
        i = below;
    }
    w->queue[i] = last;
    return first;
}

void world_at(struct world *w, int64_t delay_us, event_fn fn, struct process *p, void *arg)
{
    push(w, (struct event){.at_us = w->now_us + MAX(delay_us, (int64_t)0),
                           .no = w->next_no++,
                           .fn = fn,
                           .process = p,
                           .life = p ? p->life : 0,
                           .arg = arg});
}

/* Waits while its process stands still. */
static bool postponed(struct world *w, struct event *e)
{
    struct process *p = e->process;

    if (!p || (!process_paused(p) && (!p->step.standing || e->fn == process_resume)))
        return false;
    e->at_us = MAX(p->paused_until_us, w->now_us + 1);
    e->no = w->next_no++;
    e->postponed = true;
    push(w, *e);
    return true;
}

void world_hasten(struct world *w, const struct process *p)
{
    size_t n = w->n_queue;

    w->n_queue = 0;
    for (size_t i = 0; i < n; i++) {
        struct event e = w->queue[i];

        if (e.process == p && e.postponed)
            e.at_us = w->now_us + 1;
        push(w, e); /* it never grows beyond what was read */
    }
}

void world_run(struct world *w, int64_t until_us)
{
    while (w->n_queue && w->queue[0].at_us < until_us) {
        struct event e = pop(w);

        w->now_us = e.at_us;
        if (e.process && e.process->life != e.life)
            continue;
        if (postponed(w, &e))
            continue;
        w->tally.events++;
        e.fn(w, &e);
        if (world_traced)
            judge_nodes(w);
    }
    w->now_us = until_us;
}

void world_disturb(struct world *w, int64_t until_us)
{
    w->disturbed_us = MAX(w->disturbed_us, until_us);
}

/* --- saying so --- */

void world_fail(const struct world *w, const char *fmt, ...)
{
    va_list args;

    fflush(stdout);
    fprintf(stderr, "FAIL sim seed %llu at %lld.%03lld s: ", (unsigned long long)w->seed,
            (long long)(w->now_us / SECOND_US), (long long)(w->now_us / MS_US % 1000));
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "\n     replay: build/sim --seed %llu%s --trace\n",
            (unsigned long long)w->seed, w->pg ? " --real" : "");
    _Exit(1);
}

void world_trace_line(const struct world *w, const char *fmt, ...)
{
    va_list args;

    fprintf(stderr, "%4lld.%06lld ", (long long)(w->now_us / SECOND_US),
            (long long)(w->now_us % SECOND_US));
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
}
