/* usage.h: what a team used, summed by day, model, key, project, provider or tag.
 *
 * Sums are over posted_at days in the team's time zone, from the roll-up that the settle batch
 * writes in the same transaction as the calls, so that they equal log, ledger and invoice to the
 * nano-dollar. Tags are in no roll-up, since a team may give each call one of its own: what is summed by
 * tag, or of one tag, is summed over the calls themselves, so it is of those that are still in the log.
 * Worker thread, inside the caller's transaction. */
#pragma once

#include "db/db.h"
#include "model/usage.h"

enum usage_by { USAGE_BY_DAY, USAGE_BY_MODEL, USAGE_BY_KEY, USAGE_BY_PROJECT, USAGE_BY_PROVIDER, USAGE_BY_TAG };

struct usage_query {
    struct team_id team;
    struct str from_day, to_day; /* "2026-11-01", inclusive, in the team's time zone */
    struct key_id key;           /* 0: any */
    struct project_id project;   /* 0: any */
    struct str model;            /* p NULL: any */
    struct str tag;              /* a value, or "name=value"; p NULL: any */
};

struct usage_row {
    struct str label; /* day, model name, key name, "name=value" of a tag ... */
    int64_t id;       /* of key or project; else 0 */
    int64_t calls, blocked, errors, fallbacks;
    struct usage used; /* in disjoint classes */
    struct money charge;
    int64_t cache_hits; /* calls that got a kept answer; they used nothing... */
    struct money saved; /* ...and would have been charged this */
};
struct usage_table {
    struct usage_row *rows;
    size_t n;
    int64_t n_others;        /* how many rows more there are; they have no label... */
    struct usage_row others; /* ...and come to this: rows and others are what all rows come to */
    struct usage_row total;
};

/* A million calls take one to four seconds to be summed by tag. */
#define USAGE_TAG_CALLS 1000000
enum { USAGE_TABLE_OK = 0, USAGE_TABLE_E_MANY = 1 };
/* More than twice the keys that a team may have at a time: only tags, of which each call may have its own, and keys
 * that were deleted come to more. */
#define USAGE_ROWS_MAX 5000
/* At most USAGE_ROWS_MAX rows, dearest first (days: oldest first). By tag a call with several is in the row of
 * each, what has none in one without a label, and the total is of the calls. USAGE_TABLE_E_MANY: it is to be
 * summed by tag or of one, and the days have more calls than USAGE_TAG_CALLS. */
int usage_table(struct db *db, struct arena *a, enum usage_by by, const struct usage_query *query,
                struct usage_table *ret) _must_use_;
/* Leaves the first n rows at most and adds what came behind them to the others. */
void usage_table_fold(struct usage_table *table, size_t n);
/* Adds b to a, or with sign -1 takes it away: the figures, not what they are of. */
void usage_row_add(struct usage_row *a, const struct usage_row *b, int sign);

/* Charge per day and model for the chart: at most 400 days x the 8 dearest models, the rest as
 * "other". As usage_table() of the same query, which is asked first. */
#define USAGE_POINTS_MAX 3600
struct usage_point {
    struct str day, model;
    struct money charge;
};
struct usage_points {
    struct usage_point *v;
    size_t n;
};
int usage_points(struct db *db, struct arena *a, const struct usage_query *query,
                 struct usage_points *ret) _must_use_;

/* The overview: what was used today, yesterday, this month and in the last; the charge by day and
 * model of the last 30 days; this month's dearest models and keys. */
#define USAGE_OVERVIEW_DAYS 30
#define USAGE_TOP 5
struct usage_span {
    struct str from_day; /* its first, in the team's time zone */
    int64_t calls, blocked, errors, fallbacks;
    struct money charge;
};
struct usage_top {
    struct usage_top_row {
        struct str label;
        int64_t id; /* of a key; else 0 */
        int64_t calls;
        struct money charge;
    } v[USAGE_TOP];
    size_t n;
};
struct usage_overview {
    struct usage_span today, yesterday, month, last_month;
    struct usage_points points; /* as usage_points() tells them */
    struct usage_top models, keys;
};
int usage_overview(struct db *db, struct arena *a, struct team_id team,
                   struct usage_overview *ret) _must_use_;
