/* The checks of the books: a healthy past has no finding; each rule is broken on purpose, as the owner
 * of the tables with the guards off, found by the form that can see it, kept once, closed, and gone
 * when it is mended. One replica at a time runs a form, when it is due. */
#include "integrity_test.h"

#include "ledger/upkeep.h"
#include "logs/oversight.h"

/* As if its time had come; the window then is a day. */
static struct integrity_outcome run(enum integrity_form form)
{
    struct integrity_outcome o = {0};

    owner_does("UPDATE recon_run SET started_at = '-infinity', until_at = '-infinity'");
    assert_int_equal(integrity_run(t.p.db, form, &o), 0);
    assert_true(o.ran);
    assert_int_equal(o.more, form == INTEGRITY_WINDOW);
    while (o.more)
        assert_int_equal(integrity_step(t.p.db, &o), 0);
    return o;
}

static int close_as(int64_t id, const char *reason, bool accept)
{
    struct str row;
    int r;

    people_begin(&t.p, DB_OPERATOR);
    r = finding_close(t.p.db, t.p.a, id, STR("op@example.org"), str_c(reason), accept, &row);
    if (r == FINDING_E_REFUSED)
        db_rollback(t.p.db);
    else
        people_commit(&t.p);
    return r;
}

static void close_all(void)
{
    struct finding_page page;

    people_begin(&t.p, DB_OPERATOR);
    assert_int_equal(finding_list(t.p.db, t.p.a, false, &page), 0);
    people_commit(&t.p);
    for (size_t i = 0; i < page.n; i++)
        assert_int_equal(close_as(page.v[i].id, "mended in the test", false), FINDING_OK);
}

/* --- what may go wrong --- */

#define TEAM "(SELECT min(id) FROM team)"
#define OTHER_TEAM "(SELECT max(id) FROM team)"
#define LAST_TRANSFER "(SELECT max(id) FROM transfer WHERE team_id = " TEAM " AND code = 'USAGE')"
#define CHARGED                                                                                    \
    "(team_id, call_id) = (SELECT c.team_id, max(c.call_id::text)::uuid FROM call c"               \
    " WHERE c.team_id = " TEAM " AND c.transfer_id = " LAST_TRANSFER " GROUP BY 1)"
#define LAST_DAY "(SELECT max(day) FROM usage_day WHERE team_id = " TEAM ")"
#define ONE_OF_LAST_DAY                                                                            \
    "ctid = (SELECT min(ctid) FROM usage_day WHERE team_id = " TEAM " AND day = " LAST_DAY         \
    " AND charge_nano > 0)"
#define WALLET "team_id = " TEAM " AND kind = 'wallet'"
#define A_SESSION(state)                                                                           \
    "INSERT INTO node_session (node_name, state) VALUES ('broken', '" state "');"
#define A_LEASE(amount)                                                                            \
    "INSERT INTO lease (team_id, purse_id, session_id, remaining, window_start)"                   \
    " SELECT p.team_id, p.id, (SELECT max(id) FROM node_session), " amount ", p.window_start"      \
    "  FROM purse p WHERE " WALLET ";"                                                             \
    "UPDATE purse p SET leased = leased + " amount " WHERE " WALLET ";"
#define NO_LEASE                                                                                   \
    "UPDATE purse SET leased = 0 WHERE " WALLET "; DELETE FROM lease WHERE session_id = (SELECT"   \
    " max(id) FROM node_session); DELETE FROM node_session WHERE node_name = 'broken'"

