/* calls.c: see calls.h. */
#include "calls.h"

#include "judge.h"
#include "memory.h"
#include "world.h"

#define CALLS_MAX ((size_t)8192)
#define STEPS_MAX 3
#define TOKENS_MAX 2000
#define LEASE_MONEY_MAX ((int64_t)2000000000)
/* A key leaves a node's cache once in so many calls. */
#define EVICTED 30
#define BLOCKED_ROW 4
#define EXTENDS 12

struct sim_call *calls_get(struct world *w, size_t number)
{
    assert(number < w->n_calls);
    return &w->calls[number];
}

static struct sim_call *new_call(struct world *w, struct process *p)
{
    struct sim_call *c;

    if (!w->calls) {
        w->calls = keep_grow(NULL, 0, CALLS_MAX * sizeof(*w->calls));
        w->cap_calls = CALLS_MAX;
    }
    if (w->n_calls == w->cap_calls)
        return NULL;
    c = &w->calls[w->n_calls];
    memset(c, 0, sizeof(*c));
    c->number = w->n_calls++;
    c->process = p;
    c->life = p->life;
    return c;
}

/* --- records --- */

/* By the node's clock, which may jump; its number is in it. */
static struct call_id make_id(const struct sim_call *c)
{
    const struct world *w = c->process->world;
    uint64_t ms = (uint64_t)(w->wall_us + c->process->wall_ahead_us + c->asked_us) / 1000;
    struct call_id id = {{0}};

    for (int i = 0; i < 6; i++)
        id.b[i] = (uint8_t)(ms >> (40 - 8 * i));
    id.b[6] = 0x70;
    id.b[8] = 0x80;
    for (int i = 0; i < 3; i++)
        id.b[9 + i] = (uint8_t)(w->seed >> (16 - 8 * i));
    for (int i = 0; i < 4; i++)
        id.b[12 + i] = (uint8_t)(c->number >> (24 - 8 * i));
    return id;
}

static const struct call_record *record_of(const struct sim_call *c, int64_t charge_nano,
                                           struct str outcome)
{
    static struct call_record r; /* large, and nearly all of it is always empty */

    r.call_id = c->id;
    r.team_id = c->team.v;
    r.key_id = c->key.v;
    r.endpoint = STR("chat");
    r.outcome = outcome;
    r.basis = STR("provider");
    r.status = 200;
    r.repeat = 1;
    r.charge_nano.nano = c->poisoned && charge_nano ? -1 : charge_nano;
    return &r;
}

/* What of each pair of the hold is used when the money is this. */
static void used_of(const struct sim_call *c, int64_t nano, int64_t used[BOUND_HOLD_PURSES])
{
    for (size_t i = 0; i < c->hold.n; i++)
        for (size_t k = 0; k < c->n_wants; k++) {
            if (c->wants[k].cell != c->hold.cell[i])
                continue;
            used[i] = c->kind[k] == PURSE_REQUESTS  ? 1
                      : c->kind[k] == PURSE_TOKENS  ? c->tokens_used
                      : c->kind[k] == PURSE_PERMITS ? 0
                                                    : nano;
        }
}

/* BLOCKED: an END without anything before it. */
enum record { BEGIN = ENTRY_BEGIN, PROGRESS = ENTRY_PROGRESS, END = ENTRY_END, BLOCKED };

static void trace_record(const struct sim_call *c, enum record which, int64_t charge_nano,
                         const int64_t *used)
{
    static const char *const names[] = {
        [BEGIN] = "BEGIN", [PROGRESS] = "PROGRESS", [END] = "END", [BLOCKED] = "BLOCKED"};
    const struct world *w = c->process->world;

    world_trace(w, "  call %zu of node %u: %s, charge %lld", c->number, c->process->index,
                names[which], (long long)charge_nano);
    for (size_t i = 0; i < c->hold.n; i++)
        world_trace(w, "    purse %lld: holds %lld, used %lld",
                    (long long)c->hold.cell[i]->purse.v, (long long)c->hold.amount[i],
                    (long long)(used ? used[i] : 0));
}

