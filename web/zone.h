/* zone.h: time zones, read from the system's zone files, so that every team sees its own clock
 * without the process having one. Any thread. */
#pragma once

#include "base/arena.h"

struct zone;

struct civil {
    int year, month, day; /* 1 to 12, 1 to 31 */
    int hour, minute, second;
    int weekday; /* 0: Sunday */
    int offset_s;
    const char *abbreviation; /* "CET" */
};

/* An unknown name gives UTC; NULL when memory is out. Lives in the arena. */
struct zone *zone_open(struct arena *a, struct str name) _must_use_;
struct str zone_name(const struct zone *z);
/* Names to choose from, in order: UTC and the places of the system's zone1970.tab. (Asking
 * PostgreSQL for its list takes a tenth of a second.) */
int zone_names(struct arena *a, struct str **ret, size_t *ret_n) _must_use_;
struct civil zone_civil(const struct zone *z, int64_t unix_us);
/* The moment of a local time; of an hour that the clock jumps over, as if it had not. */
int64_t zone_unix_us(const struct zone *z, const struct civil *c);
/* "2026-11-21" */
bool civil_parse_day(struct str text, struct civil *ret);
/* What ends after a day holds until that day ends; 0 when the text is no day. */
int64_t zone_end_of_day_us(const struct zone *z, struct str day);
struct str civil_day(struct arena *a, const struct civil *c) _must_use_;
/* The day n days later (earlier when negative), its clock as it is. */
struct civil civil_plus_days(const struct civil *c, int n);
