/* The books: postings, who may make them, who may see them, what can never be changed; statements. */
#include "lease/money.h"

#include "ledger/statement.h"
#include "ledger/upkeep.h"

static struct money_test t;

static int setup(void **state)
{
    money_start(&t, 1);
    return 0;
}

static int teardown(void **state)
{
    money_stop(&t);
    return 0;
}

DB_QUERY(books_findings, "SELECT count(*) AS v FROM ledger_findings() WHERE $1 > 0")
DB_QUERY(books_topup, "SELECT post_topup($1, $2, $3, 'test', 'system', NULL, 'test') AS id")

static void sound(void)
{
    assert_int_equal(money_figure(&t, &books_findings, 1), 0);
}

static int post(struct db_query *q, struct db_scope scope, struct team_id team, const char *ref,
                int64_t nano, int64_t *ret_id)
{
    int r;

    people_begin(&t.p, scope);
    r = db_one(t.p.db, q, NULL, DB_ARGS(db_i64(team.v), db_cstr(ref), db_i64(nano)),
               DB_COLS(db_col_i64("id", ret_id)));
    if (r)
        db_rollback(t.p.db);
    else
        people_commit(&t.p);
    return r;
}

static int adjust(struct team_id team, int64_t nano, const char *ref, const char *reason)
{
    int64_t id = 0;
    int r;

    people_begin(&t.p, DB_OPERATOR);
    r = statement_adjust(t.p.db, team, (struct money){nano}, str_c(ref), str_c(reason),
                         &(struct posting_actor){STR("operator"), 1, STR("op@example.org")}, &id);
    if (r)
        db_rollback(t.p.db);
    else
        people_commit(&t.p);
    return r;
}

static int64_t posted(struct team_id team)
{
    int64_t balance, leased;

    money_wallet(&t, team, &balance, &leased);
    return balance;
}

static void a_payment_is_credited_once_per_reference(void **state)
{
    struct team_id team = money_team(&t, "once@example.org");
    int64_t first, again;

    assert_int_equal(post(&books_topup, DB_SYSTEM, team, "TO-1", 5000000000, &first), 0);
    assert_int_equal(post(&books_topup, DB_SYSTEM, team, "TO-1", 5000000000, &again), 0);
    assert_int_equal(first, again);
    assert_int_equal(posted(team), 5000000000);
    assert_int_equal(post(&books_topup, DB_SYSTEM, team, "TO-1", 5000000001, &again),
                     DB_E_REFUSED);
    assert_int_equal(posted(team), 5000000000);
    sound();
}

static void an_adjustment_has_a_sign_and_a_reason(void **state)
{
    struct team_id team = money_team(&t, "sign@example.org");

    assert_int_equal(adjust(team, 700, "a1", "a gift"), STATEMENT_OK);
    assert_int_equal(posted(team), 700);
    assert_int_equal(adjust(team, -1000, "a2", "a correction"), STATEMENT_OK);
    assert_int_equal(posted(team), -300); /* below zero is what an operator may do */
    assert_int_equal(adjust(team, -1000, "a2", "a correction"), STATEMENT_OK);
    assert_int_equal(posted(team), -300);
    assert_int_equal(adjust(team, 1000, "a2", "the other way"), STATEMENT_E_REFUSED);
    assert_int_equal(adjust(team, 5, "a3", " "), STATEMENT_E_REFUSED);
    assert_int_equal(adjust(team, 0, "a4", "nothing"), STATEMENT_E_REFUSED);
    assert_int_equal(adjust(team, 1000000000000001, "a5", "too much"), STATEMENT_E_REFUSED);
    assert_int_equal(posted(team), -300);
    sound();
}

static void nobody_credits_in_the_teams_own_name(void **state)
{
    struct team_id team = money_team(&t, "own@example.org");
    int64_t id;

    assert_int_equal(post(&books_topup, DB_TEAM(team), team, "TO-2", 100, &id), DB_E_REFUSED);
    assert_int_equal(post(&books_topup, DB_USER((struct user_id){1}), team, "TO-2", 100, &id),
                     DB_E_REFUSED);
    assert_int_equal(posted(team), 0);
}

/* As the role that the server runs as. */
static bool app_may(const char *sql)
{
    int r;

    people_begin(&t.p, DB_OPERATOR);
    r = db_script(t.p.db, sql);
    db_rollback(t.p.db);
    return r == 0;
}

