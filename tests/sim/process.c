/* process.c: see process.h. */
#include "process.h"

#include "base/clock.h"
#include "calls.h"
#include "judge.h"
#include "memory.h"
#include "wire.h"
#include "world.h"

/* The server ticks every 50 ms; ticks in which nothing is due are left out here. */
#define TICK_MIN_US (300 * MS_US)
#define TICK_MAX_US (2500 * MS_US)
#define TICK_FAST_US (50 * MS_US)
#define STEP_STACK_BYTES ((size_t)256 << 10)
/* An interrupted step stops at one of so many places. */
#define POINTS_MAX 8
#define INNER_PAUSE_MAX_US (200 * SECOND_US)

static struct process *entered; /* whose code runs */

/* --- clocks --- */

int64_t process_now_ms(const struct process *p)
{
    return p->mono_ms + p->world->now_us / 1000;
}

static int64_t driven_mono_ns(void *ctx)
{
    struct world *w = ctx;

    return entered ? process_now_ms(entered) * 1000000 : w->now_us * 1000;
}

static int64_t driven_wall_us(void *ctx)
{
    struct world *w = ctx;

    return w->wall_us + w->now_us + (entered ? entered->wall_ahead_us : 0);
}

void process_drive_clock(struct world *w)
{
    static struct clock_source source = {driven_mono_ns, driven_wall_us, NULL};

    source.ctx = w;
    clock_drive(w ? &source : NULL);
}

/* --- entering, standing still, dying --- */

bool process_paused(const struct process *p)
{
    return p->paused_until_us > p->world->now_us;
}

static void step_main(void)
{
    struct process *p = entered;

    p->step.fn(p, p->step.arg);
    p->step.running = false;
    swapcontext(&p->step.here, &p->step.main); /* and never back */
}

static void leave_step(struct process *p)
{
    swapcontext(&p->step.here, &p->step.main);
}

/* Until it ends, stands still or dies. */
static void go_on(struct process *p)
{
    int before = memory_enter((int)p->index);

    entered = p;
    swapcontext(&p->step.main, &p->step.here);
    entered = NULL;
    memory_enter(before);
    if (p->step.dies) {
        p->step.dies = p->step.running = false;
        process_kill(p);
    }
}

void process_resume(struct world *w, struct event *e)
{
    struct process *p = e->process;

    if (!p->step.standing)
        return;
    p->step.standing = false;
    world_trace(w, "node %u goes on within a step", p->index);
    go_on(p);
}

static void begin_step(struct process *p, void (*fn)(struct process *p, void *arg), void *arg)
{
    if (!p->step.stack)
        p->step.stack = keep_grow(NULL, 0, STEP_STACK_BYTES);
    p->step.fn = fn;
    p->step.arg = arg;
    p->step.running = true;
    p->step.points = (unsigned)dice_between(1, POINTS_MAX);
    getcontext(&p->step.here);
    p->step.here.uc_stack.ss_sp = p->step.stack;
    p->step.here.uc_stack.ss_size = STEP_STACK_BYTES;
    p->step.here.uc_link = NULL;
    makecontext(&p->step.here, step_main, 0);
    go_on(p);
}

void process_enter(struct process *p, void (*fn)(struct process *p, void *arg), void *arg)
{
    struct world *w = p->world;
    int before;

    assert(!entered);
    assert(!p->step.running);
    p->entered_us = w->now_us;
    if (!w->stopping && dice_once_in(w->plan.faults.inner)) {
        begin_step(p, fn, arg);
        return;
    }
    before = memory_enter((int)p->index);
    entered = p;
    fn(p, arg);
    entered = NULL;
    memory_enter(before);
}

void process_die(struct process *p)
{
    p->step.dies = true;
    leave_step(p); /* and never back */
}

void process_point(struct process *p)
{
    if (!p->step.running || !p->step.points || --p->step.points)
        return;
    if (dice_once_in(3))
        process_die(p);
    p->step.standing = true;
    p->world->tally.inner_pauses++;
    process_pause(p, dice_between(1, INNER_PAUSE_MAX_US));
    world_at(p->world, p->paused_until_us - p->world->now_us, process_resume, p, NULL);
    leave_step(p);
}

void process_pause(struct process *p, int64_t for_us)
{
    struct world *w = p->world;

    world_trace(w, "node %u paused for %lld ms", p->index, (long long)for_us / 1000);
    p->paused_until_us = MAX(p->paused_until_us, w->now_us + for_us);
    world_disturb(w, p->paused_until_us);
}

