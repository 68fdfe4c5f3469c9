/* Credit notes to real invoices: numbers without gaps, never more than was invoiced, posted once; and
 * usage that settles after a month was cut. Months pass by moving the books into the past. */
#include "identity/people.h"

#include <pthread.h>

#include "ledger/pdf_text.h"
#include "payments/booking.h"

static struct people t;
static struct actor operator;

static const char helpers[] =
    "CREATE FUNCTION test_use(p_team bigint, p_nano bigint, p_started timestamptz) RETURNS void"
    " LANGUAGE sql AS $$ SELECT settle_batch(session_open('test', ''),"
    "  ARRAY[json_populate_record(NULL::settled_call, json_build_object("
    "  'team_id', p_team, 'call_id', overlay(gen_random_uuid()::text PLACING"
    "      left(call_id_floor(p_started)::text, 13) FROM 1), 'started_at', p_started,"
    "  'outcome', 'ok', 'status', 200, 'attempts', 1, 'served_model', 'demo-small',"
    "  'provider', 'demo', 'input_tokens', 3, 'output_tokens', 4, 'hold_nano', p_nano,"
    "  'charge_nano', p_nano, 'cost_nano', 1))], '{}') $$;"
    /* Everything that was booked was booked a month earlier. */
    "CREATE FUNCTION test_month_passes(p_team bigint) RETURNS void LANGUAGE plpgsql AS $$"
    " BEGIN"
    "  ALTER TABLE transfer DISABLE TRIGGER append_only;"
    "  ALTER TABLE call DISABLE TRIGGER append_only;"
    "  UPDATE team SET time_zone = 'UTC', created_at = created_at - interval '1 month'"
    "   WHERE id = p_team;"
    "  UPDATE transfer SET posted_at = posted_at - interval '1 month' WHERE team_id = p_team;"
    "  UPDATE call SET posted_at = posted_at - interval '1 month' WHERE team_id = p_team;"
    "  UPDATE usage_day SET day = (day - interval '1 month')::date WHERE team_id = p_team;"
    "  ALTER TABLE transfer ENABLE TRIGGER append_only;"
    "  ALTER TABLE call ENABLE TRIGGER append_only;"
    " END $$";

static int setup(void **state)
{
    people_start(&t);
    operator=(struct actor){ACTOR_OPERATOR, 1, STR("op@example.org"), STR_NONE};
    assert_int_equal(db_script(t.owner, helpers), 0);
    return 0;
}

static int teardown(void **state)
{
    people_stop(&t);
    return 0;
}

static void script(const char *fmt, ...) _printf_(1, 2);
static void script(const char *fmt, ...)
{
    char sql[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(sql, sizeof(sql), fmt, ap);
    va_end(ap);
    assert_int_equal(db_script(t.owner, sql), 0);
}

static void issue_due(void)
{
    assert_int_equal(invoice_issue_due(t.db, NULL), 0);
}

static struct invoice_page invoices_of(struct team_id team)
{
    struct invoice_page page;

    people_begin(&t, DB_TEAM(team));
    assert_int_equal(invoice_list(t.db, t.a, team, &page), 0);
    people_commit(&t);
    return page;
}

static struct team_id team_of(const char *email)
{
    return people_session(&t, people_sign_up(&t, email).token).team;
}

/* A team whose last month has an invoice of this usage, of a top-up and a grant. */
static struct invoice invoiced(struct team_id team, int64_t nano)
{
    struct invoice_page page;

    script("SET app.scope = 'operator';"
           "SELECT post_topup(%lld, 'TO-%lld', 10000000000, 'Top-up', 'system', NULL, 'system');"
           "SELECT post_grant(%lld, 'g', 1000000000, 'Welcome', 'hello', 100, NULL, 'operator', 1,"
           " 'op'); SELECT test_use(%lld, %lld, now()); RESET app.scope",
           (long long)team.v, (long long)team.v, (long long)team.v, (long long)team.v,
           (long long)nano);
    script("SELECT test_month_passes(%lld)", (long long)team.v);
    issue_due();
    page = invoices_of(team);
    assert_int_equal(page.n, 1);
    assert_int_equal(page.v[0].usage.nano, nano);
    assert_int_equal(page.v[0].grants.nano, 1000000000); /* what it covered is no movement */
    assert_int_equal(page.v[0].closing.nano, 11000000000 - nano);
    return page.v[0];
}

static int credit_with(struct db *db, struct arena *a, const struct invoice *inv, int64_t nano,
                       const char *ref, int64_t *ret_id, struct identity_fault *fault)
{
    struct booking wish = {{nano}, STR("the model was down"), str_c(ref)};
    int r = db_begin(db, DB_OPERATOR, false);

    if (r)
        return r;
    r = booking_credit_note(db, a, &operator, inv->team, inv->id, &wish, ret_id, fault);
    if (r)
        db_rollback(db);
    else
        assert_int_equal(db_commit(db), 0);
    return r;
}

static int credit(const struct invoice *inv, int64_t nano, const char *ref, int64_t *ret_id,
                  struct identity_fault *fault)
{
    return credit_with(t.db, t.a, inv, nano, ref, ret_id, fault);
}

static struct balance balance_of(struct team_id team)
{
    struct balance b;

    people_begin(&t, DB_TEAM(team));
    assert_int_equal(balance_read(t.db, t.a, team, &b), 0);
    people_commit(&t);
    return b;
}

static struct credit_note note_of(struct team_id team, int64_t id)
{
    struct credit_note note;

    people_begin(&t, DB_TEAM(team));
    assert_int_equal(credit_note_get(t.db, t.a, team, id, &note), 0);
    people_commit(&t);
    return note;
}

DB_QUERY(test_findings, "SELECT invariant || ': ' || subject || ': ' || detail AS text"
                        "  FROM ledger_findings()")

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

    assert_int_equal(db_begin(t.owner, DB_SYSTEM, true), 0);
    assert_int_equal(db_each(t.owner, &test_findings, t.a, DB_NO_ARGS,
                             DB_COLS(db_col_text("text", &finding)), told, &n),
                     0);
    assert_int_equal(db_commit(t.owner), 0);
    assert_int_equal(n, 0);
}

