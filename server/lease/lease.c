/* lease.c: see lease.h. */
#include "lease/lease.h"

#include "base/clock.h"
#include "lease/inside.h"
#include "lease/share.h"

/* Nodes look for recalls every 50 to 250 ms. */
static const int recall_waits_ms[] = {60, 100, 190};
/* Another purse may be short once the first is not: it is waited for anew, but not for ever. */
#define LEASE_WAITS_MAX 9
/* Something may come back to the node while the database refuses, and a window may turn under what
 * it grants: how often to look again at once. */
#define LEASE_LOOKS 4
/* After filling up in vain. */
#define LEASE_FILL_PAUSE_MS 1000

struct lease {
    struct till *till;
    struct hold_ask *ask;
    unsigned looks;
    uint64_t epoch;
    int64_t sent_ms;
    int64_t got[BOUND_HOLD_PURSES];       /* taken from the cell already, per want */
    int64_t window_us[BOUND_HOLD_PURSES]; /* of what was taken */
    size_t index[BOUND_HOLD_PURSES];      /* which want each line of the call is for */
    struct grant_call call;
};

struct lease *lease_new(struct till *t)
{
    struct lease *l = calloc(1, sizeof(*l));

    if (l)
        l->till = t;
    return l;
}

static void finish(struct lease *l, int outcome)
{
    struct till *t = l->till;
    struct hold_ask *ask = l->ask;

    l->ask = NULL;
    node_count(t->node, outcome);
    hold_answer(ask, outcome);
    till_next(t);
}

/* May the want that is short now be waited for? */
static bool may_wait(struct hold_ask *ask, size_t which)
{
    if (ask->short_ != which)
        ask->round_ = 0;
    ask->short_ = which;
    return ask->round_ < ARRAY_LEN(recall_waits_ms) && ask->waits_ < LEASE_WAITS_MAX;
}

static void park(struct lease *l)
{
    struct till *t = l->till;
    struct hold_ask *ask = l->ask;

    l->ask = NULL;
    ask->waits_++;
    ask->due_ms_ = node_now_ms(t->node) + recall_waits_ms[ask->round_++];
    node_park(t->node, ask);
    till_next(t);
}

/* The till is closed. What the node has of each want; true: all of it. */
static bool take(struct lease *l)
{
    int64_t now_ms = node_now_ms(l->till->node);
    bool all = true;

    for (size_t i = 0; i < l->ask->n_wants; i++) {
        const struct hold_want *w = &l->ask->wants[i];

        /* A window that turned meanwhile, or is over: what was taken from it is void. */
        if (l->window_us[i] != atomic_load(&w->cell->window_us) ||
            now_ms >= atomic_load(&w->cell->valid_until_ms))
            l->got[i] = 0;
        l->window_us[i] = atomic_load(&w->cell->window_us);
        if (l->got[i] < w->amount)
            l->got[i] += cell_take_some(w->cell, l->epoch, now_ms, w->amount - l->got[i]);
        all = all && l->got[i] == w->amount;
    }
    return all;
}

static void put_all(struct lease *l)
{
    for (size_t i = 0; i < l->ask->n_wants; i++)
        hold_put(l->ask->hold, l->ask->wants[i].cell, l->epoch, l->ask->wants[i].amount,
                 l->window_us[i]);
}

static void give_all(struct lease *l)
{
    for (size_t i = 0; i < l->ask->n_wants; i++) {
        cell_give(l->ask->wants[i].cell, l->epoch, l->window_us[i], l->got[i]);
        l->got[i] = 0;
    }
}

/* What of the cell is spent in the time that its lease is to last, judged by what became of the last
 * grant. */
static int64_t spent_ahead(const struct cell *c, int64_t now_ms)
{
    int64_t spent = c->had - (int64_t)atomic_load(&c->free);
    int64_t ms = MAX(now_ms - c->had_ms, (int64_t)1), ahead;

    if (spent <= 0)
        return 0;
    return __builtin_mul_overflow(spent, c->ahead_ms, &ahead) ? INT64_MAX : ahead / ms;
}

static int64_t wanted(const struct cell *c, int64_t least, int64_t now_ms)
{
    return MAX(least, MIN(c->most, spent_ahead(c, now_ms)));
}

/* An extension says nothing about how much is to be leased. */
static void keep_wish(const struct hold_want *w)
{
    if (!w->ahead_ms)
        return;
    w->cell->lease = w->lease;
    w->cell->most = w->most;
    w->cell->ahead_ms = w->ahead_ms;
}

static void send(struct lease *l, void (*done)(struct grant_call *, int))
{
    const struct ledger_port *port = node_port(l->till->node);

    l->call.session = node_session(l->till->node);
    l->call.team = l->till->team;
    l->call.no = node_number(l->till->node);
    l->call.done = done;
    l->sent_ms = node_now_ms(l->till->node);
    port->grant(port->ctx, l->till->hand, &l->call);
}

static void granted(struct grant_call *call, int outcome);

