/* zone.c: see zone.h. Reads the 64-bit part of a TZif file (RFC 8536). The files of Debian list
 * every change up to 2037; later ones take the last offset. */
#include "web/zone.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/bounds.h"
#include "base/err.h"

#define ZONE_DIRECTORY "/usr/share/zoneinfo/"
#define ZONE_FILE_BYTES 65536
#define HEADER_BYTES 44

struct zone {
    struct str name;
    size_t n_changes, n_types;
    const uint8_t *changes; /* 8 bytes each */
    const uint8_t *which;   /* type of each change */
    const uint8_t *types;   /* 6 bytes each: offset, is daylight saving, abbreviation's place */
    const char *abbreviations;
    size_t n_letters;
};

static uint64_t big_endian(const uint8_t *p, size_t n)
{
    uint64_t v = 0;

    while (n--)
        v = v << 8 | *p++;
    return v;
}

/* Sizes of the parts, from a header at p. */
struct layout {
    size_t is_ut, is_std, leaps, changes, types, letters;
};

static struct layout layout_at(const uint8_t *p)
{
    return (struct layout){
        .is_ut = big_endian(p + 20, 4),
        .is_std = big_endian(p + 24, 4),
        .leaps = big_endian(p + 28, 4),
        .changes = big_endian(p + 32, 4),
        .types = big_endian(p + 36, 4),
        .letters = big_endian(p + 40, 4),
    };
}

static size_t body_bytes(const struct layout *l, size_t time_bytes)
{
    return l->changes * (time_bytes + 1) + l->types * 6 + l->letters +
           l->leaps * (time_bytes + 4) + l->is_std + l->is_ut;
}

static bool sane(const struct layout *l)
{
    return l->changes < 4096 && l->types > 0 && l->types < 256 && l->letters < 4096 &&
           l->leaps < 256 && l->is_std < 256 && l->is_ut < 256;
}

static bool parse(struct zone *z, struct str file)
{
    const uint8_t *p = (const uint8_t *)file.p;
    struct layout l;
    size_t at;

    if (file.n < HEADER_BYTES || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
        return false;
    l = layout_at(p);
    if (!sane(&l))
        return false;
    at = HEADER_BYTES + body_bytes(&l, 4);
    if (file.n < at + HEADER_BYTES)
        return false;
    l = layout_at(p + at);
    at += HEADER_BYTES;
    if (!sane(&l) || file.n < at + body_bytes(&l, 8))
        return false;
    z->n_changes = l.changes;
    z->n_types = l.types;
    z->n_letters = l.letters;
    z->changes = p + at;
    z->which = z->changes + l.changes * 8;
    z->types = z->which + l.changes;
    z->abbreviations = (const char *)z->types + l.types * 6;
    return true;
}

static bool plain_name(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            !(c && strchr("/_+-", c)))
            return false;
    }
    return name.n > 0 && name.p[0] != '/' && name.n < 64;
}

static struct str read_zone_file(struct arena *a, struct str name)
{
    char *bytes = arena_alloc(a, ZONE_FILE_BYTES);
    char path[128];
    FILE *f;
    size_t n;

    (void)snprintf(path, sizeof(path), ZONE_DIRECTORY "%.*s", STR_FMT(name));
    f = bytes ? fopen(path, "re") : NULL;
    if (!f)
        return STR_NONE;
    n = fread(bytes, 1, ZONE_FILE_BYTES, f);
    fclose(f);
    return str_n(bytes, n);
}

struct zone *zone_open(struct arena *a, struct str name)
{
    struct zone *z = arena_new0(a, struct zone);

    if (!z)
        return NULL;
    z->name = STR("UTC");
    if (plain_name(name) && parse(z, read_zone_file(a, name)))
        z->name = arena_str(a, name);
    return z;
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* "DE,DK,NO +5230+01322<TAB>Europe/Berlin<TAB>most of Germany" */
static bool third_column(struct str line, struct str *ret)
{
    return line.n && line.p[0] != '#' && str_split(&line, '\t', ret) &&
           str_split(&line, '\t', ret) && str_split(&line, '\t', ret);
}

int zone_names(struct arena *a, struct str **ret, size_t *ret_n)
{
    struct str file = read_zone_file(a, STR("zone1970.tab")), line;
    struct str *names = arena_array(a, struct str, BOUND_ZONES);
    size_t n = 0;

    if (!names)
        return err_origin(-ENOMEM);
    names[n++] = STR("UTC");
    while (file.n && n < BOUND_ZONES && str_split(&file, '\n', &line))
        n += third_column(line, &names[n]);
    qsort(names + 1, n - 1, sizeof(*names), by_name);
    *ret = names;
    *ret_n = n;
    return 0;
}

struct str zone_name(const struct zone *z)
{
    return z->name;
}

struct offset {
    int seconds;
    const char *abbreviation;
};

static struct offset type_at(const struct zone *z, size_t type)
{
    const uint8_t *p = z->types + 6 * (type < z->n_types ? type : 0);

