/* judge.c: what calls keep and what is booked; see judge.h. */
#include "judge.h"

#include "wire.h"
#include "world.h"

/* The node's clock counts milliseconds. */
#define CLOCK_GRAIN_US MS_US
/* What is asked for within a window may be had when the answer has come. */
#define LATE_US SECOND_US

static size_t purse_index(const struct world *w, struct purse_id id)
{
    for (size_t i = 0; i < w->books.n_purses; i++)
        if (w->books.purse[i].id.v == id.v)
            return i;
    assert(!"a purse");
    return 0;
}

/* The window, made when it is new: the oldest makes room. */
static struct judge_window *window_of(struct judge_purse *p, int64_t window_us)
{
    struct judge_window *oldest = &p->window[0];

    for (size_t i = 0; i < p->n; i++) {
        if (p->window[i].window_us == window_us)
            return &p->window[i];
        if (p->window[i].window_us < oldest->window_us)
            oldest = &p->window[i];
    }
    if (p->n < JUDGE_WINDOWS)
        oldest = &p->window[p->n++];
    *oldest = (struct judge_window){.window_us = window_us};
    return oldest;
}

static bool turns(const struct book_purse *b)
{
    return b->turns != TURNS_NEVER;
}

static int64_t shares(const struct judge_window *win)
{
    int64_t sum = win->shares_before;

    for (size_t i = 0; i < PLAN_NODES; i++)
        sum += win->share[i];
    return sum;
}

/* The node may have counted as of its last heartbeat or, as it has just come, of the one before. */
static void note_share(struct world *w, const struct process *p, size_t purse, int64_t window_us)
{
    struct judge_window *win = window_of(&w->judge.purse[purse], window_us);
    unsigned nodes = p->nodes_before ? MIN(p->nodes, p->nodes_before) : p->nodes;
    int64_t share;

    w->tally.shared++;
    world_hold(w, w->books.purse[purse].turns == TURNS_MINUTE, "node %u gave itself of purse %zu (kind %d)",
               p->index, purse, (int)w->books.purse[purse].kind);
    world_hold(w, w->plan.faults.every_us, "node %u gave itself a share, and nothing goes wrong",
               p->index);
    world_hold(w, nodes, "node %u gave itself a share, and has counted nobody", p->index);
    share = w->judge.purse[purse].capacity_max / nodes;
    if (win->life[p->index] != p->life) {
        win->shares_before += win->share[p->index];
        win->share[p->index] = 0;
        win->life[p->index] = p->life;
    }
    win->share[p->index] = MAX(win->share[p->index], share);
}

/* Nothing goes beyond what there is, but for the bound. */
static void check_purse(struct world *w, size_t i, int64_t window_us)
{
    const struct book_purse *b = &w->books.purse[i];
    struct judge_purse *p = &w->judge.purse[i];
    const struct judge_window *win = window_of(p, window_us);
    int64_t spent = win->kept + (turns(b) ? 0 : b->used);
    int64_t may = cell_window_shared(window_us) ? shares(win) : p->capacity_max;
    int64_t bound = may + win->exposed + p->beyond + p->withdrawn;

    if (b->kind == PURSE_WALLET && b->used - b->capacity > 0)
        w->tally.overspent_nano =
            MAX(w->tally.overspent_nano, (uint64_t)(b->used - b->capacity));
    world_hold(w, spent <= bound,
               "purse %zu (kind %d): %lld are spent and kept, %lld may be (%s %lld, exposed "
               "%lld, beyond holds %lld, withdrawn %lld)",
               i, (int)b->kind, (long long)spent, (long long)bound,
               cell_window_shared(window_us) ? "shares" : "capacity", (long long)may,
               (long long)win->exposed, (long long)p->beyond, (long long)p->withdrawn);
}

static void keep(struct world *w, struct sim_call *c, size_t k, int64_t amount)
{
    size_t i = purse_index(w, c->kept[k].purse);

    window_of(&w->judge.purse[i], c->kept[k].window_us)->kept += amount - c->kept[k].amount;
    c->kept[k].amount = amount;
}

static void keep_hold(struct world *w, struct sim_call *c)
{
    for (size_t k = 0; k < c->hold.n; k++) {
        if (k < c->n_kept && c->kept[k].window_us != c->hold.window_us[k])
            keep(w, c, k, 0);
        c->kept[k].purse = c->hold.cell[k]->purse;
        c->kept[k].window_us = c->hold.window_us[k];
        keep(w, c, k, c->hold.amount[k]);
        c->leased[k] = c->hold.amount[k];
        if (cell_window_shared(c->kept[k].window_us))
            note_share(w, c->process, purse_index(w, c->kept[k].purse), c->kept[k].window_us);
        check_purse(w, purse_index(w, c->kept[k].purse), c->kept[k].window_us);
    }
    c->n_kept = c->hold.n;
    c->session = (int64_t)c->hold.epoch;
}