static const struct breakage {
    const char *invariant, *how, *mend;
    bool full_only;
} breakages[] = {
    {"I1 debits equal credits",
     "UPDATE account SET debits_nano = debits_nano + 5 WHERE team_id = " TEAM " AND kind = 'cash'",
     "UPDATE account SET debits_nano = debits_nano - 5 WHERE team_id = " TEAM " AND kind = 'cash'",
     false},
    {"I2 an account is its transfers",
     "UPDATE account SET debits_nano = debits_nano + CASE kind WHEN 'cash' THEN 7 ELSE 0 END,"
     " credits_nano = credits_nano + CASE kind WHEN 'revenue' THEN 7 ELSE 0 END"
     " WHERE team_id = " TEAM,
     "UPDATE account SET debits_nano = debits_nano - CASE kind WHEN 'cash' THEN 7 ELSE 0 END,"
     " credits_nano = credits_nano - CASE kind WHEN 'revenue' THEN 7 ELSE 0 END"
     " WHERE team_id = " TEAM,
     false},
    /* An old transfer is added up at night only. */
    {"I2 an account is its transfers",
     "UPDATE transfer SET amount_nano = amount_nano + 1 WHERE team_id = " TEAM
     " AND id = (SELECT min(id) FROM transfer WHERE team_id = " TEAM " AND code = 'USAGE')",
     "UPDATE transfer SET amount_nano = amount_nano - 1 WHERE team_id = " TEAM
     " AND id = (SELECT min(id) FROM transfer WHERE team_id = " TEAM " AND code = 'USAGE')",
     true},
    {"I2 a transfer is between accounts",
     "UPDATE transfer SET credit_account = -credit_account WHERE team_id = " TEAM " AND id = "
     LAST_TRANSFER,
     "UPDATE transfer SET credit_account = -credit_account WHERE credit_account < 0", false},
    {"I3 leased is the leases", "UPDATE purse SET leased = leased + 9 WHERE " WALLET,
     "UPDATE purse SET leased = leased - 9 WHERE " WALLET, false},
    {"I3 a lease is within its grants", A_SESSION("live") A_LEASE("p.capacity + 1"), NO_LEASE,
     false},
    {"I4 usage is its calls", "UPDATE call SET charge_nano = charge_nano + 1 WHERE " CHARGED,
     "UPDATE call SET charge_nano = charge_nano - 1 WHERE " CHARGED, false},
    {"I4 usage is its calls",
     "CREATE TABLE lost AS SELECT * FROM call WHERE " CHARGED "; DELETE FROM call WHERE " CHARGED,
     "INSERT INTO call SELECT * FROM lost; DROP TABLE lost", false},
    {"I4 usage is its calls", "UPDATE call SET transfer_id = NULL WHERE " CHARGED,
     "UPDATE call SET transfer_id = " LAST_TRANSFER " WHERE transfer_id IS NULL AND charge_nano > 0"
     " AND team_id = " TEAM,
     false},
    {"I5 spent within the balance",
     "UPDATE purse SET used = used + capacity + 1 WHERE " WALLET,
     "UPDATE purse SET used = used - capacity - 1 WHERE " WALLET, false},
    {"I6 no lease of an ended session", A_SESSION("closed") A_LEASE("5"), NO_LEASE, false},
    {"I8 a payment is credited once",
     "INSERT INTO transfer (team_id, code, ref, debit_account, credit_account, amount_nano,"
     " funds_nano, posted_at) SELECT o.team_id, 'TOPUP', t.ref, o.debit_account, o.credit_account,"
     " t.amount_nano, 0, now() FROM transfer t, transfer o WHERE t.code = 'TOPUP' AND t.team_id = "
     TEAM " AND o.code = 'TOPUP' AND o.team_id = " OTHER_TEAM,
     "DELETE FROM transfer WHERE code = 'TOPUP' AND team_id = " OTHER_TEAM " AND ref IN"
     " (SELECT ref FROM transfer WHERE code = 'TOPUP' AND team_id = " TEAM ")",
     false},
    {"I8 a payment is credited once",
     "INSERT INTO topup_order (team_id, reference, provider, amount_nano, expires_at)"
     " VALUES (" TEAM ", 'TO-BROKEN', 'manual', 5000000000, now());"
     "INSERT INTO payment (team_id, order_id, provider, payment_id, amount_nano, currency, state,"
     " transfer_id) SELECT o.team_id, o.id, 'manual', 'b1', 5000000000, 'USD', 'credited', "
     LAST_TRANSFER " FROM topup_order o WHERE o.reference = 'TO-BROKEN'",
     "DELETE FROM payment WHERE payment_id = 'b1'; DELETE FROM topup_order WHERE reference ="
     " 'TO-BROKEN'",
     false},
    {"I9 posted rows are never changed", "ALTER TABLE transfer DISABLE TRIGGER append_only_all",
     "ALTER TABLE transfer ENABLE TRIGGER append_only_all", false},
    {"I9 posted rows are never changed", "GRANT UPDATE ON call TO tollgate_app",
     "REVOKE UPDATE ON call FROM tollgate_app", false},
    {"I9 posted rows are never changed",
     "DO $$ BEGIN EXECUTE format('ALTER TABLE %I DISABLE TRIGGER append_only_all',"
     " call_partition('call', now())); END $$",
     "DO $$ BEGIN EXECUTE format('ALTER TABLE %I ENABLE TRIGGER append_only_all',"
     " call_partition('call', now())); END $$",
     false},
    {"I10 the balance shown is the books", "UPDATE purse SET capacity = capacity + 3 WHERE " WALLET,
     "UPDATE purse SET capacity = capacity - 3 WHERE " WALLET, false},
    {"I10 balances follow each other",
     "UPDATE transfer SET funds_nano = funds_nano + 1 WHERE team_id = " TEAM
     " AND id = " LAST_TRANSFER,
     "UPDATE transfer SET funds_nano = funds_nano - 1 WHERE team_id = " TEAM
     " AND id = " LAST_TRANSFER,
     false},
    {"days are the usage",
     "UPDATE usage_day SET charge_nano = charge_nano + 1 WHERE " ONE_OF_LAST_DAY,
     "UPDATE usage_day SET charge_nano = charge_nano - 1 WHERE charge_nano > 0 AND (team_id, day,"
     " model, key_id, project_id, provider, account_id) = (SELECT u.team_id, u.day, u.model,"
     " u.key_id, u.project_id, u.provider, u.account_id FROM usage_day u, call c WHERE"
     " c.team_id = u.team_id AND c.served_model = u.model AND c.key_id = u.key_id AND"
     " c.posted_at::date = u.day AND c.project_id = u.project_id AND c.provider = u.provider AND"
     " c.account_id = u.account_id GROUP BY 1, 2, 3, 4, 5, 6, 7, u.charge_nano"
     " HAVING sum(c.charge_nano) <> u.charge_nano)",
     false},
    {"days are the calls",
     "UPDATE usage_day SET output_tokens = output_tokens + 1000000 WHERE " ONE_OF_LAST_DAY,
     "UPDATE usage_day SET output_tokens = output_tokens - 1000000 WHERE output_tokens >= 1000000",
     true},
    {"partitions are there",
     "INSERT INTO call (team_id, call_id, outcome, posted_at) VALUES (" TEAM ","
     " '00000000-0000-7000-8000-000000000001', 'ok', now());"
     "INSERT INTO usage_day (team_id, day, model, key_id, project_id, provider, account_id, calls)"
     " VALUES (" TEAM ", now()::date, '', 0, 0, '', 0, 1)",
     "DELETE FROM call WHERE call_id = '00000000-0000-7000-8000-000000000001';"
     "DELETE FROM usage_day WHERE team_id = " TEAM " AND model = '' AND key_id = 0",
     false},
    {"partitions are there",
     "DO $$ BEGIN EXECUTE format('DROP TABLE %I', call_partition('call', now() + interval"
     " '7 days')); END $$",
     "SELECT ensure_call_partitions()", false},
};

