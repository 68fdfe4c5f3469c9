/* The log's search: every filter against a statement written independently of it, page by page in both
 * directions, with and without enough time; and the export of the same filter. */
#include "lease/money.h"
#include "log_past.h"

#include "logs/search.h"

#define PAST_ROWS 6000
#define PAST_WEEKS 2

static struct money_test t;
static struct arena *pages; /* what the last page lies in */

static int setup(void **state)
{
    money_start(&t, 1);
    log_past_write(t.p.owner, PAST_ROWS, PAST_WEEKS);
    return 0;
}

static int teardown(void **state)
{
    arena_free(pages);
    money_stop(&t);
    return 0;
}

/* What a filter is to find. $1 the team or 0, $2 the condition's number below. */
DB_QUERY(expected_rows,
         "SELECT count(*) AS n, coalesce(sum(c.charge_nano), 0)::bigint AS charge,"
         "       coalesce(sum(('x' || right(c.call_id::text, 6))::bit(24)::integer), 0)::bigint AS ids"
         "  FROM call c WHERE ($1 = 0 OR c.team_id = $1) AND CASE $2::integer"
         "  WHEN 0 THEN true"
         "  WHEN 1 THEN c.served_model = 'gpt-5' OR c.served_model IS NULL AND c.requested_model = 'gpt-5'"
         "  WHEN 2 THEN c.provider = 'anthropic'"
         "  WHEN 3 THEN c.outcome = 'blocked'"
         "  WHEN 4 THEN c.status BETWEEN 500 AND 599"
         "  WHEN 5 THEN c.status = 429"
         "  WHEN 6 THEN c.fallback"
         "  WHEN 7 THEN NOT c.fallback AND c.account_name = 'google main'"
         "  WHEN 8 THEN c.charge_nano > 1000000000"
         "  WHEN 9 THEN c.tags->>'customer' = 'acme-7'"
         "  WHEN 10 THEN c.posted_at >= now() - interval '3 days' AND c.outcome = 'ok'"
         "  WHEN 11 THEN c.posted_at < date_trunc('day', now() - interval '4 days', 'UTC')"
         "              AND c.posted_at >= date_trunc('day', now() - interval '6 days', 'UTC')"
         "  WHEN 12 THEN c.key_id = (SELECT min(id) + 3 FROM api_key WHERE team_id = c.team_id)"
         "  WHEN 13 THEN c.project_id = (SELECT min(id) + 1 FROM project WHERE team_id = c.team_id)"
         "  WHEN 14 THEN c.served_model = 'no such model'"
         "  WHEN 15 THEN c.served_model IS NULL"
         "  WHEN 16 THEN c.served_model IS NOT NULL AND c.status = 200"
         "  WHEN 17 THEN c.provider IS NULL"
         "  ELSE c.posted_at BETWEEN (SELECT max(posted_at) - interval '2 minutes' FROM call) AND"
         "                           (SELECT max(posted_at) + interval '2 minutes' FROM call) END")
#define CONDITIONS 19
DB_QUERY(some_ids,
         "SELECT (SELECT min(id) + 3 FROM api_key WHERE team_id = $1) AS key,"
         "       (SELECT min(id) + 1 FROM project WHERE team_id = $1) AS project,"
         "       now() - interval '3 days' AS recent,"
         "       date_trunc('day', now() - interval '6 days', 'UTC') AS first_day,"
         "       date_trunc('day', now() - interval '4 days', 'UTC') AS last_day,"
         "       (SELECT max(posted_at) FROM call) AS newest")

struct sums {
    int64_t n, charge, ids;
};

static struct log_filter filter_of(int condition, struct team_id team)
{
    struct log_filter f = {.team = team, .cost_above = {-1}};
    struct key_id key;
    struct project_id project;
    int64_t recent, first_day, last_day, newest;