/* As the gateway does; the wire and the judge know meanwhile whose it is. */
static int write_record(struct sim_call *c, enum record which, int64_t charge_nano,
                        const int64_t *used)
{
    struct process *p = c->process;
    const struct call_record *r = record_of(c, charge_nano,
                                            which == BLOCKED ? STR("blocked")
                                            : which == END   ? STR("ok")
                                                             : STR("cut"));
    int e = 0;

    if (world_traced)
        trace_record(c, which, charge_nano, used);
    p->writing = c;
    p->writing_nano = charge_nano;
    p->writing_type = which == BLOCKED ? ENTRY_END : (int)which;
    switch (which) {
    case BEGIN:
        e = journal_begin(p->journal, 0, &c->mark, r, &c->hold);
        break;
    case PROGRESS:
        e = journal_progress(p->journal, 0, &c->mark, r, &c->hold, used);
        break;
    case END:
        e = journal_end(p->journal, 0, &c->mark, r, &c->hold, used);
        break;
    case BLOCKED:
        e = journal_end(p->journal, 0, NULL, r, NULL, NULL);
        break;
    }
    p->writing = NULL;
    world_hold(p->world, e || (c->disk.type == p->writing_type && c->disk.charge_nano == charge_nano),
               "call %zu: %s was to be written, and is not on the disk", c->number,
               which == BEGIN ? "BEGIN" : which == PROGRESS ? "PROGRESS" : "END");
    return e;
}

/* --- the end --- */

static void forget_wants(struct sim_call *c)
{
    for (size_t i = 0; i < c->n_wants; i++)
        cell_unref(c->wants[i].cell);
}

static void end_call(struct sim_call *c, int64_t charge_nano)
{
    struct process *p = c->process;
    int64_t used[BOUND_HOLD_PURSES] = {0};
    int r;

    used_of(c, charge_nano, used);
    for (size_t i = 0; i < c->hold.n; i++)
        if (c->hold.cell[i] == c->wants[c->n_wants - 1].cell)
            c->held_nano = c->hold.amount[i];
    c->cost_nano = charge_nano;
    r = write_record(c, END, charge_nano, used);
    c->unwritten = r != 0;
    c->state = CALL_ENDED;
    p->calls--;
    p->world->tally.finished++;
    judge_ended(p->world, c, used);
    hold_end(p->node, &c->hold, used);
    forget_wants(c);
}

/* --- while it runs --- */

static void step_event(struct world *w, struct event *e);

static void step_later(struct sim_call *c)
{
    struct world *w = c->process->world;
    int64_t part_us = w->plan.duration_us / STEPS_MAX;

    world_at(w, dice_between(MS_US, part_us), step_event, c->process, c);
}

static void extended(struct hold_ask *ask, int outcome)
{
    struct sim_call *c = container_of(ask, struct sim_call, ask);

    c->extending = false;
    if (outcome == HOLD_OK)
        judge_extended(c->process->world, c);
    process_point(c->process);
}

/* More of the money that it holds, as a dearer candidate or a long answer wants it. */
static void extend(struct sim_call *c)
{
    struct process *p = c->process;
    struct hold_ask ask = {.hold = &c->hold, .answered = extended};

    for (size_t i = 0; i < c->n_wants; i++)
        if (c->kind[i] == PURSE_WALLET || c->kind[i] == PURSE_BUDGET) {
            ask.wants[ask.n_wants] = c->wants[i];
            ask.wants[ask.n_wants].most = ask.wants[ask.n_wants].ahead_ms = 0;
            ask.wants[ask.n_wants++].amount = MAX(c->wants[i].amount / 4, (int64_t)1);
        }
    if (hold_extend(p->node, &c->hold, ask.wants, ask.n_wants) == HOLD_OK) {
        judge_extended(p->world, c);
    } else if (dice_once_in(2)) {
        c->ask = ask;
        c->extending = hold_ask(p->node, NULL, &c->ask) == HOLD_OK;
    }
}

