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
    uint64_t turn; /* of the node's book, when it was begun */
    int outcome;   /* KEYS_* */
    struct key_facts *facts; /* all of them with KEYS_OK */
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
    key_facts_unref(k->facts_);
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
static int open_guard(const struct services *s, struct db *db, struct key_facts *f)
{
    const struct key_policy *k = f->policy;
    int r = k->guarded && s->guards
                ? guards_open(s->guards, db, k->team, k->project, k->key, &f->guard)
                : 0;

    if (r < 0)
        log_error("guardrails_unreadable", "call_team=%lld key=%lld", (long long)k->team.v, (long long)k->key.v);
    return r;
}

/* On a worker, whose state may be NULL when it has no connection. */
static void look_up_work(struct job *job, void *worker)
{
    struct look_up *l = container_of(job, struct look_up, job);
    struct key_facts *f = l->facts;
    struct db *db = worker;
    int r;

    l->outcome = KEYS_E_AWAY;
    if (!db || failpoint_hit("key.look_up"))
        return;
    r = key_find(db, &l->digest, &f->policy);
    if (r == KEY_E_UNKNOWN)
        l->outcome = KEYS_E_UNKNOWN;
    if (r != KEY_OK)
        return;
    r = open_guard(l->services, db, f);
    if (r == 0)
        r = failpoint_hit("key.purses");
    if (r == 0)
        r = call_money_open(l->services, db, f->policy, &f->purses);
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

static void take_facts(struct known_key *k, struct key_facts *f)
{
    k->facts_ = f;
    k->policy = f->policy;
    k->purses = f->purses;
    k->guard = f->guard;
}

static struct known_key *key_new(struct key_cache *kc, const struct digest *digest)
{
    struct known_key *k = calloc(1, sizeof(*k));

    if (!k)
        return NULL;
    k->refs = 1;
    k->cache_ = kc;
    k->digest = *digest;
    list_init(&k->waiters_);
    return k;
}

/* What is known of a key that is being looked up, where that may be used without the database: what a loop
 * of this node was told last, else what this one knew. Borrowed; NULL: nothing. */
static struct known_key *known_before(struct known_key *k)
{
    struct key_cache *kc = k->cache_;
    struct key_facts *facts;

    if (database_away(kc->g->services))
        return NULL;
    facts = key_book_get(kc->g->all->book, &k->digest);
    if (facts && !(k->before_ && k->before_->facts_ == facts)) {
        struct known_key *other = key_new(kc, &k->digest);

        if (other) {
            take_facts(other, steal(&facts));
            other->doubted_ = true;
            known_key_unref(k->before_);
            k->before_ = other;
        }
    }
    key_facts_unref(facts);
    return k->before_;
}

/* The database does not tell: what was known before stands again; borrowed. */
static struct known_key *give_up(struct key_cache *kc, struct known_key *k)
{
    struct known_key *before = known_before(k);

    map_del(kc->entries, map_key(&k->digest));
    if (!before)
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

static void look_up_free(struct look_up *l)
{
    key_facts_unref(l->facts);
    free(l);
}

/* What the database has told, for this loop and for the others. */
static void note_found(struct key_cache *kc, struct look_up *l)
{
    if (l->outcome == KEYS_E_UNKNOWN)
        key_book_drop(kc->g->all->book, &l->digest);
    if (l->outcome != KEYS_OK)
        return;
    key_book_put(kc->g->all->book, &l->digest, l->facts, l->turn);
    take_facts(l->entry, steal(&l->facts));
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
    if (kc->closed) {
        look_up_free(l);
        discard(kc, k);
        return;
    }
    note_found(kc, l);
    look_up_free(l);
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
    struct known_key *k = key_new(kc, digest);

    if (k && map_put(kc->entries, map_key(digest), k) < 0) {
        free(k);
        return NULL;
    }
    return k;
}

static struct look_up *look_up_new(struct key_cache *kc, const struct digest *digest)
{
    struct look_up *l = calloc(1, sizeof(*l));

    if (!l)
        return NULL;
    *l = (struct look_up){.services = kc->g->services,
                          .digest = *digest,
                          .turn = key_book_turn(kc->g->all->book),
                          .facts = key_facts_new()};
    l->job = (struct job){.reply_to = kc->g->loop, .work = look_up_work, .done = look_up_done};
    if (!l->facts) {
        free(l);
        return NULL;
    }
    return l;
}

static void wait_for(struct known_key *k, struct key_waiter *waiter)
{
    waiter->entry_ = k;
    list_add_tail(&k->waiters_, &waiter->link);
}

/* The workers have too much to do: what was known before is as good as where the database does not tell. */
static int not_asked(struct key_cache *kc, struct look_up *l, struct known_key **ret)
{
    struct known_key *k = l->entry, *before;

    kc->looking--;
    k->looking_ = false;
    before = give_up(kc, k);
    if (before)
        *ret = known_key_ref(before);
    known_key_unref(k);
    look_up_free(l);
    return before ? KEYS_OK : KEYS_E_BUSY;
}

/* before: what is in doubt, NULL: nothing is known. */
static int look_up(struct key_cache *kc, const struct digest *digest, struct key_waiter *waiter,
                   struct known_key *before, struct known_key **ret)
{
    struct look_up *l = look_up_new(kc, digest);
    struct known_key *kept = before ? known_key_ref(before) : NULL;
    struct known_key *k = l ? entry_new(kc, digest) : NULL;

    if (!k) {
        known_key_unref(kept);
        if (l)
            look_up_free(l);
        return err_origin(-ENOMEM);
    }
    k->before_ = kept;
    k->looking_ = true;
    k->asked_ms_ = loop_now_ms(kc->g->loop);
    l->entry = known_key_ref(k);
    kc->looking++;
    if (jobs_submit(kc->g->services->money, &l->job) != JOBS_OK)
        return not_asked(kc, l, ret);
    wait_for(k, waiter);
    return KEYS_E_WAIT;
}

/* The look-up takes so long that what is known serves meanwhile; borrowed, NULL: nothing is, or it is not
 * late. One that a change has overtaken has left the map, and what was known of it is void. */
static struct known_key *late_known(struct known_key *k)
{
    bool late = loop_now_ms(k->cache_->g->loop) - k->asked_ms_ >= KEYS_LATE_MS;

    return late && !k->stale_ ? known_before(k) : NULL;
}

int key_waiter_late(struct key_waiter *w, struct known_key **ret)
{
    struct known_key *k = w->entry_, *before = late_known(k);

    if (!before && !w->late_) {
        w->late_ = true;
        return KEYS_E_WAIT;
    }
    list_del(&w->link);
    if (!before)
        return KEYS_E_AWAY;
    *ret = known_key_ref(before);
    return KEYS_OK;
}

static int join_look_up(struct known_key *k, struct key_waiter *waiter, struct known_key **ret)
{
    struct known_key *before = late_known(k);

    if (before)
        *ret = known_key_ref(before);
    else
        wait_for(k, waiter);
    return before ? KEYS_OK : KEYS_E_WAIT;
}

int key_cache_find(struct key_cache *kc, const struct digest *digest, struct key_waiter *waiter,
                   struct known_key **ret)
{
    struct known_key *k = map_get(kc->entries, map_key(digest));

    if (k && k->looking_)
        return join_look_up(k, waiter, ret);
    if (k && !k->policy && loop_now_ms(kc->g->loop) < k->good_until_ms)
        return KEYS_E_UNKNOWN;
    if (k && k->policy && database_away(kc->g->services))
        return KEYS_E_AWAY;
    if (k && k->policy && k->doubted_ && loop_now_ms(kc->g->loop) >= k->doubt_due_ms_)
        return look_up(kc, digest, waiter, k, ret);
    if (k && k->policy) {
        *ret = known_key_ref(k);
        return KEYS_OK;
    }
    map_del(kc->entries, map_key(digest));
    return look_up(kc, digest, waiter, NULL, ret);
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