static void keep_nothing(struct world *w, struct sim_call *c)
{
    for (size_t k = 0; k < c->n_kept; k++)
        keep(w, c, k, 0);
}

/* Of purses that turn a booked call stays counted, as its record says; of the others the books count
 * it from now on. */
static void keep_booked(struct world *w, struct sim_call *c, const struct settle_entry *entry)
{
    for (size_t k = 0; k < c->n_kept; k++) {
        int64_t used = 0;

        for (size_t i = 0; i < entry->n_draws; i++) {
            if (entry->draws[i].purse.v != c->kept[k].purse.v)
                continue;
            used = entry->draws[i].used;
            if (c->state == CALL_CUT_OFF && /* else it was counted when it ended */
                !cell_window_shared(c->kept[k].window_us))
                w->judge.purse[purse_index(w, c->kept[k].purse)].beyond +=
                    used - entry->draws[i].taken;
        }
        keep(w, c, k, turns(&w->books.purse[purse_index(w, c->kept[k].purse)]) ? used : 0);
    }
}

static void check_deadline(struct world *w, const struct sim_call *c)
{
    const struct process *p = c->process;
    int64_t at_us = p->step.running ? p->entered_us : w->now_us; /* it may have stood since */
    int64_t deadline_us = p->acked_us + NODE_GRACE_MS * MS_US + CLOCK_GRAIN_US;

    world_hold(w, (int64_t)c->hold.epoch == p->acked_session,
               "call %zu was let in under session %lld, the node's is %lld", c->number,
               (long long)c->hold.epoch, (long long)p->acked_session);
    world_hold(w, at_us < deadline_us, "call %zu was let in %lld ms after the node's deadline",
               c->number, (long long)(at_us - deadline_us) / 1000);
}

/* What is held of a window is of the one that runs; while no clock jumped, the database's says so. */
static void check_windows(struct world *w, const struct sim_call *c)
{
    for (size_t k = 0; !w->jumped && k < c->hold.n; k++) {
        const struct book_purse *b = &w->books.purse[purse_index(w, c->hold.cell[k]->purse)];
        int64_t length_us = b->turns == TURNS_MINUTE ? 60 * SECOND_US : 24 * 3600 * SECOND_US;

        world_hold(w, !turns(b) || wire_database_us(w) < c->hold.window_us[k] + length_us + LATE_US,
                   "call %zu holds of a window that is over", c->number);
    }
}

void judge_admitted(struct world *w, struct sim_call *c)
{
    world_hold(w, c->hold.n == c->n_wants, "call %zu holds %zu of %zu purses", c->number,
               c->hold.n, c->n_wants);
    check_deadline(w, c);
    if (!c->process->step.running) /* it may have stood still since */
        check_windows(w, c);
    keep_hold(w, c);
    judge_looked_at(w);
}

void judge_extended(struct world *w, struct sim_call *c)
{
    check_deadline(w, c);
    keep_hold(w, c);
    judge_looked_at(w);
}

void judge_unheld(struct world *w, struct sim_call *c)
{
    keep_nothing(w, c);
}

void judge_ended(struct world *w, struct sim_call *c, const int64_t *used)
{
    for (size_t k = 0; k < c->n_kept; k++) {
        struct judge_purse *p = &w->judge.purse[purse_index(w, c->kept[k].purse)];

        p->beyond += MAX(used[k] - c->hold.amount[k], (int64_t)0);
        keep(w, c, k, used[k]);
    }
}

void judge_process_died(struct world *w, struct sim_call *c)
{
    bool booked = c->number < w->books.n_calls && w->books.call[c->number].booked;

    if (c->unwritten && !booked)
        c->in_doubt = true;
    if (!c->disk.type && !booked)
        keep_nothing(w, c); /* it held something, and nobody will ever hear of it */
    for (size_t k = 0; k < c->n_kept; k++)
        if (w->books.purse[purse_index(w, c->kept[k].purse)].kind == PURSE_PERMITS)
            keep(w, c, k, 0);
}

/* --- booking --- */

