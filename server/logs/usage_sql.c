/* usage_sql.c: see usage.h. A team's days may be tens of thousands of rows, so each statement goes over
 * them once, in whole numbers (add_up): what it tells in more than one way it adds up from the groups.
 *
 * Where tags are asked for, rows of the same columns are made of the calls. Most have the tags of others,
 * letter for letter, so those are grouped by that text first, and only each text is read as JSON. One tag
 * is looked for as a part of the text before it is as JSON, which costs ten times as much: 600,000 calls
 * take some 0.6 s by tag and 0.4 s of one on two quiet cores, 2 s on busy ones. */
#include "logs/usage.h"

#include <errno.h>

#include "base/err.h"
#include "db/rows.h"
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
#define OF_DAYS                                                                                    \
    " WHERE u.team_id = $1 AND u.day >= coalesce($2::text::date, '-infinity')"                     \
    " AND u.day <= coalesce($3::text::date, 'infinity')"
#define OF_KEY                                                                                     \
    " AND ($4::bigint IS NULL OR u.key_id = $4)"                                                   \
    " AND ($5::bigint IS NULL OR u.project_id = $5) AND ($6::text IS NULL OR u.model = $6)"
#define DAYS " FROM usage_day u" OF_DAYS OF_KEY

/* The calls as rows of usage_day, and their tags; see make_settlement() for what is what, and the log's
 * own filter for whose tag it is. $8: a part of the
 * tag's text that stands in the JSON as it is; may be empty. */
#define ZONED(at) "(" at " AT TIME ZONE (SELECT z.time_zone FROM team z WHERE z.id = $1))"
#define CALL_UNIT(name, kind, bound, label) " c." #name ","
#define CALLS                                                                                      \
    " FROM (SELECT " ZONED("c.posted_at") "::date AS day, coalesce(c.served_model, '') AS model,"  \
    "              coalesce(c.key_id, 0) AS key_id, coalesce(c.project_id, 0) AS project_id,"      \
    "              coalesce(c.provider, '') AS provider, c.tags, c.repeat::bigint AS calls,"       \
    "              CASE WHEN c.outcome = 'blocked' THEN c.repeat ELSE 0 END::bigint AS blocked,"   \
    "              (c.outcome IN ('client_error', 'upstream_error', 'cut', 'internal'))"           \
    "                ::integer::bigint AS errors,"                                                 \
    "              c.fallback::integer::bigint AS fallbacks," RECORD_USAGE(CALL_UNIT)              \
    "              c.charge_nano, (c.cache = 'hit')::integer::bigint AS cache_hits, c.saved_nano"  \
    "         FROM call c"                                                                         \
    "        WHERE c.team_id = $1"                                                                 \
    "          AND c.posted_at >= coalesce(" ZONED("$2::text::date::timestamp") ", '-infinity')"   \
    "          AND c.posted_at < coalesce(" ZONED("($3::text::date + 1)::timestamp") ", 'infinity')" \
    "          AND ($7::text IS NULL"                                                              \
    "               OR (strpos(c.tags::text, $8) > 0 AND EXISTS"                                   \
    "                   (SELECT FROM json_each_text(c.tags) AS tag"                                \
    "                     WHERE tag.value = $7 OR tag.key || '=' || tag.value = $7)))) u"          \
    " WHERE true" OF_KEY

/* The groups, as many as are listed; how many there are in place of an id, and what they add up to; and last
 * the total. */
#define LISTED_ROWS "5000"
_Static_assert(USAGE_ROWS_MAX == 5000, "as in the statements");
enum { PART_ROW, PART_ROWS, PART_TOTAL };
#define LISTED(label, id, names, order, all)                                                       \
    " listed AS (SELECT " label " AS label, " id " AS id," GROUP_FIGURES " FROM g" names           \
    "             ORDER BY " order " LIMIT " LISTED_ROWS ")"                                       \
    " SELECT 0 AS part, g.label, g.id," GROUP_FIGURES " FROM listed g"                             \
    " UNION ALL SELECT 1, 'others', count(*)," GROUPS_SUMS " FROM g"                               \
    " UNION ALL SELECT 2, 'total', 0," GROUPS_SUMS " FROM " all " g"                               \
    " ORDER BY part, " order
