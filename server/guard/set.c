/* set.c: see set.h. */
#include "guard/set.h"

#include <errno.h>
#include <pthread.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/err.h"

/* Names and arrays of up to forty rules; and their rows with words and patterns at their longest. */
#define SET_ARENA_BYTES KIB(256)
#define ROWS_ARENA_BYTES MIB(8)

struct guards {
    pthread_mutex_t lock;
    struct list sets;
};

/* --- one set --- */

static int add_pattern(struct guard_rule *to, struct str source)
{
    char why[PATTERN_WHY_BYTES];
    int r = pattern_new(source, &to->patterns[to->n_patterns], why);

    /* It was tried when it was saved; a rule that cannot be had must not be left out. */
    if (r)
        return r < 0 ? r : err_origin(-EPROTO);
    to->n_patterns++;
    return 0;
}

static int add_rule(struct guard_set *s, const struct guardrail *from)
{
    const struct guardrail_settings *is = &from->is;
    struct guard_rule *to = &s->rule[s->n++];
    int r = 0;

    *to = (struct guard_rule){
        .name = arena_str(s->arena_, is->name),
        .finds = is->finds,
        .where = is->where,
        .action = is->action,
        .patterns = arena_array(s->arena_, struct pattern *, is->n_patterns + 1),
    };
    if (!to->name.p || !to->patterns)
        return err_origin(-ENOMEM);
    s->where |= is->where;
    if (is->n_words) {
        r = pattern_new_words(is->words, is->n_words, &to->patterns[0]);
        to->n_patterns = r == 0;
    }
    for (size_t i = 0; r == 0 && i < is->n_patterns; i++)
        r = add_pattern(to, is->patterns[i]);
    return r;
}

static void put_list(struct buf *out, const struct str *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%.*s\n", STR_FMT(v[i]));
    buf_putc(out, '\n');
}

static int digest_of(const struct guardrail *rules, size_t n, struct digest *ret)
{
    struct buf all;
    int r;

    buf_init(&all, ROWS_ARENA_BYTES);
    for (size_t i = 0; i < n; i++) {
        const struct guardrail_settings *is = &rules[i].is;

        buf_printf(&all, "%.*s\n%u %u %u\n", STR_FMT(is->name), is->finds, is->where, (unsigned)is->action);
        put_list(&all, is->words, is->n_words);
        put_list(&all, is->patterns, is->n_patterns);
    }
    r = buf_finish(&all);
    if (r == 0)
        *ret = digest_plain(buf_str(&all));
    buf_done(&all);
    return r < 0 ? err_origin(r) : 0;
}

void guard_set_free(struct guard_set *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < s->rule[i].n_patterns; k++)
            pattern_free(s->rule[i].patterns[k]);
    arena_free(s->arena_);
    free(s);
}

int guard_set_new(const struct guardrail *rules, size_t n, struct guard_set **ret)
{
    struct guard_set *s = calloc(1, sizeof(*s));
    int r;

    assert(n <= GUARD_RULES_MAX);
    if (!s)
        return err_origin(-ENOMEM);
    s->refs_ = 1;
    s->arena_ = arena_new(SET_ARENA_BYTES);
    r = s->arena_ ? digest_of(rules, n, &s->digest) : err_origin(-ENOMEM);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = add_rule(s, &rules[i]);
    if (r) {
        guard_set_free(s);
        return err_trace(r);
    }
    *ret = s;
    return 0;
}

/* --- those of a node --- */

int guards_new(struct guards **ret)
{
    struct guards *all = calloc(1, sizeof(*all));

    if (!all)
        return err_origin(-ENOMEM);
    pthread_mutex_init(&all->lock, NULL);
    list_init(&all->sets);
    *ret = all;
    return 0;
}

void guards_free(struct guards *all)
{
    if (!all || !list_empty(&all->sets)) /* a look-up that never came back has one of them */
        return;
    pthread_mutex_destroy(&all->lock);
    free(all);
}

/* Under the lock. */
static struct guard_set *find(struct guards *all, const struct digest *digest)
{
    list_for_each (&all->sets, link) {
        struct guard_set *s = container_of(link, struct guard_set, link_);

        if (digest_eq(&s->digest, digest))
            return s;
    }
    return NULL;
}

static int share(struct guards *all, const struct guardrail_page *page, const struct guard_set **ret)
{
    struct guard_set *s = NULL, *other;
    struct digest digest;
    int r = digest_of(page->v, page->n, &digest);

    if (r)
        return r;
    pthread_mutex_lock(&all->lock);
    s = find(all, &digest);
    if (s)
        s->refs_++;
    pthread_mutex_unlock(&all->lock);
    if (!s) {
        r = guard_set_new(page->v, page->n, &s);
        if (r)
            return r;
        pthread_mutex_lock(&all->lock);
        other = find(all, &digest); /* made by another worker meanwhile */
        if (other) {
            other->refs_++;
        } else {
            s->all_ = all;
            list_add(&all->sets, &s->link_);
        }
        pthread_mutex_unlock(&all->lock);
        if (other) {
            guard_set_free(s);
            s = other;
        }
    }
    *ret = s;
    return 0;
}

int guards_open(struct guards *all, struct db *db, struct team_id team, struct project_id project,
                struct key_id key, const struct guard_set **ret)
{
    struct arena *a = arena_new(ROWS_ARENA_BYTES);
    struct guardrail_page page = {.n = 0};
    int r = a ? guardrails_of_key(db, a, team, project, key, &page) : err_origin(-ENOMEM);

    if (r == 0 && page.n > GUARD_RULES_MAX)
        r = err_origin(-EPROTO);
    if (r == 0 && page.n)
        r = share(all, &page, ret);
    else if (r == 0)
        *ret = NULL;
    arena_free(a);
    return r;
}

void guard_set_unref(const struct guard_set *shared)
{
    struct guard_set *s = (struct guard_set *)shared;
    struct guards *all = s ? s->all_ : NULL;
    bool last;

    if (!s)
        return;
    assert(all);
    pthread_mutex_lock(&all->lock);
    last = --s->refs_ == 0;
    if (last)
        list_del(&s->link_);
    pthread_mutex_unlock(&all->lock);
    if (last)
        guard_set_free(s);
}