static void send_ask(struct lease *l)
{
    int64_t now_ms = node_now_ms(l->till->node);

    l->call.n = 0;
    for (size_t i = 0; i < l->ask->n_wants; i++) {
        const struct hold_want *w = &l->ask->wants[i];
        int64_t need = w->amount - l->got[i];

        if (!need)
            continue;
        keep_wish(w);
        l->index[l->call.n] = i;
        l->call.line[l->call.n++] = (struct grant_line){
            .cell = w->cell, .need = need, .want = wanted(w->cell, MAX(w->lease, need), now_ms)};
    }
    send(l, granted);
}

/* What the node has, else the database; while that is away, what the node may give itself. */
static void look(struct lease *l)
{
    struct till *t = l->till;
    bool all, usable;
    int outcome = node_away(t->node) ? share_hold(t->node, l->ask) : HOLD_E_SHORT;

    if (outcome != HOLD_E_SHORT) {
        finish(l, outcome);
        return;
    }
    till_close(t);
    l->epoch = node_epoch(t->node);
    usable = node_session(t->node) && node_admits(t->node) &&
             (!l->ask->hold->n || l->ask->hold->epoch == l->epoch);
    all = usable && take(l);
    if (all)
        put_all(l);
    till_open(t);
    if (all)
        finish(l, HOLD_OK);
    else if (!usable)
        finish(l, HOLD_E_AWAY);
    else
        send_ask(l);
}

void lease_begin(struct lease *l, struct hold_ask *ask)
{
    l->ask = ask;
    l->looks = 0;
    memset(l->got, 0, sizeof(l->got));
    look(l);
}

/* Near the end of a purse the database grants just what is needed: then nothing lies about. */
static int64_t low_of(const struct grant_line *line)
{
    return line->cell->ahead_ms >= NODE_GRACE_MS && line->granted > line->need
               ? line->cell->had / 2
               : 0;
}

static void deposit(struct lease *l)
{
    int64_t now_ms = node_now_ms(l->till->node);

    for (size_t k = 0; k < l->call.n; k++) {
        const struct grant_line *line = &l->call.line[k];
        int64_t came = line->granted + line->missed;

        /* Of a window that runs on, by the database's clock, what is here stays good for as long. */
        if (came > 0 || line->window_us == atomic_load(&line->cell->window_us))
            cell_deposit(line->cell, l->epoch, l->sent_ms, line->window_us, line->left_us, came);
        if (came > 0) {
            line->cell->had = (int64_t)atomic_load(&line->cell->free);
            line->cell->had_ms = now_ms;
            atomic_store(&line->cell->low, low_of(line));
        }
        /* Else the database did not note this one, and one that was sent before may still be made. */
        if (came > 0 || !line->want) {
            line->cell->seen_no = l->call.no;
            atomic_store(&line->cell->in_doubt, false);
        }
        line->cell->heard_us = line->window_us;
        atomic_store(&line->cell->capacity, line->capacity);
        atomic_store(&line->cell->spoken_for, line->spoken_for);
    }
}

static void doubt(struct lease *l)
{
    for (size_t k = 0; k < l->call.n; k++)
        atomic_store(&l->call.line[k].cell->in_doubt, true);
    node_slackened(l->till->node);
}

/* The first want that the database refused; n_wants: none. */
static size_t refused(const struct lease *l, bool *ret_elsewhere)
{
    size_t which = l->ask->n_wants;

    *ret_elsewhere = false;
    for (size_t k = 0; k < l->call.n; k++) {
        const struct grant_line *line = &l->call.line[k];

        if (line->shorted && which == l->ask->n_wants) {
            which = l->index[k];
            l->ask->refusal = (struct hold_refusal){
                .which = which, .capacity = line->capacity, .used = line->spoken_for};
            if (line->left_us >= 0)
                l->ask->refusal.resets_at_us = clock_wall_us() + line->left_us;
        }
        *ret_elsewhere = *ret_elsewhere || (line->shorted && line->elsewhere);
    }
    return which;
}

/* The database was asked in vain: a window turned under what it granted, or something came back to
 * the node meanwhile. */
static bool look_again(struct lease *l, size_t which)
{
    if (l->looks++ == LEASE_LOOKS)
        return false;
    return which == l->ask->n_wants || atomic_load(&l->ask->wants[which].cell->free) > 0;
}

/* The database answered, and something is short. */
static void denied(struct lease *l, size_t which, bool elsewhere, bool again)
{
    if (again)
        look(l);
    else if (which == l->ask->n_wants)
        finish(l, HOLD_E_AWAY);
    else if (elsewhere && may_wait(l->ask, which))
        park(l);
    else
        finish(l, HOLD_E_REFUSED);
}

/* Was nothing asked for but what turns every minute? */
static bool only_minutes(const struct lease *l)
{
    for (size_t k = 0; k < l->call.n; k++)
        if (!l->ask->wants[l->index[k]].minute)
            return false;
    return true;
}

/* The database did not answer, and nothing is held. The heartbeat will tell whether it is away: until
 * then whoever could go on by a share of the minute waits, a tenth of a second as a rule. */
