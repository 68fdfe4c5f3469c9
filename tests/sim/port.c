/* port.c: the ledger's port of a simulated process: calls become messages, records go to its disk. */
#include <errno.h>

#include "calls.h"
#include "lease/till.h"
#include "memory.h"
#include "wire_inside.h"
#include "world.h"

#define KEEP_ALL SIZE_MAX
/* A lane that refused is asked again at the next look. */
#define BUSY_US (3 * SECOND_US)

/* --- what a message carries --- */

static struct cell *name_cell(struct wire_message *m, size_t i, const struct cell *c)
{
    m->cell[i].team = c->team;
    m->cell[i].purse = c->purse;
    m->cell[i].seen_no = c->seen_no;
    return &m->cell[i];
}

static struct str kept_word(struct str s)
{
    static const struct str words[] = {STR("ok"),  STR("cut"),      STR("blocked"),
                                       STR("chat"), STR("provider")};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq(words[i], s))
            return words[i];
    return (struct str){0};
}

static void copy_settle(struct wire_message *m, const struct settle_call *c)
{
    m->settle.session = c->session;
    m->settle.n = c->n;
    m->settle.live = true;
    if (m->cap_entries < c->n) {
        m->entries = keep_grow(m->entries, m->cap_entries * sizeof(*m->entries),
                               c->n * sizeof(*m->entries));
        m->cap_entries = c->n;
    }
    for (size_t i = 0; i < c->n; i++) {
        struct wire_entry *e = &m->entries[i];
        const struct settle_entry *from = c->entry[i];

        memcpy(&e->call, from->call, offsetof(struct call_record, attempt));
        e->call.endpoint = kept_word(from->call->endpoint);
        e->call.outcome = kept_word(from->call->outcome);
        e->call.basis = kept_word(from->call->basis);
        memcpy(e->draws, from->draws, from->n_draws * sizeof(*e->draws));
        e->entry = (struct settle_entry){&e->call, e->draws, from->n_draws};
        m->settle.entry[i] = &e->entry;
    }
}

/* --- the functions --- */

static int64_t port_now_ms(void *ctx)
{
    struct process *p = ctx;

    process_point(p);
    return process_now_ms(p);
}

static void run_till(struct process *p, void *till)
{
    (void)p;
    till_run(till, NULL);
}

static void till_event(struct world *w, struct event *e)
{
    (void)w;
    if (e->process->node)
        process_enter(e->process, run_till, e->arg);
}

static int port_soon(void *ctx, struct till *till)
{
    struct process *p = ctx;

    if (dice_once_in(p->world->plan.faults.busy)) {
        world_disturb(p->world, p->world->now_us + BUSY_US);
        return 1;
    }
    world_at(p->world, dice_between(1, MS_US), till_event, p, till);
    return 0;
}

static void port_grant(void *ctx, void *hand, struct grant_call *call)
{
    struct wire_message *m = wire_message(ctx, WIRE_GRANT, call);

    (void)hand;
    m->grant.session = call->session;
    m->grant.no = call->no;
    m->grant.team = call->team;
    m->grant.n = call->n;
    for (size_t i = 0; i < call->n; i++)
        m->grant.line[i] = (struct grant_line){.cell = name_cell(m, i, call->line[i].cell),
                                               .need = call->line[i].need,
                                               .want = call->line[i].want};
    wire_send(ctx, m);
}

static void port_back(void *ctx, void *hand, struct back_call *call)
{
    struct wire_message *m = wire_message(ctx, WIRE_BACK, call);

    (void)hand;
    m->back.session = call->session;
    m->back.n = call->n;
    for (size_t i = 0; i < call->n; i++) {
        m->back.line[i] = call->line[i];
        m->back.line[i].cell = name_cell(m, i, call->line[i].cell);
    }
    wire_send(ctx, m);
}

static void send_session(struct process *p, enum wire_kind kind, struct session_call *call,
                         int64_t session)
{
    struct wire_message *m = wire_message(p, kind, call);

    m->session = (struct session_call){.session = session};
    wire_send(p, m);
}

static void port_open(void *ctx, struct session_call *call)
{
    send_session(ctx, WIRE_OPEN, call, 0);
}

static void port_heartbeat(void *ctx, struct session_call *call)
{
    send_session(ctx, WIRE_HEARTBEAT, call, call->session);
}

static void port_close(void *ctx, struct session_call *call)
{
    send_session(ctx, WIRE_CLOSE, call, call->session);
}

void wire_close_old(struct process *p, int64_t session)
{
    send_session(p, WIRE_CLOSE, NULL, session);
}

static void port_look(void *ctx, struct look_call *call)
{
    struct wire_message *m = wire_message(ctx, WIRE_LOOK, call);

    m->look.session = call->session;
    m->look.sessions = call->sessions;
    m->look.n_seen = m->look.n_recalls = 0;
    wire_send(ctx, m);
}

static void port_reap(void *ctx, struct reap_call *call)
{
    struct wire_message *m = wire_message(ctx, WIRE_REAP, call);

    m->reap = (struct reap_call){.session = call->session, .hb = call->hb};
    wire_send(ctx, m);
}

static void port_settle(void *ctx, struct settle_call *call)
{
    struct wire_message *m = wire_message(ctx, WIRE_SETTLE, call);

    copy_settle(m, call);
    wire_send(ctx, m);
}

/* Died within a write: a part of the record is there. */
static size_t torn_at(struct process *p, struct str bytes)
{
    if (!p->step.running || !p->step.points || p->step.points > 1 || !dice_once_in(2))
        return KEEP_ALL;
    p->world->tally.torn++;
    return (size_t)dice_between(0, (int64_t)bytes.n - 1);
}

static int port_append(void *ctx, unsigned writer, struct str bytes, struct journal_segment **ret)
{
    struct process *p = ctx;
    struct sim_call *c = p->writing;
    size_t keep = torn_at(p, bytes);
    int r;

    (void)writer;
    if (p->disk_full_until_us > p->world->now_us)
        return -ENOSPC;
    r = disk_append(&p->disk, p->world->now_us, bytes, keep, ret);
    if (keep != KEEP_ALL)
        process_die(p);
    if (r || !c)
        return r;
    c->disk.type = p->writing_type;
    c->disk.charge_nano = p->writing_nano;
    c->disk.serial = p->disk.open->serial;
    c->disk.end = p->disk.open->n;
    process_point(p);
    return 0;
}

static int port_sync(void *ctx)
{
    (void)ctx;
    return 0;
}

void wire_port(struct process *p, struct ledger_port *ret)
{
    *ret = (struct ledger_port){.ctx = p,
                                .now_ms = port_now_ms,
                                .soon = port_soon,
                                .grant = port_grant,
                                .back = port_back,
                                .open = port_open,
                                .heartbeat = port_heartbeat,
                                .close = port_close,
                                .look = port_look,
                                .reap = port_reap,
                                .settle = port_settle,
                                .append = port_append,
                                .sync = port_sync};
}
