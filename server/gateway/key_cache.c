/* key_cache.c: see key_cache.h. An entry that is being looked up stands in the map already, so that
 * everybody who asks for it waits for the one job; the job holds a reference of its own. */
#include "gateway/key_cache.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/map.h"
#include "gateway/call_money.h"
#include "gateway/gateway.h"
#include "guard/set.h"

enum {
    UNKNOWN_FOR_MS = 5000,      /* reliability K2 */
    GOOD_WITHOUT_DB_MS = 55000, /* DESIGN 2: within the 60 s of a lease */
    DOUBT_PAUSE_MS = 1000,      /* after a look-up that nobody answered */
};

struct key_cache {
    struct gateway *g;
    struct map *entries; /* digest -> struct known_key, one reference each */
    unsigned looking;
    bool closed; /* freed, but for the look-ups under way */
};

struct look_up {
    struct job job;
    struct known_key *entry; /* a reference */
    const struct services *services;
    struct digest digest;
    int outcome; /* KEYS_* */
    struct key_policy *policy;
    struct key_purses *purses;
    const struct guard_set *guard;
};

static struct str map_key(const struct digest *d)
{
    return str_n((const char *)d->b, sizeof(d->b));
}

struct known_key *known_key_ref(struct known_key *k)
{
    k->refs++;
    return k;
}

void known_key_unref(struct known_key *k)
{
    if (!k)
        return;
    assert(k->refs > 0);
    if (--k->refs)
        return;
    assert(list_empty(&k->waiters_));
    known_key_unref(k->before_);
    guard_set_unref(k->guard);
    call_money_close(k->purses);
    key_policy_unref(k->policy);
    free(k);
}

static void drop_entry(void *value)
{
    struct known_key *k = value;

    k->stale_ = true; /* one that is being looked up must not come back */
    known_key_unref(k);
}

int key_cache_new(struct gateway *g, struct key_cache **ret)
{
    struct key_cache *kc = calloc(1, sizeof(*kc));

    if (!kc)
        return err_origin(-ENOMEM);
    kc->g = g;
    kc->entries = map_new(BOUND_KEYS_CACHED, drop_entry);
    if (!kc->entries) {
        free(kc);
        return err_origin(-ENOMEM);
    }
    *ret = kc;
    return 0;
}

void key_cache_free(struct key_cache *kc)
{
    if (!kc)
        return;
    map_free(kc->entries);
    kc->entries = NULL;
    kc->closed = true;
    if (!kc->looking)
        free(kc);
}

/* 0, or another value when they cannot be had now: no call goes out without them. */
static int open_guard(struct look_up *l, struct db *db)
{
    const struct key_policy *k = l->policy;
    struct guards *all = l->services->guards;
    int r = k->guarded && all ? guards_open(all, db, k->team, k->project, k->key, &l->guard) : 0;

    if (r < 0)
        log_error("guardrails_unreadable", "call_team=%lld key=%lld", (long long)k->team.v, (long long)k->key.v);
    return r;
}

/* On a worker, whose state may be NULL when it has no connection. */
static void look_up_work(struct job *job, void *worker)
{
    struct look_up *l = container_of(job, struct look_up, job);
    struct db *db = worker;
    int r;

    l->outcome = KEYS_E_AWAY;
    if (!db || failpoint_hit("key.look_up"))
        return;
    r = key_find(db, &l->digest, &l->policy);
    if (r == KEY_E_UNKNOWN)
        l->outcome = KEYS_E_UNKNOWN;
    if (r != KEY_OK)
        return;
    r = open_guard(l, db);
    if (r == 0)
        r = failpoint_hit("key.purses");
    if (r == 0)
        r = call_money_open(l->services, db, l->policy, &l->purses);
    if (r == 0)
        l->outcome = KEYS_OK;
}

static void answer(struct known_key *k, int outcome, struct known_key *found)
{
    while (!list_empty(&k->waiters_)) {
        struct key_waiter *w = container_of(k->waiters_.next, struct key_waiter, link);

        list_del(&w->link);
        w->answered(w, outcome, outcome == KEYS_OK ? known_key_ref(found) : NULL);
    }
}

static bool database_away(const struct services *s)
{
    return s->database_silence_ms && s->database_silence_ms(s->ctx) > GOOD_WITHOUT_DB_MS;
}

/* The database does not tell: what was known before stands again, where anything was and while it
 * may be used without the database; borrowed. */
static struct known_key *give_up(struct key_cache *kc, struct known_key *k)
{
    struct known_key *before = k->before_;

    map_del(kc->entries, map_key(&k->digest));
    if (!before || database_away(kc->g->services))
        return NULL;
    before->stale_ = false;
    before->doubt_due_ms_ = loop_now_ms(kc->g->loop) + DOUBT_PAUSE_MS;
    if (map_put(kc->entries, map_key(&before->digest), known_key_ref(before)) < 0)
        known_key_unref(before);
    return before;
}

/* The cache was freed meanwhile: whoever waits has gone with it. */
static void discard(struct key_cache *kc, struct known_key *k)
{
    list_init(&k->waiters_);
    known_key_unref(k);
    if (!kc->looking)
        free(kc);
}

/* A change came meanwhile, and what was found may be from before it: whoever waits asks anew, once; who
 * is overtaken again is answered with what there is. */
