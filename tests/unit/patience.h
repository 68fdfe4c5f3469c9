/* patience.h: how tests wait, and how they have time stand still.
 *
 * No test asserts how long something took: a loaded machine takes as long as it likes. What has to happen is
 * waited for, and what has to happen at once happens while the process's clock stands still. */
#pragma once

#include "unit.h"

#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* Only what hangs takes this long. */
enum { TEST_PATIENCE_MS = 60000 };

/* The real time, also while the process's clock stands still. */
static inline int64_t test_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

#define wait_until(condition)                                                    \
    do {                                                                         \
        for (int64_t end_ms_ = test_now_ms() + TEST_PATIENCE_MS; !(condition);) { \
            if (test_now_ms() > end_ms_)                                         \
                fail_msg("never: %s", #condition);                               \
            usleep(1000);                                                        \
        }                                                                        \
    } while (0)

static atomic_int_fast64_t stopped_at_ns;

static inline int64_t stopped_mono_ns(void *ctx)
{
    (void)ctx;
    return stopped_at_ns;
}

static inline int64_t running_wall_us(void *ctx)
{
    struct timespec t;

    (void)ctx;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* From here on the monotonic clock stands, until it is stepped. A loop that sleeps notices a step at its
 * next turn only: see served_step(). */
static inline void test_clock_stop(void)
{
    static const struct clock_source source = {stopped_mono_ns, running_wall_us, NULL};

    stopped_at_ns = clock_mono_ns();
    clock_drive(&source);
}

static inline void test_clock_step(int64_t ms)
{
    stopped_at_ns += ms * 1000000;
}

static inline void test_clock_go_on(void)
{
    clock_drive(NULL);
}
