/* node.c: see node.h. The session and its epoch change together under the lock; loops only read them
 * as atomics. */
#include "lease/node.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/map.h"
#include "lease/cell.h"
#include "lease/inside.h"
#include "lease/lease_sql.h"
#include "lease/reap.h"

/* How often slack that somebody wants is looked for: while other nodes are known, and while they are
 * not; a new one may have come since the last heartbeat. */
#define RECALL_MS 50
#define ALONE_MS 250
/* Slack that no call has touched for so long goes back. */
#define IDLE_MS 10000
#define IDLE_LOOK_MS 2000
#define BACK_MAX 200

struct node {
    struct node_config config;
    atomic_llong session, acked_ms; /* acked: when the last acknowledged heartbeat was sent */
    atomic_ullong epoch;
    atomic_bool fenced;
    pthread_mutex_t lock;     /* cells */
    pthread_mutex_t ask_lock; /* asks */
    struct map *cells;
    struct db *db;
    struct arena *arena;
    struct reap reap;
    pthread_t thread;
    bool started;
    atomic_bool stop;
    int64_t beat_at_ms, idle_at_ms;
    bool alone;
    atomic_ullong grants, refusals, returns, reaped_others, fences;
};

int64_t node_session(const struct node *n)
{
    return atomic_load_explicit(&n->session, memory_order_acquire);
}

uint64_t node_epoch(const struct node *n)
{
    return atomic_load_explicit(&n->epoch, memory_order_acquire);
}

bool node_admits(const struct node *n)
{
    return clock_mono_ms() < atomic_load_explicit(&n->acked_ms, memory_order_relaxed) + NODE_GRACE_MS;
}

struct jobs *node_lane(const struct node *n)
{
    return n->config.lane;
}

void node_ask_lock(struct node *n)
{
    pthread_mutex_lock(&n->ask_lock);
}

void node_ask_unlock(struct node *n)
{
    pthread_mutex_unlock(&n->ask_lock);
}

void node_count(struct node *n, bool granted, bool refused)
{
    atomic_fetch_add_explicit(&n->grants, granted, memory_order_relaxed);
    atomic_fetch_add_explicit(&n->refusals, refused, memory_order_relaxed);
}

void node_fenced(struct node *n)
{
    atomic_store(&n->fenced, true);
}

static void drop_cell(void *cell)
{
    cell_unref(cell);
}

static struct str cell_key(struct team_id team, struct purse_id purse, int64_t out[2])
{
    out[0] = team.v;
    out[1] = purse.v;
    return str_n((const char *)out, 2 * sizeof(*out));
}

struct cell *node_cell(struct node *n, struct team_id team, struct purse_id purse)
{
    int64_t raw[2];
    struct str key = cell_key(team, purse, raw);
    struct cell *c;

    pthread_mutex_lock(&n->lock);
    c = map_get(n->cells, key);
    if (!c) {
        c = calloc(1, sizeof(*c));
        if (c) {
            atomic_store(&c->refs, 1); /* the map's */
            c->team = team;
            c->purse = purse;
            if (map_put(n->cells, key, c)) {
                free(c);
                c = NULL;
            }
        }
    }
    if (c)
        cell_ref(c);
    pthread_mutex_unlock(&n->lock);
    return c;
}

/* --- giving slack back --- */

struct gather {
    struct node *node;
    struct lease_back back[BACK_MAX];
    size_t n;
    int64_t idle_before_ms; /* 0: all slack */
    bool drop_unused;
};

/* Takes the slack out of a cell and notes it; false lets a cell go that nobody else knows. */
static bool gather_cell(struct str key, void *value, void *ctx)
{
    struct gather *g = ctx;
    struct cell *c = value;
    bool lonely = atomic_load(&c->refs) == 1;
    int64_t slack;

    (void)key;
    if (g->n == BACK_MAX || (g->idle_before_ms && atomic_load(&c->used_at_ms) > g->idle_before_ms))
        return true;
    slack = atomic_load(&c->epoch) == node_epoch(g->node) ? atomic_exchange(&c->free, 0) : 0;
    if (slack > 0)
        g->back[g->n++] = (struct lease_back){.team = c->team,
                                              .purse = c->purse,
                                              .amount = slack,
                                              .window_us = atomic_load(&c->window_us)};
    return !(lonely && g->drop_unused);
}

/* 0 also when the database is away: what was gathered is then given back to the cells' leases only by
 * the end of the session, never lost and never spent twice. */
static void return_gathered(struct node *n, struct gather *g)
{
    int64_t session = node_session(n);

    if (!g->n || !session)
        return;
    if (lease_sql_return(n->db, session, g->back, g->n))
        log_warn("slack_not_returned", "purses=%zu", g->n);
    else
        atomic_fetch_add_explicit(&n->returns, g->n, memory_order_relaxed);
}

static void return_idle(struct node *n, int64_t idle_before_ms)
{
    struct gather g;

    do {
        g = (struct gather){.node = n, .idle_before_ms = idle_before_ms, .drop_unused = true};
        pthread_mutex_lock(&n->ask_lock);
        pthread_mutex_lock(&n->lock);
        map_filter(n->cells, gather_cell, &g);
        pthread_mutex_unlock(&n->lock);
        pthread_mutex_unlock(&n->ask_lock);
        return_gathered(n, &g);
    } while (g.n == BACK_MAX);
}

