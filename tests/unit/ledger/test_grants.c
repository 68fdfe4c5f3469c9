/* Grants: what covers usage and in which order, what expires, what the balance says meanwhile;
 * against a real PostgreSQL. Every test ends with the books sound. */
#include "lease/money.h"

#include "ledger/grant.h"
#include "payments/payment.h"

static struct money_test t;
static int64_t session;

DB_QUERY(grants_session, "SELECT session_open('grants', 'test') AS v WHERE $1 > 0")
DB_QUERY(grants_findings, "SELECT invariant || ', team ' || coalesce(team_id, 0) || ', ' || subject"
                          "       || ': ' || detail AS text FROM ledger_findings()")

/* A call id of now, so that its row falls into a partition that is there. */
static const char helpers[] =
    "CREATE FUNCTION test_call_id() RETURNS uuid LANGUAGE sql AS $$"
    "  SELECT overlay(gen_random_uuid()::text PLACING left(call_id_floor(now())::text, 13)"
    "                 FROM 1)::uuid $$;"
    "GRANT EXECUTE ON FUNCTION test_call_id() TO tollgate_app";

static int setup(void **state)
{
    money_start(&t, 1);
    assert_int_equal(db_script(t.p.owner, helpers), 0);
    session = money_figure(&t, &grants_session, 1);
    return 0;
}

static int teardown(void **state)
{
    money_stop(&t);
    return 0;
}

static struct str finding;

static int told(void *ctx)
{
    fprintf(stderr, "%.*s\n", STR_FMT(finding));
    ++*(int *)ctx;
    return 0;
}

static void sound(void)
{
    int n = 0;

    assert_int_equal(db_begin(t.p.owner, DB_SYSTEM, true), 0);
    assert_int_equal(db_each(t.p.owner, &grants_findings, t.p.a, DB_NO_ARGS,
                             DB_COLS(db_col_text("text", &finding)), told, &n),
                     0);
    assert_int_equal(db_commit(t.p.owner), 0);
    assert_int_equal(n, 0);
}

static void script(const char *fmt, ...) _printf_(1, 2);
static void script(const char *fmt, ...)
{
    char sql[2048];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(sql, sizeof(sql), fmt, ap);
    va_end(ap);
    assert_int_equal(db_script(t.p.owner, sql), 0);
}

static const struct posting_actor op = {{"operator", 8}, 1, {"op@example.org", 14}};

/* In the operator's own transaction; the outcome of grant_post. */
static int give(struct team_id team, const char *name, int64_t nano, int32_t priority,
                int64_t expires_in_s, const char *ref)
{
    struct grant_wish wish = {.amount = {nano},
                              .name = str_c(name),
                              .reason = STR("for the test"),
                              .priority = priority,
                              .reference = str_c(ref)};
    int64_t transfer = 0;

    if (expires_in_s)
        wish.expires_us = clock_wall_us() + expires_in_s * 1000000;
    people_begin(&t.p, DB_OPERATOR);
    int r = grant_post(t.p.db, team, &wish, &op, &transfer);

    if (r)
        db_rollback(t.p.db);
    else
        people_commit(&t.p);
    return r;
}

DB_QUERY(grants_settle,
         "SELECT settle_batch($1, ARRAY[json_populate_record(NULL::settled_call,"
         "  json_build_object('team_id', $2::bigint, 'call_id', test_call_id(), 'outcome', 'ok',"
         "  'status', 200, 'attempts', 1, 'served_model', 'demo-small', 'provider', 'demo',"
         "  'input_tokens', 3, 'output_tokens', 4, 'charge_nano', $3::bigint, 'cost_nano', 1,"
         "  'latency_us', 1, 'ttfb_us', 1))], '{}') AS live")

static void use(struct team_id team, int64_t nano)
{
    bool live;

    people_begin(&t.p, DB_SYSTEM);
    assert_int_equal(db_one(t.p.db, &grants_settle, NULL,
                            DB_ARGS(db_i64(session), db_i64(team.v), db_i64(nano)),
                            DB_COLS(db_col_bool("live", &live))),
                     0);
    people_commit(&t.p);
    assert_true(live);
}

static struct balance balance(struct team_id team)
{
    struct balance b;

