/* What the overview, the usage page and the menus of the log tell of the roll-up, against statements
 * over the calls themselves. */
#include "lease/money.h"
#include "log_past.h"

#include "logs/search.h"
#include "logs/usage.h"

/* So that last month has days too, whatever today is. */
#define PAST_ROWS 6000
#define PAST_WEEKS 9

static struct money_test t;
static struct team_id newcomers;

static int setup(void **state)
{
    money_start(&t, 1);
    log_past_write(t.p.owner, PAST_ROWS, PAST_WEEKS);
    newcomers = money_team(&t, "eve@example.org");
    return 0;
}

static int teardown(void **state)
{
    money_stop(&t);
    return 0;
}

#define ZONE " AT TIME ZONE (SELECT time_zone FROM team WHERE id = $1)"
#define CALL_DAY "(c.posted_at" ZONE ")::date"
#define TODAY "(now()" ZONE ")::date"
#define MONTH "date_trunc('month', now()" ZONE ")::date"
/* $2: days that a span begins and ends before today's or before the first of the month. */
DB_QUERY(expected_span,
         "SELECT s.since::text AS since, coalesce(sum(c.repeat), 0)::bigint AS calls,"
         "       coalesce(sum(c.repeat) FILTER (WHERE c.outcome = 'blocked'), 0)::bigint AS blocked,"
         "       count(*) FILTER (WHERE c.outcome IN ('client_error', 'upstream_error')) AS errors,"
         "       count(*) FILTER (WHERE c.fallback) AS fallbacks,"
         "       coalesce(sum(c.charge_nano), 0)::bigint AS charge"
         "  FROM (SELECT CASE $2::integer WHEN 0 THEN " TODAY " WHEN 1 THEN " TODAY " - 1"
         "                    WHEN 2 THEN " MONTH " ELSE (" MONTH " - interval '1 month')::date END AS since,"
         "               CASE $2::integer WHEN 1 THEN " TODAY " - 1 WHEN 3 THEN " MONTH " - 1"
         "                    ELSE 'infinity'::date END AS until) s"
         "  LEFT JOIN call c ON c.team_id = $1 AND " CALL_DAY " BETWEEN s.since AND s.until GROUP BY 1")
/* By kind: 0 the month's dearest models, 1 keys; rank counts from 0. */
DB_QUERY(expected_top,
         "SELECT g.label, g.id, sum(g.repeat)::bigint AS calls, sum(g.charge_nano)::bigint AS charge FROM ("
         "    SELECT CASE $2::integer WHEN 0 THEN coalesce(c.served_model, '') ELSE k.name END AS label,"
         "           CASE $2::integer WHEN 0 THEN 0 ELSE c.key_id END AS id, c.repeat, c.charge_nano"
         "      FROM call c JOIN api_key k ON k.team_id = c.team_id AND k.id = c.key_id"
         "     WHERE c.team_id = $1 AND " CALL_DAY " >= " MONTH ") g GROUP BY 1, 2"
         " ORDER BY charge DESC, calls DESC, 1 OFFSET $3 LIMIT 1")
DB_QUERY(expected_points,
         "SELECT count(DISTINCT (" CALL_DAY ", coalesce(c.served_model, ''))) AS pairs,"
         "       coalesce(sum(c.charge_nano), 0)::bigint AS charge, min(" CALL_DAY ")::text AS first"
         "  FROM call c WHERE c.team_id = $1 AND " CALL_DAY " > " TODAY " - 30")
DB_QUERY(expected_day, "SELECT coalesce(sum(c.charge_nano), 0)::bigint AS charge FROM call c"
                       " WHERE c.team_id = $1 AND " CALL_DAY " = $2::text::date")
DB_QUERY(expected_menu,
         "SELECT string_agg(DISTINCT u.model, ',' ORDER BY u.model) AS models,"
         "       string_agg(DISTINCT u.provider, ',' ORDER BY u.provider) AS providers"
         "  FROM usage_day u WHERE u.team_id = $1 AND u.day > current_date - 31")

static void check_span(const struct usage_span *span, int which)
{
    struct usage_span e = {0};

    assert_int_equal(db_one(t.p.db, &expected_span, t.p.a, DB_ARGS(db_i64(t.team.v), db_i32(which)),
                            DB_COLS(db_col_text("since", &e.from_day), db_col_i64("calls", &e.calls),
                                    db_col_i64("blocked", &e.blocked),
                                    db_col_i64("errors", &e.errors),
                                    db_col_i64("fallbacks", &e.fallbacks),
                                    db_col_money("charge", &e.charge))),
                     0);
    assert_true(str_eq(span->from_day, e.from_day));
    assert_int_equal(span->calls, e.calls);
    assert_int_equal(span->blocked, e.blocked);
    assert_int_equal(span->errors, e.errors);
    assert_int_equal(span->fallbacks, e.fallbacks);
    assert_int_equal(span->charge.nano, e.charge.nano);
}