static void step(struct process *p, void *arg)
{
    struct sim_call *c = arg;
    int64_t used[BOUND_HOLD_PURSES] = {0};

    if (c->state != CALL_RUNNING)
        return;
    if (c->extending) {
        step_later(c);
        return;
    }
    if (!c->steps) {
        end_call(c, c->cost_nano);
        return;
    }
    c->steps--;
    c->so_far_nano = dice_between(c->so_far_nano, c->cost_nano);
    if (!p->world->plan.even && dice_once_in(EXTENDS))
        extend(c);
    used_of(c, c->so_far_nano, used);
    (void)write_record(c, PROGRESS, c->so_far_nano, used); /* a full disk: the one before counts */
    step_later(c);
}

static void step_event(struct world *w, struct event *e)
{
    (void)w;
    process_enter(e->process, step, e->arg);
}

/* --- letting in --- */

static void turned_away(struct sim_call *c, enum call_state state)
{
    struct process *p = c->process;

    c->state = state;
    *(state == CALL_REFUSED ? &p->world->tally.refused : &p->world->tally.away) += 1;
    p->calls--;
    if (p->journal && dice_once_in(BLOCKED_ROW))
        c->unwritten = write_record(c, BLOCKED, 0, NULL) != 0;
    forget_wants(c);
}

static void let_in(struct sim_call *c)
{
    struct process *p = c->process;

    judge_admitted(p->world, c);
    process_point(p);
    if (write_record(c, BEGIN, 0, NULL)) {
        judge_unheld(p->world, c);
        hold_release(p->node, &c->hold);
        turned_away(c, CALL_AWAY);
        return;
    }
    process_point(p); /* and now the upstream is asked */
    c->state = CALL_RUNNING;
    p->world->tally.admitted++;
    if (p->world->plan.even) /* ends when all have come */
        world_at(p->world, MAX(p->world->plan.length_us - p->world->now_us, (int64_t)0) + SECOND_US,
                 step_event, p, c);
    else
        step_later(c);
}

static void answered(struct hold_ask *ask, int outcome)
{
    struct sim_call *c = container_of(ask, struct sim_call, ask);

    judge_answered(c->process->world, c, outcome);
    if (outcome == HOLD_OK)
        let_in(c);
    else
        turned_away(c, outcome == HOLD_E_REFUSED ? CALL_REFUSED : CALL_AWAY);
}

struct cell *calls_cell(struct process *p, size_t purse)
{
    const struct book_purse *b = &p->world->books.purse[purse];

    if (!p->cell[purse])
        p->cell[purse] = node_cell(p->node, b->team, b->id);
    return p->cell[purse];
}

void calls_forget_cells(struct process *p)
{
    for (size_t i = 0; i < BOOK_PURSES; i++)
        cell_unref(steal(&p->cell[i]));
}

static int64_t amount_of(const struct world *w, enum purse_kind kind, int64_t nano)
{
    switch (kind) {
    case PURSE_WALLET:
    case PURSE_BUDGET:
        return nano;
    case PURSE_TOKENS:
        return dice_between(1, w->plan.even ? 1 : TOKENS_MAX);
    case PURSE_REQUESTS:
    case PURSE_PERMITS:
        break;
    }
    return 1;
}

/* Money last, the wallet last of all; the purses are made in that order. */
static void make_wants(struct process *p, struct sim_call *c, int64_t nano)
{
    struct world *w = p->world;
    static const int64_t leases[] = {1, 8, 20};
    int64_t calls = leases[dice_between(0, 2)];

    for (size_t i = 0; i < w->books.n_purses; i++) {
        const struct book_purse *b = &w->books.purse[i];
        struct hold_want *want = &c->wants[c->n_wants];

        if (b->team.v != c->team.v || (b->key.v && b->key.v != c->key.v))
            continue;
        want->cell = cell_ref(calls_cell(p, i)); /* the call's until it ends */
        want->amount = amount_of(w, b->kind, nano);
        want->lease = b->kind == PURSE_PERMITS ? 1 : want->amount * calls;
        if (b->kind == PURSE_WALLET || b->kind == PURSE_BUDGET)
            want->lease = MAX(want->amount, MIN(want->lease, LEASE_MONEY_MAX));
        want->most = dice_once_in(2) ? want->lease * 8 : 0;
        want->ahead_ms = dice_once_in(2) ? 2 * NODE_GRACE_MS : 5000;
        want->minute = b->turns == TURNS_MINUTE ? b->capacity : 0;
        if (b->kind == PURSE_TOKENS)
            c->tokens_used = dice_between(1, want->amount);
        c->kind[c->n_wants++] = b->kind;
    }
}

