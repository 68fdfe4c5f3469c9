/* draw_sums.c: see draw_sums.h. A table with open addressing, at most half full. */
#include "ledger/draw_sums.h"

#include <errno.h>

#include "base/err.h"

#define SLOTS_MIN 64
/* Odd numbers without a pattern, so that neighbouring ids end far apart: the golden ratio's fraction, and
 * two primes that xxHash mixes with. */
#define MIX_TEAM UINT64_C(0x9E3779B97F4A7C15)
#define MIX_PURSE UINT64_C(0xC2B2AE3D27D4EB4F)
#define MIX_WINDOW UINT64_C(0x165667B19E3779F9)

void draw_sums_done(struct draw_sums *s)
{
    free(s->sum);
    free(s->slot);
    *s = (struct draw_sums){0};
}

void draw_sums_reset(struct draw_sums *s)
{
    s->n = 0;
    if (s->slots)
        memset(s->slot, 0, s->slots * sizeof(*s->slot));
}

/* What came out of no lease (settlement.h) stays a sum of its own. */
static bool same_purse(const struct draw_sum *a, int64_t team_id, const struct settle_draw *b)
{
    return a->draw.purse.v == b->purse.v && a->team_id == team_id &&
           a->draw.window_us == b->window_us && !a->draw.taken == !b->taken;
}

/* The slot that the purse has, or would have. */
static size_t slot_of(const struct draw_sums *s, int64_t team_id, const struct settle_draw *d)
{
    uint64_t mixed = (uint64_t)team_id * MIX_TEAM ^ (uint64_t)d->purse.v * MIX_PURSE ^
                     (uint64_t)d->window_us * MIX_WINDOW;
    size_t at = (mixed ^ mixed >> 32) & (s->slots - 1);

    while (s->slot[at] && !same_purse(&s->sum[s->slot[at] - 1], team_id, d))
        at = (at + 1) & (s->slots - 1);
    return at;
}

static int grow(struct draw_sums *s)
{
    size_t slots = MAX(s->slots * 2, (size_t)SLOTS_MIN);
    uint32_t *slot = calloc(slots, sizeof(*slot));
    struct draw_sum *sum = realloc(s->sum, slots / 2 * sizeof(*sum));

    if (sum)
        s->sum = sum;
    if (!slot || !sum) {
        free(slot);
        return err_origin(-ENOMEM);
    }
    free(s->slot);
    s->slot = slot;
    s->slots = slots;
    for (size_t i = 0; i < s->n; i++)
        s->slot[slot_of(s, s->sum[i].team_id, &s->sum[i].draw)] = (uint32_t)i + 1;
    return 0;
}

int draw_sums_add(struct draw_sums *s, int64_t team_id, const struct settle_draw *draw)
{
    int64_t taken, used;
    struct draw_sum *sum;
    int r = s->n * 2 >= s->slots ? grow(s) : 0;

    if (r)
        return r;
    size_t at = slot_of(s, team_id, draw);

    if (!s->slot[at]) {
        s->sum[s->n++] = (struct draw_sum){team_id, *draw};
        s->slot[at] = (uint32_t)s->n;
        return 0;
    }
    sum = &s->sum[s->slot[at] - 1];
    if (__builtin_add_overflow(sum->draw.taken, draw->taken, &taken) ||
        __builtin_add_overflow(sum->draw.used, draw->used, &used))
        return DRAW_SUMS_E_LARGE;
    sum->draw.taken = taken;
    sum->draw.used = used;
    return 0;
}
