/* node.c: see node.h and inside.h. Its cells and tills stand in maps under a lock that no call
 * takes: calls have counted pointers. */
#include "lease/node.h"

#include <errno.h>
#include <pthread.h>

#include "base/err.h"
#include "base/log.h"
#include "base/map.h"
#include "lease/cell.h"
#include "lease/giveback.h"
#include "lease/heartbeat.h"
#include "lease/hold.h"
#include "lease/inside.h"
#include "lease/parked.h"
#include "lease/reap.h"
#include "lease/share.h"
#include "lease/till.h"

/* How often slack that somebody wants is looked for: while other nodes are known, and while they
 * are not; a new one may have come since the last heartbeat. A node without slack has nothing that
 * anybody could want, and looks for no more than whether the others live. */
#define RECALL_MS 50
#define RECALL_ALONE_MS 200
/* How often slack that lies idle is looked for. */
#define IDLE_LOOK_MS 2000
/* A node without slack only looks for cells that nobody needs any more, and for that seldom. */
#define IDLE_LOOK_EMPTY_MS 10000

struct node {
    const struct ledger_port *port;
    struct heartbeat heart;
    struct reap reap;
    struct look_call look;
    struct reap_call reaping;
    bool looking, reap_out;
    bool slack; /* some was there when last looked for */
    int64_t look_sent_ms, looked_ms, sessions_due_ms, idle_looked_ms;
    pthread_mutex_t lock; /* of the two below */
    struct map *cells, *tills;
    struct parked parked;
    atomic_llong number;   /* the last that was given out */
    atomic_bool slackened; /* some came since; in one order with what cells have free */
    atomic_bool left_open; /* see node.h */
    atomic_bool probe;     /* a heartbeat is wanted now */
    atomic_bool sharing;   /* some cells have shares, or had */
    atomic_ullong grants, refusals, returns, reaped_others, shares;
};

const struct ledger_port *node_port(const struct node *n)
{
    return n->port;
}

int64_t node_now_ms(const struct node *n)
{
    return n->port->now_ms(n->port->ctx);
}

int64_t node_session(const struct node *n)
{
    return atomic_load_explicit(&n->heart.session, memory_order_acquire);
}

uint64_t node_epoch(const struct node *n)
{
    return (uint64_t)node_session(n);
}

bool node_admits(const struct node *n)
{
    return heartbeat_admits(&n->heart, node_now_ms(n));
}

void node_fenced(struct node *n)
{
    node_fenced_session(n, node_session(n));
}

/* The thread that ticks may sleep for longer than what came up now can wait. */
static void stir(struct node *n)
{
    if (n->port->stir)
        n->port->stir(n->port->ctx);
}

void node_fenced_session(struct node *n, int64_t session)
{
    atomic_store(&n->heart.fenced, session);
    stir(n);
}

int64_t node_number(struct node *n)
{
    return atomic_fetch_add_explicit(&n->number, 1, memory_order_relaxed) + 1;
}

void node_slackened(struct node *n)
{
    if (!atomic_load(&n->slackened) && !atomic_exchange(&n->slackened, true))
        stir(n);
}

bool node_away(const struct node *n)
{
    return heartbeat_away(&n->heart, node_now_ms(n));
}

void node_probe(struct node *n)
{
    if (!atomic_exchange(&n->probe, true))
        stir(n);
}

unsigned node_count_live(const struct node *n)
{
    return atomic_load(&n->heart.counted) ? atomic_load(&n->heart.nodes) : 0;
}

void node_shared(struct node *n)
{
    atomic_fetch_add_explicit(&n->shares, 1, memory_order_relaxed);
    if (!atomic_exchange(&n->sharing, true))
        log_warn("rate_shares", "nodes=%u", node_count_live(n));
}

void node_leave_open(struct node *n)
{
    atomic_store(&n->left_open, true);
}

bool node_left_open(const struct node *n)
{
    return atomic_load(&n->left_open);
}

void node_count(struct node *n, int hold_outcome)
{
    atomic_fetch_add_explicit(&n->grants, hold_outcome == HOLD_OK, memory_order_relaxed);
    atomic_fetch_add_explicit(&n->refusals, hold_outcome == HOLD_E_REFUSED, memory_order_relaxed);
}

void node_count_back(struct node *n, size_t purses)
{
    atomic_fetch_add_explicit(&n->returns, purses, memory_order_relaxed);
}

/* --- cells --- */

static void drop_cell(void *cell)
{
    cell_unref(cell);
}

static void drop_till(void *till)
{
    till_unref(till);
}

static struct str cell_key(struct team_id team, struct purse_id purse, int64_t out[2])
{
    out[0] = team.v;
    out[1] = purse.v;
    return str_n((const char *)out, 2 * sizeof(*out));
}

static struct str team_key(const struct team_id *team)
{
    return str_n((const char *)&team->v, sizeof(team->v));
}

