/* answers.c: see answers.h. */
#include "cache/answers.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/list.h"
#include "base/map.h"
#include "base/random.h"

enum {
    PARTS = 8,   /* of the bound: no answer takes more than one */
    BUCKET = 64, /* answers that one question is compared with */
};

/* One that is larger is rare, and would push out many. */
#define ANSWER_BYTES MIB(1)

struct entry {
    struct answer answer; /* the first member: what the others see of it */
    struct answers *all;  /* whose map counts it */
    atomic_uint refs;     /* one is the map's */
    struct team_id team;
    int64_t over_ms;
    size_t size;
    struct digest digest;        /* that it is known by */
    struct bucket *bucket;       /* NULL: it is not found by likeness */
    struct list link;            /* in its bucket */
    struct question question;    /* what it is compared by; stays as it is once it was set... */
    struct alike_vector vector;  /* ...as does this; v NULL: not known */
    char text[];
};

/* Lives as long as there is an entry in it. */
struct bucket {
    struct digest digest;
    struct list entries; /* what was found last stands first */
    unsigned n;
};

struct answers {
    pthread_mutex_t lock;
    struct map *map; /* by the digest; bounded by bytes, here, and not by number */
    struct map *buckets; /* by theirs */
    size_t max_bytes;
    struct answers_view counted;
    uint8_t pepper[32];
};

static struct entry *entry_of(const struct answer *a)
{
    return container_of((struct answer *)a, struct entry, answer);
}

void answer_unref(const struct answer *a)
{
    struct entry *e = a ? entry_of(a) : NULL;

    if (!e || atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) != 1)
        return;
    free(e->vector.v);
    free(e);
}

static struct str key_of(const struct digest *digest)
{
    return str_n((const char *)digest->b, sizeof(digest->b));
}

static void leave_bucket(struct entry *e)
{
    struct bucket *b = steal(&e->bucket);

    if (!b)
        return;
    list_del(&e->link);
    e->all->counted.vectors--;
    if (--b->n == 0)
        map_del(e->all->buckets, key_of(&b->digest));
}

/* It has left the map. */
static void leave(void *value)
{
    struct entry *e = value;

    leave_bucket(e);
    e->all->counted.entries--;
    e->all->counted.bytes -= e->size;
    answer_unref(&e->answer);
}

int answers_new(size_t max_bytes, struct answers **ret)
{
    struct answers *all = calloc(1, sizeof(*all));

    assert(max_bytes > 0);
    if (all) {
        all->map = map_new(0, leave);
        all->buckets = map_new(0, free);
    }
    if (!all || !all->map || !all->buckets) {
        if (all)
            map_free(all->map);
        free(all);
        return err_origin(-ENOMEM);
    }
    all->max_bytes = max_bytes;
    pthread_mutex_init(&all->lock, NULL);
    random_bytes(all->pepper, sizeof(all->pepper));
    *ret = all;
    return 0;
}

void answers_free(struct answers *all)
{
    if (!all)
        return;
    map_free(all->map); /* the last entry of a bucket takes it along */
    map_free(all->buckets);
    pthread_mutex_destroy(&all->lock);
    free(all);
}

const uint8_t *answers_pepper(const struct answers *all)
{
    return all->pepper;
}

size_t answers_most(const struct answers *all)
{
    return MIN(ANSWER_BYTES, all->max_bytes / PARTS);
}

static bool is_good(const struct entry *e, int64_t now_ms, int64_t max_age_ms)
{
    return now_ms < e->over_ms && now_ms - e->answer.made_ms <= max_age_ms;
}

const struct answer *answers_find(struct answers *all, const struct digest *digest, int64_t now_ms,
                                  int64_t max_age_ms)
{
    struct entry *e, *found = NULL;

    pthread_mutex_lock(&all->lock);
    e = map_get(all->map, key_of(digest));
    if (e && now_ms >= e->over_ms) {
        map_del(all->map, key_of(digest));
    } else if (e && is_good(e, now_ms, max_age_ms)) {
        found = e;
        atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
    }
    all->counted.hits += found != NULL;
    all->counted.misses += found == NULL;
    pthread_mutex_unlock(&all->lock);
    return found ? &found->answer : NULL;
}