    people_begin(&t.p, DB_TEAM(team));
    assert_int_equal(balance_read(t.p.db, t.p.a, team, &b), STATEMENT_OK);
    people_commit(&t.p);
    assert_int_equal(b.posted.nano, b.wallet.nano + b.grants.nano);
    return b;
}

static struct grant_page grants(struct team_id team)
{
    struct grant_page page;

    people_begin(&t.p, DB_TEAM(team));
    assert_int_equal(grant_list(t.p.db, t.p.a, team, 100, &page), STATEMENT_OK);
    people_commit(&t.p);
    for (size_t i = 0; i < page.n; i++)
        assert_int_equal(page.v[i].amount.nano, page.v[i].used.nano + page.v[i].left.nano +
                                                    page.v[i].expired.nano);
    return page;
}

static const struct grant *find(const struct grant_page *page, const char *name)
{
    for (size_t i = 0; i < page->n; i++)
        if (str_eq_c(page->v[i].name, name))
            return &page->v[i];
    fail_msg("no grant %s", name);
    return NULL;
}

/* Its time is over. */
static void pass(struct team_id team, const char *name)
{
    script("UPDATE live_grant SET expires_at = now() - interval '1 second' WHERE team_id = %lld"
           " AND account_id = (SELECT account_id FROM credit_grant WHERE team_id = %lld"
           "                      AND name = '%s')",
           (long long)team.v, (long long)team.v, name);
}

static void usage_is_covered_by_the_grant_and_then_by_the_wallet(void **state)
{
    struct team_id team = money_team(&t, "cover@example.org");
    struct grant_page page;
    struct balance b;

    money_topup(&t, team, 1000);
    assert_int_equal(give(team, "Welcome", 300, 100, 0, "g1"), 0);
    b = balance(team);
    assert_int_equal(b.posted.nano, 1300);
    assert_int_equal(b.grants.nano, 300);
    use(team, 200);
    b = balance(team);
    assert_int_equal(b.wallet.nano, 1000);
    assert_int_equal(b.grants.nano, 100);
    assert_int_equal(b.debits.nano, 200);
    use(team, 150);
    b = balance(team);
    assert_int_equal(b.wallet.nano, 950);
    assert_int_equal(b.grants.nano, 0);
    page = grants(team);
    assert_int_equal(page.n, 1);
    assert_false(page.v[0].live);
    assert_int_equal(page.v[0].used.nano, 300);
    use(team, 50);
    b = balance(team);
    assert_int_equal(b.wallet.nano, 900);
    assert_int_equal(b.debits.nano, 400);
    assert_int_equal(b.credits.nano, 1300);
    sound();
}

static void priority_then_expiry_then_age(void **state)
{
    static const struct {
        const char *name;
        int64_t left[4]; /* after each use of 150 */
    } expected[] = {
        {"first", {0, 0, 0, 0}},
        {"soon", {50, 0, 0, 0}},
        {"later", {100, 0, 0, 0}},
        {"never", {100, 100, 0, 0}},
        {"never, younger", {100, 100, 50, 0}},
        {"last", {100, 100, 100, 0}},
    };
    struct team_id team = money_team(&t, "order@example.org");

    money_topup(&t, team, 10);
    assert_int_equal(give(team, "last", 100, 101, 60, "a"), 0);
    assert_int_equal(give(team, "never", 100, 100, 0, "b"), 0);
    assert_int_equal(give(team, "later", 100, 100, 7200, "c"), 0);
    assert_int_equal(give(team, "soon", 100, 100, 3600, "d"), 0);
    assert_int_equal(give(team, "never, younger", 100, 100, 0, "e"), 0);
    assert_int_equal(give(team, "first", 100, 1, 0, "f"), 0);
    for (size_t i = 0; i < 4; i++) {
        use(team, 150);
        struct grant_page page = grants(team);
        for (size_t j = 0; j < ARRAY_LEN(expected); j++)
            assert_int_equal(find(&page, expected[j].name)->left.nano, expected[j].left[i]);
    }
    assert_int_equal(balance(team).wallet.nano, 10);
    use(team, 15); /* nothing is left to cover it: the wallet goes below zero */
    assert_int_equal(balance(team).wallet.nano, -5);
    sound();
}