static struct till *till_of(struct node *n, struct team_id team)
{
    struct till *t = map_get(n->tills, team_key(&team));

    if (t)
        return t;
    t = till_new(n, team);
    if (t && map_put(n->tills, team_key(&team), t)) {
        till_unref(t);
        t = NULL;
    }
    return t;
}

static struct cell *new_cell(struct node *n, struct team_id team, struct purse_id purse,
                             struct str key)
{
    struct till *t = till_of(n, team);
    struct cell *c = t ? calloc(1, sizeof(*c)) : NULL;

    if (!c)
        return NULL;
    atomic_store(&c->refs, 1); /* the map's */
    c->till = till_ref(t);
    c->team = team;
    c->purse = purse;
    c->seen_no = node_number(n); /* what was granted before was another cell's */
    if (map_put(n->cells, key, c)) {
        cell_unref(c);
        return NULL;
    }
    till_add(t, c);
    return c;
}

struct cell *node_cell(struct node *n, struct team_id team, struct purse_id purse)
{
    int64_t raw[2];
    struct str key = cell_key(team, purse, raw);
    struct cell *c;

    pthread_mutex_lock(&n->lock);
    c = map_get(n->cells, key);
    if (!c)
        c = new_cell(n, team, purse, key);
    if (c)
        cell_ref(c);
    pthread_mutex_unlock(&n->lock);
    return c;
}

/* --- slack --- */

static void want_back(struct cell *c, unsigned why)
{
    atomic_fetch_or(&c->wanted, why);
    till_want_back(c->till);
}

struct idle {
    struct node *node;
    int64_t now_ms;
    bool away;  /* nothing can be said to the database, and whoever tried would hold up the till */
    bool slack; /* something could be given back, at once or soon */
};

/* Marks idle slack; false lets a cell go that is empty and that nobody else knows. */
static bool look_at_cell(struct str key, void *value, void *ctx)
{
    struct idle *idle = ctx;
    struct cell *c = value;
    bool current = atomic_load(&c->epoch) == node_epoch(idle->node) &&
                   idle->now_ms < atomic_load(&c->valid_until_ms);
    bool shared = cell_window_shared(atomic_load(&c->window_us));
    bool slack = current && !shared && atomic_load(&c->free) > 0;

    (void)key;
    idle->slack = idle->slack || slack || giveback_pending(c) || atomic_load(&c->in_doubt);
    if (idle->away)
        return true;
    if (giveback_pending(c) || (slack && cell_idle(c, idle->now_ms))) {
        want_back(c, CELL_WANTED_IDLE);
        return true;
    }
    if (atomic_load(&c->in_doubt))
        till_want_back(c->till);
    return slack || share_counts(c, idle->now_ms) || !till_let_go(c->till, c);
}

static bool look_at_till(struct str key, void *value, void *ctx)
{
    struct till *t = value;

    (void)key;
    (void)ctx;
    return atomic_load(&t->refs) > 1;
}

static void look_for_idle(struct node *n, int64_t now_ms)
{
    struct idle idle = {n, now_ms, node_away(n), atomic_exchange(&n->slackened, false)};

    pthread_mutex_lock(&n->lock);
    map_filter(n->cells, look_at_cell, &idle);
    map_filter(n->tills, look_at_till, NULL);
    pthread_mutex_unlock(&n->lock);
    n->slack = idle.slack;
    n->idle_looked_ms = now_ms;
}

static int64_t idle_due_ms(struct node *n)
{
    bool any;

    if (n->slack || atomic_load(&n->slackened))
        return n->idle_looked_ms + IDLE_LOOK_MS;
    pthread_mutex_lock(&n->lock);
    any = map_size(n->cells) + map_size(n->tills) > 0;
    pthread_mutex_unlock(&n->lock);
    return any ? n->idle_looked_ms + IDLE_LOOK_EMPTY_MS : INT64_MAX;
}

static void recalled(struct node *n, const struct look_call *look)
{
    pthread_mutex_lock(&n->lock);
    for (size_t i = 0; i < look->n_recalls; i++) {
        int64_t raw[2];
        struct cell *c =
            map_get(n->cells, cell_key(look->recall[i].team, look->recall[i].purse, raw));

        if (c && (atomic_load(&c->free) > 0 || atomic_load(&c->in_doubt)))
            want_back(c, CELL_WANTED_ELSEWHERE);
    }
    pthread_mutex_unlock(&n->lock);
}

static bool end_share(struct str key, void *value, void *ctx)
{
    struct cell *c = value;

    (void)key;
    (void)ctx;
    till_close(c->till);
    cell_share_over(c);
    till_open(c->till);
    return true;
}

/* The database is back: what it has of the minute is to be had again. */
static void end_shares(struct node *n)
{
    if (!atomic_exchange(&n->sharing, false))
        return;
    pthread_mutex_lock(&n->lock);
    map_filter(n->cells, end_share, NULL);
    pthread_mutex_unlock(&n->lock);
    log_info("rate_shares_over", "given=%llu", (unsigned long long)atomic_load(&n->shares));
}

