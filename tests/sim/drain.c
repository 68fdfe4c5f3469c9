/* drain.c: SIGTERM: as serve_free, journal_free and node_free do it, one after another. */
#include "calls.h"
#include "memory.h"
#include "world.h"

#define LOOK_US (50 * MS_US)
#define CALLS_MAX_US (30 * SECOND_US)
/* How long the end waits for the lane, and the journal for the database. */
#define LIMIT_US (5 * SECOND_US)

static void step_event(struct world *w, struct event *e);

static void let_go(struct process *p, void *arg)
{
    bool idle = node_idle(p->node);

    (void)arg;
    calls_forget_cells(p);
    node_core_free(p->node);
    p->node = NULL;
    world_hold(p->world, !idle || memory_live((int)p->index) == 0,
               "node %u ended and left %zu allocations behind", p->index,
               memory_live((int)p->index));
}

static void ended_event(struct world *w, struct event *e)
{
    struct process *p = e->process;

    process_enter(p, let_go, NULL);
    if (p->node)
        return; /* killed or paused at the last moment */
    world_trace(w, "node %u has ended", p->index);
    process_end(p);
    faults_died(w, p);
}

static void closed(struct session_call *call, int outcome)
{
    struct process *p = container_of(call, struct process, closing);

    (void)outcome;
    world_at(p->world, 1, ended_event, p, NULL);
}

static void close_journal(struct process *p)
{
    disk_close(&p->disk);
    if (!settle_idle(&p->settle))
        node_leave_open(p->node);
    settle_done(&p->settle);
    journal_core_free(p->journal);
    p->journal = NULL;
    p->drain_until_us = p->world->now_us + LIMIT_US;
}

static void close_session(struct process *p)
{
    p->closing = (struct session_call){.session = node_session(p->node), .done = closed};
    if (p->closing.session && !node_left_open(p->node))
        p->port.close(p->port.ctx, &p->closing);
    else
        closed(&p->closing, PORT_OK);
}

static void step(struct process *p, void *arg)
{
    struct world *w = p->world;
    bool late = w->now_us > p->drain_until_us;

    (void)arg;
    if (!p->journal && (node_idle(p->node) || late)) {
        close_session(p);
        return;
    }
    if (p->journal && p->calls && late)
        calls_cut(p);
    if (p->journal && !p->calls && !p->settle.out &&
        (settle_idle(&p->settle) || w->now_us > p->drain_until_us + LIMIT_US))
        close_journal(p);
    else if (p->journal)
        process_flush_soon(p, 0);
    world_at(w, LOOK_US, step_event, p, NULL);
}

static void step_event(struct world *w, struct event *e)
{
    (void)w;
    process_enter(e->process, step, NULL);
}

void process_drain(struct process *p)
{
    struct world *w = p->world;

    if (p->state != PROCESS_UP)
        return;
    world_trace(w, "node %u drains", p->index);
    w->tally.drains++;
    p->state = PROCESS_DRAINING;
    p->drain_until_us = w->now_us + dice_between(0, CALLS_MAX_US);
    world_at(w, 1, step_event, p, NULL);
}