static void the_server_cannot_write_the_money_tables(void **state)
{
    static const char *const tables[] = {"account", "transfer", "purse", "lease", "call",
                                         "attempt", "usage_day", "node_session", "recon_finding"};

    money_topup(&t, t.team, 1000);
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        char sql[200];

        snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", tables[i]);
        assert_true(app_may(sql));
        snprintf(sql, sizeof(sql), "DELETE FROM %s", tables[i]);
        assert_false(app_may(sql));
        snprintf(sql, sizeof(sql), "TRUNCATE %s CASCADE", tables[i]);
        assert_false(app_may(sql));
        snprintf(sql, sizeof(sql), "INSERT INTO %s DEFAULT VALUES", tables[i]);
        assert_false(app_may(sql));
    }
    assert_false(app_may("UPDATE account SET credits_nano = credits_nano + 1"));
    assert_false(app_may("UPDATE purse SET capacity = capacity + 1"));
    assert_false(app_may("UPDATE lease SET remaining = 0"));
    assert_false(app_may("SELECT session_end(1, NULL, 'closed')"));
    assert_false(app_may("SELECT post_transfer(1, true, 'cash', 5, 'TOPUP', 'x', '', '', 1, '')"));
    assert_false(app_may("SELECT count(*) FROM call_default"));
    assert_false(app_may("SET ROLE tollgate_money"));
}

static bool owner_may(const char *sql)
{
    int r;

    assert_int_equal(db_begin(t.p.owner, DB_SYSTEM, false), 0);
    r = db_script(t.p.owner, sql);
    db_rollback(t.p.owner);
    return r == 0;
}

static void not_even_the_owner_changes_what_was_posted(void **state)
{
    money_topup(&t, t.team, 1000);
    assert_false(owner_may("UPDATE transfer SET amount_nano = 1"));
    assert_false(owner_may("DELETE FROM transfer"));
    assert_false(owner_may("TRUNCATE transfer CASCADE"));
    assert_false(owner_may("TRUNCATE call"));
    assert_true(owner_may("SELECT count(*) FROM transfer"));
}

DB_QUERY(books_count, "SELECT (SELECT count(*) FROM transfer) + (SELECT count(*) FROM account)"
                      " + (SELECT count(*) FROM purse) + (SELECT count(*) FROM call)"
                      " + (SELECT count(*) FROM usage_day) + (SELECT count(*) FROM lease) AS v")

static int64_t visible(struct db_scope scope)
{
    int64_t v;

    people_begin(&t.p, scope);
    assert_int_equal(db_one(t.p.db, &books_count, NULL, DB_NO_ARGS, DB_COLS(db_col_i64("v", &v))),
                     0);
    people_commit(&t.p);
    return v;
}

static void a_team_sees_its_own_books_only(void **state)
{
    struct team_id one = money_team(&t, "one@example.org");
    struct team_id two = money_team(&t, "two@example.org");
    struct balance b;
    int64_t before;

    before = visible(DB_TEAM(two));
    money_topup(&t, one, 1000);
    assert_int_equal(visible(DB_TEAM(two)), before);
    assert_int_equal(visible(DB_TEAM(one)), before + 1);
    assert_true(visible(DB_OPERATOR) > 2 * before);
    people_begin(&t.p, DB_TEAM(two));
    assert_int_equal(balance_read(t.p.db, t.p.a, one, &b), STATEMENT_E_NONE);
    assert_int_equal(balance_read(t.p.db, t.p.a, two, &b), STATEMENT_OK);
    assert_int_equal(b.posted.nano, 0);
    people_commit(&t.p);
}

DB_QUERY(books_try,
         "SELECT settle_batch(session_open('test', ''), ARRAY[json_populate_record("
         "  NULL::settled_call, json_build_object('team_id', $1::bigint, 'call_id',"
         "  call_id_floor(date_trunc('week', now(), 'UTC')),"
         "  'outcome', 'ok', 'charge_nano', 7, 'searches', 3, 'attempts', 2, 'tries',"
         "  '[{\"ordinal\": 1, \"reason\": \"rate_limited\", \"status\": 429},"
         "    {\"ordinal\": 2, \"account_id\": 5, \"cost_nano\": 4, \"served\": true}]'::json))],"
         " '{}') AS live")
/* Each attempt as its figures; the view reads as the role that asks, so of its own team's only. */
DB_QUERY(books_tries,
         "SELECT coalesce(string_agg(concat_ws(' ', a.ordinal, a.status, a.reason, a.latency_us,"
         "                                     a.account_id, a.cost_nano, a.served), ', '"
         "                           ORDER BY a.ordinal), '') AS all FROM attempt a")