static void unanswered(struct lease *l)
{
    struct node *n = l->till->node;
    int outcome = HOLD_E_SHORT;

    if (node_away(n)) {
        outcome = share_hold(n, l->ask);
    } else {
        node_probe(n);
        if (only_minutes(l) && node_admits(n) && may_wait(l->ask, l->index[0])) {
            park(l);
            return;
        }
    }
    finish(l, outcome == HOLD_E_SHORT ? HOLD_E_AWAY : outcome);
}

static void granted(struct grant_call *call, int outcome)
{
    struct lease *l = container_of(call, struct lease, call);
    struct till *t = l->till;
    bool elsewhere = false, all = false, again = false;
    size_t which = l->ask->n_wants;

    till_close(t);
    if (l->epoch != node_epoch(t->node))
        outcome = PORT_E_FENCED; /* the session was replaced meanwhile: all that is void */
    if (outcome == PORT_E_AWAY)
        doubt(l);
    if (outcome == PORT_OK)
        deposit(l);
    if (outcome == PORT_OK && !node_admits(t->node))
        outcome = PORT_E_AWAY; /* the answer came after the deadline: it is leased, and stays here */
    if (outcome == PORT_OK) {
        which = refused(l, &elsewhere);
        again = look_again(l, which);
    }
    /* Calls that have ended meanwhile may have given back enough, if nothing was granted. */
    if (outcome == PORT_OK || (outcome == PORT_E_AWAY && node_admits(t->node)))
        all = take(l);
    if (all)
        put_all(l);
    else
        give_all(l);
    till_open(t);
    if (outcome == PORT_E_FENCED)
        node_fenced_session(t->node, call->session);
    if (all)
        finish(l, HOLD_OK);
    else if (outcome == PORT_OK)
        denied(l, which, elsewhere, again);
    else if (outcome == PORT_E_AWAY)
        unanswered(l);
    else
        finish(l, HOLD_E_AWAY);
}

/* The answer to a grant that no call waits for. */
static void deposit_told(struct lease *l, int outcome)
{
    struct till *t = l->till;

    till_close(t);
    if (outcome == PORT_OK && l->epoch == node_epoch(t->node))
        deposit(l);
    else if (outcome == PORT_E_AWAY)
        doubt(l);
    till_open(t);
    for (size_t k = 0; k < l->call.n; k++)
        cell_unref(l->call.line[k].cell);
    if (outcome == PORT_E_FENCED)
        node_fenced_session(t->node, l->call.session);
}

static void filled(struct grant_call *call, int outcome)
{
    struct lease *l = container_of(call, struct lease, call);
    struct till *t = l->till;
    bool vain = outcome != PORT_OK;

    for (size_t k = 0; !vain && k < call->n; k++)
        vain = call->line[k].granted <= call->line[k].need;
    if (vain)
        atomic_store(&t->fill_due_ms, node_now_ms(t->node) + LEASE_FILL_PAUSE_MS);
    deposit_told(l, outcome);
    till_next(t);
}

/* The least that can be asked for is needed, so that the database gives more while there is plenty,
 * and next to nothing when there is not. */
#define FILL_NEED 1

void lease_fill(struct lease *l)
{
    struct till *t = l->till;
    int64_t now_ms = node_now_ms(t->node);

    l->call.n = 0;
    l->epoch = node_epoch(t->node);
    pthread_mutex_lock(&t->lock);
    for (struct cell *c = t->cells; c && l->call.n < BOUND_HOLD_PURSES; c = c->next) {
        int64_t more = wanted(c, c->lease, now_ms) - (int64_t)atomic_load(&c->free);

        if (atomic_load(&c->free) < atomic_load(&c->low) && more > FILL_NEED)
            l->call.line[l->call.n++] =
                (struct grant_line){.cell = cell_ref(c), .need = FILL_NEED, .want = more};
    }
    pthread_mutex_unlock(&t->lock);
    if (l->call.n && l->epoch && node_admits(t->node))
        send(l, filled);
    else
        filled(&l->call, l->call.n ? PORT_E_REFUSED : PORT_OK);
}

static void told(struct grant_call *call, int outcome)
{
    struct lease *l = container_of(call, struct lease, call);
    struct till *t = l->till;

    if (outcome == PORT_OK && l->epoch != node_epoch(t->node))
        outcome = PORT_E_FENCED;
    deposit_told(l, outcome);
    if (outcome == PORT_OK)
        atomic_store(&t->back, true); /* what is wanted of it goes now */
    till_next(t);
}

bool lease_ask_after(struct lease *l)
{
    struct till *t = l->till;

    l->call.n = 0;
    l->epoch = node_epoch(t->node);
    pthread_mutex_lock(&t->lock);
    for (struct cell *c = t->cells; l->epoch && c && l->call.n < BOUND_HOLD_PURSES; c = c->next)
        if (atomic_load(&c->in_doubt))
            l->call.line[l->call.n++] = (struct grant_line){.cell = cell_ref(c)};
    pthread_mutex_unlock(&t->lock);
    if (!l->call.n)
        return false;
    send(l, told);
    return true;
}
