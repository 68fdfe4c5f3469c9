/* judge_rest.c: what nodes owe: answers, life, and everything settled in the end. See judge.h. */
#include "judge.h"

#include <stdarg.h>
#include <stdio.h>

#include "memory.h"
#include "world.h"

/* Reliability 1.6: a restarted node has settled what it left behind after so long. */
#define RESTART_US (5 * SECOND_US)
/* A reaper watches so long before it acts; before that nothing may have disturbed it. */
#define WELL_US (80 * SECOND_US)

static bool undisturbed_since(const struct world *w, int64_t since_us)
{
    return w->disturbed_us < since_us;
}

static bool is_booked(const struct world *w, const struct sim_call *c)
{
    return c->number < w->books.n_calls && w->books.call[c->number].booked;
}

/* --- what a node has --- */

/* What calls of this process keep of a purse's running window. */
static int64_t in_use(const struct world *w, const struct process *p, const struct book_purse *b)
{
    int64_t sum = 0;

    for (size_t i = 0; i < w->n_calls; i++) {
        const struct sim_call *c = &w->calls[i];

        if (c->process != p || c->life != p->life || c->session != p->acked_session ||
            is_booked(w, c))
            continue;
        for (size_t k = 0; k < c->n_kept; k++)
            if (c->kept[k].purse.v == b->id.v && c->kept[k].window_us == b->starts_us)
                sum += MIN(c->kept[k].amount, c->leased[k]);
    }
    return sum;
}

/* A node never has more of a purse than is leased to it. */
static void check_node(struct world *w, struct process *p, struct book_purse *b)
{
    struct book_lease *l = books_lease(b, p->acked_session);
    struct cell *c = p->cell[b - w->books.purse];
    int64_t has;

    if (!l || !c || l->window_us != b->starts_us || atomic_load(&c->window_us) != b->starts_us ||
        (int64_t)atomic_load(&c->epoch) != l->session)
        return;
    has = atomic_load(&c->free) + in_use(w, p, b);
    world_hold(w, has <= l->remaining,
               "node %u has %lld of purse %lld free and %lld in use, and %lld are leased to it",
               p->index, (long long)atomic_load(&c->free), (long long)b->id.v,
               (long long)in_use(w, p, b), (long long)l->remaining);
}

void judge_nodes(struct world *w)
{
    for (unsigned i = 0; i < w->plan.nodes; i++)
        for (size_t k = 0; k < w->books.n_purses; k++)
            if (w->process[i].state == PROCESS_UP && !w->process[i].step.standing)
                check_node(w, &w->process[i], &w->books.purse[k]);
}

/* --- refusals --- */

/* Up, not paused, and its session is the one it believes in. */
static bool is_well(struct world *w, const struct process *p)
{
    const struct book_session *s;

    if (p->state != PROCESS_UP || process_paused(p) || p->step.standing || !p->journal)
        return false;
    s = books_session(&w->books, node_session(p->node));
    return s && s->state == SESSION_LIVE;
}

/* What the database and all nodes that are well have of a purse and nobody holds. */
static int64_t free_of(struct world *w, const struct book_purse *b)
{
    int64_t sum = b->capacity - b->used - b->leased;

    for (unsigned i = 0; i < w->plan.nodes; i++) {
        struct process *p = &w->process[i];
        struct cell *c;
        int before;

        if (!is_well(w, p))
            continue;
        before = memory_enter((int)i);
        c = node_cell(p->node, b->team, b->id);
        if (atomic_load(&c->epoch) == node_epoch(p->node) &&
            atomic_load(&c->window_us) == b->starts_us)
            sum += atomic_load(&c->free) + atomic_load(&c->back_amount);
        cell_unref(c);
        memory_enter(before);
    }
    return sum;
}

void judge_looked_at(struct world *w)
{
    for (struct sim_call *c = w->asking; c; c = c->next_asking)
        for (size_t k = 0; k < c->n_wants; k++) {
            const struct book_purse *b = books_purse(&w->books, c->wants[k].cell->purse);

            if (undisturbed_since(w, c->asked_us))
                c->seen_free[k] = MIN(c->seen_free[k], free_of(w, b));
        }
}

void judge_asks(struct world *w, struct sim_call *c)
{
    for (size_t k = 0; k < c->n_wants; k++)
        c->seen_free[k] = INT64_MAX;
    c->next_asking = w->asking;
    w->asking = c;
    judge_looked_at(w);
}

static void check_refusal(struct world *w, const struct sim_call *c)
{
    size_t which = c->ask.refusal.which;
    const struct book_purse *b = books_purse(&w->books, c->wants[which].cell->purse);

    if (!undisturbed_since(w, c->asked_us) || books_team(&w->books, c->team)->frozen)
        return;
    world_hold(w, c->seen_free[which] < c->wants[which].amount,
               "call %zu was refused %lld of purse %lld (kind %d), and %lld were free all the while",
               c->number, (long long)c->wants[which].amount, (long long)b->id.v, (int)b->kind,
               (long long)c->seen_free[which]);
}

void judge_answered(struct world *w, struct sim_call *c, int outcome)
{
    struct sim_call **at = &w->asking;

    if (outcome == HOLD_E_REFUSED) {
        judge_looked_at(w);
        check_refusal(w, c);
    }
    while (*at && *at != c)
        at = &(*at)->next_asking;
    if (*at)
        *at = c->next_asking;
}

/* --- life --- */