DB_QUERY(test_audits, "SELECT count(*) AS n FROM audit"
                      " WHERE team_id = $1 AND action = 'credit_note.issue'")

static void a_note_gives_back_what_was_invoiced_and_no_more(void **state)
{
    struct team_id team = team_of("note@example.org");
    struct invoice inv = invoiced(team, 3000000001);
    struct identity_fault fault = {"", ""};
    struct credit_note note;
    int64_t id = 0, again = 0, audits;

    assert_int_equal(credit(&inv, 3000000002, "a", &id, &fault), IDENTITY_E_FAULT);
    assert_string_equal(fault.field, "amount");
    assert_non_null(strstr(fault.sentence, "Only $3.000000001 of this invoice"));
    assert_int_equal(credit(&inv, 1000000001, "a", &id, &fault), 0);
    assert_int_equal(balance_of(team).posted.nano, 9000000000);
    assert_int_equal(credit(&inv, 1000000001, "a", &again, &fault), 0);
    assert_int_equal(again, id);
    assert_int_equal(credit(&inv, 1000000000, "a", &again, &fault), IDENTITY_E_FAULT);
    assert_string_equal(fault.field, "reference");
    assert_int_equal(credit(&inv, 2000000001, "b", &again, &fault), IDENTITY_E_FAULT);
    assert_int_equal(credit(&inv, 2000000000, "b", &again, &fault), 0);
    assert_int_equal(credit(&inv, 1, "c", &again, &fault), IDENTITY_E_FAULT);
    assert_int_equal(balance_of(team).posted.nano, 11000000000);
    note = note_of(team, id);
    assert_true(str_starts(note.number, STR("TG-CN-")));
    assert_true(str_eq(note.invoice_number, inv.number));
    assert_int_equal(note.amount.nano, 1000000001);
    assert_str(note.reason, "the model was down");
    people_begin(&t, DB_OPERATOR);
    assert_int_equal(db_one(t.db, &test_audits, NULL, DB_ARGS(db_i64(team.v)),
                            DB_COLS(db_col_i64("n", &audits))),
                     0);
    people_commit(&t);
    assert_int_equal(audits, 2);
    sound();
}

static void wrong_notes_change_nothing(void **state)
{
    struct team_id team = team_of("wrong@example.org"), other = team_of("other@example.org");
    struct invoice inv = invoiced(team, 500), elsewhere;
    struct identity_fault fault = {"", ""};
    int64_t id;

    assert_int_equal(credit(&inv, 0, "w", &id, &fault), IDENTITY_E_FAULT);
    assert_int_equal(credit(&inv, -1, "w", &id, &fault), IDENTITY_E_FAULT);
    assert_int_equal(credit(&inv, INT64_MAX, "w", &id, &fault), IDENTITY_E_FAULT);
    assert_string_equal(fault.field, "amount");
    elsewhere = inv;
    elsewhere.team = other;
    assert_int_equal(credit(&elsewhere, 5, "w", &id, &fault), IDENTITY_E_NONE);
    elsewhere = inv;
    elsewhere.id += 1000;
    assert_int_equal(credit(&elsewhere, 5, "w", &id, &fault), IDENTITY_E_NONE);
    assert_int_equal(balance_of(team).posted.nano, 10999999500);
    sound();
}