/* Says what is open, and fails. */
static void fail_not_mended(const struct breakage *b)
{
    struct finding_page page;

    people_begin(&t.p, DB_OPERATOR);
    assert_int_equal(finding_list(t.p.db, t.p.a, false, &page), 0);
    people_commit(&t.p);
    for (size_t i = 0; i < page.n; i++)
        print_error("%.*s, %.*s: %.*s\n", STR_FMT(page.v[i].invariant),
                    STR_FMT(page.v[i].subject), STR_FMT(page.v[i].detail));
    fail_msg("not mended: %s (%s)", b->invariant, b->mend);
}

static void check_breakage(const struct breakage *b)
{
    struct open_findings found;

    owner_forces(b->how);
    (void)run(INTEGRITY_WINDOW);
    found = open_of(b->invariant);
    if (!b->full_only && found.n == 0)
        fail_msg("the window does not find: %s (%s)", b->invariant, b->how);
    (void)run(INTEGRITY_FULL);
    found = open_of(b->invariant);
    if (found.n == 0)
        fail_msg("the full check does not find: %s (%s)", b->invariant, b->how);
    (void)run(INTEGRITY_FULL);
    assert_int_equal(open_of(b->invariant).n, found.n); /* once while it is open */
    assert_true(open_of(b->invariant).seen > 1);
    owner_forces(b->mend);
    close_all();
    if (run(INTEGRITY_WINDOW).found + run(INTEGRITY_FULL).found)
        fail_not_mended(b);
}