void judge_session_reaped(struct world *w, int64_t session)
{
    w->tally.reaps++;
    for (unsigned i = 0; i < w->plan.nodes; i++) {
        const struct process *p = &w->process[i];

        world_hold(w,
                   p->state != PROCESS_UP || p->acked_session != session ||
                       !undisturbed_since(w, w->now_us - WELL_US) ||
                       p->booted_us > w->now_us - WELL_US,
                   "session %lld of node %u was reaped, and nothing ailed it", (long long)session,
                   i);
    }
}

static void check_restart(struct world *w, struct event *e)
{
    const struct process *p = e->process;

    if (!undisturbed_since(w, p->booted_us) || p->state == PROCESS_DOWN)
        return;
    for (size_t i = 0; i < w->n_calls; i++) {
        const struct sim_call *c = &w->calls[i];

        if (c->process != p || c->life == p->life || !c->disk.type)
            continue;
        world_hold(w, is_booked(w, c) || c->in_doubt || c->lost || c->poisoned,
                   "call %zu is not booked %lld s after its node restarted", c->number,
                   (long long)(RESTART_US / SECOND_US));
    }
}

void judge_booted(struct world *w, struct process *p)
{
    world_at(w, RESTART_US, check_restart, p, NULL);
}

/* --- the end --- */

/* May it stay out of the books? */
static bool excused(const struct sim_call *c)
{
    return (!c->disk.type && !c->unwritten) || c->lost || c->in_doubt || c->set_aside ||
           c->process->gone;
}

static const char *said(const char *fmt, ...) _printf_(1, 2);
static const char *said(const char *fmt, ...)
{
    static char text[128];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return text;
}

static const char *session_unrest(const struct world *w)
{
    for (size_t i = 0; i < w->books.n_sessions; i++) {
        const struct book_session *s = &w->books.session[i];
        bool known = s->state != SESSION_LIVE;

        for (unsigned k = 0; !known && k < w->plan.nodes; k++)
            known = w->process[k].node && node_session(w->process[k].node) == s->id;
        if (!known)
            return said("session %lld lives, and no node has it", (long long)s->id);
    }
    return NULL;
}

static const char *node_unrest(struct world *w)
{
    for (unsigned i = 0; i < w->plan.nodes; i++) {
        struct process *p = &w->process[i];
        const struct book_session *s;

        if (p->gone)
            continue;
        if (p->state != PROCESS_UP)
            return said("node %u is not back", i);
        if (!p->journal || !settle_idle(&p->settle))
            return said("node %u has calls to settle", i);
        s = books_session(&w->books, node_session(p->node));
        if (!s || s->state != SESSION_LIVE)
            return said("node %u has no session that lives", i);
        if (!node_idle(p->node))
            return said("a till of node %u runs", i);
    }
    return NULL;
}

/* What the database refused for good stays leased until the session ends. */
static int64_t set_aside_of(const struct world *w, const struct book_purse *b)
{
    int64_t sum = 0;

    for (size_t i = 0; i < w->n_calls; i++) {
        const struct sim_call *c = &w->calls[i];

        for (size_t k = 0; c->set_aside && k < c->n_kept; k++)
            if (c->kept[k].purse.v == b->id.v)
                sum += c->leased[k];
    }
    return sum;
}

static const char *lease_unrest(const struct world *w)
{
    for (size_t i = 0; i < w->books.n_purses; i++) {
        const struct book_purse *b = &w->books.purse[i];

        /* Of a window that turns what is leased is void by itself. */
        if (b->turns == TURNS_NEVER && b->leased > set_aside_of(w, b))
            return said("%lld of purse %lld are leased", (long long)b->leased, (long long)b->id.v);
    }
    return NULL;
}

static const char *unrest(struct world *w)
{
    const char *why = session_unrest(w);

    for (size_t i = 0; !why && i < w->n_calls; i++)
        if (!is_booked(w, &w->calls[i]) && !excused(&w->calls[i]))
            why = said("call %zu of node %u is not booked (state %d)", i,
                       w->calls[i].process->index, (int)w->calls[i].state);
    why = why ? why : lease_unrest(w);
    if (!why && w->asking)
        why = said("call %zu of node %u is not answered (state %d)", w->asking->number,
                   w->asking->process->index, (int)w->asking->state);
    return why ? why : node_unrest(w);
}

bool judge_is_at_rest(struct world *w)
{
    return !unrest(w);
}

void judge_rest(struct world *w)
{
    const char *why = unrest(w);

    world_hold(w, !why, "it does not come to rest: %s", why);
    judge_books(w);
}

void judge_end(struct world *w)
{
    for (size_t i = 0; i < w->books.n_purses; i++) {
        const struct judge_purse *p = &w->judge.purse[i];
        const struct book_purse *b = &w->books.purse[i];
        int64_t exposed = 0;

        world_hold(w, !b->leased, "purse %zu: %lld stay leased when every node has ended", i,
                   (long long)b->leased);
        for (size_t k = 0; k < p->n; k++)
            exposed += p->window[k].exposed;
        world_hold(w, b->kind != PURSE_WALLET || p->late <= exposed + p->beyond,
                   "purse %zu: %lld came late, %lld were exposed and %lld beyond holds", i,
                   (long long)p->late, (long long)exposed, (long long)p->beyond);
    }
    for (unsigned i = 0; i < w->plan.nodes; i++)
        world_hold(w, w->process[i].gone || disk_empty(&w->process[i].disk),
                   "node %u left a journal behind", i);
    judge_books(w);
}
