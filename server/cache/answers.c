/* answers.c: see answers.h. */
#include "cache/answers.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/map.h"
#include "base/random.h"

enum {
    PARTS = 8, /* of the bound: no answer takes more than one */
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
    char text[];
};

struct answers {
    pthread_mutex_t lock;
    struct map *map; /* by the digest; bounded by bytes, here, and not by number */
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

    if (e && atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) == 1)
        free(e);
}

/* It has left the map. */
static void leave(void *value)
{
    struct entry *e = value;

    e->all->counted.entries--;
    e->all->counted.bytes -= e->size;
    answer_unref(&e->answer);
}

int answers_new(size_t max_bytes, struct answers **ret)
{
    struct answers *all = calloc(1, sizeof(*all));

    assert(max_bytes > 0);
    if (all)
        all->map = map_new(0, leave);
    if (!all || !all->map) {
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
    map_free(all->map);
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

static struct str key_of(const struct digest *digest)
{
    return str_n((const char *)digest->b, sizeof(digest->b));
}

const struct answer *answers_find(struct answers *all, const struct digest *digest, int64_t now_ms,
                                  int64_t max_age_ms)
{
    struct entry *e, *found = NULL;

    pthread_mutex_lock(&all->lock);
    e = map_get(all->map, key_of(digest));
    if (e && now_ms >= e->over_ms) {
        map_del(all->map, key_of(digest));
    } else if (e && now_ms - e->answer.made_ms <= max_age_ms) {
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