static void one_batch_of_many_teams_covers_each_its_own(void **state)
{
    struct team_id one = money_team(&t, "batch1@example.org");
    struct team_id two = money_team(&t, "batch2@example.org");
    struct team_id none = money_team(&t, "batch3@example.org");

    assert_int_equal(give(one, "one", 500, 100, 0, "g"), 0);
    assert_int_equal(give(two, "two", 20, 100, 0, "g"), 0);
    money_topup(&t, none, 100);
    script("SELECT settle_batch(%lld, (SELECT array_agg(json_populate_record(NULL::settled_call,"
           " json_build_object('team_id', x.team, 'call_id', test_call_id(), 'outcome', 'ok',"
           " 'status', 200, 'attempts', 1, 'charge_nano', 30)))"
           " FROM (SELECT unnest(ARRAY[%lld, %lld, %lld, %lld]) AS team) x), '{}')",
           (long long)session, (long long)one.v, (long long)two.v, (long long)none.v,
           (long long)one.v);
    assert_int_equal(balance(one).grants.nano, 440);
    assert_int_equal(balance(one).wallet.nano, 0);
    assert_int_equal(balance(two).grants.nano, 0);
    assert_int_equal(balance(two).wallet.nano, -10);
    assert_int_equal(balance(none).wallet.nano, 70);
    sound();
}

static bool grants_are_due(void)
{
    bool orders = true, grants = false;

    assert_int_equal(money_due(t.p.db, &orders, &grants), 0);
    assert_false(orders);
    return grants;
}

static void what_is_left_is_moved_back_when_it_ends(void **state)
{
    struct team_id team = money_team(&t, "expire@example.org");
    struct statement_page rows;
    struct balance b;

    money_topup(&t, team, 100);
    assert_int_equal(give(team, "Trial", 300, 100, 3600, "g1"), 0);
    assert_int_equal(give(team, "Other", 50, 100, 3600, "g2"), 0);
    use(team, 120);
    assert_int_equal(grant_expire_due(t.p.db), 0);
    assert_int_equal(balance(team).posted.nano, 330);
    assert_false(grants_are_due());
    pass(team, "Trial");
    assert_true(grants_are_due());
    assert_int_equal(grant_expire_due(t.p.db), 0);
    assert_false(grants_are_due());
    assert_int_equal(grant_expire_due(t.p.db), 0);
    b = balance(team);
    assert_int_equal(b.posted.nano, 150);
    assert_int_equal(b.wallet.nano, 100);
    assert_int_equal(b.credits.nano, 270); /* 450 given, 180 taken back unused */
    assert_int_equal(b.debits.nano, 120);
    struct grant_page page = grants(team);
    assert_int_equal(find(&page, "Trial")->expired.nano, 180);
    assert_int_equal(find(&page, "Trial")->used.nano, 120);
    assert_true(find(&page, "Other")->live);
    people_begin(&t.p, DB_TEAM(team));
    assert_int_equal(statement_list(t.p.db, t.p.a, team, &(struct statement_filter){0}, 0, 10, &rows), 0);
    people_commit(&t.p);
    assert_int_equal(rows.n, 5); /* GRANT_USE is no row of its own */
    assert_str(rows.v[0].code, "GRANT_EXPIRE");
    assert_int_equal(rows.v[0].amount.nano, -180);
    assert_int_equal(rows.v[0].after.nano, 150);
    assert_str(rows.v[1].code, "USAGE");
    assert_int_equal(rows.v[1].amount.nano, -120);
    assert_int_equal(rows.v[1].after.nano, 330);
    sound();
}

static void what_running_calls_hold_is_left_to_them(void **state)
{
    struct team_id team = money_team(&t, "leased@example.org");
    int64_t posted, leased;

    assert_int_equal(give(team, "Trial", 1000, 100, 3600, "g1"), 0);
    script("SELECT session_open('holder', 'test')");
    script("WITH n AS (SELECT id FROM node_session WHERE node_name = 'holder')"
           " SELECT lease_grant(n.id, %lld, 1, ARRAY[p.id], ARRAY[0::bigint], ARRAY[600::bigint],"
           "        ARRAY[600::bigint]) FROM n, purse p WHERE p.team_id = %lld AND p.kind = 'wallet'",
           (long long)team.v, (long long)team.v);
    pass(team, "Trial");
    assert_int_equal(grant_expire_due(t.p.db), 0);
    assert_int_equal(balance(team).posted.nano, 600); /* what is held stays */
    assert_int_equal(balance(team).available.nano, 0);
    use(team, 150); /* late, past the lease: it is covered all the same */
    assert_int_equal(balance(team).wallet.nano, 0);
    assert_int_equal(balance(team).grants.nano, 450);
    script("SELECT session_end(id, NULL, 'closed') FROM node_session WHERE node_name = 'holder'");
    assert_int_equal(grant_expire_due(t.p.db), 0);
    money_wallet(&t, team, &posted, &leased);
    assert_int_equal(posted, 0);
    assert_int_equal(leased, 0);
    assert_int_equal(balance(team).posted.nano, 0);
    sound();
}

