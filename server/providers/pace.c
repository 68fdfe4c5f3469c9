/* pace.c: see pace.h. */
#include "providers/pace.h"

#include <errno.h>
#include <stdatomic.h>

#include "base/err.h"
#include "providers/slots.h"

enum { MEAN_SHIFT = 3 }; /* a moving mean takes an eighth of each new value */

struct slot {
    _Atomic int64_t target; /* 0: free */
    _Atomic int64_t noted_ms;
    _Atomic int64_t first_byte_us, tokens_per_ks;
};

struct pace_board {
    struct slot slots[PACE_SLOTS];
};

int pace_board_new(struct pace_board **ret)
{
    struct pace_board *b = calloc(1, sizeof(*b));

    if (!b)
        return err_origin(-ENOMEM);
    *ret = b;
    return 0;
}

void pace_board_free(struct pace_board *b)
{
    free(b);
}

static bool is_old(const void *slot, int64_t now_ms)
{
    const struct slot *s = slot;
    int64_t noted = atomic_load_explicit(&s->noted_ms, memory_order_relaxed);

    return noted == 0 || now_ms - noted > PACE_GOOD_MS;
}

static struct slot *slot_to_note(struct pace_board *b, struct target_id target, int64_t now_ms)
{
    struct slot *s = slot_of(b->slots, PACE_SLOTS, sizeof(*s), target.v, true);

    if (s)
        return s;
    s = slot_take_over(b->slots, PACE_SLOTS, sizeof(*s), target.v, is_old, now_ms);
    if (s) {
        atomic_store_explicit(&s->first_byte_us, 0, memory_order_relaxed);
        atomic_store_explicit(&s->tokens_per_ks, 0, memory_order_relaxed);
    }
    return s;
}

/* What two loops add at once may lose one of both: a mean does not mind. */
static void mean_add(_Atomic int64_t *mean, int64_t value, bool anew)
{
    int64_t old = atomic_load_explicit(mean, memory_order_relaxed);

    if (value <= 0)
        return;
    atomic_store_explicit(mean, anew || old == 0 ? value : old + (value - old) / (1 << MEAN_SHIFT),
                          memory_order_relaxed);
}

void pace_note(struct pace_board *b, struct target_id target, int64_t now_ms,
               const struct pace *pace)
{
    struct slot *s = slot_to_note(b, target, now_ms);
    bool anew = s && is_old(s, now_ms);

    if (!s)
        return;
    mean_add(&s->first_byte_us, pace->first_byte_us, anew);
    mean_add(&s->tokens_per_ks, pace->tokens_per_ks, anew);
    atomic_store_explicit(&s->noted_ms, now_ms, memory_order_relaxed);
}

bool pace_read(struct pace_board *b, struct target_id target, int64_t now_ms, struct pace *ret)
{
    const struct slot *s = b ? slot_of(b->slots, PACE_SLOTS, sizeof(*s), target.v, false) : NULL;

    if (!s || is_old(s, now_ms))
        return false;
    *ret = (struct pace){
        .first_byte_us = atomic_load_explicit(&s->first_byte_us, memory_order_relaxed),
        .tokens_per_ks = atomic_load_explicit(&s->tokens_per_ks, memory_order_relaxed),
    };
    return true;
}
