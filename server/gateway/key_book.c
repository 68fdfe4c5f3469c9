/* key_book.c: see key_book.h. */
#include "gateway/key_book.h"

#include <errno.h>
#include <pthread.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/map.h"
#include "gateway/call_money.h"
#include "guard/set.h"

struct key_book {
    pthread_mutex_t lock;
    struct map *entries; /* digest -> struct key_facts, one reference each; under the lock */
    atomic_ullong turn;  /* written under the lock */
};

struct key_facts *key_facts_new(void)
{
    struct key_facts *f = calloc(1, sizeof(*f));

    if (f)
        atomic_store(&f->refs, 1);
    return f;
}

struct key_facts *key_facts_ref(struct key_facts *f)
{
    atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
    return f;
}

void key_facts_unref(struct key_facts *f)
{
    if (!f || atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) != 1)
        return;
    guard_set_unref(f->guard);
    call_money_close(f->purses);
    key_policy_unref(f->policy);
    free(f);
}

static void drop_facts(void *facts)
{
    key_facts_unref(facts);
}

static struct str map_key(const struct digest *d)
{
    return str_n((const char *)d->b, sizeof(d->b));
}

int key_book_new(struct key_book **ret)
{
    struct key_book *b = calloc(1, sizeof(*b));

    if (!b)
        return err_origin(-ENOMEM);
    b->entries = map_new(BOUND_KEYS_CACHED, drop_facts);
    if (!b->entries) {
        free(b);
        return err_origin(-ENOMEM);
    }
    pthread_mutex_init(&b->lock, NULL);
    *ret = b;
    return 0;
}

void key_book_free(struct key_book *b)
{
    if (!b)
        return;
    map_free(b->entries);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

uint64_t key_book_turn(const struct key_book *b)
{
    return atomic_load(&b->turn);
}

void key_book_put(struct key_book *b, const struct digest *digest, struct key_facts *f, uint64_t turn)
{
    pthread_mutex_lock(&b->lock);
    if (turn == atomic_load(&b->turn) && map_put(b->entries, map_key(digest), key_facts_ref(f)) < 0)
        key_facts_unref(f); /* not kept: the loop that asked knows it all the same */
    pthread_mutex_unlock(&b->lock);
}

struct key_facts *key_book_get(struct key_book *b, const struct digest *digest)
{
    struct key_facts *f;

    pthread_mutex_lock(&b->lock);
    f = map_get(b->entries, map_key(digest));
    if (f)
        key_facts_ref(f);
    pthread_mutex_unlock(&b->lock);
    return f;
}

void key_book_drop(struct key_book *b, const struct digest *digest)
{
    pthread_mutex_lock(&b->lock);
    map_del(b->entries, map_key(digest));
    pthread_mutex_unlock(&b->lock);
}

/* Whose facts are dropped: the ids that are not 0. */
struct drop_wish {
    struct key_id key;
    struct team_id team;
};

static bool keep_other(struct str key, void *value, void *ctx)
{
    const struct key_facts *f = value;
    const struct drop_wish *wish = ctx;

    (void)key;
    return f->policy->key.v != wish->key.v && f->policy->team.v != wish->team.v;
}

static void drop(struct key_book *b, struct drop_wish wish)
{
    pthread_mutex_lock(&b->lock);
    atomic_fetch_add(&b->turn, 1);
    map_filter(b->entries, keep_other, &wish);
    pthread_mutex_unlock(&b->lock);
}

void key_book_drop_key(struct key_book *b, struct key_id key)
{
    drop(b, (struct drop_wish){.key = key});
}

void key_book_drop_team(struct key_book *b, struct team_id team)
{
    drop(b, (struct drop_wish){.team = team});
}