    assert_int_equal(db_one(t.p.db, &some_ids, t.p.a, DB_ARGS(db_i64(t.team.v)),
                            DB_COLS(db_col_i64("key", &key.v), db_col_i64("project", &project.v),
                                    db_col_time_us("recent", &recent),
                                    db_col_time_us("first_day", &first_day),
                                    db_col_time_us("last_day", &last_day),
                                    db_col_time_us("newest", &newest))),
                     0);
    switch (condition) {
    case 1: f.model = STR("gpt-5"); break;
    case 2: f.provider = STR("anthropic"); break;
    case 3: f.outcome = STR("blocked"); break;
    case 4: f.status = 5; break;
    case 5: f.status = 429; break;
    case 6: f.fallback = LOG_YES; break;
    case 7: f.fallback = LOG_NO; f.account = STR("google main"); break;
    case 8: f.cost_above.nano = 1000000000; break;
    case 9: f.tag = STR("acme-7"); break;
    case 10: f.from_us = recent; f.outcome = STR("ok"); break;
    case 11: f.from_us = first_day; f.to_us = last_day; break;
    case 12: f.key = key; break;
    case 13: f.project = project; break;
    case 14: f.model = STR("no such model"); break;
    case 15: f.served = LOG_NO; break;
    case 16: f.served = LOG_YES; f.status = 200; break;
    case 17: f.provider = STR(LOG_NO_PROVIDER); break;
    case 18: f.from_us = newest - 120000000; f.to_us = newest + 120000001; break;
    default: break;
    }
    return f;
}

static struct sums expected(int condition, struct team_id team)
{
    struct sums s;

    assert_int_equal(db_one(t.p.db, &expected_rows, NULL,
                            DB_ARGS(db_i64(team.v), db_i32(condition)),
                            DB_COLS(db_col_i64("n", &s.n), db_col_i64("charge", &s.charge),
                                    db_col_i64("ids", &s.ids))),
                     0);
    return s;
}

static void add(struct sums *s, const struct log_row *row)
{
    const uint8_t *b = row->call.call_id.b;

    s->n++;
    s->charge += row->call.charge_nano.nano;
    s->ids += b[13] << 16 | b[14] << 8 | b[15];
}

static void assert_sums(const struct sums *found, const struct sums *wanted)
{
    assert_int_equal(found->n, wanted->n);
    assert_int_equal(found->charge, wanted->charge);
    assert_int_equal(found->ids, wanted->ids);
}

/* Newest first, and by id within one moment. */
static bool in_order(const struct log_row *newer, const struct log_row *older)
{
    if (newer->posted_at_us != older->posted_at_us)
        return newer->posted_at_us > older->posted_at_us;
    return memcmp(newer->call.call_id.b, older->call.call_id.b, 16) > 0;
}

static void check_page(const struct log_filter *f, const struct log_page *page, size_t limit)
{
    assert_true(page->n <= limit);
    for (size_t i = 1; i < page->n; i++)
        assert_true(in_order(&page->rows[i - 1], &page->rows[i]));
    for (size_t i = 0; i < page->n; i++) {
        assert_true(page->rows[i].posted_at_us >= f->from_us);
        assert_true(!f->to_us || page->rows[i].posted_at_us < f->to_us);
    }
    if (page->searched_us)
        assert_true(page->n < limit);
}

/* Walks to the end of the filter in one direction; the cursor it ends with. */
static struct log_cursor walk(const struct log_filter *f, struct log_cursor cursor, bool forward,
                              size_t limit, struct sums *ret, int *ret_partial)
{
    struct log_page page;
    bool more = true;

    for (int n = 0; more; n++) {
        assert_true(n < 2 * PAST_ROWS);
        arena_free(pages);
        pages = arena_new(MIB(16));
        assert_int_equal(log_search(t.p.db, pages, f, cursor, forward, limit, &page), 0);
        check_page(f, &page, limit);
        for (size_t i = 0; i < page.n; i++)
            add(ret, &page.rows[i]);
        *ret_partial += page.searched_us != 0;
        cursor = forward ? page.after : page.before;
        more = forward ? page.newer : page.older;
    }
    return cursor;
}

static void check_filter(int condition, struct team_id team, struct db_scope scope, size_t limit,
                         int64_t budget_us)
{
    struct log_filter f;
    struct log_cursor end, begin = {.posted_us = clock_wall_us() - 3 * 7 * 86400 * 1000000LL};
    struct sums wanted, back = {0}, forth = {0};
    int partial = 0;

    assert_int_equal(db_begin(t.p.db, scope, true), 0);
    f = filter_of(condition, team);
    f.budget_us = budget_us;
    wanted = expected(condition, team);
    end = walk(&f, (struct log_cursor){0}, false, limit, &back, &partial);
    assert_sums(&back, &wanted);
    assert_true(wanted.n == 0 || end.posted_us > 0);
    (void)walk(&f, begin, true, limit, &forth, &partial);
    assert_sums(&forth, &wanted);
    if (budget_us && team.v && condition == 8)
        assert_true(partial > 0);
    assert_int_equal(db_commit(t.p.db), 0);
}

