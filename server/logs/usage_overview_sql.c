/* usage_overview_sql.c: the overview's figures of the roll-up, in one statement that goes over a team's
 * days once. See usage.h. */
#include "logs/usage.h"

#include <errno.h>

#include "base/err.h"

/* The days by model and the keys of the month, from which all of it is made; kinds as enum part. */
DB_QUERY(usage_overview_rows,
         "WITH d AS MATERIALIZED ("
         "    SELECT z.today, z.month, (z.month - interval '1 month')::date AS last_month,"
         "           z.today + 1 - $2::integer AS first"
         "      FROM (SELECT (now() AT TIME ZONE t.time_zone)::date AS today,"
         "                   date_trunc('month', now() AT TIME ZONE t.time_zone)::date AS month"
         "              FROM team t WHERE t.id = $1) z),"
         " g AS MATERIALIZED ("
         "    SELECT GROUPING(u.key_id) = 0 AS of_key, u.day, u.model, u.key_id,"
         "           add_up(u.calls) AS calls, add_up(u.blocked) AS blocked, add_up(u.errors) AS errors,"
         "           add_up(u.fallbacks) AS fallbacks, add_up(u.charge_nano) AS charge,"
         "           add_up(u.calls) FILTER (WHERE u.day >= (SELECT month FROM d)) AS month_calls,"
         "           add_up(u.charge_nano) FILTER (WHERE u.day >= (SELECT month FROM d)) AS month_charge"
         "      FROM usage_day u"
         "     WHERE u.team_id = $1 AND u.day >= (SELECT least(last_month, first) FROM d)"
         "     GROUP BY GROUPING SETS ((u.day, u.model), (u.key_id))),"
         " top AS (SELECT g.model FROM g, d WHERE NOT g.of_key AND g.day >= d.first"
         "          GROUP BY g.model ORDER BY sum(g.charge) DESC LIMIT 8),"
         " figure AS ("
         "    SELECT 0 AS part, s.label, s.since::text AS series, 0::bigint AS id, sum(g.calls) AS calls,"
         "           sum(g.blocked) AS blocked, sum(g.errors) AS errors, sum(g.fallbacks) AS fallbacks,"
         "           sum(g.charge) AS charge"
         "      FROM d CROSS JOIN LATERAL (VALUES ('today', d.today, d.today),"
         "                                        ('yesterday', d.today - 1, d.today - 1),"
         "                                        ('month', d.month, 'infinity'),"
         "                                        ('last month', d.last_month, d.month - 1))"
         "                                AS s(label, since, until)"
         "      LEFT JOIN g ON NOT g.of_key AND g.day BETWEEN s.since AND s.until GROUP BY 2, 3),"
         " point AS ("
         "    SELECT 1, g.day::text,"
         "           CASE WHEN g.model IN (SELECT model FROM top) THEN g.model ELSE 'other' END, 0::bigint,"
         "           0::numeric, 0::numeric, 0::numeric, 0::numeric, sum(g.charge)"
         "      FROM g, d WHERE NOT g.of_key AND g.day >= d.first GROUP BY 2, 3),"
         " model AS ("
         "    SELECT 2, g.model, '', 0::bigint, sum(g.calls) AS calls, 0::numeric, 0::numeric, 0::numeric,"
         "           sum(g.charge) AS charge"
         "      FROM g, d WHERE NOT g.of_key AND g.day >= d.month GROUP BY g.model"
         "     ORDER BY charge DESC, calls DESC, 2 LIMIT $3),"
         " key AS ("
         "    SELECT 3, coalesce(k.name, ''), '', g.key_id, g.month_calls, 0::numeric, 0::numeric, 0::numeric,"
         "           g.month_charge"
         "      FROM g LEFT JOIN api_key k ON k.team_id = $1 AND k.id = g.key_id"
         "     WHERE g.of_key AND g.month_calls > 0"
         "     ORDER BY g.month_charge DESC, g.month_calls DESC, 2 LIMIT $3)"
         " SELECT a.part, a.label, a.series, a.id, coalesce(a.calls, 0)::bigint AS calls,"
         "        coalesce(a.blocked, 0)::bigint AS blocked, coalesce(a.errors, 0)::bigint AS errors,"
         "        coalesce(a.fallbacks, 0)::bigint AS fallbacks,"
         "        coalesce(a.charge, 0)::bigint AS charge_nano"
         "   FROM (SELECT * FROM figure UNION ALL SELECT * FROM point UNION ALL SELECT * FROM model"
         "          UNION ALL SELECT * FROM key) a"
         "  ORDER BY a.part, CASE WHEN a.part = 1 THEN a.label END,"
         "           CASE WHEN a.part = 1 THEN a.series END, charge_nano DESC, calls DESC, a.label")

enum part { FIGURE, POINT, TOP_MODEL, TOP_KEY };

struct overview {
    struct usage_overview *out;
    int32_t part;
    struct str label, series;
    int64_t id;
    struct usage_span row;
};

static void figure_seen(struct overview *o)
{
    struct usage_overview *out = o->out;
    struct {
        const char *label;
        struct usage_span *span;
    } spans[] = {{"today", &out->today}, {"yesterday", &out->yesterday}, {"month", &out->month},
                 {"last month", &out->last_month}};

    for (size_t i = 0; i < ARRAY_LEN(spans); i++)
        if (str_eq_c(o->label, spans[i].label)) {
            *spans[i].span = o->row;
            spans[i].span->from_day = o->series;
        }
}

static void top_seen(struct overview *o, struct usage_top *top)
{
    assert(top->n < USAGE_TOP);
    top->v[top->n++] = (struct usage_top_row){.label = o->label, .id = o->id, .calls = o->row.calls,
                                              .charge = o->row.charge};
}

static int part_seen(void *ctx)
{
    struct overview *o = ctx;
    struct usage_points *points = &o->out->points;

    switch ((enum part)o->part) {
    case FIGURE:
        figure_seen(o);
        break;
    case POINT:
        assert(points->n < USAGE_POINTS_MAX);
        points->v[points->n++] = (struct usage_point){o->label, o->series, o->row.charge};
        break;
    case TOP_MODEL:
        top_seen(o, &o->out->models);
        break;
    case TOP_KEY:
        top_seen(o, &o->out->keys);
        break;
    }
    return 0;
}

int usage_overview(struct db *db, struct arena *a, struct team_id team, struct usage_overview *ret)
{
    struct overview o = {.out = ret};
    int r;

    *ret = (struct usage_overview){.points.v = arena_array(a, struct usage_point, USAGE_POINTS_MAX)};
    if (!ret->points.v)
        return err_origin(-ENOMEM);
    r = db_each(db, &usage_overview_rows, a,
                DB_ARGS(db_i64(team.v), db_i32(USAGE_OVERVIEW_DAYS), db_i64(USAGE_TOP)),
                DB_COLS(db_col_i32("part", &o.part), db_col_text("label", &o.label),
                        db_col_text("series", &o.series), db_col_i64("id", &o.id),
                        db_col_i64("calls", &o.row.calls), db_col_i64("blocked", &o.row.blocked),
                        db_col_i64("errors", &o.row.errors),
                        db_col_i64("fallbacks", &o.row.fallbacks),
                        db_col_money("charge_nano", &o.row.charge)),
                part_seen, &o);
    return db_fatal(r);
}
