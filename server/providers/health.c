/* health.c: see health.h. A slot that was found stays valid, and its account's for as long as that is tried. */
#include "providers/health.h"

#include <errno.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/random.h"
#include "providers/slots.h"

enum { MEAN_SHIFT = 3 }; /* a moving mean takes an eighth of each new value */

struct health {
    _Atomic int64_t account;        /* 0: free */
    _Atomic int64_t cool_until_ms;  /* 0: up */
    _Atomic int64_t probe_until_ms; /* a probe is out until then */
    _Atomic int64_t down_since_ms;  /* when the first cool-down began that no success has ended; 0: up */
    _Atomic int64_t failed_ms;      /* the last failure */
    _Atomic int64_t tried_ms;       /* the last try; 0: none */
    _Atomic uint32_t failures_in_a_row, cool_downs, error_ppm;
    _Atomic int64_t first_byte_us, latency_us;
    _Atomic uint64_t tries, failures;
    _Atomic int last_failure; /* enum health_failure */
};

struct health_board {
    struct health slots[HEALTH_SLOTS], own[HEALTH_OWN_SLOTS];
    struct health overflow;
};

int health_board_new(struct health_board **ret)
{
    struct health_board *b = calloc(1, sizeof(*b));

    if (!b)
        return err_origin(-ENOMEM);
    *ret = b;
    return 0;
}

void health_board_free(struct health_board *b)
{
    free(b);
}

static bool is_idle(const void *slot, int64_t now_ms)
{
    const struct health *h = slot;
    int64_t tried_ms = atomic_load_explicit(&h->tried_ms, memory_order_relaxed);

    return tried_ms == 0 || now_ms - tried_ms > HEALTH_IDLE_MS;
}

static struct health *take_over(struct health *slots, size_t n, struct account_id account)
{
    struct health *h = slot_take_over(slots, n, sizeof(*h), account.v, is_idle, clock_mono_ms());

    if (!h)
        return NULL;
    health_reset(h);
    atomic_store_explicit(&h->failed_ms, 0, memory_order_relaxed);
    atomic_store_explicit(&h->tried_ms, 0, memory_order_relaxed);
    atomic_store_explicit(&h->first_byte_us, 0, memory_order_relaxed);
    atomic_store_explicit(&h->latency_us, 0, memory_order_relaxed);
    atomic_store_explicit(&h->tries, 0, memory_order_relaxed);
    atomic_store_explicit(&h->failures, 0, memory_order_relaxed);
    return h;
}

struct health *health_at(struct health_board *b, struct account_id account, bool own)
{
    struct health *slots = own ? b->own : b->slots;
    size_t n = own ? HEALTH_OWN_SLOTS : HEALTH_SLOTS;
    struct health *h = slot_of(slots, n, sizeof(*h), account.v, true);

    if (!h)
        h = take_over(slots, n, account);
    return h ? h : &b->overflow;
}

enum health_state health_state(const struct health *h, int64_t now_ms)
{
    int64_t until = atomic_load_explicit(&h->cool_until_ms, memory_order_relaxed);

    if (until == 0)
        return HEALTH_UP;
    if (now_ms < until)
        return HEALTH_COOLING;
    if (now_ms < atomic_load_explicit(&h->probe_until_ms, memory_order_relaxed))
        return HEALTH_COOLING;
    return HEALTH_PROBING;
}

const char *health_state_name(enum health_state s)
{
    static const char *const names[] = {"up", "probing", "cooling"};

    assert((size_t)s < ARRAY_LEN(names));
    return names[s];
}

bool health_begin(struct health *h, int64_t now_ms)
{
    int64_t until, probe;

    atomic_fetch_add_explicit(&h->tries, 1, memory_order_relaxed);
    atomic_store_explicit(&h->tried_ms, now_ms, memory_order_relaxed);
    until = atomic_load_explicit(&h->cool_until_ms, memory_order_relaxed);
    if (until == 0)
        return true;
    if (now_ms < until)
        return false;
    probe = atomic_load_explicit(&h->probe_until_ms, memory_order_relaxed);
    return now_ms >= probe &&
           atomic_compare_exchange_strong(&h->probe_until_ms, &probe, now_ms + HEALTH_PROBE_MS);
}

static void mean_add(_Atomic int64_t *mean, int64_t value)
{
    int64_t old = atomic_load_explicit(mean, memory_order_relaxed), next;

    do
        next = old == 0 ? value : old + (value - old) / (1 << MEAN_SHIFT);
    while (!atomic_compare_exchange_weak_explicit(mean, &old, next, memory_order_relaxed,
                                                  memory_order_relaxed));
}

static void share_add(_Atomic uint32_t *ppm, bool failed)
{
    uint32_t old = atomic_load_explicit(ppm, memory_order_relaxed), next;

    do
        next = old - (old >> MEAN_SHIFT) + (failed ? 1000000u >> MEAN_SHIFT : 0);
    while (!atomic_compare_exchange_weak_explicit(ppm, &old, next, memory_order_relaxed,
                                                  memory_order_relaxed));
}