static void a_debt_does_not_keep_a_grant(void **state)
{
    struct team_id team = money_team(&t, "debt@example.org");

    money_topup(&t, team, 10);
    use(team, 60);
    assert_int_equal(give(team, "Trial", 100, 100, 3600, "g1"), 0);
    assert_int_equal(balance(team).posted.nano, 50);
    pass(team, "Trial");
    assert_int_equal(grant_expire_due(t.p.db), 0);
    assert_int_equal(balance(team).posted.nano, -50);
    assert_int_equal(balance(team).grants.nano, 0);
    sound();
}

static void an_operator_ends_one_early(void **state)
{
    struct team_id team = money_team(&t, "early@example.org");
    struct team_id other = money_team(&t, "other@example.org");
    int64_t id;

    assert_int_equal(give(team, "Trial", 100, 100, 0, "g1"), 0);
    id = grants(team).v[0].id;
    people_begin(&t.p, DB_TEAM(team));
    assert_true(grant_end(t.p.db, team, id) < 0); /* not in its own name */
    db_rollback(t.p.db);
    people_begin(&t.p, DB_OPERATOR);
    assert_int_equal(grant_end(t.p.db, other, id), STATEMENT_E_NONE);
    assert_int_equal(grant_end(t.p.db, team, id), STATEMENT_OK);
    people_commit(&t.p);
    assert_int_equal(grant_expire_due(t.p.db), 0);
    assert_int_equal(balance(team).posted.nano, 0);
    people_begin(&t.p, DB_OPERATOR);
    assert_int_equal(grant_end(t.p.db, team, id), STATEMENT_E_NONE);
    people_commit(&t.p);
    sound();
}

static void a_grant_is_booked_once_per_reference(void **state)
{
    struct team_id team = money_team(&t, "once@example.org");

    assert_int_equal(give(team, "A", 100, 100, 0, "same"), 0);
    assert_int_equal(give(team, "A", 100, 100, 0, "same"), 0);
    assert_int_equal(give(team, "A", 101, 100, 0, "same"), STATEMENT_E_REFUSED);
    assert_int_equal(give(team, "B", 100, 100, -5, "past"), STATEMENT_E_REFUSED);
    assert_int_equal(give(team, "B", 0, 100, 0, "nothing"), STATEMENT_E_REFUSED);
    assert_int_equal(give(team, "B", -5, 100, 0, "less"), STATEMENT_E_REFUSED);
    assert_int_equal(give(team, "B", 1000000000000001, 100, 0, "too much"), STATEMENT_E_REFUSED);
    assert_int_equal(grants(team).n, 1);
    assert_int_equal(balance(team).posted.nano, 100);
    for (int i = 0; i < 99; i++) {
        char ref[16];

        snprintf(ref, sizeof(ref), "n%d", i);
        assert_int_equal(give(team, "Many", 1, 100, 0, ref), 0);
    }
    assert_int_equal(give(team, "One too many", 1, 100, 0, "n99"), STATEMENT_E_REFUSED);
    use(team, 199);
    assert_int_equal(balance(team).grants.nano, 0);
    assert_int_equal(balance(team).wallet.nano, 0);
    sound();
}

/* As the role that the server runs as, whatever scope it claims. */
static bool app_may(const char *sql)
{
    people_begin(&t.p, DB_OPERATOR);
    int r = db_script(t.p.db, sql);

    db_rollback(t.p.db);
    return r == 0;
}

DB_QUERY(grants_visible, "SELECT (SELECT count(*) FROM credit_grant)"
                         "     + (SELECT count(*) FROM live_grant) AS v")