    return (struct offset){
        .seconds = (int32_t)big_endian(p, 4),
        .abbreviation = p[5] < z->n_letters ? z->abbreviations + p[5] : "",
    };
}

static struct offset offset_at(const struct zone *z, int64_t unix_s)
{
    size_t low = 0, high = z->n_changes;

    if (!z->n_types)
        return (struct offset){0, "UTC"};
    while (low < high) { /* low: how many changes are not after that moment */
        size_t middle = (low + high) / 2;

        if ((int64_t)big_endian(z->changes + 8 * middle, 8) <= unix_s)
            low = middle + 1;
        else
            high = middle;
    }
    return type_at(z, low ? z->which[low - 1] : 0);
}

struct civil zone_civil(const struct zone *z, int64_t unix_us)
{
    int64_t unix_s = unix_us / 1000000 - (unix_us % 1000000 < 0);
    struct offset offset = offset_at(z, unix_s);
    time_t local = (time_t)(unix_s + offset.seconds);
    struct tm tm = {0};

    (void)gmtime_r(&local, &tm);
    return (struct civil){.year = tm.tm_year + 1900,
                          .month = tm.tm_mon + 1,
                          .day = tm.tm_mday,
                          .hour = tm.tm_hour,
                          .minute = tm.tm_min,
                          .second = tm.tm_sec,
                          .weekday = tm.tm_wday,
                          .offset_s = offset.seconds,
                          .abbreviation = offset.abbreviation};
}

int64_t zone_unix_us(const struct zone *z, const struct civil *c)
{
    struct tm tm = {.tm_year = c->year - 1900,
                    .tm_mon = c->month - 1,
                    .tm_mday = c->day,
                    .tm_hour = c->hour,
                    .tm_min = c->minute,
                    .tm_sec = c->second};
    int64_t as_utc = timegm(&tm);
    int64_t guess = as_utc - offset_at(z, as_utc).seconds;

    return (as_utc - offset_at(z, guess).seconds) * 1000000;
}

static bool digits(struct str text, size_t at, size_t n, int *ret)
{
    int v = 0;

    for (size_t i = at; i < at + n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        v = v * 10 + (text.p[i] - '0');
    }
    *ret = v;
    return true;
}

bool civil_parse_day(struct str text, struct civil *ret)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct civil c = {0};
    bool leap;

    if (text.n != 10 || text.p[4] != '-' || text.p[7] != '-' || !digits(text, 0, 4, &c.year) ||
        !digits(text, 5, 2, &c.month) || !digits(text, 8, 2, &c.day))
        return false;
    leap = (c.year % 4 == 0 && c.year % 100 != 0) || c.year % 400 == 0;
    if (c.year < 1970 || c.month < 1 || c.month > 12 || c.day < 1 ||
        c.day > days[c.month - 1] + (leap && c.month == 2))
        return false;
    *ret = c;
    return true;
}

int64_t zone_end_of_day_us(const struct zone *z, struct str text)
{
    struct civil day;

    if (!civil_parse_day(text, &day))
        return 0;
    day.hour = 24;
    return zone_unix_us(z, &day);
}

struct str civil_day(struct arena *a, const struct civil *c)
{
    return arena_strf(a, "%04d-%02d-%02d", c->year, c->month, c->day);
}

struct civil civil_plus_days(const struct civil *c, int n)
{
    struct tm tm = {.tm_year = c->year - 1900, .tm_mon = c->month - 1, .tm_mday = c->day + n};
    time_t noon = timegm(&tm);
    struct civil later = *c;

    (void)gmtime_r(&noon, &tm);
    later.year = tm.tm_year + 1900;
    later.month = tm.tm_mon + 1;
    later.day = tm.tm_mday;
    later.weekday = tm.tm_wday;
    return later;
}