#define TABLE(from, group, label, id, names, order)                                                \
    "WITH g AS MATERIALIZED (SELECT u." group "," DAYS_SUMS from " GROUP BY u." group "),"         \
    LISTED(label, id, names, order, "g")
#define DEAREST "charge_nano DESC, calls DESC, label"

#define BY_DAY(from) TABLE(from, "day", "g.day::text", "0::bigint", "", "label")
#define BY_MODEL(from) TABLE(from, "model", "g.model", "0::bigint", "", DEAREST)
#define BY_KEY(from)                                                                               \
    TABLE(from, "key_id", "coalesce(k.name, '')", "g.key_id",                                      \
          " LEFT JOIN api_key k ON k.team_id = $1 AND k.id = g.key_id", DEAREST)
#define BY_PROJECT(from)                                                                           \
    TABLE(from, "project_id", "coalesce(p.name, '')", "g.project_id",                              \
          " LEFT JOIN project p ON p.team_id = $1 AND p.id = g.project_id", DEAREST)
#define BY_PROVIDER(from) TABLE(from, "provider", "g.provider", "0::bigint", "", DEAREST)
#define CHART(from)                                                                                \
    "WITH g AS MATERIALIZED (SELECT u.day, u.model, add_up(u.charge_nano) AS charge_nano" from     \
    "                         GROUP BY u.day, u.model),"                                           \
    " top AS (SELECT g.model FROM g GROUP BY g.model ORDER BY sum(g.charge_nano) DESC LIMIT 8)"    \
    " SELECT g.day::text AS day,"                                                                  \
    "        CASE WHEN g.model IN (SELECT model FROM top) THEN g.model ELSE 'other' END AS model," \
    "        sum(g.charge_nano)::bigint AS charge_nano"                                            \
    "   FROM g GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 3600"

DB_QUERY(usage_by_day, BY_DAY(DAYS))
DB_QUERY(usage_by_model, BY_MODEL(DAYS))
DB_QUERY(usage_by_key, BY_KEY(DAYS))
DB_QUERY(usage_by_project, BY_PROJECT(DAYS))
DB_QUERY(usage_by_provider, BY_PROVIDER(DAYS))
DB_QUERY(usage_chart, CHART(DAYS))
DB_QUERY(usage_tagged_by_day, BY_DAY(CALLS))
DB_QUERY(usage_tagged_by_model, BY_MODEL(CALLS))
DB_QUERY(usage_tagged_by_key, BY_KEY(CALLS))
DB_QUERY(usage_tagged_by_project, BY_PROJECT(CALLS))
DB_QUERY(usage_tagged_by_provider, BY_PROVIDER(CALLS))
DB_QUERY(usage_tagged_chart, CHART(CALLS))
DB_QUERY(usage_by_tag,
         "WITH s AS MATERIALIZED (SELECT coalesce(u.tags::text, '{}') AS tags," DAYS_SUMS CALLS
         "                         GROUP BY 1),"
         " g AS MATERIALIZED (SELECT t.key, t.value," DAYS_SUMS
         "                      FROM s u LEFT JOIN json_each_text(u.tags::json) t ON true"
         "                     GROUP BY t.key, t.value),"
         LISTED("coalesce(g.key || '=' || g.value, '')", "0::bigint", "", DEAREST, "s"))
DB_QUERY(usage_calls, "SELECT add_up(u.calls) AS calls" DAYS)

#define USAGE_ARGS 8
#define USAGE_DAYS_ARGS 6
#define USAGE_COLS (10 + USAGE_UNITS)

/* The longest part of the text that JSON writes as it is, whoever writes it. */
static struct str plain_run(struct str text)
{
    static const char plain_ones[] =
        " -._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    struct str longest = STR("");
    size_t from = 0;

    for (size_t i = 0; i <= text.n; i++) {
        bool plain = i < text.n && memchr(plain_ones, text.p[i], sizeof(plain_ones) - 1);

        if (!plain && i - from > longest.n)
            longest = str_n(text.p + from, i - from);
        if (!plain)
            from = i + 1;
    }
    return longest;
}

/* Of the tag's value, since many calls have its name. */
static struct str plain_part(struct str tag)
{
    struct str value = tag, name, part;