static void recalled(struct node *n, struct team_id team, struct purse_id purse)
{
    int64_t raw[2];
    struct gather g = {.node = n};
    struct cell *c;

    pthread_mutex_lock(&n->lock);
    c = map_get(n->cells, cell_key(team, purse, raw));
    if (c)
        (void)gather_cell(STR_NONE, c, &g);
    pthread_mutex_unlock(&n->lock);
    return_gathered(n, &g);
}

static void look_for_recalls(struct node *n)
{
    struct lease_back wanted[BACK_MAX];
    size_t count = 0;

    if (lease_sql_recalls(n->db, n->arena, node_session(n), wanted, BACK_MAX, &count))
        return;
    for (size_t i = 0; i < count; i++)
        recalled(n, wanted[i].team, wanted[i].purse);
}

/* --- the heart --- */

static int open_session(struct node *n, struct db *db, struct arena *a)
{
    int64_t session = 0, sent_ms = clock_mono_ms();
    int r = lease_sql_open(db, a, n->config.name, n->config.version, &session);

    if (r)
        return r;
    atomic_fetch_add(&n->epoch, 1);
    atomic_store(&n->session, session);
    atomic_store(&n->acked_ms, sent_ms);
    atomic_store(&n->fenced, false);
    log_info("session_opened", "session=%lld", (long long)session);
    return 0;
}

static void beat(struct node *n)
{
    int64_t sent_ms = clock_mono_ms();
    bool live = false;

    if (lease_sql_heartbeat(n->db, n->arena, node_session(n), &live))
        return;
    if (live)
        atomic_store(&n->acked_ms, sent_ms);
    else
        node_fenced(n);
    if (!reap_look(&n->reap, n->db, n->arena, node_session(n), sent_ms, &n->alone))
        atomic_fetch_add(&n->reaped_others, n->reap.reaped);
}

static void turn(struct node *n)
{
    int64_t now_ms = clock_mono_ms();

    if (atomic_load(&n->fenced)) {
        log_warn("session_fenced", "session=%lld", (long long)node_session(n));
        atomic_fetch_add(&n->fences, 1);
        atomic_store(&n->session, 0);
        (void)open_session(n, n->db, n->arena);
    }
    if (now_ms >= n->beat_at_ms) {
        n->beat_at_ms = now_ms + NODE_HEARTBEAT_MS;
        beat(n);
    }
    if (now_ms >= n->idle_at_ms) {
        n->idle_at_ms = now_ms + IDLE_LOOK_MS;
        return_idle(n, now_ms - IDLE_MS);
    }
    look_for_recalls(n);
}

static void *run(void *arg)
{
    struct node *n = arg;

    while (!atomic_load(&n->stop)) {
        int pause_ms = n->alone ? ALONE_MS : RECALL_MS;

        n->arena = arena_new(KIB(256));
        if (n->arena && (n->db ? db_ensure(n->db)
                               : db_open(n->config.conninfo, "tollgate node", &n->db)) == DB_OK)
            turn(n);
        arena_free(n->arena);
        for (int slept = 0; slept < pause_ms && !atomic_load(&n->stop); slept += RECALL_MS)
            nanosleep(&(struct timespec){0, RECALL_MS * 1000000L}, NULL);
    }
    return NULL;
}

int node_new(const struct node_config *config, struct db *db, struct node **ret)
{
    struct node *n = calloc(1, sizeof(*n));
    struct arena *a = arena_new(KIB(64));
    int r = n && a ? 0 : err_origin(-ENOMEM);

    if (!r) {
        n->config = *config;
        n->alone = true;
        pthread_mutex_init(&n->lock, NULL);
        pthread_mutex_init(&n->ask_lock, NULL);
        n->cells = map_new(0, drop_cell);
        r = n->cells ? open_session(n, db, a) : err_origin(-ENOMEM);
    }
    if (!r)
        r = -pthread_create(&n->thread, NULL, run, n);
    arena_free(a);
    if (r) {
        if (n)
            map_free(n->cells);
        free(n);
        return r;
    }
    n->started = true;
    *ret = n;
    return 0;
}

void node_free(struct node *n)
{
    struct arena *a;

    if (!n)
        return;
    atomic_store(&n->stop, true);
    (void)pthread_join(n->thread, NULL);
    a = arena_new(KIB(64));
    if (a && n->db && db_ensure(n->db) == DB_OK && node_session(n) &&
        lease_sql_close(n->db, a, node_session(n)))
        log_warn("session_not_closed", "session=%lld", (long long)node_session(n));
    arena_free(a);
    db_close(n->db);
    map_free(n->cells);
    pthread_mutex_destroy(&n->lock);
    pthread_mutex_destroy(&n->ask_lock);
    free(n);
}

void node_read(struct node *n, struct node_view *ret)
{
    pthread_mutex_lock(&n->lock);
    ret->cells = map_size(n->cells);
    pthread_mutex_unlock(&n->lock);
    ret->session = node_session(n);
    ret->heartbeat_age_ms = clock_mono_ms() - atomic_load(&n->acked_ms);
    ret->grants = atomic_load(&n->grants);
    ret->refusals = atomic_load(&n->refusals);
    ret->returns = atomic_load(&n->returns);
    ret->reaped_others = atomic_load(&n->reaped_others);
    ret->fenced = atomic_load(&n->fences);
}
