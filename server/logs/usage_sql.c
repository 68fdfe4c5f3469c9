/* usage_sql.c: see usage.h. One statement per grouping, over the roll-up. */
#include "logs/usage.h"

#include <errno.h>

#include "base/err.h"
#include "model/record.h"

/* The classes of usage stand in usage_day under the same columns as in a call. */
#define SUM_OF(name, kind, bound, label) " coalesce(sum(u." #name "), 0)::bigint AS " #name ","
#define FIGURES                                                                                    \
    " coalesce(sum(u.calls), 0)::bigint AS calls, coalesce(sum(u.blocked), 0)::bigint AS blocked," \
    " coalesce(sum(u.errors), 0)::bigint AS errors,"                                               \
    " coalesce(sum(u.fallbacks), 0)::bigint AS fallbacks,"                                         \
    RECORD_USAGE(SUM_OF)                                                                           \
    " coalesce(sum(u.charge_nano), 0)::bigint AS charge_nano"
#define FILTER                                                                                     \
    " WHERE u.team_id = $1 AND ($2::text IS NULL OR u.day >= $2::date)"                            \
    " AND ($3::text IS NULL OR u.day <= $3::date) AND ($4::bigint IS NULL OR u.key_id = $4)"       \
    " AND ($5::bigint IS NULL OR u.project_id = $5) AND ($6::text IS NULL OR u.model = $6)"
#define DEAREST " ORDER BY charge_nano DESC, calls DESC, 1 LIMIT 400"

DB_QUERY(usage_by_day, "SELECT u.day::text AS label, 0::bigint AS id," FIGURES
                       "  FROM usage_day u" FILTER " GROUP BY u.day ORDER BY u.day LIMIT 400")
DB_QUERY(usage_by_model, "SELECT u.model AS label, 0::bigint AS id," FIGURES
                         "  FROM usage_day u" FILTER " GROUP BY u.model" DEAREST)
DB_QUERY(usage_by_key,
         "SELECT coalesce(max(k.name), '') AS label, u.key_id AS id," FIGURES
         "  FROM usage_day u LEFT JOIN api_key k ON k.team_id = u.team_id AND k.id = u.key_id" FILTER
         " GROUP BY u.key_id" DEAREST)
DB_QUERY(usage_by_project,
         "SELECT coalesce(max(p.name), '') AS label, u.project_id AS id," FIGURES
         "  FROM usage_day u LEFT JOIN project p ON p.team_id = u.team_id AND p.id = u.project_id" FILTER
         " GROUP BY u.project_id" DEAREST)
DB_QUERY(usage_by_provider, "SELECT u.provider AS label, 0::bigint AS id," FIGURES
                            "  FROM usage_day u" FILTER " GROUP BY u.provider" DEAREST)
DB_QUERY(usage_total, "SELECT 'total' AS label, 0::bigint AS id," FIGURES "  FROM usage_day u" FILTER)
DB_QUERY(usage_chart,
         "WITH top AS (SELECT u.model FROM usage_day u" FILTER
         "              GROUP BY u.model ORDER BY sum(u.charge_nano) DESC LIMIT 8)"
         " SELECT u.day::text AS day,"
         "        CASE WHEN u.model IN (SELECT model FROM top) THEN u.model ELSE 'other' END AS model,"
         "        sum(u.charge_nano)::bigint AS charge_nano"
         "   FROM usage_day u" FILTER " GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 3600")
DB_QUERY(usage_overview_row,
         "SELECT d.today::text AS today, d.month::text AS month_first,"
         "       coalesce(sum(u.charge_nano) FILTER (WHERE u.day = d.today), 0)::bigint AS spend_today,"
         "       coalesce(sum(u.charge_nano) FILTER (WHERE u.day = d.today - 1), 0)::bigint AS spend_yesterday,"
         "       coalesce(sum(u.charge_nano) FILTER (WHERE u.day >= d.month), 0)::bigint AS spend_month,"
         "       coalesce(sum(u.charge_nano) FILTER (WHERE u.day < d.month"
         "                AND u.day >= (d.month - interval '1 month')::date), 0)::bigint AS spend_last_month,"
         "       coalesce(sum(u.calls) FILTER (WHERE u.day = d.today), 0)::bigint AS calls_today,"
         "       coalesce(sum(u.calls) FILTER (WHERE u.day >= d.month), 0)::bigint AS calls_month,"
         "       coalesce(sum(u.errors) FILTER (WHERE u.day >= d.month), 0)::bigint AS errors_month,"
         "       coalesce(sum(u.fallbacks) FILTER (WHERE u.day >= d.month), 0)::bigint AS fallbacks_month,"
         "       coalesce(sum(u.blocked) FILTER (WHERE u.day >= d.month), 0)::bigint AS blocked_month"
         "  FROM (SELECT (now() AT TIME ZONE t.time_zone)::date AS today,"
         "               date_trunc('month', now() AT TIME ZONE t.time_zone)::date AS month"
         "          FROM team t WHERE t.id = $1) d"
         "  LEFT JOIN usage_day u ON u.team_id = $1 AND u.day >= (d.month - interval '1 month')::date"
         " GROUP BY d.today, d.month")

