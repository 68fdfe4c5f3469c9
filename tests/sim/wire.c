/* wire.c: see wire.h. A message is a copy of the sender's call, as the sender may die meanwhile. */
#include "wire_inside.h"

#include "judge.h"
#include "memory.h"
#include "pg.h"
#include "world.h"

#define WAY_MIN_US 150
#define WAY_MAX_US (6 * MS_US)
#define SLOW_WAY_US (250 * MS_US)
/* How long a sender waits at most for an answer that does not come. */
#define GIVE_UP_US (5 * SECOND_US)
/* How long a statement may hang before the database takes it up after all. */
#define STRAGGLE_US (40 * SECOND_US)
/* A node looks every two seconds after what may not have arrived. */
#define AFTER_US (3 * SECOND_US)
#define RECALL_FAST_US (600 * MS_US)

struct wire {
    struct wire_message *all, *spare[WIRE_KINDS];
};

int64_t wire_database_us(const struct world *w)
{
    return w->wall_us + w->now_us + w->faults.database_ahead_us;
}

/* --- messages --- */

struct wire_message *wire_message(struct process *p, enum wire_kind kind, void *call)
{
    struct world *w = p->world;
    struct wire_message *m;

    if (!w->wire)
        w->wire = keep_grow(NULL, 0, sizeof(*w->wire));
    m = w->wire->spare[kind];
    if (m) {
        w->wire->spare[kind] = m->next;
    } else {
        m = keep_grow(NULL, 0, sizeof(*m));
        m->all = w->wire->all;
        w->wire->all = m;
    }
    m->kind = kind;
    m->from = p;
    m->life = p->life;
    m->call = call;
    m->silent = !call;
    m->outcome = PORT_E_AWAY;
    m->sent_us = w->now_us;
    return m;
}

void wire_reset(struct world *w)
{
    struct wire *wire = w->wire;

    if (!wire)
        return;
    memset(wire->spare, 0, sizeof(wire->spare));
    for (struct wire_message *m = wire->all; m; m = m->all) {
        m->next = wire->spare[m->kind];
        wire->spare[m->kind] = m;
    }
}

void wire_done(struct world *w)
{
    struct wire_message *next;

    for (struct wire_message *m = w->wire ? w->wire->all : NULL; m; m = next) {
        next = m->all;
        keep_free(m->entries);
        keep_free(m);
    }
    keep_free(steal(&w->wire));
}

static void release(struct world *w, struct wire_message *m)
{
    m->next = w->wire->spare[m->kind];
    w->wire->spare[m->kind] = m;
}

/* --- at the database --- */

/* Who asked and who has something of it tick as often as the server does: for the others there is
 * nothing to find. */
static void recall(struct world *w, struct process *from, struct book_purse *b)
{
    for (unsigned k = 0; k < w->plan.nodes; k++) {
        struct process *p = &w->process[k];
        const struct book_lease *l = books_lease(b, p->acked_session);

        if (p->state == PROCESS_UP && (p == from || (l && l->remaining > 0)))
            process_tick_fast(p, RECALL_FAST_US);
    }
}

static void grant(struct world *w, struct wire_message *m)
{
    struct grant_call asked;

    if (w->pg)
        asked = m->grant;
    m->outcome = books_grant(&w->books, wire_database_us(w), &m->grant);
    if (w->pg)
        pg_check_grant(w, &asked, &m->grant, m->outcome);
    judge_looked_at(w);
    for (size_t i = 0; m->outcome == PORT_OK && i < m->grant.n; i++)
        if (m->grant.line[i].elsewhere)
            recall(w, m->from, books_purse(&w->books, m->grant.line[i].cell->purse));
}

static void session_call(struct world *w, struct wire_message *m)
{
    if (m->kind == WIRE_OPEN) {
        if (w->pg)
            pg_open(w, &m->session);
        m->outcome = books_open(&w->books, &m->session);
    } else if (m->kind == WIRE_HEARTBEAT) {
        m->outcome = books_heartbeat(&w->books, &m->session);
        if (w->pg)
            pg_check_heartbeat(w, &m->session, m->outcome);
    } else {
        m->outcome = books_close(&w->books, &m->session);
        if (w->pg)
            pg_check_close(w, m->session.session);
    }
}

static void reap(struct world *w, struct wire_message *m)
{
    m->outcome = books_reap(&w->books, &m->reap);
    if (w->pg)
        pg_check_reap(w, &m->reap);
    if (m->reap.reaped)
        judge_session_reaped(w, m->reap.session);
}

static void execute(struct world *w, struct wire_message *m)
{
    switch (m->kind) {
    case WIRE_GRANT:
        grant(w, m);
        break;
    case WIRE_BACK:
        m->outcome = books_back(&w->books, &m->back);
        if (w->pg)
            pg_check_back(w, &m->back, m->outcome);
        judge_looked_at(w);
        break;
    case WIRE_OPEN:
    case WIRE_HEARTBEAT:
    case WIRE_CLOSE:
        session_call(w, m);
        break;
    case WIRE_LOOK:
        m->outcome = books_look(&w->books, wire_database_us(w), &m->look);
        if (w->pg)
            pg_check_look(w, &m->look);
        break;
    case WIRE_REAP:
        reap(w, m);
        break;
    case WIRE_SETTLE:
        m->outcome = books_settle(&w->books, wire_database_us(w), &m->settle);
        if (w->pg)
            pg_check_settle(w, &m->settle, m->outcome);
        break;
    case WIRE_KINDS:
        break;
    }
    if (world_traced) {
        wire_trace_done(w, m);
        judge_books(w);
    }
}

