/* map.c: see map.h. Chained buckets whose number doubles, and one list in order of use. The hash is
 * SipHash under a random key, so that who chooses the keys cannot make them collide. */
#include "base/map.h"

#include <errno.h>
#include <sodium.h>

#include "base/err.h"
#include "base/list.h"
#include "base/random.h"

enum { BUCKETS_FIRST = 16 };

struct entry {
    struct entry *chain;
    struct list used; /* most recent at the tail */
    uint64_t hash;
    void *value;
    size_t key_bytes;
    char key[];
};

struct map {
    struct entry **buckets;
    size_t n_buckets; /* a power of two */
    size_t n, max;
    void (*drop)(void *);
    struct list used;
    uint8_t hash_key[crypto_shorthash_KEYBYTES];
};

struct map *map_new(size_t max_entries, void (*drop)(void *value))
{
    struct map *m = calloc(1, sizeof(*m));

    if (!m)
        return NULL;
    m->buckets = calloc(BUCKETS_FIRST, sizeof(*m->buckets));
    if (!m->buckets) {
        free(m);
        return NULL;
    }
    m->n_buckets = BUCKETS_FIRST;
    m->max = max_entries;
    m->drop = drop;
    list_init(&m->used);
    random_bytes(m->hash_key, sizeof(m->hash_key));
    return m;
}

void map_free(struct map *m)
{
    if (!m)
        return;
    map_clear(m);
    free(m->buckets);
    free(m);
}

static uint64_t hash_of(const struct map *m, struct str key)
{
    uint64_t hash;

    (void)crypto_shorthash((uint8_t *)&hash, (const uint8_t *)key.p, key.n, m->hash_key);
    return hash;
}

/* The link that points at the entry, or at the end of its chain. */
static struct entry **find(const struct map *m, struct str key, uint64_t hash)
{
    struct entry **link = &m->buckets[hash & (m->n_buckets - 1)];

    for (; *link; link = &(*link)->chain) {
        const struct entry *e = *link;

        if (e->hash == hash && str_eq(str_n(e->key, e->key_bytes), key))
            break;
    }
    return link;
}

static void touch(struct map *m, struct entry *e)
{
    list_del(&e->used);
    list_add_tail(&m->used, &e->used);
}

static void remove_entry(struct map *m, struct entry **link)
{
    struct entry *e = *link;
    void *value = e->value;

    *link = e->chain;
    list_del(&e->used);
    free(e);
    m->n--;
    if (m->drop)
        m->drop(value);
}

void *map_get(struct map *m, struct str key)
{
    struct entry *e = *find(m, key, hash_of(m, key));

    if (!e)
        return NULL;
    touch(m, e);
    return e->value;
}

/* Keeps the old buckets when there is no memory for more: slower, still right. */
static void grow(struct map *m)
{
    size_t n_buckets = m->n_buckets * 2;
    struct entry **buckets = calloc(n_buckets, sizeof(*buckets));

    if (!buckets)
        return;
    list_for_each (&m->used, it) {
        struct entry *e = container_of(it, struct entry, used);
        struct entry **bucket = &buckets[e->hash & (n_buckets - 1)];

        e->chain = *bucket;
        *bucket = e;
    }
    free(m->buckets);
    m->buckets = buckets;
    m->n_buckets = n_buckets;
}

static void evict_oldest(struct map *m)
{
    struct entry *e = container_of(m->used.next, struct entry, used);

    remove_entry(m, find(m, str_n(e->key, e->key_bytes), e->hash));
}

int map_put(struct map *m, struct str key, void *value)
{
    uint64_t hash = hash_of(m, key);
    struct entry **link = find(m, key, hash), *e = *link;

    if (e) {
        void *old = e->value;

        e->value = value;
        touch(m, e);
        if (m->drop && old != value)
            m->drop(old);
        return 0;
    }
    e = malloc(sizeof(*e) + key.n);
    if (!e)
        return err_origin(-ENOMEM);
    *e = (struct entry){.hash = hash, .value = value, .key_bytes = key.n};
    if (key.n)
        memcpy(e->key, key.p, key.n);
    *link = e;
    list_add_tail(&m->used, &e->used);
    m->n++;
    if (m->n > m->n_buckets)
        grow(m);
    if (m->max && m->n > m->max)
        evict_oldest(m);
    return 0;
}

void map_del(struct map *m, struct str key)
{
    struct entry **link = find(m, key, hash_of(m, key));

    if (*link)
        remove_entry(m, link);
}

void map_drop_oldest(struct map *m)
{
    if (!list_empty(&m->used))
        evict_oldest(m);
}

void map_clear(struct map *m)
{
    while (!list_empty(&m->used))
        evict_oldest(m);
}

size_t map_size(const struct map *m)
{
    return m->n;
}

void map_filter(struct map *m, bool (*fn)(struct str key, void *value, void *ctx), void *ctx)
{
    list_for_each (&m->used, it) {
        struct entry *e = container_of(it, struct entry, used);

        if (!fn(str_n(e->key, e->key_bytes), e->value, ctx))
            remove_entry(m, find(m, str_n(e->key, e->key_bytes), e->hash));
    }
}