static struct str put(char **at, struct str text)
{
    struct str copy = {*at, text.n};

    if (!text.p)
        return STR_NONE;
    memcpy(*at, text.p, text.n);
    *at += text.n;
    return copy;
}

static struct entry *entry_new(const struct answer_facts *f, struct str bytes)
{
    size_t n = f->served_model.n + f->provider.n + f->account_name.n + f->finish_reason.n +
               f->dropped.n + f->content_type.n + bytes.n;
    struct entry *e = malloc(sizeof(*e) + n);
    char *at;

    if (!e)
        return NULL;
    *e = (struct entry){.answer = {.facts = *f}, .size = sizeof(*e) + n};
    atomic_init(&e->refs, 1);
    at = e->text;
    e->answer.facts.served_model = put(&at, f->served_model);
    e->answer.facts.provider = put(&at, f->provider);
    e->answer.facts.account_name = put(&at, f->account_name);
    e->answer.facts.finish_reason = put(&at, f->finish_reason);
    e->answer.facts.dropped = put(&at, f->dropped);
    e->answer.facts.content_type = put(&at, f->content_type);
    e->answer.bytes = put(&at, bytes);
    return e;
}

/* What was used longest ago leaves until there is room. */
static void make_room(struct answers *all, size_t size)
{
    while (all->counted.bytes + size > all->max_bytes) {
        map_drop_oldest(all->map);
        all->counted.evicted++;
    }
}

/* The lock is held. */
static bool put_in(struct answers *all, const struct digest *digest, struct entry *e)
{
    map_del(all->map, key_of(digest));
    make_room(all, e->size);
    if (map_put(all->map, key_of(digest), e) < 0)
        return false;
    all->counted.entries++;
    all->counted.bytes += e->size;
    all->counted.kept++;
    return true;
}

bool answers_keep(struct answers *all, const struct digest *digest, struct team_id team,
                  const struct answer_facts *facts, struct str bytes, int64_t now_ms,
                  int64_t keep_ms)
{
    struct entry *e = bytes.n <= answers_most(all) ? entry_new(facts, bytes) : NULL;
    bool kept = false;

    if (!e)
        return false;
    e->all = all;
    e->digest = *digest;
    e->team = team;
    e->answer.made_ms = now_ms;
    e->over_ms = now_ms + keep_ms;
    if (e->size <= all->max_bytes) {
        pthread_mutex_lock(&all->lock);
        kept = put_in(all, digest, e);
        pthread_mutex_unlock(&all->lock);
    }
    if (!kept)
        answer_unref(&e->answer);
    return kept;
}

/* --- by likeness --- */

static struct bucket *bucket_of(struct answers *all, const struct digest *digest)
{
    return map_get(all->buckets, key_of(digest));
}

bool answers_has_alike(struct answers *all, const struct digest *bucket, int64_t now_ms,
                       int64_t max_age_ms)
{
    struct bucket *b;
    bool found = false;

    pthread_mutex_lock(&all->lock);
    b = bucket_of(all, bucket);
    if (b)
        list_for_each (&b->entries, it)
            found = found || is_good(container_of(it, struct entry, link), now_ms, max_age_ms);
    pthread_mutex_unlock(&all->lock);
    return found;
}

/* Those that may do, each with a reference: how many. */
static size_t gather(struct answers *all, const struct digest *digest, int64_t now_ms,
                     int64_t max_age_ms, struct entry *ret[BUCKET])
{
    struct bucket *b;
    size_t n = 0;

    pthread_mutex_lock(&all->lock);
    b = bucket_of(all, digest);
    if (b)
        list_for_each (&b->entries, it) {
            struct entry *e = container_of(it, struct entry, link);

            if (!is_good(e, now_ms, max_age_ms))
                continue;
            atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
            ret[n++] = e;
        }
    pthread_mutex_unlock(&all->lock);
    return n;
}

