/* usage_sql.c: see usage.h. A team's days may be tens of thousands of rows, so each statement goes over
 * them once, in whole numbers (add_up): what it tells in more than one way it adds up from the groups. */
#include "logs/usage.h"

#include <errno.h>

#include "base/err.h"
#include "model/record.h"

/* The classes of usage stand in usage_day under the same columns as in a call. */
#define DAYS_UNIT(name, kind, bound, label) " add_up(u." #name ") AS " #name ","
#define DAYS_SUMS                                                                                  \
    " add_up(u.calls) AS calls, add_up(u.blocked) AS blocked,"                                     \
    " add_up(u.errors) AS errors, add_up(u.fallbacks) AS fallbacks,"                               \
    RECORD_USAGE(DAYS_UNIT) " add_up(u.charge_nano) AS charge_nano,"                               \
    " add_up(u.cache_hits) AS cache_hits, add_up(u.saved_nano) AS saved_nano"
#define GROUP_UNIT(name, kind, bound, label) " g." #name ","
#define GROUP_FIGURES                                                                              \
    " g.calls, g.blocked, g.errors, g.fallbacks," RECORD_USAGE(GROUP_UNIT) " g.charge_nano,"           \
    " g.cache_hits, g.saved_nano"
#define GROUPS_UNIT(name, kind, bound, label) " coalesce(sum(g." #name "), 0)::bigint,"
#define GROUPS_SUMS                                                                                \
    " coalesce(sum(g.calls), 0)::bigint, coalesce(sum(g.blocked), 0)::bigint,"                     \
    " coalesce(sum(g.errors), 0)::bigint, coalesce(sum(g.fallbacks), 0)::bigint,"                  \
    RECORD_USAGE(GROUPS_UNIT) " coalesce(sum(g.charge_nano), 0)::bigint,"                         \
    " coalesce(sum(g.cache_hits), 0)::bigint, coalesce(sum(g.saved_nano), 0)::bigint"
#define FILTER                                                                                     \
    " WHERE u.team_id = $1 AND u.day >= coalesce($2::text::date, '-infinity')"                     \
    " AND u.day <= coalesce($3::text::date, 'infinity')"                                           \
    " AND ($4::bigint IS NULL OR u.key_id = $4)"                                                   \
    " AND ($5::bigint IS NULL OR u.project_id = $5) AND ($6::text IS NULL OR u.model = $6)"

/* The groups, and last what they add up to. */
#define TABLE(group, label, id, names, order)                                                      \
    "WITH g AS MATERIALIZED (SELECT u." group "," DAYS_SUMS " FROM usage_day u" FILTER             \
    "                         GROUP BY u." group "),"                                              \
    " listed AS (SELECT " label " AS label, " id " AS id," GROUP_FIGURES " FROM g" names           \
    "             ORDER BY " order " LIMIT 400)"                                                   \
    " SELECT false AS total, g.label, g.id," GROUP_FIGURES " FROM listed g"                        \
    " UNION ALL SELECT true, 'total', 0," GROUPS_SUMS " FROM g"                                    \
    " ORDER BY total, " order
#define DEAREST "charge_nano DESC, calls DESC, label"

DB_QUERY(usage_by_day, TABLE("day", "g.day::text", "0::bigint", "", "label"))
DB_QUERY(usage_by_model, TABLE("model", "g.model", "0::bigint", "", DEAREST))
DB_QUERY(usage_by_key, TABLE("key_id", "coalesce(k.name, '')", "g.key_id",
                             " LEFT JOIN api_key k ON k.team_id = $1 AND k.id = g.key_id", DEAREST))
DB_QUERY(usage_by_project,
         TABLE("project_id", "coalesce(p.name, '')", "g.project_id",
               " LEFT JOIN project p ON p.team_id = $1 AND p.id = g.project_id", DEAREST))
DB_QUERY(usage_by_provider, TABLE("provider", "g.provider", "0::bigint", "", DEAREST))
DB_QUERY(usage_chart,
         "WITH g AS MATERIALIZED (SELECT u.day, u.model, add_up(u.charge_nano) AS charge_nano"
         "                          FROM usage_day u" FILTER " GROUP BY u.day, u.model),"
         " top AS (SELECT g.model FROM g GROUP BY g.model ORDER BY sum(g.charge_nano) DESC LIMIT 8)"
         " SELECT g.day::text AS day,"
         "        CASE WHEN g.model IN (SELECT model FROM top) THEN g.model ELSE 'other' END AS model,"
         "        sum(g.charge_nano)::bigint AS charge_nano"
         "   FROM g GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 3600")

#define USAGE_ROWS_MAX 400
#define USAGE_ARGS 6
#define USAGE_COLS (10 + USAGE_UNITS)

static void fill_args(const struct usage_query *q, struct db_arg args[USAGE_ARGS])
{
    args[0] = db_i64(q->team.v);
    args[1] = db_text(q->from_day);
    args[2] = db_text(q->to_day);
    args[3] = q->key.v ? db_i64(q->key.v) : db_null(DB_I64);
    args[4] = q->project.v ? db_i64(q->project.v) : db_null(DB_I64);
    args[5] = db_text(q->model);
}

struct rows {
    bool is_total;
    struct usage_row row, total, *v;
    size_t n;
};

static size_t row_columns(struct rows *s, struct db_col out[USAGE_COLS])
{
    struct usage_row *row = &s->row;
    size_t n = 0;

    out[n++] = db_col_bool("total", &s->is_total);
    out[n++] = db_col_text("label", &row->label);
    out[n++] = db_col_i64("id", &row->id);
    out[n++] = db_col_i64("calls", &row->calls);
    out[n++] = db_col_i64("blocked", &row->blocked);
    out[n++] = db_col_i64("errors", &row->errors);
    out[n++] = db_col_i64("fallbacks", &row->fallbacks);
    out[n++] = db_col_money("charge_nano", &row->charge);
    out[n++] = db_col_i64("cache_hits", &row->cache_hits);
    out[n++] = db_col_money("saved_nano", &row->saved);
    for (enum usage_unit u = 0; u < USAGE_UNITS; u++)
        out[n++] = db_col_i64(usage_unit_info(u)->column, &row->used.n[u]);
    assert(n == USAGE_COLS);
    return n;
}

static int row_seen(void *ctx)
{
    struct rows *s = ctx;

    if (s->is_total) {
        s->total = s->row;
        return 0;
    }
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
    struct db_arg args[USAGE_ARGS];
    struct db_col cols[USAGE_COLS];
    int r;

    if (!s.v)
        return err_origin(-ENOMEM);
    fill_args(query, args);
    r = db_each(db, query_by(by), a, args, USAGE_ARGS, cols, row_columns(&s, cols), row_seen, &s);
    if (r)
        return db_fatal(r);
    *ret = (struct usage_table){.rows = s.v, .n = s.n, .total = s.total};
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
