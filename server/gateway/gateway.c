/* gateway.c: what one loop has for its calls, and what reaches it from outside.
 *
 * A change is a message of its own to each loop. A key that has changed is not only dropped from
 * the cache: where calls of it are running it is looked up again, and they are cut if it may not be
 * used any more. */
#include "gateway/gateway.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "cache/answers.h"
#include "catalog/holder.h"
#include "gateway/call_flow.h"
#include "gateway/count.h"
#include "gateway/videos.h"
#include "gateway/refusal.h"

enum { TICK_MS = 1000 };

static void take_catalog(struct gateway *g)
{
    struct catalog *newest = catalog_holder_get(g->services->catalog);

    if (!newest)
        return;
    catalog_unref(g->catalog);
    g->catalog = newest;
}

/* Calls are listed in the order they came. */
static int64_t oldest_call_ms(const struct gateway *g)
{
    if (list_empty(&g->calls))
        return 0;
    return container_of(g->calls.next, struct call, link)->r->began_mono_ns / 1000000;
}

void gateway_wind(struct gateway *g)
{
    if (g->tick.loop)
        return;
    if (loop_timer_set(g->loop, &g->tick, loop_now_ms(g->loop) + TICK_MS) < 0)
        log_error("timer_lost", "of=gateway");
}

static void tick(struct loop_timer *t)
{
    struct gateway *g = container_of(t, struct gateway, tick);

    refusal_flush(g);
    atomic_store_explicit(&g->metrics.keys, (unsigned)key_cache_size(g->keys),
                          memory_order_relaxed);
    atomic_store_explicit(&g->oldest_ms, oldest_call_ms(g), memory_order_relaxed);
    if (!g->catalog)
        take_catalog(g);
    if (!g->catalog || !list_empty(&g->calls))
        gateway_wind(g);
}

int gateways_new(const struct services *services, struct gateways **ret)
{
    struct gateways *all = calloc(1, sizeof(*all));
    int r;

    if (!all)
        return err_origin(-ENOMEM);
    all->services = services;
    all->loops = services->loops;
    all->loop = calloc(MAX(all->loops, 1u), sizeof(struct gateway *));
    r = all->loop ? key_book_new(&all->book) : err_origin(-ENOMEM);
    if (r < 0) {
        free(all->loop);
        free(all);
        return err_trace(r);
    }
    videos_late_init(&all->late);
    *ret = all;
    return 0;
}

void gateways_free(struct gateways *all)
{
    if (!all)
        return;
    for (unsigned i = 0; i < all->loops; i++)
        assert(!all->loop[i]);
    videos_late_done(&all->late);
    key_book_free(all->book);
    free(all->loop);
    free(all);
}

static int open_parts(struct gateway *g)
{
    int r = fetcher_new(g->loop, &g->fetcher);

    if (r == 0)
        r = key_cache_new(g, &g->keys);
    if (r == 0)
        r = loop_timer_set(g->loop, &g->tick, loop_now_ms(g->loop) + TICK_MS);
    return r < 0 ? err_trace(r) : 0;
}

int gateway_new(struct gateways *all, unsigned index, struct loop *loop, struct gateway **ret)
{
    struct gateway *g = calloc(1, sizeof(*g));
    int r;

    assert(index < all->loops);
    if (!g)
        return err_origin(-ENOMEM);
    g->all = all;
    g->index = index;
    g->services = all->services;
    g->loop = loop;
    g->tick.fired = tick;
    g->user_agent = STR("tollgate");
    list_init(&g->calls);
    list_init(&g->counts);
    list_init(&g->videos);
    list_init(&g->held_back);
    buf_init(&g->scratch, BOUND_UPSTREAM_REPLY_BYTES);
    all->loop[index] = g;
    r = open_parts(g);
    if (r < 0) {
        gateway_free(g);
        return err_trace(r);
    }
    take_catalog(g);
    *ret = g;
    return 0;
}

void gateway_cut(struct gateway *g)
{
    struct problem p = problem_of(PROBLEM_DRAINING);

    p.retry_after_s = 1;
    list_for_each (&g->calls, link)
        call_cut(container_of(link, struct call, link), &p);
    count_cut(g, &p);
    videos_cut(g, &p);
}

void gateway_free(struct gateway *g)
{
    if (!g)
        return;
    gateway_cut(g);
    refusal_flush(g);
    loop_timer_clear(&g->tick);
    key_cache_free(g->keys);
    fetcher_free(g->fetcher);
    catalog_unref(g->catalog);
    buf_done(&g->scratch);
    g->all->loop[g->index] = NULL;
    free(g);
}

unsigned gateways_in_flight(const struct gateways *all)
{
    unsigned n = 0;

    for (unsigned i = 0; i < all->loops; i++)
        if (all->loop[i])
            n += atomic_load_explicit(&all->loop[i]->metrics.in_flight, memory_order_relaxed);
    return n;
}

int64_t gateways_oldest_ms(const struct gateways *all)
{
    int64_t oldest = 0, now_ms = clock_mono_ms();

    for (unsigned i = 0; i < all->loops; i++) {
        int64_t began_ms = all->loop[i] ? atomic_load(&all->loop[i]->oldest_ms) : 0;

        if (began_ms)
            oldest = MAX(oldest, now_ms - began_ms);
    }
    return oldest;
}