static void assert_tries(struct db_scope scope, const char *wanted)
{
    struct str all;

    people_begin(&t.p, scope);
    assert_int_equal(
        db_one(t.p.db, &books_tries, t.p.a, DB_NO_ARGS, DB_COLS(db_col_text("all", &all))), 0);
    people_commit(&t.p);
    assert_true(str_eq_c(all, wanted));
}

static void attempts_are_rows_that_their_team_sees(void **state)
{
    struct team_id one = money_team(&t, "tries1@example.org");
    struct team_id two = money_team(&t, "tries2@example.org");
    bool live;

    money_topup(&t, one, 1000);
    for (int i = 0; i < 2; i++) { /* the second time it is known */
        people_begin(&t.p, DB_SYSTEM);
        assert_int_equal(db_one(t.p.db, &books_try, NULL, DB_ARGS(db_i64(one.v)),
                                DB_COLS(db_col_bool("live", &live))),
                         0);
        people_commit(&t.p);
    }
    assert_tries(DB_TEAM(one), "1 429 rate_limited 0 0 f, 2 0 ok 0 5 4 t");
    assert_tries(DB_TEAM(two), "");
    sound();
}

static void the_statement_runs_with_its_balance(void **state)
{
    struct team_id team = money_team(&t, "run@example.org");
    struct statement_page page;
    struct statement_row row;
    struct balance b;
    int64_t running = 0;

    for (int i = 0; i < 5; i++) {
        char ref[16];

        snprintf(ref, sizeof(ref), "s%d", i);
        money_topup(&t, team, 1000 + i);
        assert_int_equal(adjust(team, -10 * (i + 1), ref, "a correction"), STATEMENT_OK);
    }
    people_begin(&t.p, DB_TEAM(team));
    assert_int_equal(statement_list(t.p.db, t.p.a, team, &(struct statement_filter){0}, 0, 4, &page), 0);
    assert_int_equal(page.n, 4);
    assert_true(page.older);
    assert_str(page.v[0].code, "ADJUST");
    assert_int_equal(page.v[0].amount.nano, -50);
    assert_str(page.v[0].debit, "wallet");
    assert_str(page.v[0].reason, "a correction");
    for (int64_t before = 0, n = 0; n < 10; before = page.v[page.n - 1].id, n += page.n) {
        assert_int_equal(statement_list(t.p.db, t.p.a, team, &(struct statement_filter){0}, before, 4, &page), 0);
        for (size_t i = 0; i < page.n; i++) { /* newest first: what is below came before */
            if (n || i)
                assert_int_equal(page.v[i].after.nano, running);
            running = page.v[i].after.nano - page.v[i].amount.nano;
        }
    }
    assert_int_equal(running, 0);
    assert_int_equal(statement_list(t.p.db, t.p.a, team,
                                    &(struct statement_filter){.codes = STR("TOPUP")}, 0, 50, &page), 0);
    assert_int_equal(page.n, 5);
    assert_false(page.older);
    assert_int_equal(statement_list(t.p.db, t.p.a, team,
                                    &(struct statement_filter){.codes = STR("GRANT,ADJUST,TOPUP")}, 0, 50, &page), 0);
    assert_int_equal(page.n, 10);
    assert_int_equal(statement_get(t.p.db, t.p.a, team, page.v[3].id, &row), STATEMENT_OK);
    assert_int_equal(row.after.nano, page.v[3].after.nano);
    assert_int_equal(balance_read(t.p.db, t.p.a, team, &b), 0);
    assert_int_equal(b.posted.nano, page.v[0].after.nano);
    people_commit(&t.p);
    people_begin(&t.p, DB_TEAM(t.team));
    assert_int_equal(statement_get(t.p.db, t.p.a, t.team, row.id, &row), STATEMENT_E_NONE);
    people_commit(&t.p);
}

/* --- filters: each kind is a statement of its own, and all of them have to tell the same --- */

static bool is_listed(const struct statement_row *row, const struct statement_filter *f)
{
    struct str rest = f->codes, code;

    if ((f->from_us && row->posted_at_us < f->from_us) || (f->until_us && row->posted_at_us >= f->until_us))
        return false;
    if (!f->codes.p)
        return true;
    while (str_split(&rest, ',', &code))
        if (str_eq(code, row->code))
            return true;
    return false;
}

/* Oldest first: the next row that the filter lets through has to be this one. */
struct told {
    const struct statement_page *all;
    const struct statement_filter *filter;
    size_t left;
};

static int is_next(void *ctx, const struct statement_row *row)
{
    struct told *told = ctx;

    do {
        assert_true(told->left > 0);
        told->left--;
    } while (!is_listed(&told->all->v[told->left], told->filter));
    assert_int_equal(row->id, told->all->v[told->left].id);
    return 0;
}

