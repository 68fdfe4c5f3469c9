/* usage.h: what a team used, summed by day, model, key, project or provider.
 *
 * Sums are over posted_at days in the team's time zone, from the roll-up that the settle batch
 * writes in the same transaction as the calls, so that they equal log, ledger and invoice to the
 * nano-dollar. Worker thread, inside the caller's transaction. */
#pragma once

#include "db/db.h"
#include "model/usage.h"

enum usage_by { USAGE_BY_DAY, USAGE_BY_MODEL, USAGE_BY_KEY, USAGE_BY_PROJECT, USAGE_BY_PROVIDER };

struct usage_query {
    struct team_id team;
    struct str from_day, to_day; /* "2026-11-01", inclusive, in the team's time zone */
    struct key_id key;           /* 0: any */
    struct project_id project;   /* 0: any */
    struct str model;            /* p NULL: any */
};

struct usage_row {
    struct str label; /* day, model name, key name ... */
    int64_t id;       /* of key or project; else 0 */
    int64_t calls, blocked, errors, fallbacks;
    struct usage used; /* in disjoint classes */
    struct money charge;
};
struct usage_table {
    struct usage_row *rows;
    size_t n;
    struct usage_row total;
};

/* At most 400 rows, dearest first (days: oldest first). */
int usage_table(struct db *db, struct arena *a, enum usage_by by, const struct usage_query *query,
                struct usage_table *ret) _must_use_;

/* Charge per day and model for the chart: at most 400 days x the 8 dearest models, the rest as
 * "other". */
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

/* The overview's figures. Rates are per ten thousand calls. */
struct usage_overview {
    struct str today, month_first; /* days in the team's time zone */
    struct money spend_today, spend_yesterday, spend_month, spend_last_month;
    int64_t calls_today, calls_month, errors_month, fallbacks_month, blocked_month;
};
int usage_overview(struct db *db, struct arena *a, struct team_id team,
                   struct usage_overview *ret) _must_use_;