static void a_note_is_a_document_that_stays(void **state)
{
    struct team_id team = team_of("paper@example.org");
    struct invoice inv;
    struct identity_fault fault;
    struct credit_note note;
    struct str pdf, again;
    struct buf csv;
    int64_t id;

    script("UPDATE installation SET seller_name = 'Seller GmbH'");
    script("UPDATE team SET legal_name = '株式会社トールゲート' WHERE id = %lld", (long long)team.v);
    inv = invoiced(team, 2500000000);
    assert_int_equal(credit(&inv, 1234567891, "p", &id, &fault), 0);
    note = note_of(team, id);
    people_begin(&t, DB_TEAM(team));
    assert_int_equal(credit_note_get_pdf(t.db, t.a, team, id, &pdf), 0);
    people_commit(&t);
    const char *text = pdf_text_of(t.a, pdf);

    assert_non_null(strstr(text, "Credit note"));
    assert_non_null(strstr(text, "$1.234567891 credited for"));
    assert_non_null(strstr(text, "株式会社トールゲート"));
    assert_non_null(strstr(text, "Seller GmbH"));
    assert_non_null(memmem(text, strlen(text), note.number.p, note.number.n));
    assert_non_null(memmem(text, strlen(text), inv.number.p, inv.number.n));
    buf_init(&csv, 4096);
    credit_note_csv(&note, &csv);
    buf_putc(&csv, '\0');
    assert_int_equal(buf_finish(&csv), 0);
    assert_non_null(strstr(csv.p, "1.234567891"));
    buf_done(&csv);
    script("UPDATE team SET legal_name = 'Renamed' WHERE id = %lld", (long long)team.v);
    people_begin(&t, DB_TEAM(team));
    assert_int_equal(credit_note_get_pdf(t.db, t.a, team, id, &again), 0);
    people_commit(&t);
    assert_true(str_eq(pdf, again));
    assert_str(note_of(team, id).buyer.name, "株式会社トールゲート");
    assert_true(db_script(t.owner, "UPDATE credit_note SET amount_nano = 1") != 0);
    assert_true(db_script(t.owner, "DELETE FROM credit_note_file") != 0);
    assert_true(db_script(t.owner, "TRUNCATE credit_note CASCADE") != 0);
}

static void the_next_invoice_tells_of_it(void **state)
{
    struct team_id team = team_of("next@example.org");
    struct invoice inv = invoiced(team, 2000000000), next;
    struct identity_fault fault;
    struct credit_note note;
    int64_t id;
    bool found = false;

    assert_int_equal(credit(&inv, 500000000, "n", &id, &fault), 0);
    note = note_of(team, id);
    people_begin(&t, DB_TEAM(team));
    assert_int_equal(invoice_preview(t.db, t.a, team, &next), 0);
    people_commit(&t);
    assert_int_equal(next.opening.nano, inv.closing.nano);
    assert_int_equal(next.adjustments.nano, 500000000);
    assert_int_equal(next.closing.nano, inv.closing.nano + 500000000);
    for (size_t i = 0; i < next.n_lines; i++) {
        if (next.lines[i].kind != INVOICE_CREDIT_NOTE)
            continue;
        found = true;
        assert_int_equal(next.lines[i].amount.nano, 500000000);
        assert_non_null(
            memmem(next.lines[i].text.p, next.lines[i].text.n, note.number.p, note.number.n));
    }
    assert_true(found);
}

/* A call of the month before that settles after the cut is of the month it settles in. */
static void late_usage_falls_into_the_next_month(void **state)
{
    struct team_id team = team_of("late@example.org");
    struct invoice inv = invoiced(team, 700), next;

    script("SELECT test_use(%lld, 55, date_trunc('month', now()) - interval '1 hour')",
           (long long)team.v);
    issue_due();
    assert_int_equal(invoices_of(team).n, 1);
    assert_int_equal(invoices_of(team).v[0].usage.nano, 700);
    people_begin(&t, DB_TEAM(team));
    assert_int_equal(invoice_preview(t.db, t.a, team, &next), 0);
    people_commit(&t);
    assert_int_equal(next.usage.nano, 55);
    assert_int_equal(next.opening.nano, inv.closing.nano);
    assert_int_equal(next.closing.nano, inv.closing.nano - 55);
}