static void every_broken_rule_is_found(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(breakages); i++)
        check_breakage(&breakages[i]);
}

static void a_finding_is_closed_with_a_reason_only(void **state)
{
    int64_t open = -1, id;

    owner_does("UPDATE purse SET leased = leased + 9 WHERE " WALLET);
    (void)run(INTEGRITY_WINDOW);
    id = open_of("I3 leased is the leases").id;
    people_begin(&t.p, DB_OPERATOR);
    assert_int_equal(finding_count(t.p.db, &open), 0);
    people_commit(&t.p);
    assert_int_equal(open, 1);
    assert_int_equal(close_as(id, "  ", false), FINDING_E_REFUSED);
    assert_int_equal(close_as(id, "looked into", false), FINDING_OK);
    assert_int_equal(close_as(id, "looked into", false), FINDING_E_NONE);
    assert_int_equal(run(INTEGRITY_WINDOW).opened, 1); /* it is still so */
    id = open_of("I3 leased is the leases").id;
    assert_int_equal(close_as(id, "it stays like this", true), FINDING_OK);
    assert_int_equal(run(INTEGRITY_WINDOW).opened, 0);
    owner_does("UPDATE purse SET leased = leased + 1 WHERE " WALLET);
    assert_int_equal(run(INTEGRITY_WINDOW).opened, 1); /* something else than was accepted */
    owner_does("UPDATE purse SET leased = leased - 10 WHERE " WALLET);
    close_all();
}

static void the_server_cannot_write_findings_itself(void **state)
{
    struct str row;

    people_begin(&t.p, DB_OPERATOR);
    assert_int_not_equal(db_script(t.p.db, "DELETE FROM recon_finding"), 0);
    db_rollback(t.p.db);
    people_begin(&t.p, DB_TEAM(t.team));
    assert_int_not_equal(finding_close(t.p.db, t.p.a, 1, STR("me"), STR("not mine"), false, &row), 0);
    db_rollback(t.p.db);
    people_begin(&t.p, DB_TEAM(t.team));
    assert_int_not_equal(integrity_want(t.p.db), 0);
    db_rollback(t.p.db);
}