static void check_filter(struct team_id team, const struct statement_page *all, const struct statement_filter *f)
{
    struct told told = {all, f, all->n};
    struct statement_page page = {.older = true};
    struct statement_sum sum, expected = {0};
    int64_t before = 0;

    for (size_t i = 0; i < all->n; i++) {
        if (!is_listed(&all->v[i], f))
            continue;
        if (expected.n % 3 == 0) { /* three at a time */
            assert_true(page.older);
            assert_int_equal(statement_list(t.p.db, t.p.a, team, f, before, 3, &page), 0);
        }
        assert_true((size_t)(expected.n % 3) < page.n);
        assert_int_equal(page.v[expected.n % 3].id, all->v[i].id);
        assert_int_equal(page.v[expected.n % 3].after.nano, all->v[i].after.nano);
        before = all->v[i].id;
        expected.n++;
        expected.amount.nano += all->v[i].amount.nano;
    }
    if (expected.n)
        assert_false(page.older);
    assert_int_equal(statement_sum(t.p.db, team, f, &sum), 0);
    assert_int_equal(sum.n, expected.n);
    assert_int_equal(sum.amount.nano, expected.amount.nano);
    assert_int_equal(statement_each(t.p.db, team, f, is_next, &told), 0);
    while (told.left > 0)
        assert_false(is_listed(&all->v[--told.left], f));
}

static void every_filter_lists_streams_and_sums_the_same(void **state)
{
    static const char *const codes[] = {NULL, "TOPUP", "ADJUST,GRANT", "USAGE,LATE_USAGE", "TOPUP,USAGE", "GRANT"};
    struct team_id team = money_team(&t, "filters@example.org");
    struct statement_page all;

    for (int i = 0; i < 5; i++) {
        char ref[16];

        snprintf(ref, sizeof(ref), "f%d", i);
        money_topup(&t, team, 1000 + i);
        assert_int_equal(adjust(team, -10 * (i + 1), ref, "a correction"), STATEMENT_OK);
    }
    people_begin(&t.p, DB_TEAM(team));
    assert_int_equal(statement_list(t.p.db, t.p.a, team, &(struct statement_filter){0}, 0, 50, &all), 0);
    assert_int_equal(all.n, 10);
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        const int64_t from = all.v[7].posted_at_us, until = all.v[2].posted_at_us;
        const int64_t spans[][2] = {{0, 0}, {from, until}, {from, 0}, {0, until}, {until, from}};

        for (size_t k = 0; k < ARRAY_LEN(spans); k++)
            check_filter(team, &all,
                         &(struct statement_filter){
                             .codes = str_c(codes[i]), .from_us = spans[k][0], .until_us = spans[k][1]});
    }
    people_commit(&t.p);
}

DB_QUERY(books_partitions, "SELECT count(*) AS v FROM pg_inherits"
                           " WHERE inhparent = 'call'::regclass AND $1 > 0")

static void partitions_are_made_ahead(void **state)
{
    int64_t before = money_figure(&t, &books_partitions, 1);

    assert_true(before >= 9);
    assert_int_equal(ledger_upkeep(t.p.db), 0);
    assert_int_equal(money_figure(&t, &books_partitions, 1), before);
    assert_int_equal(db_script(t.p.owner, "DO $$ BEGIN EXECUTE format('DROP TABLE %I', (SELECT"
                                          " max(c.relname) FROM pg_class c WHERE relkind = 'r' AND"
                                          " relname ~ '^call_2')); END $$"), 0);
    assert_int_equal(money_figure(&t, &books_partitions, 1), before - 1);
    assert_int_equal(ledger_upkeep(t.p.db), 0);
    assert_int_equal(money_figure(&t, &books_partitions, 1), before);
}

/* Windows: text of starts and ends in UTC. */
DB_QUERY(books_window, "SELECT w.starts::text || ' ' || w.ends::text AS v"
                       "  FROM purse_window($1, $2, $3::timestamptz) AS w")

static void check_window(const char *turns, const char *zone, const char *at, const char *expected)
{
    struct str text;

    assert_int_equal(db_begin(t.p.owner, DB_SYSTEM, false), 0);
    assert_int_equal(db_one(t.p.owner, &books_window, t.p.a,
                            DB_ARGS(db_cstr(turns), db_cstr(zone), db_cstr(at)),
                            DB_COLS(db_col_text("v", &text))), 0);
    assert_int_equal(db_commit(t.p.owner), 0);
    assert_str(text, expected);
}

