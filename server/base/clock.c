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

/* Takes exactly width digits off *s. */
static bool take_digits(struct str *s, size_t width, int *ret)
{
    int v = 0;

    if (s->n < width)
        return false;
    for (size_t i = 0; i < width; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        v = v * 10 + (s->p[i] - '0');
    }
    *s = str_n(s->p + width, s->n - width);
    *ret = v;
    return true;
}

static bool take_char(struct str *s, char c)
{
    if (!s->n || s->p[0] != c)
        return false;
    *s = str_n(s->p + 1, s->n - 1);
    return true;
}

/* A point and one to six digits, or nothing. */
static bool take_fraction(struct str *s, int64_t *ret_us)
{
    int64_t us = 0, unit = 100000;

    if (take_char(s, '.')) {
        size_t n = 0;

        for (; n < s->n && n < 6 && s->p[n] >= '0' && s->p[n] <= '9'; n++, unit /= 10)
            us += (s->p[n] - '0') * unit;
        if (!n)
            return false;
        *s = str_n(s->p + n, s->n - n);
    }
    *ret_us = us;
    return true;
}

/* "Z", "+hh:mm", "-hh:mm" or nothing. */
static bool take_zone(struct str *s, int *ret_minutes)
{
    int sign = 0, hours, minutes;

    *ret_minutes = 0;
    if (take_char(s, 'Z') || !s->n)
        return true;
    sign = take_char(s, '+') ? 1 : take_char(s, '-') ? -1 : 0;
    if (!sign || !take_digits(s, 2, &hours) || !take_char(s, ':') || !take_digits(s, 2, &minutes))
        return false;
    *ret_minutes = sign * (hours * 60 + minutes);
    return hours < 24 && minutes < 60;
}

static bool take_time(struct str *s, struct tm *tm, int64_t *ret_us, int *ret_zone)
{
    if (!take_char(s, 'T') && !take_char(s, ' '))
        return false;
    if (!take_digits(s, 2, &tm->tm_hour) || !take_char(s, ':') || !take_digits(s, 2, &tm->tm_min))
        return false;
    if (take_char(s, ':') && (!take_digits(s, 2, &tm->tm_sec) || !take_fraction(s, ret_us)))
        return false;
    return tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec < 60 && take_zone(s, ret_zone);
}

bool clock_parse_rfc3339(struct str text, int64_t *ret_unix_us)
{
    struct str s = text;
    struct tm tm = {0}, back;
    int64_t us = 0;
    int zone = 0;
    time_t seconds;

    if (!take_digits(&s, 4, &tm.tm_year) || !take_char(&s, '-') ||
        !take_digits(&s, 2, &tm.tm_mon) || !take_char(&s, '-') || !take_digits(&s, 2, &tm.tm_mday))
        return false;
    if (s.n && !take_time(&s, &tm, &us, &zone))
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    back = tm;
    seconds = timegm(&back);
    if (s.n || back.tm_mday != tm.tm_mday || back.tm_mon != tm.tm_mon)
        return false; /* left over text, or the 31st of a short month */
    *ret_unix_us = ((int64_t)seconds - zone * 60) * 1000000 + us;
    return true;
}
