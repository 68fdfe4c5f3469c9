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

/* --- by tag --- */

static void owner_does(const char *sql)
{
    char text[1000];

    snprintf(text, sizeof(text), "BEGIN; SELECT set_config('app.scope', 'system', true); %s; COMMIT", sql);
    if (db_script(t.p.owner, text) != 0)
        fail_msg("%s", db_last_error(t.p.owner));
}

struct counted {
    int64_t calls, charge;
};

static int count_row(void *ctx, const struct log_row *row)
{
    struct counted *c = ctx;

    c->calls += row->call.repeat;
    c->charge += row->call.charge_nano.nano;
    return 0;
}

/* What the log has of a tag. */
static struct counted of_log(struct str tag)
{
    const struct log_filter filter = {.team = t.team, .cost_above = {-1}, .tag = tag};
    struct counted c = {0};

    assert_int_equal(log_each(t.p.db, &filter, count_row, &c), 0);
    return c;
}

static void assert_same_row(const struct usage_row *a, const struct usage_row *b)
{
    assert_int_equal(a->calls, b->calls);
    assert_int_equal(a->blocked, b->blocked);
    assert_int_equal(a->errors, b->errors);
    assert_int_equal(a->fallbacks, b->fallbacks);
    assert_int_equal(a->charge.nano, b->charge.nano);
    assert_int_equal(a->cache_hits, b->cache_hits);
    assert_int_equal(a->saved.nano, b->saved.nano);
    for (enum usage_unit u = 0; u < USAGE_UNITS; u++)
        assert_int_equal(a->used.n[u], b->used.n[u]);
}

static struct usage_table table_of(enum usage_by by, struct usage_query query)
{
    struct usage_table table;

    assert_int_equal(usage_table(t.p.db, t.p.a, by, &query, &table), USAGE_TABLE_OK);
    return table;
}

/* Each row is what the log finds of its tag; and of one tag, however it is grouped, the same comes out. */
static void check_tag(const struct usage_row *row)
{
    const struct counted log = of_log(row->label);
    const struct usage_query query = {.team = t.team, .tag = row->label};
    struct usage_points points;
    int64_t sum = 0;

    assert_int_equal(row->calls, log.calls);
    assert_int_equal(row->charge.nano, log.charge);
    for (int by = USAGE_BY_DAY; by <= USAGE_BY_PROVIDER; by++) {
        struct usage_table table = table_of((enum usage_by)by, query);
        struct usage_row added = {.calls = 0};

        assert_same_row(&table.total, row);
        for (size_t i = 0; i < table.n; i++) {
            added.calls += table.rows[i].calls;
            added.charge.nano += table.rows[i].charge.nano;
        }
        assert_int_equal(added.calls, row->calls);
        assert_int_equal(added.charge.nano, row->charge.nano);
    }
    assert_int_equal(usage_points(t.p.db, t.p.a, &query, &points), 0);
    for (size_t i = 0; i < points.n; i++)
        sum += points.v[i].charge.nano;
    assert_int_equal(sum, row->charge.nano);
}

static const struct usage_row *row_of(const struct usage_table *table, const char *label)
{
    for (size_t i = 0; i < table->n; i++)
        if (str_eq_c(table->rows[i].label, label))
            return &table->rows[i];
    fail_msg("there is no row of %s", label);
    return NULL;
}

/* The past has one tag on each tenth call; here some get two, written as JSON may write them. */
static void sums_by_tag_are_the_calls(void **state)
{
    struct usage_table table, days;
    struct usage_query query = {.team = t.team};

    owner_does("ALTER TABLE call DISABLE TRIGGER USER;"
               "UPDATE call SET tags = json_build_object('customer', tags->>'customer', 'place', 'a \"b\" c=d')"
               " WHERE tags->>'customer' = 'acme-3';"
               "UPDATE call SET tags = '{\"customer\":\"Z\\u00fcrich\\/1\",\"n\":\"acme-5\"}'"
               " WHERE tags->>'customer' = 'acme-4';"
               "ALTER TABLE call ENABLE TRIGGER USER");
    people_begin(&t.p, DB_TEAM(t.team));
    table = table_of(USAGE_BY_TAG, query);
    days = table_of(USAGE_BY_DAY, query);
    assert_same_row(&table.total, &days.total);
    assert_int_equal(table.n, 40 + 2 + 1); /* customers; place and n; and what has no tag */
    assert_true(row_of(&table, "")->calls > table.total.calls / 2);
    check_tag(row_of(&table, "customer=acme-7"));
    check_tag(row_of(&table, "customer=acme-3"));
    check_tag(row_of(&table, "place=a \"b\" c=d"));
    check_tag(row_of(&table, "customer=Z\u00fcrich/1"));
    check_tag(row_of(&table, "n=acme-5"));
    /* A value alone is of whatever name. */
    query.tag = STR("acme-5");
    assert_int_equal(table_of(USAGE_BY_DAY, query).total.calls,
                     row_of(&table, "customer=acme-5")->calls + row_of(&table, "n=acme-5")->calls);
    assert_int_equal(of_log(query.tag).calls, table_of(USAGE_BY_DAY, query).total.calls);
    query.tag = STR("acme-");
    assert_int_equal(table_of(USAGE_BY_DAY, query).n, 0);
    /* Other filters hold beside it: the days of one day, one model of all. */
    query = (struct usage_query){.team = t.team, .from_day = days.rows[3].label, .to_day = days.rows[3].label};
    table = table_of(USAGE_BY_TAG, query);
    assert_same_row(&table.total, &days.rows[3]);
    query = (struct usage_query){.team = t.team, .model = STR("gpt-4o")};
    table = table_of(USAGE_BY_TAG, query);
    days = table_of(USAGE_BY_DAY, query);
    assert_same_row(&table.total, &days.total);
    people_commit(&t.p);
}

