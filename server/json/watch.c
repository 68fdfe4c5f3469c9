/* watch.c: see watch.h. Steps are found in their paths as they are needed and kept for the rest of
 * the scan, since every message of a conversation asks for the same ones. */
#include "json/watch.h"

#define STEP_ELEMENT STR("[]")

static struct str step_text(const struct watch_set *set, unsigned w, unsigned level)
{
    return str_n(set->v[w].path + set->steps[w][level].at, set->steps[w][level].n);
}

/* Bytes up to the next step of a path. */
static size_t step_bytes(const char *path)
{
    size_t n = 0;

    while (path[n] && path[n] != '.' && path[n] != '[')
        n++;
    return n;
}

static void find_step(struct watch_set *set, unsigned w, unsigned level, size_t at)
{
    const char *path = set->v[w].path;
    size_t n = path[at] == '[' ? STEP_ELEMENT.n : step_bytes(path + at);

    assert(level < BOUND_JSON_WATCH_STEPS);
    assert(n > 0 && at + n <= UINT8_MAX);
    set->steps[w][level].at = (uint8_t)at;
    set->steps[w][level].n = (uint8_t)n;
}

void watch_begin(struct watch_set *set, struct json_watch *watches, size_t n,
                 struct watch_masks *ret)
{
    assert(n <= BOUND_JSON_WATCHES);
    set->v = watches;
    set->n = n;
    memset(set->steps, 0, n * sizeof(set->steps[0]));
    for (unsigned w = 0; w < n; w++) {
        watches[w] = (struct json_watch){.path = watches[w].path};
        find_step(set, w, 0, 0);
    }
    *ret = (struct watch_masks){.inside = (uint32_t)(((uint64_t)1 << n) - 1)};
}

uint64_t watch_key_lengths(const struct watch_set *set, uint32_t inside, unsigned level)
{
    uint64_t lengths = 0;

    for (uint32_t left = inside; left; left &= left - 1)
        lengths |= (uint64_t)1 << (set->steps[__builtin_ctz(left)][level].n & 63);
    return lengths;
}

/* Watch w has matched up to and including this level. */
static void advance(struct watch_set *set, unsigned w, unsigned level, struct watch_masks *masks)
{
    size_t end = (size_t)set->steps[w][level].at + set->steps[w][level].n;
    char next = set->v[w].path[end];

    if (next == '\0') {
        masks->here |= (uint32_t)1 << w;
        return;
    }
    masks->inside |= (uint32_t)1 << w;
    assert(level + 1 < BOUND_JSON_WATCH_STEPS);
    if (!set->steps[w][level + 1].n)
        find_step(set, w, level + 1, next == '.' ? end + 1 : end);
}

void watch_member(struct watch_set *set, uint32_t inside, unsigned level, struct str key,
                  struct watch_masks *ret)
{
    *ret = (struct watch_masks){0};
    for (uint32_t left = inside; left; left &= left - 1) {
        unsigned w = (unsigned)__builtin_ctz(left);
        struct str step = step_text(set, w, level);

        if (step.n == key.n && step.p[0] == key.p[0] && step.p[0] != '[' &&
            memcmp(step.p, key.p, key.n) == 0)
            advance(set, w, level, ret);
    }
}

void watch_element(struct watch_set *set, uint32_t inside, unsigned level, struct watch_masks *ret)
{
    *ret = (struct watch_masks){0};
    for (uint32_t left = inside; left; left &= left - 1) {
        unsigned w = (unsigned)__builtin_ctz(left);

        if (str_eq(step_text(set, w, level), STEP_ELEMENT))
            advance(set, w, level, ret);
    }
}

void watch_note(struct watch_set *set, uint32_t here, uint32_t at, uint32_t n, uint8_t kind)
{
    for (uint32_t left = here; left; left &= left - 1) {
        struct json_watch *w = &set->v[__builtin_ctz(left)];

        w->span.at = at;
        w->span.n = n;
        w->span.kind = kind;
        w->count++;
        w->bytes += n;
    }
}