static int64_t visible(struct db_scope scope)
{
    int64_t v;

    people_begin(&t.p, scope);
    assert_int_equal(
        db_one(t.p.db, &grants_visible, NULL, DB_NO_ARGS, DB_COLS(db_col_i64("v", &v))), 0);
    people_commit(&t.p);
    return v;
}

static void the_server_cannot_write_grants(void **state)
{
    struct team_id team = money_team(&t, "rights@example.org");
    struct team_id other = money_team(&t, "stranger@example.org");

    assert_int_equal(give(team, "A", 100, 100, 0, "g"), 0);
    assert_true(app_may("SELECT count(*) FROM credit_grant, live_grant"));
    assert_false(app_may("UPDATE live_grant SET priority = 0"));
    assert_false(app_may("DELETE FROM live_grant"));
    assert_false(app_may("UPDATE credit_grant SET amount_nano = 5"));
    assert_false(app_may("INSERT INTO live_grant VALUES (1, 1, 1, NULL)"));
    assert_false(app_may("SELECT grants_use(ARRAY[1::bigint], now())"));
    assert_false(app_may("SELECT post_between(1, 1, 2, 5, 'GRANT', 'x', '', '', 1, '')"));
    assert_false(app_may("SET LOCAL app.scope = 'team'; SELECT post_grant(1, 'x', 5, 'n', 'r', 1,"
                         " NULL, '', 1, '')"));
    assert_true(db_script(t.p.owner, "UPDATE credit_grant SET expires_at = NULL") != 0);
    assert_true(db_script(t.p.owner, "DELETE FROM credit_grant") != 0);
    assert_int_equal(visible(DB_TEAM(team)), 2);
    assert_int_equal(visible(DB_TEAM(other)), 0);
}

/* The findings find: each rule of grants broken by hand is told. */
DB_QUERY(grants_finding_named,
         "SELECT count(*) AS v FROM ledger_findings() WHERE invariant = $1::text")

static int64_t found(const char *break_it, const char *invariant)
{
    int64_t v = 0;

    assert_int_equal(db_begin(t.p.owner, DB_SYSTEM, false), 0);
    assert_int_equal(db_script(t.p.owner, "ALTER TABLE transfer DISABLE TRIGGER append_only;"
                                          "ALTER TABLE credit_grant DISABLE TRIGGER append_only"),
                     0);
    assert_int_equal(db_script(t.p.owner, break_it), 0);
    assert_int_equal(db_one(t.p.owner, &grants_finding_named, NULL, DB_ARGS(db_cstr(invariant)),
                            DB_COLS(db_col_i64("v", &v))),
                     0);
    db_rollback(t.p.owner);
    return v;
}

static void broken_rules_are_found(void **state)
{
    struct team_id team = money_team(&t, "broken@example.org");

    assert_int_equal(give(team, "A", 100, 100, 0, "g"), 0);
    use(team, 40);
    sound();
    assert_true(found("DELETE FROM live_grant", "what is left of a grant is live") > 0);
    assert_true(found("UPDATE credit_grant SET amount_nano = amount_nano + 1",
                      "a grant is its transfer") > 0);
    assert_true(found("UPDATE transfer SET amount_nano = amount_nano * 2 WHERE code = 'GRANT_USE'",
                      "grants cover what was used") > 0);
    assert_true(found("UPDATE transfer SET funds_nano = funds_nano + 1 WHERE code = 'GRANT_USE'",
                      "I10 balances follow each other") > 0);
    assert_true(found("UPDATE purse SET capacity = capacity + 1 WHERE kind = 'wallet'",
                      "I10 the balance shown is the books") > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage_is_covered_by_the_grant_and_then_by_the_wallet),
        cmocka_unit_test(priority_then_expiry_then_age),
        cmocka_unit_test(one_batch_of_many_teams_covers_each_its_own),
        cmocka_unit_test(what_is_left_is_moved_back_when_it_ends),
        cmocka_unit_test(what_running_calls_hold_is_left_to_them),
        cmocka_unit_test(a_debt_does_not_keep_a_grant),
        cmocka_unit_test(an_operator_ends_one_early),
        cmocka_unit_test(a_grant_is_booked_once_per_reference),
        cmocka_unit_test(the_server_cannot_write_grants),
        cmocka_unit_test(broken_rules_are_found),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
