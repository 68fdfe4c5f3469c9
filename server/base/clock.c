/* clock.c: see clock.h. */
#include "base/clock.h"

#include <stdatomic.h>
#include <time.h>

/* The one global of this file: tests drive time through it. */
static _Atomic(const struct clock_source *) driven;

static int64_t read_ns(clockid_t which)
{
    struct timespec ts;
    int r = clock_gettime(which, &ts);

    assert(r == 0);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t clock_mono_ns(void)
{
    const struct clock_source *source = atomic_load_explicit(&driven, memory_order_acquire);

    return source ? source->mono_ns(source->ctx) : read_ns(CLOCK_BOOTTIME);
}

int64_t clock_mono_ms(void)
{
    return clock_mono_ns() / 1000000;
}

int64_t clock_wall_us(void)
{
    const struct clock_source *source = atomic_load_explicit(&driven, memory_order_acquire);

    return source ? source->wall_us(source->ctx) : read_ns(CLOCK_REALTIME) / 1000;
}

void clock_drive(const struct clock_source *source)
{
    atomic_store_explicit(&driven, source, memory_order_release);
}

static char *put_digits(char *to, int64_t v, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        to[i] = (char)('0' + v % 10);
        v /= 10;
    }
    return to + width;
}

void clock_rfc3339(int64_t unix_us, char out[CLOCK_RFC3339_SIZE])
{
    const int64_t first = -62167219200, last = 253402300799; /* years 0000 and 9999 */
    int64_t us = unix_us % 1000000;
    time_t seconds = unix_us / 1000000 - (us < 0);
    struct tm tm;
    char *p = out;

    us += us < 0 ? 1000000 : 0;
    seconds = MAX(seconds, first);
    seconds = MIN(seconds, last);
    (void)gmtime_r(&seconds, &tm);
    p = put_digits(p, tm.tm_year + 1900, 4);
    *p++ = '-';
    p = put_digits(p, tm.tm_mon + 1, 2);
    *p++ = '-';
    p = put_digits(p, tm.tm_mday, 2);
    *p++ = 'T';
    p = put_digits(p, tm.tm_hour, 2);
    *p++ = ':';
    p = put_digits(p, tm.tm_min, 2);
    *p++ = ':';
    p = put_digits(p, tm.tm_sec, 2);
    *p++ = '.';
    p = put_digits(p, us, 6);
    *p++ = 'Z';
    *p = '\0';
}