void gateways_count(const struct gateways *all, uint64_t *ret_calls, uint64_t *ret_keys)
{
    uint64_t calls = 0, keys = 0;

    for (unsigned i = 0; i < all->loops; i++) {
        const struct metrics *m = all->loop[i] ? &all->loop[i]->metrics : NULL;

        for (size_t k = 0; m && k < ARRAY_LEN(m->calls); k++)
            calls += atomic_load_explicit(&m->calls[k], memory_order_relaxed);
        keys += m ? atomic_load_explicit(&m->keys, memory_order_relaxed) : 0;
    }
    *ret_calls = calls;
    *ret_keys = keys;
}

/* A key whose calls are running is looked up again. */
struct recheck {
    struct key_waiter waiter;
    struct gateway *g;
    struct digest digest;
};

static bool may_go_on(const struct call *c, int outcome, const struct known_key *now)
{
    const struct key_policy *k;

    if (outcome == KEYS_E_AWAY)
        return true;
    if (outcome != KEYS_OK)
        return false;
    k = now->policy;
    return !k->disabled && !k->team_frozen &&
           (!k->expires_at_us || k->expires_at_us > c->r->began_wall_us);
}

static void rechecked(struct key_waiter *w, int outcome, struct known_key *now)
{
    struct recheck *check = container_of(w, struct recheck, waiter);
    struct problem p = problem_of(PROBLEM_KEY_DISABLED);

    list_for_each (&check->g->calls, link) {
        struct call *c = container_of(link, struct call, link);

        if (c->key && digest_eq(&c->key->digest, &check->digest) && !may_go_on(c, outcome, now))
            call_cut(c, &p);
    }
    known_key_unref(now);
    free(check);
}

static void recheck(struct gateway *g, const struct known_key *key)
{
    struct recheck *check = calloc(1, sizeof(*check));
    struct known_key *now = NULL;

    if (!check)
        return;
    check->g = g;
    check->digest = key->digest;
    check->waiter.answered = rechecked;
    if (key_cache_find(g->keys, &key->digest, &check->waiter, &now) == KEYS_E_WAIT)
        return;
    known_key_unref(now); /* it cannot be told now: the calls go on */
    free(check);
}

/* Whose calls are meant: the ids that are not negative. */
struct whose {
    int64_t key, team;
    bool all;
};

/* Each key once, however many of its calls are running. */
static void recheck_running(struct gateway *g, struct whose w)
{
    g->recheck_turn++;
    list_for_each (&g->calls, link) {
        struct call *c = container_of(link, struct call, link);
        const struct key_policy *k = c->key ? c->key->policy : NULL;

        if (!k || c->key->recheck_turn == g->recheck_turn)
            continue;
        if (!w.all && k->key.v != w.key && k->team.v != w.team)
            continue;
        c->key->recheck_turn = g->recheck_turn;
        recheck(g, c->key);
    }
}

/* One that comes while a node ends is still in the loop's inbox when its gateway is freed. */
struct change {
    struct loop_msg msg;
    struct gateways *all;
    unsigned index;
    char text[40];
};

static bool tail_id(struct str text, struct str prefix, int64_t *ret)
{
    return str_starts(text, prefix) &&
           str_i64(str_n(text.p + prefix.n, text.n - prefix.n), ret) == STR_OK;
}

static void apply_change(struct gateway *g, struct str text)
{
    int64_t id = 0;

    gateway_wind(g); /* there may be fewer keys */
    if (str_eq(text, STR("catalogue"))) {
        take_catalog(g);
    } else if (tail_id(text, STR("key:"), &id)) {
        key_cache_drop_key(g->keys, (struct key_id){id});
        recheck_running(g, (struct whose){.key = id, .team = -1});
    } else if (tail_id(text, STR("team:"), &id)) {
        key_cache_drop_team(g->keys, (struct team_id){id});
        recheck_running(g, (struct whose){.key = -1, .team = id});
    } else if (str_eq(text, STR("all"))) {
        take_catalog(g);
        key_cache_doubt(g->keys);
        recheck_running(g, (struct whose){.all = true});
    }
}

static void change_came(struct loop_msg *msg)
{
    struct change *change = container_of(msg, struct change, msg);
    struct gateway *g = change->all->loop[change->index];

    if (g) {
        atomic_fetch_sub(&g->changes_waiting, 1);
        if (atomic_exchange(&g->change_overflow, false))
            apply_change(g, STR("all"));
        else
            apply_change(g, str_c(change->text));
    }
    free(change);
}

static void post_change(struct gateway *g, struct str payload)
{
    struct change *change;

    if (atomic_load(&g->changes_waiting) >= BOUND_CHANGES) {
        atomic_store(&g->change_overflow, true);
        return;
    }
    change = calloc(1, sizeof(*change));
    if (!change) {
        atomic_store(&g->change_overflow, true);
        return;
    }
    change->all = g->all;
    change->index = g->index;
    change->msg.fn = change_came;
    memcpy(change->text, payload.p, MIN(payload.n, sizeof(change->text) - 1));
    atomic_fetch_add(&g->changes_waiting, 1);
    loop_post(g->loop, &change->msg);
}

void gateways_changed(struct gateways *all, struct str payload)
{
    struct answers *answers = all->services->answers;
    struct team_id team;
    struct key_id key;

    if (tail_id(payload, STR("answers:"), &team.v)) {
        if (answers)
            answers_forget(answers, team);
        return;
    }
    if (tail_id(payload, STR("key:"), &key.v))
        key_book_drop_key(all->book, key);
    else if (tail_id(payload, STR("team:"), &team.v))
        key_book_drop_team(all->book, team);
    for (unsigned i = 0; i < all->loops; i++)
        if (all->loop[i])
            post_change(all->loop[i], payload);
}