static void every_filter_finds_what_it_says(void **state)
{
    for (int i = 0; i < CONDITIONS; i++)
        check_filter(i, t.team, DB_TEAM(t.team), 150, 0);
}

static void without_time_a_search_goes_on_from_where_it_came(void **state)
{
    for (int i = 0; i < CONDITIONS; i++)
        check_filter(i, t.team, DB_TEAM(t.team), 150, 1);
}

static void operators_search_all_teams(void **state)
{
    const struct team_id any = {0};

    for (int i = 0; i < CONDITIONS; i++)
        if (i < 12 || i > 13)
            check_filter(i, any, DB_OPERATOR, 180, 0);
    check_filter(CONDITIONS - 1, any, DB_OPERATOR, 50, 1); /* of minutes: others would take slices without end */
}

struct exported {
    struct sums sums;
    int64_t last_us;
};

static int export_row(void *ctx, const struct log_row *row)
{
    struct exported *e = ctx;

    assert_true(row->posted_at_us >= e->last_us);
    e->last_us = row->posted_at_us;
    add(&e->sums, row);
    return 0;
}

static void an_export_has_the_same_rows(void **state)
{
    for (int i = 0; i < CONDITIONS; i++) {
        struct exported e = {0};
        struct log_filter f;
        struct sums wanted;

        assert_int_equal(db_begin(t.p.db, DB_TEAM(t.team), true), 0);
        f = filter_of(i, t.team);
        wanted = expected(i, t.team);
        assert_int_equal(log_each(t.p.db, &f, export_row, &e), 0);
        assert_sums(&e.sums, &wanted);
        assert_int_equal(db_commit(t.p.db), 0);
    }
}

static void a_call_is_found_by_its_id(void **state)
{
    const struct log_filter f = {.team = t.team, .cost_above = {-1}};
    struct log_cursor cursor = {0};
    struct log_page page;
    struct log_row row;

    assert_int_equal(db_begin(t.p.db, DB_OPERATOR, true), 0);
    assert_int_equal(log_search(t.p.db, t.p.a, &f, cursor, false, 3, &page), 0);
    assert_int_equal(page.n, 3);
    assert_int_equal(log_get(t.p.db, t.p.a, t.team, page.rows[2].call.call_id, &row), LOG_OK);
    assert_int_equal(row.posted_at_us, page.rows[2].posted_at_us);
    assert_int_equal(log_get(t.p.db, t.p.a, (struct team_id){0}, page.rows[1].call.call_id, &row), LOG_OK);
    assert_int_equal(row.posted_at_us, page.rows[1].posted_at_us);
    page.rows[0].call.call_id.b[15] ^= 0xff;
    assert_int_equal(log_get(t.p.db, t.p.a, t.team, page.rows[0].call.call_id, &row), LOG_E_NONE);
    assert_int_equal(db_commit(t.p.db), 0);
}

static void a_cursor_is_written_and_read(void **state)
{
    static const char *const odd[] = {"", "12", "12.", ".", "-5.call_01234567890123456789012345678901",
                                      "0.call_01234567890123456789012345678901.0", "x.call_00.0",
                                      "12.call_0.0", "12.call_01234567890123456789012345678901",
                                      "12.call_01234567890123456789012345678901.-1",
                                      "9999999999999999.call_01234567890123456789012345678901.0"};
    struct log_cursor c = {1764310000123456, {{1, 2, 3}}, INT64_MAX}, read = {0};
    char text[LOG_CURSOR_TEXT];

    log_cursor_text(c, text);
    assert_true(log_cursor_parse(str_c(text), &read));
    assert_int_equal(read.posted_us, c.posted_us);
    assert_int_equal(read.step, c.step);
    assert_true(call_id_eq(read.id, c.id));
    for (size_t i = 0; i < ARRAY_LEN(odd); i++)
        assert_false(log_cursor_parse(str_c(odd[i]), &read));
    assert_false(log_cursor_parse(STR_NONE, &read));
}

DB_QUERY(search_findings, "SELECT count(*) AS v FROM ledger_findings() WHERE $1 > 0")

static void the_past_is_sound(void **state)
{
    assert_int_equal(money_figure(&t, &search_findings, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_filter_finds_what_it_says),
        cmocka_unit_test(without_time_a_search_goes_on_from_where_it_came),
        cmocka_unit_test(operators_search_all_teams),
        cmocka_unit_test(an_export_has_the_same_rows),
        cmocka_unit_test(a_call_is_found_by_its_id),
        cmocka_unit_test(a_cursor_is_written_and_read),
        cmocka_unit_test(the_past_is_sound),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