/* The same words in another order: who is asked about and what for have changed places. */
static bool is_turned_round(const struct question *a, const struct question *b)
{
    return digest_eq(&a->bag, &b->bag) && !digest_eq(&a->words, &b->words);
}

/* What was found is what leaves last. */
static void note_alike(struct answers *all, struct entry *found)
{
    pthread_mutex_lock(&all->lock);
    all->counted.alike_hits += found != NULL;
    all->counted.alike_misses += found == NULL;
    if (found && map_get(all->map, key_of(&found->digest)) == found && found->bucket) {
        list_del(&found->link);
        list_add(&found->bucket->entries, &found->link);
    }
    pthread_mutex_unlock(&all->lock);
}

const struct answer *answers_find_alike(struct answers *all, const struct likeness *asked,
                                        int64_t now_ms, int64_t max_age_ms, int least_bp,
                                        bool (*may)(void *ctx, const struct answer *a), void *ctx,
                                        int *ret_bp)
{
    struct entry *near[BUCKET], *found = NULL;
    size_t n = gather(all, &asked->bucket, now_ms, max_age_ms, near);
    int best = least_bp - 1;

    for (size_t i = 0; i < n; i++) {
        int bp = alike_bp(&near[i]->vector, &asked->vector);

        if (bp <= best || is_turned_round(&near[i]->question, &asked->question) ||
            !may(ctx, &near[i]->answer))
            continue;
        best = bp;
        found = near[i];
    }
    note_alike(all, found);
    for (size_t i = 0; i < n; i++)
        if (near[i] != found)
            answer_unref(&near[i]->answer);
    if (!found)
        return NULL;
    *ret_bp = best;
    return &found->answer;
}

static struct bucket *bucket_made(struct answers *all, const struct digest *digest)
{
    struct bucket *b = bucket_of(all, digest);

    if (b)
        return b;
    b = calloc(1, sizeof(*b));
    if (!b || map_put(all->buckets, key_of(digest), b) < 0) {
        free(b);
        return NULL;
    }
    b->digest = *digest;
    list_init(&b->entries);
    return b;
}

/* The lock is held. */
static void put_in_bucket(struct answers *all, const struct likeness *l, struct entry *e)
{
    struct bucket *b = bucket_made(all, &l->bucket);

    if (!b)
        return;
    if (b->n == BUCKET) /* it stays for who asks the same */
        leave_bucket(container_of(b->entries.prev, struct entry, link));
    list_add(&b->entries, &e->link);
    b->n++;
    e->bucket = b;
    all->counted.vectors++;
}

/* The lock is held. Whoever compares an entry has found it in a bucket: it is not changed afterwards. */
static void place(struct answers *all, const struct likeness *l, struct entry *e)
{
    size_t bytes = l->vector.n * sizeof(float);
    float *v = bytes && bytes <= answers_most(all) ? malloc(bytes) : NULL;

    if (!v)
        return;
    memcpy(v, l->vector.v, bytes);
    e->vector = l->vector;
    e->vector.v = v;
    e->question = l->question;
    make_room(all, bytes);
    e->size += bytes;
    all->counted.bytes += bytes;
    put_in_bucket(all, l, e);
}

void answers_place(struct answers *all, const struct digest *digest, const struct likeness *l)
{
    struct entry *e;

    pthread_mutex_lock(&all->lock);
    e = map_get(all->map, key_of(digest)); /* used just now, so not whom the vector pushes out */
    if (e && !e->vector.v)
        place(all, l, e);
    pthread_mutex_unlock(&all->lock);
}

static bool is_of_another(struct str key, void *value, void *ctx)
{
    const struct entry *e = value;
    const struct team_id *team = ctx;

    (void)key;
    return e->team.v != team->v;
}

void answers_forget(struct answers *all, struct team_id team)
{
    pthread_mutex_lock(&all->lock);
    map_filter(all->map, is_of_another, &team);
    pthread_mutex_unlock(&all->lock);
}

void answers_read(struct answers *all, struct answers_view *ret)
{
    pthread_mutex_lock(&all->lock);
    *ret = all->counted;
    pthread_mutex_unlock(&all->lock);
    ret->max_bytes = all->max_bytes;
}