static void windows_turn_in_the_teams_time_zone(void **state)
{
    check_window("day", "UTC", "2026-11-21 06:00+00",
                 "2026-11-21 00:00:00+00 2026-11-22 00:00:00+00");
    check_window("day", "Asia/Tokyo", "2026-11-21 16:00+00",
                 "2026-11-21 15:00:00+00 2026-11-22 15:00:00+00");
    /* The clocks go back: a day of 25 hours. */
    check_window("day", "Europe/Berlin", "2026-10-25 12:00+00",
                 "2026-10-24 22:00:00+00 2026-10-25 23:00:00+00");
    check_window("week", "Europe/Berlin", "2026-10-25 12:00+00",
                 "2026-10-18 22:00:00+00 2026-10-25 23:00:00+00");
    check_window("month", "America/New_York", "2026-03-01 04:59+00",
                 "2026-02-01 05:00:00+00 2026-03-01 05:00:00+00");
    check_window("month", "America/New_York", "2026-03-15 00:00+00",
                 "2026-03-01 05:00:00+00 2026-04-01 04:00:00+00");
    check_window("minute", "Asia/Kathmandu", "2026-11-21 06:00:59.5+00",
                 "2026-11-21 06:00:00+00 2026-11-21 06:01:00+00");
    check_window("never", "UTC", "2026-11-21 06:00+00", "-infinity infinity");
}

DB_QUERY(books_days, "SELECT count(*) AS v FROM ledger_findings('2026-10-25 12:00+00', true)"
                     " WHERE invariant = 'days are the usage' AND team_id = $1")

static int64_t days_found(struct team_id team, const char *sql)
{
    int64_t n;

    assert_int_equal(db_script(t.p.owner, sql), 0);
    assert_int_equal(db_one(t.p.owner, &books_days, NULL, DB_ARGS(db_i64(team.v)), DB_COLS(db_col_i64("v", &n))),
                     0);
    return n;
}

/* In the Azores the clocks go back from 1 to 0 o'clock, at 1 o'clock UTC. */
static void a_day_of_two_midnights_is_compared_whole(void **state)
{
    struct team_id team = money_team(&t, "azores@example.org");

    assert_int_equal(db_begin(t.p.owner, DB_SYSTEM, false), 0);
    assert_int_equal(
        days_found(team,
                   "UPDATE team SET time_zone = 'Atlantic/Azores' WHERE id = (SELECT max(id) FROM team);"
                   "UPDATE team SET time_zone_since = '-infinity' WHERE id = (SELECT max(id) FROM team);"
                   "INSERT INTO transfer (team_id, code, ref, debit_account, credit_account, amount_nano,"
                   "                      funds_nano, posted_at)"
                   " SELECT w.team_id, 'USAGE', v.at, w.id, r.id, 7, 0, v.at::timestamptz"
                   "   FROM account w JOIN account r USING (team_id) CROSS JOIN (VALUES ('2026-10-24 23:30+00'),"
                   "        ('2026-10-25 00:30+00'), ('2026-10-25 01:30+00'), ('2026-10-25 13:00+00')) v (at)"
                   "  WHERE w.team_id = (SELECT max(id) FROM team) AND w.kind = 'wallet' AND r.kind = 'revenue';"
                   "INSERT INTO usage_day (team_id, day, model, key_id, project_id, provider, account_id, calls,"
                   "                       charge_nano)"
                   " SELECT max(id), '2026-10-25', 'm', 0, 0, '', 0, 3, 21 FROM team"),
        0);
    assert_int_equal(days_found(team, "UPDATE usage_day SET charge_nano = 20 WHERE model = 'm'"), 1);
    db_rollback(t.p.owner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_payment_is_credited_once_per_reference),
        cmocka_unit_test(an_adjustment_has_a_sign_and_a_reason),
        cmocka_unit_test(nobody_credits_in_the_teams_own_name),
        cmocka_unit_test(the_server_cannot_write_the_money_tables),
        cmocka_unit_test(not_even_the_owner_changes_what_was_posted),
        cmocka_unit_test(a_team_sees_its_own_books_only),
        cmocka_unit_test(attempts_are_rows_that_their_team_sees),
        cmocka_unit_test(the_statement_runs_with_its_balance),
        cmocka_unit_test(every_filter_lists_streams_and_sums_the_same),
        cmocka_unit_test(partitions_are_made_ahead),
        cmocka_unit_test(windows_turn_in_the_teams_time_zone),
        cmocka_unit_test(a_day_of_two_midnights_is_compared_whole),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