static void a_form_runs_when_it_is_due_and_on_one_replica(void **state)
{
    struct integrity_outcome o = {0};
    struct integrity_last last[2];
    struct db *other;

    (void)run(INTEGRITY_WINDOW);
    assert_int_equal(integrity_run(t.p.db, INTEGRITY_WINDOW, &o), 0);
    assert_false(o.ran);
    owner_does("UPDATE recon_run SET started_at = now() - interval '56 seconds'"
               " WHERE form = 'window'");
    assert_int_equal(db_open(t.p.pg.app_conninfo, "other", &other), 0);
    assert_int_equal(db_begin(other, DB_SYSTEM, false), 0);
    assert_int_equal(db_script(other, "SELECT integrity_run('window')"), 0);
    assert_int_equal(integrity_run(t.p.db, INTEGRITY_WINDOW, &o), 0);
    assert_false(o.ran); /* the other one is at it */
    assert_int_equal(db_commit(other), 0);
    db_close(other);
    assert_int_equal(integrity_run(t.p.db, INTEGRITY_WINDOW, &o), 0);
    assert_false(o.ran); /* and has done it */
    (void)run(INTEGRITY_FULL);
    assert_int_equal(integrity_run(t.p.db, INTEGRITY_FULL, &o), 0);
    assert_false(o.ran);
    people_begin(&t.p, DB_OPERATOR);
    assert_int_equal(integrity_want(t.p.db), 0);
    assert_int_equal(integrity_read(t.p.db, last), 0);
    people_commit(&t.p);
    assert_true(last[INTEGRITY_FULL].wanted && last[INTEGRITY_FULL].ended_us > 0);
    assert_int_equal(integrity_run(t.p.db, INTEGRITY_FULL, &o), 0);
    assert_true(o.ran);
    assert_int_equal(integrity_run(t.p.db, INTEGRITY_FULL, &o), 0);
    assert_false(o.ran);
}

static void a_clock_that_was_set_back_holds_no_form_up(void **state)
{
    struct integrity_outcome o = {0};

    (void)run(INTEGRITY_WINDOW);
    (void)run(INTEGRITY_FULL);
    owner_does("UPDATE recon_run SET started_at = now() + interval '3 hours',"
               " ended_at = now() + interval '3 hours', until_at = now() + interval '3 hours',"
               " calls_at = now() + interval '3 hours'");
    for (int form = 0; form < 2; form++) {
        assert_int_equal(integrity_run(t.p.db, (enum integrity_form)form, &o), 0);
        assert_true(o.ran);
        while (o.more)
            assert_int_equal(integrity_step(t.p.db, &o), 0);
        assert_int_equal(integrity_run(t.p.db, (enum integrity_form)form, &o), 0);
        assert_false(o.ran);
    }
}

static void nodes_report_and_metrics_tell(void **state)
{
    static struct oversight figures;
    struct buf out;
    bool is_new = false;

    buf_init(&out, KIB(64));
    oversight_print(&figures, &out);
    assert_int_equal(out.n, 0);
    people_begin(&t.p, DB_SYSTEM);
    assert_int_equal(finding_report(t.p.db, STR("I7 no hold outlives its call"), STR("node a"),
                                    STR("for 40 minutes"), &is_new), 0);
    assert_true(is_new);
    assert_int_equal(finding_report(t.p.db, STR("I7 no hold outlives its call"), STR("node a"),
                                    STR("for 41 minutes"), &is_new), 0);
    assert_false(is_new);
    people_commit(&t.p);
    assert_int_equal(oversight_read(t.p.db, &figures), 0);
    oversight_print(&figures, &out);
    buf_putc(&out, '\0');
    assert_non_null(strstr(out.p, "\ntollgate_findings_open 1\n"));
    assert_non_null(strstr(out.p, "\ntollgate_late_usage_usd_total 0\n"));
    assert_non_null(strstr(out.p, "\ntollgate_check_window_age_seconds "));
    buf_done(&out);
    close_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_broken_rule_is_found),
        cmocka_unit_test(a_finding_is_closed_with_a_reason_only),
        cmocka_unit_test(the_server_cannot_write_findings_itself),
        cmocka_unit_test(a_form_runs_when_it_is_due_and_on_one_replica),
        cmocka_unit_test(a_clock_that_was_set_back_holds_no_form_up),
        cmocka_unit_test(nodes_report_and_metrics_tell),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
