/* clock.h: every read of time goes through here, so that a test or the simulator can drive it. */
#pragma once

#include "base/str.h"

/* CLOCK_BOOTTIME; counts through suspend, never jumps. Deadlines and leases use this. */
int64_t clock_mono_ns(void);
int64_t clock_mono_ms(void);
/* Unix time in microseconds; may jump. For labels and ids only. */
int64_t clock_wall_us(void);

/* Replaces both sources for this process (NULL puts the real ones back). Tests only. */
struct clock_source {
    int64_t (*mono_ns)(void *);
    int64_t (*wall_us)(void *);
    void *ctx;
};
void clock_drive(const struct clock_source *source);

/* "2026-11-21T06:27:33.123456Z" (28 bytes with NUL); years 0000 to 9999. */
#define CLOCK_RFC3339_SIZE 28
void clock_rfc3339(int64_t unix_us, char out[CLOCK_RFC3339_SIZE]);
/* "2026-11-21", "2026-11-21T06:27", "...:33", "...:33.123456", with "Z" or "+hh:mm" behind a time
 * (none: UTC); false if it is anything else or no such day. */
bool clock_parse_rfc3339(struct str text, int64_t *ret_unix_us);
