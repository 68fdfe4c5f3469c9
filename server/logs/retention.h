/* retention.h: calls that leave: first written as the CSV that is kept with their invoice, then dropped
 * by the week (migrations/0008_retention.sql says when). Worker threads. */
#pragma once

#include "db/db.h"

struct retention_done {
    int64_t archived; /* spans */
    int64_t dropped;  /* weeks */
    int64_t shadows;  /* that were too old (shadows.h), retention or not */
};
/* Writes the spans that are due, at most a hundred, and drops the weeks that may leave, none of both
 * while retention is off. Own transactions, system scope; safe on several nodes at once. */
int retention_run(struct db *db, struct retention_done *ret) _must_use_;

struct retention_view {
    int32_t months;           /* 0: off */
    int64_t cutoff_us;        /* before this calls may leave; 0: none may */
    int64_t dropped_until_us; /* the end of the last week that has left; 0: none has */
    int64_t dropped_calls, archives;
};
/* Operator scope. */
int retention_read(struct db *db, struct retention_view *ret) _must_use_;

enum { RETENTION_OK = 0, RETENTION_E_NONE = 1 };
/* The CSV that is kept with an invoice, part by part; fn as in db_stream, and the bytes are gone when
 * it returns. RETENTION_E_NONE: its calls are still in the log. Scope of the team. */
int archive_find(struct db *db, struct team_id team, int64_t invoice, int64_t *ret_until_us) _must_use_;
int archive_each(struct db *db, struct team_id team, int64_t until_us,
                 int (*fn)(void *ctx, struct str bytes), void *ctx) _must_use_;