struct issuer {
    pthread_t thread;
    const struct invoice *inv;
    char ref[16];
    int result;
};

static void *issue_alone(void *arg)
{
    struct issuer *c = arg;
    struct arena *a = arena_new(MIB(4));
    struct identity_fault fault;
    struct db *db;
    int64_t id;

    c->result = -1;
    if (db_open(t.pg.app_conninfo, "issuer", &db) == 0) {
        c->result = credit_with(db, a, c->inv, 300, c->ref, &id, &fault);
        db_close(db);
    }
    arena_free(a);
    return NULL;
}

DB_QUERY(test_series, "SELECT count(*) AS n, max(serial)::bigint AS last,"
                      "       count(DISTINCT serial) AS different,"
                      "       bool_and(number = 'TG-CN-' || year || '-' || lpad(serial::text, 6, '0'))"
                      "           AS formed FROM credit_note")

static void eight_at_once_leave_no_gap_and_pass_no_limit(void **state)
{
    struct invoice inv[2];
    struct issuer c[8];
    int64_t n, last, different;
    int good = 0;
    bool formed;

    inv[0] = invoiced(team_of("gap1@example.org"), 1000);
    inv[1] = invoiced(team_of("gap2@example.org"), 1000);
    for (size_t i = 0; i < ARRAY_LEN(c); i++) {
        c[i].inv = &inv[i % 2];
        snprintf(c[i].ref, sizeof(c[i].ref), "g%zu", i);
        assert_int_equal(pthread_create(&c[i].thread, NULL, issue_alone, &c[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(c); i++) {
        pthread_join(c[i].thread, NULL);
        assert_true(c[i].result == 0 || c[i].result == IDENTITY_E_FAULT);
        good += c[i].result == 0;
    }
    assert_int_equal(good, 6); /* three of 300 each fit into 1000 */
    people_begin(&t, DB_OPERATOR);
    assert_int_equal(db_one(t.db, &test_series, NULL, DB_NO_ARGS,
                            DB_COLS(db_col_i64("n", &n), db_col_i64("last", &last),
                                    db_col_i64("different", &different),
                                    db_col_bool("formed", &formed))),
                     0);
    people_commit(&t);
    assert_int_equal(last, n);
    assert_int_equal(different, n);
    assert_true(formed);
}

/* As the role that the server runs as, whatever scope it claims. */
static bool app_may(const char *sql)
{
    people_begin(&t, DB_OPERATOR);
    int r = db_script(t.db, sql);

    db_rollback(t.db);
    return r == 0;
}

static void the_server_cannot_cheat(void **state)
{
    struct team_id team = team_of("rights@example.org"), other = team_of("x@example.org");
    struct invoice inv = invoiced(team, 900);
    struct identity_fault fault;
    struct credit_note note;
    struct str pdf;
    int64_t id;

    assert_int_equal(credit(&inv, 100, "r", &id, &fault), 0);
    assert_true(app_may("SELECT count(*) FROM credit_note, credit_note_file, credit_note_counter"));
    assert_false(app_may("INSERT INTO credit_note (team_id) VALUES (1)"));
    assert_false(app_may("UPDATE credit_note SET reason = 'x'"));
    assert_false(app_may("DELETE FROM credit_note"));
    assert_false(app_may("UPDATE credit_note_file SET pdf = ''"));
    assert_false(app_may("UPDATE credit_note_counter SET last = 1"));
    assert_false(app_may("SET LOCAL app.scope = 'team';"
                         "SELECT post_credit_note(1, 1, 'q', 1, 'because', '', 1, '')"));
    people_begin(&t, DB_TEAM(other));
    assert_int_equal(credit_note_get(t.db, t.a, team, id, &note), CREDIT_NOTE_E_NONE);
    assert_int_equal(credit_note_get_pdf(t.db, t.a, team, id, &pdf), CREDIT_NOTE_E_NONE);
    people_commit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_note_gives_back_what_was_invoiced_and_no_more),
        cmocka_unit_test(wrong_notes_change_nothing),
        cmocka_unit_test(a_note_is_a_document_that_stays),
        cmocka_unit_test(the_next_invoice_tells_of_it),
        cmocka_unit_test(late_usage_falls_into_the_next_month),
        cmocka_unit_test(eight_at_once_leave_no_gap_and_pass_no_limit),
        cmocka_unit_test(the_server_cannot_cheat),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