/* --- the answer --- */

static void take_grant(struct grant_call *to, const struct wire_message *m)
{
    for (size_t i = 0; i < to->n; i++) {
        struct cell *cell = to->line[i].cell;

        to->line[i] = m->grant.line[i];
        to->line[i].cell = cell;
    }
}

static void take_look(struct look_call *to, const struct look_call *from)
{
    memcpy(to->seen, from->seen, from->n_seen * sizeof(*to->seen));
    memcpy(to->recall, from->recall, from->n_recalls * sizeof(*to->recall));
    to->n_seen = from->n_seen;
    to->n_recalls = from->n_recalls;
}

/* The node knows how long its session is good for; so does the judge. */
static void note_acked(struct process *p, const struct wire_message *m)
{
    if (m->outcome != PORT_OK)
        return;
    p->acked_us = m->sent_us;
    p->acked_session = m->session.session;
    if (m->kind == WIRE_HEARTBEAT) {
        p->nodes_before = p->nodes;
        p->nodes = m->session.nodes;
    }
}

static void deliver_session(struct process *p, struct wire_message *m)
{
    struct session_call *to = m->call;

    if (m->kind != WIRE_CLOSE)
        note_acked(p, m);
    if (m->outcome == PORT_OK) {
        to->session = m->session.session;
        to->nodes = m->session.nodes;
    }
    to->done(to, m->outcome);
}

static void deliver(struct process *p, void *arg)
{
    struct wire_message *m = arg;
    void *call = m->call;
    bool ok = m->outcome == PORT_OK;

    process_point(p);
    if (world_traced)
        wire_trace_told(p->world, m);
    switch (m->kind) {
    case WIRE_GRANT:
        if (ok)
            take_grant(call, m);
        ((struct grant_call *)call)->done(call, m->outcome);
        break;
    case WIRE_BACK:
        ((struct back_call *)call)->done(call, m->outcome);
        break;
    case WIRE_OPEN:
    case WIRE_HEARTBEAT:
    case WIRE_CLOSE:
        deliver_session(p, m);
        break;
    case WIRE_LOOK:
        if (ok)
            take_look(call, &m->look);
        ((struct look_call *)call)->done(call, m->outcome);
        break;
    case WIRE_REAP:
        ((struct reap_call *)call)->reaped = ok && m->reap.reaped;
        ((struct reap_call *)call)->done(call, m->outcome);
        break;
    case WIRE_SETTLE:
        ((struct settle_call *)call)->live = m->settle.live;
        ((struct settle_call *)call)->done(call, m->outcome);
        process_flush_soon(p, 1);
        break;
    case WIRE_KINDS:
        break;
    }
    release(p->world, m);
}

static void deliver_event(struct world *w, struct event *e)
{
    (void)w;
    if (e->process->node)
        process_enter(e->process, deliver, e->arg);
}

/* The sender hears nothing and gives up; what it sent may be under way still. */
static void give_up_event(struct world *w, struct event *e)
{
    struct wire_message *sent = e->arg;
    struct wire_message *m = wire_message(e->process, sent->kind, sent->call);

    e->arg = m;
    deliver_event(w, e);
}

/* --- the ways --- */

/* Whoever waits for it, or comes after it, may get another answer for so long. */
static void disturb(struct world *w, int64_t for_us)
{
    world_disturb(w, w->now_us + for_us + AFTER_US);
}

static int64_t way(struct world *w)
{
    if (!dice_once_in(w->plan.faults.slow))
        return dice_between(WAY_MIN_US, WAY_MAX_US);
    disturb(w, SLOW_WAY_US);
    return dice_between(WAY_MIN_US, SLOW_WAY_US);
}

static void arrive(struct world *w, struct event *e)
{
    struct wire_message *m = e->arg;
    bool lost;

    m->silent = m->silent || m->life != m->from->life;
    if (w->faults.database_away) {
        if (!m->silent)
            world_at(w, dice_between(MS_US, 2 * SECOND_US), deliver_event, m->from, m);
        return;
    }
    execute(w, m);
    if (m->silent)
        return;
    lost = !w->stopping && dice_once_in(w->plan.faults.lost_reply);
    if (lost) {
        w->tally.lost_replies++;
        disturb(w, GIVE_UP_US);
        world_at(w, dice_between(1, GIVE_UP_US), give_up_event, m->from, m);
    } else {
        world_at(w, way(w), deliver_event, m->from, m);
    }
}

void wire_send(struct process *p, struct wire_message *m)
{
    struct world *w = p->world;
    const struct plan_faults *f = &w->plan.faults;

    process_point(p);
    if (!w->stopping && dice_once_in(f->lost_request)) {
        w->tally.lost_requests++;
        disturb(w, GIVE_UP_US);
        if (m->call)
            world_at(w, dice_between(1, GIVE_UP_US), deliver_event, p, m);
    } else if (!w->stopping && dice_once_in(f->straggler)) {
        w->tally.stragglers++;
        disturb(w, STRAGGLE_US);
        m->silent = true;
        if (m->call)
            world_at(w, dice_between(SECOND_US, GIVE_UP_US), give_up_event, p, m);
        world_at(w, dice_between(GIVE_UP_US, STRAGGLE_US), arrive, NULL, m);
    } else {
        world_at(w, way(w), arrive, NULL, m);
    }
    process_point(p);
}

