/* answers.c: see answers.h. A table of chains by the digest, and one list in the order of use. */
#include "cache/answers.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/list.h"
#include "base/random.h"

enum {
    CHAINS_PER = 8192,  /* bytes of the bound: answers are rarely smaller, so chains stay short */
    CHAINS_LEAST = 64,
    CHAINS_MOST = 1 << 20,
    PARTS = 8, /* of the bound: no answer takes more than one */
};

/* One that is larger is rare, and would push out many. */
#define ANSWER_BYTES MIB(1)

struct entry {
    struct answer answer; /* the first member: what the others see of it */
    atomic_uint refs;     /* one is the list's */
    struct list use;      /* answers->use, the latest first */
    struct entry *next;   /* in its chain */
    struct digest digest;
    struct team_id team;
    int64_t over_ms;
    size_t size;
    char text[];
};

struct answers {
    pthread_mutex_t lock;
    struct entry **chain;
    size_t chains; /* a power of two */
    struct list use;
    size_t max_bytes;
    struct answers_view counted;
    uint8_t pepper[32];
};

int answers_new(size_t max_bytes, struct answers **ret)
{
    struct answers *all = calloc(1, sizeof(*all));
    size_t n = CHAINS_LEAST;

    assert(max_bytes > 0);
    while (n < max_bytes / CHAINS_PER && n < CHAINS_MOST)
        n *= 2;
    if (all)
        all->chain = calloc(n, sizeof(struct entry *));
    if (!all || !all->chain) {
        free(all);
        return err_origin(-ENOMEM);
    }
    all->chains = n;
    all->max_bytes = max_bytes;
    pthread_mutex_init(&all->lock, NULL);
    list_init(&all->use);
    random_bytes(all->pepper, sizeof(all->pepper));
    *ret = all;
    return 0;
}

const uint8_t *answers_pepper(const struct answers *all)
{
    return all->pepper;
}

size_t answers_most(const struct answers *all)
{
    return MIN(ANSWER_BYTES, all->max_bytes / PARTS);
}

static struct entry *entry_of(const struct answer *a)
{
    return container_of((struct answer *)a, struct entry, answer);
}

void answer_unref(const struct answer *a)
{
    struct entry *e = a ? entry_of(a) : NULL;

    if (e && atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) == 1)
        free(e);
}

static struct entry **chain_of(struct answers *all, const struct digest *digest)
{
    uint64_t h;

    memcpy(&h, digest->b, sizeof(h)); /* the digest is keyed: nobody can aim at a chain */
    return &all->chain[h & (all->chains - 1)];
}

/* The place that points to it, or the chain's end. */
static struct entry **look(struct answers *all, const struct digest *digest)
{
    struct entry **at = chain_of(all, digest);

    while (*at && memcmp((*at)->digest.b, digest->b, sizeof(digest->b)) != 0)
        at = &(*at)->next;
    return at;
}

static void take_out(struct answers *all, struct entry **at)
{
    struct entry *e = *at;

    *at = e->next;
    list_del(&e->use);
    all->counted.entries--;
    all->counted.bytes -= e->size;
    answer_unref(&e->answer);
}

void answers_free(struct answers *all)
{
    if (!all)
        return;
    while (!list_empty(&all->use))
        take_out(all, look(all, &container_of(all->use.next, struct entry, use)->digest));
    pthread_mutex_destroy(&all->lock);
    free(all->chain);
    free(all);
}

const struct answer *answers_find(struct answers *all, const struct digest *digest, int64_t now_ms,
                                  int64_t max_age_ms)
{
    struct entry **at, *e, *found = NULL;

    pthread_mutex_lock(&all->lock);
    at = look(all, digest);
    e = *at;
    if (e && now_ms >= e->over_ms) {
        take_out(all, at);
    } else if (e && now_ms - e->answer.made_ms <= max_age_ms) {
        found = e;
        atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
        list_del(&e->use);
        list_add(&all->use, &e->use);
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
        struct entry *last = container_of(all->use.prev, struct entry, use);

        take_out(all, look(all, &last->digest));
        all->counted.evicted++;
    }
}

bool answers_keep(struct answers *all, const struct digest *digest, struct team_id team,
                  const struct answer_facts *facts, struct str bytes, int64_t now_ms,
                  int64_t keep_ms)
{
    struct entry *e = bytes.n <= answers_most(all) ? entry_new(facts, bytes) : NULL, **at;

    if (!e)
        return false;
    if (e->size > all->max_bytes) {
        answer_unref(&e->answer);
        return false;
    }
    e->digest = *digest;
    e->team = team;
    e->answer.made_ms = now_ms;
    e->over_ms = now_ms + keep_ms;
    pthread_mutex_lock(&all->lock);
    at = look(all, digest);
    if (*at)
        take_out(all, at);
    make_room(all, e->size);
    at = chain_of(all, digest);
    e->next = *at;
    *at = e;
    list_add(&all->use, &e->use);
    all->counted.entries++;
    all->counted.bytes += e->size;
    all->counted.kept++;
    pthread_mutex_unlock(&all->lock);
    return true;
}

void answers_forget(struct answers *all, struct team_id team)
{
    pthread_mutex_lock(&all->lock);
    list_for_each (&all->use, link) {
        struct entry *e = container_of(link, struct entry, use);

        if (e->team.v == team.v)
            take_out(all, look(all, &e->digest));
    }
    pthread_mutex_unlock(&all->lock);
}

void answers_read(struct answers *all, struct answers_view *ret)
{
    pthread_mutex_lock(&all->lock);
    *ret = all->counted;
    pthread_mutex_unlock(&all->lock);
    ret->max_bytes = all->max_bytes;
}
