/* random.c: see random.h. Driven, it is SplitMix64 over an atomic counter, so that a test under
 * threads still gets each number once. */
#include "base/random.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>

static atomic_bool driven;
static _Atomic uint64_t driven_state;

static void start_sodium(void)
{
    int r = sodium_init();

    assert(r >= 0); /* no source of randomness: nothing here may go on */
}

void random_ready(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int r = pthread_once(&once, start_sodium);

    assert(r == 0);
}

static uint64_t driven_next(void)
{
    const uint64_t step = 0x9e3779b97f4a7c15u;
    uint64_t z = atomic_fetch_add(&driven_state, step) + step;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void random_bytes(void *p, size_t n)
{
    char *to = p;

    if (!atomic_load_explicit(&driven, memory_order_relaxed)) {
        random_ready();
        randombytes_buf(p, n);
        return;
    }
    while (n) {
        uint64_t v = driven_next();
        size_t take = MIN(n, sizeof(v));

        memcpy(to, &v, take);
        to += take;
        n -= take;
    }
}

/* Drawn by fork: a child must not give out what its parent does. */
static atomic_uint generation = 1;

static void forked(void)
{
    atomic_fetch_add(&generation, 1);
}

static void watch_forks(void)
{
    int r = pthread_atfork(NULL, NULL, forked);

    assert(r == 0);
}

void random_name(void *p, size_t n)
{
    static _Thread_local struct {
        unsigned generation;
        size_t left;
        char bytes[1024];
    } stock;
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (atomic_load_explicit(&driven, memory_order_relaxed) || n > sizeof(stock.bytes)) {
        random_bytes(p, n);
        return;
    }
    if (stock.left < n || stock.generation != atomic_load(&generation)) {
        (void)pthread_once(&once, watch_forks);
        stock.generation = atomic_load(&generation);
        random_bytes(stock.bytes, sizeof(stock.bytes));
        stock.left = sizeof(stock.bytes);
    }
    stock.left -= n;
    memcpy(p, stock.bytes + stock.left, n);
}

uint64_t random_u64(void)
{
    uint64_t v;

    random_bytes(&v, sizeof(v));
    return v;
}

uint32_t random_below(uint32_t bound)
{
    uint32_t skip, v;

    if (bound < 2)
        return 0;
    skip = -bound % bound; /* 2^32 mod bound: values below it would be a little too frequent */
    do
        v = (uint32_t)random_u64();
    while (v < skip);
    return v % bound;
}

void random_drive(uint64_t seed)
{
    atomic_store(&driven_state, seed);
    atomic_store(&driven, true);
}

void random_undrive(void)
{
    atomic_store(&driven, false);
}
