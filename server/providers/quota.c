/* quota.c: see quota.h. What is used of a minute stands in one word with the minute itself, so that a
 * new minute begins with whoever comes first. */
#include "providers/quota.h"

#include <errno.h>
#include <stdatomic.h>

#include "base/err.h"
#include "providers/slots.h"

#define MINUTE_US INT64_C(60000000)
#define USED_BITS 40
#define USED_MAX ((INT64_C(1) << USED_BITS) - 1)

struct slot {
    _Atomic int64_t account; /* 0: free */
    _Atomic int64_t requests, tokens;
};

struct quota_board {
    struct slot slots[QUOTA_SLOTS];
};

int quota_board_new(struct quota_board **ret)
{
    struct quota_board *b = calloc(1, sizeof(*b));

    if (!b)
        return err_origin(-ENOMEM);
    *ret = b;
    return 0;
}

void quota_board_free(struct quota_board *b)
{
    free(b);
}

/* The low bits of the minute tell it from those around it. */
static int64_t word_of(int64_t minute, int64_t used)
{
    return (minute & 0x3fffff) << USED_BITS | used;
}

static int64_t used_in(int64_t word, int64_t minute)
{
    return word >> USED_BITS == (minute & 0x3fffff) ? word & USED_MAX : 0;
}

/* Nothing is used of this minute. */
static bool is_idle(const void *slot, int64_t minute)
{
    const struct slot *s = slot;

    return used_in(atomic_load_explicit(&s->requests, memory_order_relaxed), minute) == 0 &&
           used_in(atomic_load_explicit(&s->tokens, memory_order_relaxed), minute) == 0;
}

static struct slot *slot_for(struct quota_board *b, struct account_id account, int64_t minute)
{
    struct slot *s = slot_of(b->slots, QUOTA_SLOTS, sizeof(struct slot), account.v, true);

    return s ? s : slot_take_over(b->slots, QUOTA_SLOTS, sizeof(struct slot), account.v, is_idle, minute);
}

static bool take(_Atomic int64_t *at, int64_t minute, int64_t limit, int64_t n)
{
    int64_t word = atomic_load_explicit(at, memory_order_relaxed), used;

    do {
        used = used_in(word, minute);
        if (used > 0 && used + n > limit)
            return false;
    } while (!atomic_compare_exchange_weak(at, &word, word_of(minute, MIN(used + n, USED_MAX))));
    return true;
}

/* n may be below 0; what is used is not. */
static void add(_Atomic int64_t *at, int64_t minute, int64_t n)
{
    int64_t word = atomic_load_explicit(at, memory_order_relaxed), used;

    do {
        if (word >> USED_BITS != (minute & 0x3fffff))
            return;
        used = (word & USED_MAX) + n;
    } while (!atomic_compare_exchange_weak(at, &word,
                                           word_of(minute, MAX(MIN(used, USED_MAX), INT64_C(0)))));
}

static int64_t within(int64_t tokens)
{
    return MAX(MIN(tokens, QUOTA_TOKENS_MAX), INT64_C(0));
}

bool quota_take(struct quota_board *b, struct account_id account, int64_t wall_us,
                const struct quota *limit, int64_t tokens)
{
    int64_t minute = wall_us / MINUTE_US;
    struct slot *s = limit->requests || limit->tokens ? slot_for(b, account, minute) : NULL;

    if (!s)
        return true;
    if (limit->requests && !take(&s->requests, minute, limit->requests, 1))
        return false;
    if (limit->tokens && !take(&s->tokens, minute, limit->tokens, within(tokens))) {
        if (limit->requests)
            add(&s->requests, minute, -1);
        return false;
    }
    return true;
}

void quota_correct(struct quota_board *b, struct account_id account, int64_t taken_wall_us,
                   int64_t now_wall_us, int64_t tokens)
{
    int64_t minute = taken_wall_us / MINUTE_US;
    struct slot *s = minute == now_wall_us / MINUTE_US
                         ? slot_of(b->slots, QUOTA_SLOTS, sizeof(struct slot), account.v, false)
                         : NULL;

    if (s)
        add(&s->tokens, minute, tokens < 0 ? -within(-tokens) : within(tokens));
}