static void too_many_calls_are_not_summed_by_tag(void **state)
{
    struct usage_query query = {.team = t.team};
    struct usage_table table = {.n = 77};
    struct usage_table days;

    owner_does("INSERT INTO usage_day (team_id, day, model, key_id, project_id, provider, account_id, calls)"
               " SELECT min(team_id), '2020-01-01', 'old', 0, 0, '', 0, 1000001 FROM usage_day");
    people_begin(&t.p, DB_TEAM(t.team));
    days = table_of(USAGE_BY_DAY, query);
    assert_int_equal(usage_table(t.p.db, t.p.a, USAGE_BY_TAG, &query, &table), USAGE_TABLE_E_MANY);
    query.tag = STR("acme-7");
    assert_int_equal(usage_table(t.p.db, t.p.a, USAGE_BY_DAY, &query, &table), USAGE_TABLE_E_MANY);
    assert_int_equal(table.n, 77);
    query.from_day = days.rows[1].label; /* without that day */
    assert_int_equal(usage_table(t.p.db, t.p.a, USAGE_BY_DAY, &query, &table), USAGE_TABLE_OK);
    people_commit(&t.p);
    owner_does("DELETE FROM usage_day WHERE day = '2020-01-01'");
}

/* --- more rows than are listed --- */

#define MANY_ROWS 5123

/* insert: of a row for each i, t being their team. */
static void owner_inserts_for_newcomers(const char *insert)
{
    char sql[900];

    snprintf(sql, sizeof(sql), "%s FROM generate_series(1, %d) i, team t WHERE t.id = %lld", insert, MANY_ROWS,
             (long long)newcomers.v);
    owner_does(sql);
}

/* Of all rows, n of them in the table: 1 call and i nano-dollars for each i up to MANY_ROWS. */
static void check_cut(const struct usage_table *table, size_t n)
{
    struct usage_row added = table->others;

    assert_int_equal(table->n, n);
    assert_int_equal(table->n_others, MANY_ROWS - n);
    assert_int_equal(table->others.calls, MANY_ROWS - n);
    for (size_t i = 0; i < table->n; i++) {
        assert_int_equal(table->rows[i].charge.nano, MANY_ROWS - i);
        usage_row_add(&added, &table->rows[i], 1);
    }
    assert_same_row(&added, &table->total);
    assert_int_equal(table->total.charge.nano, (int64_t)MANY_ROWS * (MANY_ROWS + 1) / 2);
}

static void rows_that_are_not_listed_are_summed(void **state)
{
    struct usage_query query = {.team = newcomers};
    struct usage_table table;

    owner_inserts_for_newcomers(
        "INSERT INTO usage_day (team_id, day, model, key_id, project_id, provider, account_id, calls,"
        " input_tokens, charge_nano, cost_nano, saved_nano)"
        " SELECT t.id, '2020-02-02', 'm' || i, 0, 0, '', 0, 1, 2 * i, i, i, 3 * i");
    people_begin(&t.p, DB_TEAM(newcomers));
    table = table_of(USAGE_BY_MODEL, query);
    check_cut(&table, USAGE_ROWS_MAX);
    usage_table_fold(&table, 400);
    check_cut(&table, 400);
    table = table_of(USAGE_BY_DAY, query);
    assert_int_equal(table.n, 1);
    assert_int_equal(table.n_others, 0);
    assert_int_equal(table.others.charge.nano, 0);
    people_commit(&t.p);
    owner_does("DELETE FROM usage_day WHERE day = '2020-02-02'");
}

/* With a tag of its own for each call, and one that all have. */
static void tags_that_are_not_listed_are_summed(void **state)
{
    struct usage_query query = {.team = newcomers};
    struct usage_row added;
    struct usage_table table;

    owner_inserts_for_newcomers(
        "INSERT INTO call (team_id, call_id, outcome, posted_at, charge_nano, tags)"
        " SELECT t.id, call_id_floor(now() - i * interval '1 ms'), 'ok', now(), i,"
        "        json_build_object('id', i::text, 'all', 'yes')");
    people_begin(&t.p, DB_TEAM(newcomers));
    table = table_of(USAGE_BY_TAG, query);
    people_commit(&t.p);
    assert_int_equal(table.n, USAGE_ROWS_MAX);
    assert_int_equal(table.n_others, MANY_ROWS + 1 - USAGE_ROWS_MAX);
    assert_str(table.rows[0].label, "all=yes");
    assert_same_row(&table.rows[0], &table.total);
    added = table.others;
    for (size_t i = 1; i < table.n; i++)
        usage_row_add(&added, &table.rows[i], 1);
    assert_same_row(&added, &table.total);
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
        cmocka_unit_test(sums_by_tag_are_the_calls),
        cmocka_unit_test(too_many_calls_are_not_summed_by_tag),
        cmocka_unit_test(menus_offer_what_was_used),
        cmocka_unit_test(an_empty_team_has_an_overview),
        cmocka_unit_test(rows_that_are_not_listed_are_summed),
        cmocka_unit_test(tags_that_are_not_listed_are_summed),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