void process_wake(struct process *p)
{
    p->paused_until_us = p->world->now_us;
    world_hasten(p->world, p);
    if (p->step.standing)
        world_at(p->world, 0, process_resume, p, NULL);
}

/* --- what it does by itself --- */

static void next_tick(struct process *p);

static void tick(struct process *p, void *arg)
{
    (void)arg;
    node_tick(p->node);
    next_tick(p);
}

/* Only the one that was queued last is one. */
static void tick_event(struct world *w, struct event *e)
{
    (void)w;
    if (e->process->journal && (uintptr_t)e->arg == e->process->tick_no)
        process_enter(e->process, tick, NULL);
}

static void next_tick(struct process *p)
{
    bool fast = p->fast_until_us > p->world->now_us;

    p->tick_no++;
    if (p->journal)
        world_at(p->world, fast ? TICK_FAST_US : dice_between(TICK_MIN_US, TICK_MAX_US), tick_event,
                 p, (void *)p->tick_no);
}

void process_tick_fast(struct process *p, int64_t for_us)
{
    bool was_fast = p->fast_until_us > p->world->now_us;

    p->fast_until_us = p->world->now_us + for_us;
    if (!was_fast && !p->step.standing)
        next_tick(p);
}

static void flush(struct process *p, void *arg)
{
    int wait_ms;

    (void)arg;
    p->flush_queued = false;
    wait_ms = settle_tick(&p->settle, process_now_ms(p), p->state == PROCESS_DRAINING);
    if (wait_ms >= 0)
        process_flush_soon(p, MAX(wait_ms, 1) * MS_US);
}

static void flush_event(struct world *w, struct event *e)
{
    (void)w;
    if (e->process->journal)
        process_enter(e->process, flush, NULL);
}

void process_flush_soon(struct process *p, int64_t delay_us)
{
    if (p->flush_queued)
        return;
    p->flush_queued = true;
    world_at(p->world, delay_us, flush_event, p, NULL);
}

static void arrived(struct settle *s)
{
    process_flush_soon(container_of(s, struct process, settle), MS_US);
}

static void refused(struct settle *s, struct settle_item *item)
{
    struct process *p = container_of(s, struct process, settle);

    judge_set_aside(p->world, item->entry.call);
}

/* --- life --- */

void process_init(struct process *p, struct world *w, unsigned index)
{
    char *stack = p->step.stack;

    *p = (struct process){.world = w, .index = index};
    p->step.stack = stack; /* kept from seed to seed */
    disk_init(&p->disk);
    memory_forget((int)index);
}

void process_done(struct process *p)
{
    disk_done(&p->disk);
    memory_forget((int)p->index);
}

static void replay_settled(struct journal_segment *s, void *ctx)
{
    struct process *p = ctx;

    disk_forget(&p->disk, (unsigned)s->size);
    for (size_t i = 0; i < s->n_sessions; i++)
        wire_close_old(p, s->sessions[i]);
}

static void boot(struct process *p, void *arg)
{
    struct world *w = p->world;
    int r;

    (void)arg;
    p->node = node_core_new(&p->port);
    settle_init(&p->settle, &p->port, p->node);
    p->settle.arrived = arrived;
    p->settle.refused = refused;
    p->journal = journal_core_new(&p->port, p->node, &p->settle, 1);
    assert(p->node);
    assert(p->journal);
    r = disk_replay(&p->disk, &p->settle, replay_settled, p);
    world_hold(w, !r, "node %u cannot read its journal: %d", p->index, r);
    next_tick(p);
}

void process_boot(struct process *p)
{
    struct world *w = p->world;

    assert(p->state == PROCESS_DOWN);
    world_trace(w, "node %u starts", p->index);
    p->state = PROCESS_UP;
    p->booted_us = w->now_us;
    p->mono_ms = dice_between(1, 1000000000);
    p->acked_us = p->acked_session = 0;
    p->nodes = p->nodes_before = 0;
    p->paused_until_us = p->fast_until_us = 0;
    wire_port(p, &p->port);
    judge_booted(w, p);
    process_enter(p, boot, NULL);
}

void process_end(struct process *p)
{
    calls_lost(p);
    p->life++;
    p->state = PROCESS_DOWN;
    p->node = NULL;
    p->journal = NULL;
    p->flush_queued = false;
    p->paused_until_us = 0;
    p->step.running = p->step.standing = false;
    p->writing = NULL;
    disk_orphan(&p->disk);
    memory_forget((int)p->index);
}

void process_kill(struct process *p)
{
    if (p->state == PROCESS_DOWN)
        return;
    world_trace(p->world, "node %u killed", p->index);
    p->world->tally.kills++;
    process_end(p);
    faults_died(p->world, p);
}