static void check_charge(struct world *w, const struct sim_call *c, int64_t charge_nano)
{
    bool alive = c->process->life == c->life;
    int64_t says = c->state == CALL_ENDED && !c->in_doubt ? c->cost_nano : c->disk.charge_nano;

    world_hold(w, !(c->state <= CALL_RUNNING && alive), "call %zu was booked while it ran",
               c->number);
    world_hold(w, c->disk.type || c->unwritten, "call %zu was booked and never written",
               c->number);
    if (c->set_aside) /* its END is kept elsewhere; an earlier record of it may be found by replay */
        return;
    world_hold(w, c->in_doubt ? charge_nano <= c->cost_nano : charge_nano == says,
               "call %zu was booked for %lld, its last record says %lld", c->number,
               (long long)charge_nano, (long long)says);
}

static void booked(void *ctx, size_t number, const struct book_call *row,
                   const struct settle_entry *entry)
{
    struct world *w = ctx;
    struct sim_call *c = calls_get(w, number);
    struct team_id team = c->team;

    check_charge(w, c, row->charge_nano);
    if (row->late)
        world_trace(w, "  call %zu of node %u comes late: session %lld is gone", number, c->process->index,
                    (long long)c->session);
    keep_booked(w, c, entry);
    for (size_t i = 0; i < w->books.n_purses; i++) {
        if (w->books.purse[i].team.v != team.v || w->books.purse[i].kind != PURSE_WALLET)
            continue;
        w->judge.purse[i].late += row->late ? row->charge_nano : 0;
        w->tally.late += row->late;
        check_purse(w, i, NEVER_US);
    }
}

static void overdrawn(void *ctx, size_t number, const struct book_purse *p, int64_t taken,
                      int64_t remaining)
{
    const struct world *w = ctx;

    world_fail(w, "call %zu took %lld of purse %lld from a live lease that has %lld", number,
               (long long)taken, (long long)p->id.v, (long long)remaining);
}

static void reaped(void *ctx, const struct book_purse *b, const struct book_lease *l)
{
    struct world *w = ctx;
    struct judge_purse *p = &w->judge.purse[purse_index(w, b->id)];

    window_of(p, turns(b) ? l->window_us : NEVER_US)->exposed += l->remaining;
}

void judge_set_aside(struct world *w, struct call_id id)
{
    struct sim_call *c = calls_get(w, books_call_number(id));

    world_hold(w, c->poisoned, "call %zu was set aside, and the database never refused it",
               c->number);
    c->set_aside = true;
    keep_nothing(w, c);
}

/* --- disks --- */

static bool is_booked(const struct world *w, const struct sim_call *c)
{
    return c->number < w->books.n_calls && w->books.call[c->number].booked;
}

static void lose(struct world *w, struct sim_call *c)
{
    for (size_t k = 0; k < c->n_kept; k++) {
        size_t i = purse_index(w, c->kept[k].purse);

        if (w->books.purse[i].kind == PURSE_WALLET)
            w->judge.purse[i].lost +=
                c->state == CALL_ENDED ? c->cost_nano : MAX(c->so_far_nano, (int64_t)0);
    }
    keep_nothing(w, c);
}

void judge_disk_lost(struct world *w, struct process *p)
{
    for (size_t i = 0; i < w->n_calls; i++) {
        struct sim_call *c = &w->calls[i];

        if (c->process != p || c->lost || is_booked(w, c))
            continue;
        c->lost = c->in_doubt = true; /* a batch of it may still be on its way */
        lose(w, c);
    }
}

void judge_power_lost(struct world *w, struct process *p)
{
    for (size_t i = 0; i < w->n_calls; i++) {
        struct sim_call *c = &w->calls[i];

        if (c->process != p || c->in_doubt || !c->disk.type || is_booked(w, c) ||
            disk_bytes(&p->disk, c->disk.serial) >= c->disk.end)
            continue;
        c->in_doubt = true;
        lose(w, c);
    }
}

/* --- the database --- */

void judge_withdrawn(struct world *w, struct team_id team, int64_t nano)
{
    for (size_t i = 0; i < w->books.n_purses; i++)
        if (w->books.purse[i].team.v == team.v && w->books.purse[i].kind == PURSE_WALLET)
            w->judge.purse[i].withdrawn += nano;
}

void judge_capacity(struct world *w, const struct book_purse *b)
{
    struct judge_purse *p = &w->judge.purse[purse_index(w, b->id)];

    p->capacity_max = MAX(p->capacity_max, b->capacity);
}

void judge_books(struct world *w)
{
    const char *finding = books_finding(&w->books);

    world_hold(w, !finding, "the books: %s", finding);
}

void judge_init(struct world *w)
{
    memset(&w->judge, 0, sizeof(w->judge));
    w->books.watch = (struct books_watch){w, reaped, booked, overdrawn};
    for (size_t i = 0; i < w->books.n_purses; i++)
        judge_capacity(w, &w->books.purse[i]);
}