void node_park(struct node *n, struct hold_ask *ask)
{
    parked_add(&n->parked, ask);
    stir(n);
}

/* --- looking at the others --- */

static void reaped(struct reap_call *call, int outcome)
{
    struct node *n = container_of(call, struct node, reaping);

    n->reap_out = false;
    if (outcome != PORT_OK || !call->reaped)
        return;
    atomic_fetch_add(&n->reaped_others, 1);
    log_warn("session_reaped", "session=%lld", (long long)call->session);
}

static void looked(struct look_call *call, int outcome)
{
    struct node *n = container_of(call, struct node, look);
    bool dead = false;

    n->looking = false;
    n->looked_ms = node_now_ms(n);
    if (outcome != PORT_OK) {
        if (call->sessions)
            reap_blind(&n->reap);
        return;
    }
    recalled(n, call);
    if (call->sessions)
        dead = reap_observe(&n->reap, call, n->look_sent_ms, node_now_ms(n), &n->reaping.session,
                            &n->reaping.hb);
    if (!dead || n->reap_out)
        return;
    n->reap_out = true;
    n->reaping.reaped = false;
    n->reaping.done = reaped;
    n->port->reap(n->port->ctx, &n->reaping);
}

/* When to look next. */
static int64_t look_due_ms(const struct node *n)
{
    if (!n->slack && !atomic_load(&n->slackened))
        return n->sessions_due_ms;
    return n->looked_ms + (atomic_load(&n->heart.nodes) > 1 ? RECALL_MS : RECALL_ALONE_MS);
}

static void look(struct node *n, int64_t now_ms)
{
    n->look.session = node_session(n);
    if (n->looking || !n->look.session || now_ms < look_due_ms(n))
        return;
    n->look.sessions = now_ms >= n->sessions_due_ms;
    if (n->look.sessions)
        n->sessions_due_ms = now_ms + REAP_LOOK_MS;
    n->look.n_seen = n->look.n_recalls = 0;
    n->look_sent_ms = now_ms;
    n->look.done = looked;
    n->looking = true;
    n->port->look(n->port->ctx, &n->look);
}

int node_tick(struct node *n)
{
    int64_t now_ms = node_now_ms(n), next_ms;

    if (atomic_exchange(&n->probe, false))
        n->heart.due_ms = now_ms;
    heartbeat_tick(&n->heart, now_ms);
    if (!node_away(n))
        end_shares(n);
    look(n, now_ms);
    if (now_ms >= idle_due_ms(n))
        look_for_idle(n, now_ms);
    next_ms = MIN(n->heart.due_ms, idle_due_ms(n));
    if (node_session(n))
        next_ms = MIN(next_ms, look_due_ms(n));
    parked_wake(&n->parked, now_ms, &next_ms);
    return (int)MAX(next_ms - node_now_ms(n), 0);
}

/* --- life --- */

struct node *node_core_new(const struct ledger_port *port)
{
    struct node *n = calloc(1, sizeof(*n));

    if (!n)
        return NULL;
    n->port = port;
    pthread_mutex_init(&n->lock, NULL);
    parked_init(&n->parked);
    heartbeat_init(&n->heart, port);
    n->cells = map_new(0, drop_cell);
    n->tills = map_new(0, drop_till);
    if (!n->cells || !n->tills) {
        node_core_free(n);
        return NULL;
    }
    return n;
}

static bool count_running(struct str key, void *value, void *ctx)
{
    size_t *running = ctx;

    (void)key;
    *running += till_running(value);
    return true;
}

bool node_idle(struct node *n)
{
    size_t running = 0;

    pthread_mutex_lock(&n->lock);
    map_filter(n->tills, count_running, &running);
    pthread_mutex_unlock(&n->lock);
    return running == 0;
}

void node_core_free(struct node *n)
{
    if (n->cells)
        map_free(n->cells);
    if (n->tills)
        map_free(n->tills);
    pthread_mutex_destroy(&n->lock);
    parked_done(&n->parked);
    free(n);
}

void node_read(struct node *n, struct node_view *ret)
{
    pthread_mutex_lock(&n->lock);
    ret->cells = map_size(n->cells);
    pthread_mutex_unlock(&n->lock);
    ret->session = node_session(n);
    ret->heartbeat_age_ms = node_now_ms(n) - atomic_load(&n->heart.acked_ms);
    ret->nodes = atomic_load(&n->heart.nodes);
    ret->grants = atomic_load(&n->grants);
    ret->refusals = atomic_load(&n->refusals);
    ret->returns = atomic_load(&n->returns);
    ret->reaped_others = atomic_load(&n->reaped_others);
    ret->fenced = atomic_load(&n->heart.fences);
    ret->away = node_away(n);
    ret->shares = atomic_load(&n->shares);
}