static void up_again(struct health *h)
{
    atomic_store_explicit(&h->failures_in_a_row, 0, memory_order_relaxed);
    atomic_store_explicit(&h->cool_downs, 0, memory_order_relaxed);
    atomic_store_explicit(&h->probe_until_ms, 0, memory_order_relaxed);
    atomic_store_explicit(&h->down_since_ms, 0, memory_order_relaxed);
    atomic_store_explicit(&h->cool_until_ms, 0, memory_order_relaxed);
}

void health_succeeded(struct health *h, int64_t now_ms, int64_t first_byte_us, int64_t latency_us)
{
    /* A call that was under way when others ran into a limit does not lift that limit. */
    if (now_ms >= atomic_load_explicit(&h->cool_until_ms, memory_order_relaxed))
        up_again(h);
    share_add(&h->error_ppm, false);
    if (first_byte_us > 0)
        mean_add(&h->first_byte_us, first_byte_us);
    if (latency_us > 0)
        mean_add(&h->latency_us, latency_us);
}

/* Twice as long each time, and never quite the same, so that nodes do not come back in step. */
static int64_t back_off_ms(uint32_t cool_downs)
{
    int64_t ms = HEALTH_COOL_FIRST_MS;

    for (uint32_t i = 0; i < cool_downs && ms < HEALTH_COOL_MAX_MS; i++)
        ms *= 2;
    ms = MIN(ms, (int64_t)HEALTH_COOL_MAX_MS);
    return ms - ms / 5 + random_below((uint32_t)(2 * ms / 5) + 1);
}

/* What the upstream asks for goes before our own guess. */
static int64_t cool_down_ms(struct health *h, enum health_failure failure, int64_t retry_after_ms)
{
    uint32_t before = atomic_fetch_add_explicit(&h->cool_downs, 1, memory_order_relaxed);

    if (retry_after_ms > 0)
        return MIN(retry_after_ms, (int64_t)HEALTH_RETRY_AFTER_MAX_MS);
    if (failure == HEALTH_CREDENTIAL)
        return HEALTH_CREDENTIAL_MS;
    return back_off_ms(before);
}

static void cool_until(struct health *h, int64_t now_ms, int64_t until)
{
    int64_t old = atomic_load_explicit(&h->cool_until_ms, memory_order_relaxed), up = 0;

    (void)atomic_compare_exchange_strong(&h->down_since_ms, &up, now_ms);
    while (old < until && !atomic_compare_exchange_weak(&h->cool_until_ms, &old, until))
        continue;
    atomic_store_explicit(&h->probe_until_ms, 0, memory_order_relaxed);
}

void health_failed(struct health *h, int64_t now_ms, enum health_failure failure,
                   int64_t retry_after_ms)
{
    uint32_t row = atomic_fetch_add_explicit(&h->failures_in_a_row, 1, memory_order_relaxed) + 1;
    int64_t until = atomic_load_explicit(&h->cool_until_ms, memory_order_relaxed);

    atomic_fetch_add_explicit(&h->failures, 1, memory_order_relaxed);
    share_add(&h->error_ppm, true);
    if (atomic_load_explicit(&h->account, memory_order_relaxed) == 0)
        return; /* the overflow slot is many accounts */
    atomic_store_explicit(&h->failed_ms, now_ms, memory_order_relaxed);
    /* Those that were under way when it began to cool must not drive the back-off up. */
    if (now_ms < until && now_ms + retry_after_ms <= until)
        return;
    atomic_store_explicit(&h->last_failure, (int)failure, memory_order_relaxed);
    if (failure != HEALTH_FAILED || retry_after_ms > 0 || until != 0 || row >= HEALTH_FAILURES_MAX)
        cool_until(h, now_ms, now_ms + cool_down_ms(h, failure, retry_after_ms));
}

void health_untold(struct health *h)
{
    atomic_store_explicit(&h->probe_until_ms, 0, memory_order_relaxed);
}

void health_reset(struct health *h)
{
    up_again(h);
    atomic_store_explicit(&h->error_ppm, 0, memory_order_relaxed);
}

void health_read(const struct health *h, int64_t now_ms, struct health_view *ret)
{
    int64_t until = atomic_load_explicit(&h->cool_until_ms, memory_order_relaxed);

    *ret = (struct health_view){
        .state = health_state(h, now_ms),
        .cool_for_ms = MAX(until - now_ms, (int64_t)0),
        .down_since_ms = atomic_load_explicit(&h->down_since_ms, memory_order_relaxed),
        .failed_ms = atomic_load_explicit(&h->failed_ms, memory_order_relaxed),
        .failures_in_a_row = atomic_load_explicit(&h->failures_in_a_row, memory_order_relaxed),
        .error_ppm = atomic_load_explicit(&h->error_ppm, memory_order_relaxed),
        .first_byte_us = atomic_load_explicit(&h->first_byte_us, memory_order_relaxed),
        .latency_us = atomic_load_explicit(&h->latency_us, memory_order_relaxed),
        .tries = atomic_load_explicit(&h->tries, memory_order_relaxed),
        .failures = atomic_load_explicit(&h->failures, memory_order_relaxed),
        .last_failure =
            (enum health_failure)atomic_load_explicit(&h->last_failure, memory_order_relaxed),
    };
}