#define USAGE_ROWS_MAX 400
#define USAGE_POINTS_MAX 3600
#define USAGE_ARGS 6
#define USAGE_COLS (7 + USAGE_UNITS)

static void fill_args(const struct usage_query *q, struct db_arg args[USAGE_ARGS])
{
    args[0] = db_i64(q->team.v);
    args[1] = db_text(q->from_day);
    args[2] = db_text(q->to_day);
    args[3] = q->key.v ? db_i64(q->key.v) : db_null(DB_I64);
    args[4] = q->project.v ? db_i64(q->project.v) : db_null(DB_I64);
    args[5] = db_text(q->model);
}

static size_t row_columns(struct usage_row *row, struct db_col out[USAGE_COLS])
{
    size_t n = 0;

    out[n++] = db_col_text("label", &row->label);
    out[n++] = db_col_i64("id", &row->id);
    out[n++] = db_col_i64("calls", &row->calls);
    out[n++] = db_col_i64("blocked", &row->blocked);
    out[n++] = db_col_i64("errors", &row->errors);
    out[n++] = db_col_i64("fallbacks", &row->fallbacks);
    out[n++] = db_col_money("charge_nano", &row->charge);
    for (enum usage_unit u = 0; u < USAGE_UNITS; u++)
        out[n++] = db_col_i64(usage_unit_info(u)->column, &row->used.n[u]);
    assert(n == USAGE_COLS);
    return n;
}

struct rows {
    struct usage_row row, *v;
    size_t n;
};

static int row_seen(void *ctx)
{
    struct rows *s = ctx;

    assert(s->n < USAGE_ROWS_MAX);
    s->v[s->n++] = s->row;
    return 0;
}

static struct db_query *query_by(enum usage_by by)
{
    switch (by) {
    case USAGE_BY_DAY:
        return &usage_by_day;
    case USAGE_BY_MODEL:
        return &usage_by_model;
    case USAGE_BY_KEY:
        return &usage_by_key;
    case USAGE_BY_PROJECT:
        return &usage_by_project;
    case USAGE_BY_PROVIDER:
        break;
    }
    return &usage_by_provider;
}

int usage_table(struct db *db, struct arena *a, enum usage_by by, const struct usage_query *query,
                struct usage_table *ret)
{
    struct rows s = {.v = arena_array(a, struct usage_row, USAGE_ROWS_MAX)};
    struct usage_row total = {0};
    struct db_arg args[USAGE_ARGS];
    struct db_col cols[USAGE_COLS];
    int r;

    if (!s.v)
        return err_origin(-ENOMEM);
    fill_args(query, args);
    r = db_each(db, query_by(by), a, args, USAGE_ARGS, cols, row_columns(&s.row, cols), row_seen,
                &s);
    if (!r)
        r = db_one(db, &usage_total, a, args, USAGE_ARGS, cols, row_columns(&total, cols));
    if (r)
        return db_fatal(r);
    *ret = (struct usage_table){.rows = s.v, .n = s.n, .total = total};
    return 0;
}

struct points {
    struct usage_point row, *v;
    size_t n;
};

static int point_seen(void *ctx)
{
    struct points *s = ctx;

    assert(s->n < USAGE_POINTS_MAX);
    s->v[s->n++] = s->row;
    return 0;
}

int usage_points(struct db *db, struct arena *a, const struct usage_query *query,
                 struct usage_points *ret)
{
    struct points s = {.v = arena_array(a, struct usage_point, USAGE_POINTS_MAX)};
    struct db_arg args[USAGE_ARGS];
    int r;

    if (!s.v)
        return err_origin(-ENOMEM);
    fill_args(query, args);
    r = db_each(db, &usage_chart, a, args, USAGE_ARGS,
                DB_COLS(db_col_text("day", &s.row.day), db_col_text("model", &s.row.model),
                        db_col_money("charge_nano", &s.row.charge)),
                point_seen, &s);
    if (r)
        return db_fatal(r);
    *ret = (struct usage_points){.v = s.v, .n = s.n};
    return 0;
}

int usage_overview(struct db *db, struct arena *a, struct team_id team, struct usage_overview *ret)
{
    int r = db_one(db, &usage_overview_row, a, DB_ARGS(db_i64(team.v)),
                   DB_COLS(db_col_text("today", &ret->today),
                           db_col_text("month_first", &ret->month_first),
                           db_col_money("spend_today", &ret->spend_today),
                           db_col_money("spend_yesterday", &ret->spend_yesterday),
                           db_col_money("spend_month", &ret->spend_month),
                           db_col_money("spend_last_month", &ret->spend_last_month),
                           db_col_i64("calls_today", &ret->calls_today),
                           db_col_i64("calls_month", &ret->calls_month),
                           db_col_i64("errors_month", &ret->errors_month),
                           db_col_i64("fallbacks_month", &ret->fallbacks_month),
                           db_col_i64("blocked_month", &ret->blocked_month)));

    return db_fatal(r);
}