static void check_top(const struct usage_top *top, int kind)
{
    for (size_t i = 0; i < USAGE_TOP; i++) {
        struct usage_top_row e = {0};
        int r = db_one(t.p.db, &expected_top, t.p.a,
                       DB_ARGS(db_i64(t.team.v), db_i32(kind), db_i64((int64_t)i)),
                       DB_COLS(db_col_text("label", &e.label), db_col_i64("id", &e.id),
                               db_col_i64("calls", &e.calls), db_col_money("charge", &e.charge)));

        assert_int_equal(r, i < top->n ? 0 : DB_E_NONE); /* early on a first of the month */
        if (r)
            break;
        assert_true(str_eq(top->v[i].label, e.label));
        assert_int_equal(top->v[i].id, e.id);
        assert_int_equal(top->v[i].calls, e.calls);
        assert_int_equal(top->v[i].charge.nano, e.charge.nano);
    }
}

static void the_overview_is_the_calls(void **state)
{
    struct usage_overview o;

    people_begin(&t.p, DB_TEAM(t.team));
    assert_int_equal(usage_overview(t.p.db, t.p.a, t.team, &o), 0);
    assert_true(o.last_month.calls > 0);
    check_span(&o.today, 0);
    check_span(&o.yesterday, 1);
    check_span(&o.month, 2);
    check_span(&o.last_month, 3);
    check_top(&o.models, 0);
    check_top(&o.keys, 1);
    people_commit(&t.p);
}

/* Each day's sum is right, whichever models are told apart. */
static void check_points(const struct usage_points *points)
{
    int64_t sum = 0, expected, pairs, charge;
    struct str first;

    assert_int_equal(db_one(t.p.db, &expected_points, t.p.a, DB_ARGS(db_i64(t.team.v)),
                            DB_COLS(db_col_i64("pairs", &pairs), db_col_i64("charge", &charge),
                                    db_col_text("first", &first))),
                     0);
    assert_true(points->n > 8 && points->n <= (size_t)pairs);
    assert_true(str_eq(points->v[0].day, first));
    for (size_t i = 0; i < points->n; i++) {
        sum += points->v[i].charge.nano;
        charge -= points->v[i].charge.nano;
        if (i + 1 < points->n && str_eq(points->v[i].day, points->v[i + 1].day))
            continue;
        assert_int_equal(db_one(t.p.db, &expected_day, NULL,
                                DB_ARGS(db_i64(t.team.v), db_text(points->v[i].day)),
                                DB_COLS(db_col_i64("charge", &expected))),
                         0);
        assert_int_equal(sum, expected);
        sum = 0;
    }
    assert_int_equal(charge, 0);
}

static void both_charts_are_the_calls(void **state)
{
    struct usage_query query = {.team = t.team};
    struct usage_overview o;
    struct usage_points points;

    people_begin(&t.p, DB_TEAM(t.team));
    assert_int_equal(usage_overview(t.p.db, t.p.a, t.team, &o), 0);
    check_points(&o.points);
    query.from_day = o.points.v[0].day;
    assert_int_equal(usage_points(t.p.db, t.p.a, &query, &points), 0);
    check_points(&points);
    people_commit(&t.p);
}

static struct str joined(const struct str *v, size_t n)
{
    struct buf text;
    struct str copy;

    buf_init(&text, KIB(64));
    for (size_t i = 0; i < n; i++)
        buf_printf(&text, "%s%.*s", i ? "," : "", STR_FMT(v[i]));
    copy = arena_str(t.p.a, buf_str(&text));
    buf_done(&text);
    return copy;
}

static void menus_offer_what_was_used(void **state)
{
    struct log_choices choices = {0};
    struct str models, providers;

    people_begin(&t.p, DB_TEAM(t.team));
    assert_int_equal(log_choices(t.p.db, t.p.a, t.team, &choices), 0);
    assert_int_equal(db_one(t.p.db, &expected_menu, t.p.a, DB_ARGS(db_i64(t.team.v)),
                            DB_COLS(db_col_text("models", &models),
                                    db_col_text("providers", &providers))),
                     0);
    people_commit(&t.p);
    assert_true(choices.n_models == 13 && choices.n_providers == 6); /* with those of no model */
    assert_true(str_eq(joined(choices.models, choices.n_models), models));
    assert_true(str_eq(joined(choices.providers, choices.n_providers), providers));
    assert_true(choices.keys.n >= 40);
}

/* A team that has not called yet has an overview too. */
static void an_empty_team_has_an_overview(void **state)
{
    struct log_choices choices = {.n_models = 9};
    struct usage_overview o;

    people_begin(&t.p, DB_TEAM(newcomers));
    assert_int_equal(usage_overview(t.p.db, t.p.a, newcomers, &o), 0);
    assert_int_equal(log_choices(t.p.db, t.p.a, newcomers, &choices), 0);
    people_commit(&t.p);
    assert_int_equal(o.today.from_day.n, strlen("2026-11-28"));
    assert_int_equal(o.month.calls, 0);
    assert_int_equal(o.points.n + o.models.n + o.keys.n, 0);
    assert_int_equal(choices.n_models, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_overview_is_the_calls),
        cmocka_unit_test(both_charts_are_the_calls),
        cmocka_unit_test(menus_offer_what_was_used),
        cmocka_unit_test(an_empty_team_has_an_overview),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