    if (!str_split(&value, '=', &name) || !value.p)
        return plain_run(tag);
    part = plain_run(value);
    return part.n ? part : plain_run(name);
}

/* How many of the arguments there are. */
static size_t fill_args(const struct usage_query *q, bool of_calls, struct db_arg args[USAGE_ARGS])
{
    args[0] = db_i64(q->team.v);
    args[1] = db_text(q->from_day);
    args[2] = db_text(q->to_day);
    args[3] = q->key.v ? db_i64(q->key.v) : db_null(DB_I64);
    args[4] = q->project.v ? db_i64(q->project.v) : db_null(DB_I64);
    args[5] = db_text(q->model);
    args[6] = db_text(q->tag);
    args[7] = db_text(plain_part(q->tag));
    return of_calls ? USAGE_ARGS : USAGE_DAYS_ARGS;
}

/* USAGE_TABLE_E_MANY: the calls themselves are too many to be summed. */
static int look_first(struct db *db, const struct usage_query *q)
{
    struct db_arg args[USAGE_ARGS];
    size_t n = fill_args(q, false, args);
    int64_t calls;
    int r = db_fatal(db_one(db, &usage_calls, NULL, args, n, DB_COLS(db_col_i64("calls", &calls))));

    return r != 0 ? r : calls > USAGE_TAG_CALLS ? USAGE_TABLE_E_MANY : USAGE_TABLE_OK;
}

struct rows {
    int32_t part;
    struct usage_row row, all, total;
    struct db_rows rows;
};

static size_t row_columns(struct rows *s, struct db_col out[USAGE_COLS])
{
    struct usage_row *row = &s->row;
    size_t n = 0;

    out[n++] = db_col_i32("part", &s->part);
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

    if (s->part == PART_ROW)
        return db_rows_push(&s->rows);
    *(s->part == PART_ROWS ? &s->all : &s->total) = s->row;
    return 0;
}

static struct db_query *query_by(enum usage_by by, bool of_calls)
{
    switch (by) {
    case USAGE_BY_DAY:
        return of_calls ? &usage_tagged_by_day : &usage_by_day;
    case USAGE_BY_MODEL:
        return of_calls ? &usage_tagged_by_model : &usage_by_model;
    case USAGE_BY_KEY:
        return of_calls ? &usage_tagged_by_key : &usage_by_key;
    case USAGE_BY_PROJECT:
        return of_calls ? &usage_tagged_by_project : &usage_by_project;
    case USAGE_BY_PROVIDER:
        return of_calls ? &usage_tagged_by_provider : &usage_by_provider;
    case USAGE_BY_TAG:
        break;
    }
    return &usage_by_tag;
}

int usage_table(struct db *db, struct arena *a, enum usage_by by, const struct usage_query *query,
                struct usage_table *ret)
{
    struct rows s = {.rows = DB_ROWS(a, &s.row)};
    bool of_calls = query->tag.p || by == USAGE_BY_TAG;
    struct db_arg args[USAGE_ARGS];
    struct db_col cols[USAGE_COLS];
    int r = of_calls ? look_first(db, query) : USAGE_TABLE_OK;

    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    r = db_each(db, query_by(by, of_calls), a, args, fill_args(query, of_calls, args), cols,
                row_columns(&s, cols), row_seen, &s);
    if (r)
        return db_fatal(r);
    *ret = (struct usage_table){.rows = s.rows.v, .n = s.rows.n, .others = s.all, .total = s.total};
    ret->n_others = s.all.id - (int64_t)s.rows.n;
    ret->others.id = 0;
    for (size_t i = 0; i < ret->n; i++)
        usage_row_add(&ret->others, &ret->rows[i], -1);
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
    bool of_calls = query->tag.p != NULL;
    struct db_arg args[USAGE_ARGS];
    int r;

    if (!s.v)
        return err_origin(-ENOMEM);
    r = db_each(db, of_calls ? &usage_tagged_chart : &usage_chart, a, args,
                fill_args(query, of_calls, args),
                DB_COLS(db_col_text("day", &s.row.day), db_col_text("model", &s.row.model),
                        db_col_money("charge_nano", &s.row.charge)),
                point_seen, &s);
    if (r)
        return db_fatal(r);
    *ret = (struct usage_points){.v = s.v, .n = s.n};
    return 0;
}