static void come(struct process *p, void *arg)
{
    struct world *w = p->world;
    struct sim_call *c = arg;
    int64_t nano = w->plan.even ? w->plan.hold_nano : dice_between(1, w->plan.hold_nano);
    int r;

    w->tally.calls++;
    c->asked_us = w->now_us;
    c->id = make_id(c);
    if (dice_once_in(EVICTED))
        calls_forget_cells(p);
    make_wants(p, c, nano);
    c->cost_nano = w->plan.even ? nano : dice_between(0, nano);
    if (dice_once_in(w->plan.shortfall))
        c->cost_nano = nano + dice_between(1, nano / 4 + 1);
    c->steps = w->plan.even ? 0 : (unsigned)dice_between(0, STEPS_MAX);
    c->poisoned = dice_once_in(w->plan.faults.poisoned) && c->cost_nano;
    p->calls++;
    r = hold_take(p->node, &c->hold, c->wants, c->n_wants);
    if (r == HOLD_OK) {
        let_in(c);
        return;
    }
    c->ask = (struct hold_ask){.n_wants = c->n_wants, .hold = &c->hold, .answered = answered};
    memcpy(c->ask.wants, c->wants, c->n_wants * sizeof(*c->wants));
    c->state = CALL_ASKING;
    judge_asks(w, c);
    if (hold_ask(p->node, NULL, &c->ask) != HOLD_OK) {
        judge_answered(w, c, HOLD_E_BUSY);
        turned_away(c, CALL_AWAY);
    }
}

static void call_comes(struct world *w, struct process *p)
{
    struct sim_call *c = p->state == PROCESS_UP ? new_call(w, p) : NULL;
    size_t team;

    if (!c)
        return;
    team = (size_t)dice_between(0, (int64_t)w->books.n_teams - 1);
    c->team = w->books.team[team].id;
    c->key = w->key[team][dice_between(0, w->plan.keys - 1)];
    process_enter(p, come, c);
}

/* Its process stood still when it came. */
static void come_event(struct world *w, struct event *e)
{
    call_comes(w, e->process);
}

static void next_call(struct world *w, struct event *e)
{
    struct process *p = &w->process[dice_between(0, w->plan.nodes - 1)];

    (void)e;
    if (w->stopping)
        return;
    if (process_paused(p) || p->step.standing)
        world_at(w, 0, come_event, p, NULL);
    else
        call_comes(w, p);
    world_at(w, dice_between(1, 2 * w->plan.between_us), next_call, NULL, NULL);
}

void calls_start(struct world *w)
{
    world_at(w, 1, next_call, NULL, NULL);
}

/* --- when the process goes --- */

void calls_lost(struct process *p)
{
    struct world *w = p->world;

    memset(p->cell, 0, sizeof(p->cell));
    p->calls = 0;
    for (size_t i = 0; i < w->n_calls; i++) {
        struct sim_call *c = &w->calls[i];

        if (c->process != p || c->life != p->life)
            continue;
        if (c->state <= CALL_RUNNING) {
            if (c->state == CALL_ASKING)
                judge_answered(w, c, HOLD_E_AWAY);
            c->state = CALL_CUT_OFF;
        }
        judge_process_died(w, c);
    }
}

void calls_cut(struct process *p)
{
    struct world *w = p->world;

    for (size_t i = 0; i < w->n_calls; i++) {
        struct sim_call *c = &w->calls[i];

        if (c->process == p && c->life == p->life && c->state == CALL_RUNNING && !c->extending)
            end_call(c, c->so_far_nano);
    }
}