static bool ask_anew(struct key_cache *kc, struct known_key *k)
{
    if (!k->stale_ || k->anew_)
        return false;
    while (!list_empty(&k->waiters_)) {
        struct key_waiter *w = container_of(k->waiters_.next, struct key_waiter, link);
        struct known_key *found = NULL;
        int outcome;

        list_del(&w->link);
        outcome = key_cache_find(kc, &k->digest, w, &found);
        if (outcome != KEYS_E_WAIT)
            w->answered(w, outcome, found);
        else if ((found = map_get(kc->entries, map_key(&k->digest))))
            found->anew_ = true;
    }
    return true;
}

static void look_up_done(struct job *job)
{
    struct look_up *l = container_of(job, struct look_up, job);
    struct known_key *k = l->entry;
    struct key_cache *kc = k->cache_;
    struct known_key *still = NULL;
    int outcome = l->outcome;

    kc->looking--;
    k->looking_ = false;
    k->policy = l->policy;
    k->purses = l->purses;
    k->guard = l->guard;
    free(l);
    if (kc->closed) {
        discard(kc, k);
        return;
    }
    k->good_until_ms = loop_now_ms(kc->g->loop) + UNKNOWN_FOR_MS;
    if (outcome == KEYS_E_AWAY && !k->stale_)
        still = give_up(kc, k);
    if (!ask_anew(kc, k))
        answer(k, still ? KEYS_OK : outcome, still ? still : k);
    known_key_unref(steal(&k->before_));
    known_key_unref(k);
}

static struct known_key *entry_new(struct key_cache *kc, const struct digest *digest)
{
    struct known_key *k = calloc(1, sizeof(*k));

    if (!k)
        return NULL;
    k->refs = 1;
    k->cache_ = kc;
    k->digest = *digest;
    list_init(&k->waiters_);
    if (map_put(kc->entries, map_key(digest), k) < 0) {
        free(k);
        return NULL;
    }
    return k;
}

/* before: what is in doubt, NULL: nothing is known. */
static int look_up(struct key_cache *kc, const struct digest *digest, struct key_waiter *waiter,
                   struct known_key *before)
{
    struct look_up *l = calloc(1, sizeof(*l));
    struct known_key *kept = before ? known_key_ref(before) : NULL;
    struct known_key *k = l ? entry_new(kc, digest) : NULL;

    if (!k) {
        known_key_unref(kept);
        free(l);
        return err_origin(-ENOMEM);
    }
    k->before_ = kept;
    *l = (struct look_up){.services = kc->g->services, .digest = *digest};
    l->job = (struct job){.reply_to = kc->g->loop, .work = look_up_work, .done = look_up_done};
    l->entry = known_key_ref(k);
    k->looking_ = true;
    list_add_tail(&k->waiters_, &waiter->link);
    kc->looking++;
    if (jobs_submit(kc->g->services->money, &l->job) == JOBS_OK)
        return KEYS_E_WAIT;
    kc->looking--;
    k->looking_ = false;
    list_del(&waiter->link);
    (void)give_up(kc, k);
    known_key_unref(k);
    free(l);
    return KEYS_E_BUSY;
}

int key_cache_find(struct key_cache *kc, const struct digest *digest, struct key_waiter *waiter,
                   struct known_key **ret)
{
    struct known_key *k = map_get(kc->entries, map_key(digest));

    if (k && k->looking_) {
        list_add_tail(&k->waiters_, &waiter->link);
        return KEYS_E_WAIT;
    }
    if (k && !k->policy && loop_now_ms(kc->g->loop) < k->good_until_ms)
        return KEYS_E_UNKNOWN;
    if (k && k->policy && database_away(kc->g->services))
        return KEYS_E_AWAY;
    if (k && k->policy && k->doubted_ && loop_now_ms(kc->g->loop) >= k->doubt_due_ms_)
        return look_up(kc, digest, waiter, k);
    if (k && k->policy) {
        *ret = known_key_ref(k);
        return KEYS_OK;
    }
    map_del(kc->entries, map_key(digest));
    return look_up(kc, digest, waiter, NULL);
}

void key_waiter_leave(struct key_waiter *w)
{
    list_del(&w->link);
}

struct drop_wish {
    struct key_id key;
    struct team_id team;
};

static bool keep_other(struct str key, void *value, void *ctx)
{
    const struct known_key *k = value;
    const struct drop_wish *wish = ctx;
    const struct key_policy *policy = k->before_ ? k->before_->policy : k->policy;

    if (!policy)
        return false; /* not known whose it is, or not known at all */
    return policy->key.v != wish->key.v && policy->team.v != wish->team.v;
}

static void drop(struct key_cache *kc, struct drop_wish wish)
{
    map_filter(kc->entries, keep_other, &wish);
}

void key_cache_drop_key(struct key_cache *kc, struct key_id key)
{
    drop(kc, (struct drop_wish){.key = key});
}

void key_cache_drop_team(struct key_cache *kc, struct team_id team)
{
    drop(kc, (struct drop_wish){.team = team});
}

static bool doubt(struct str key, void *value, void *ctx)
{
    struct known_key *k = value;

    (void)key;
    (void)ctx;
    k->doubted_ = true;
    k->doubt_due_ms_ = 0;
    return k->policy || k->looking_; /* an unknown key may be known now */
}

void key_cache_doubt(struct key_cache *kc)
{
    map_filter(kc->entries, doubt, NULL);
}

size_t key_cache_size(const struct key_cache *kc)
{
    return map_size(kc->entries);
}
