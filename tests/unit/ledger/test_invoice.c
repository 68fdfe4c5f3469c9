/* Cutting invoices: months and zones, numbers under many issuers, figures; against a real
 * PostgreSQL. */
#include "ledger/invoice_months.h"

#include <pthread.h>

#include "identity/keyring.h"
#include "identity/team.h"
#include "ledger/invoice_csv.h"
#include "ledger/pdf_text.h"
#include "ledger/statement.h"

static int row_counted(void *ctx, const struct statement_row *row)
{
    struct statement_sum *sum = ctx;

    sum->n++;
    sum->amount.nano += row->amount.nano;
    return 0;
}

/* The ledger's month has the bounds of its invoice, and what it streams adds up to what it sums and to
 * what the invoice says, of usage and of everything. */
static void the_ledger_says_the_same(struct session *s, const struct invoice *inv)
{
    static const char *const codes[] = {NULL, "USAGE,LATE_USAGE", "TOPUP"};
    const int64_t says[] = {inv->closing.nano - inv->opening.nano, -inv->usage.nano,
                            inv->topups.nano};
    struct statement_months months;
    const struct statement_month *m = NULL;

    people_begin(&t, DB_TEAM(s->team));
    assert_int_equal(statement_months(t.db, t.a, s->team, &months), 0);
    for (size_t i = 0; i < months.n; i++)
        if (str_eq(months.v[i].month, inv->month))
            m = &months.v[i];
    assert_non_null(m);
    assert_int_equal(m->from_us, inv->from_us);
    assert_int_equal(m->until_us, inv->until_us);
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        const struct statement_filter f = {str_c(codes[i]), m->from_us, m->until_us};
        struct statement_sum sum, streamed = {0};

        assert_int_equal(statement_sum(t.db, s->team, &f, &sum), 0);
        assert_int_equal(statement_each(t.db, s->team, &f, row_counted, &streamed), 0);
        assert_int_equal(sum.amount.nano, says[i]);
        assert_int_equal(streamed.amount.nano, sum.amount.nano);
        assert_int_equal(streamed.n, sum.n);
    }
    people_commit(&t);
}

static void a_month_ends_where_the_team_lives(void **state)
{
    struct session utc = team_in("utc@example.org", "UTC");
    struct session york = team_in("york@example.org", "America/New_York");
    struct session *both[] = {&utc, &york};
    struct invoice_page page;
    struct invoice first, second;

    for (size_t i = 0; i < 2; i++) {
        post(both[i], "TOPUP", 10000000000, "-10 days");
        post(both[i], "USAGE", -1000000001, "-10 minutes");
        post(both[i], "USAGE", -2000000002, "2 hours"); /* still the month before in New York */
    }
    assert_int_equal(issue(), 3);
    assert_int_equal(issue(), 0);

    page = invoices_of(utc.team);
    assert_int_equal(page.n, 2); /* the newest first */
    first = whole(&page.v[1]);
    second = whole(&page.v[0]);
    assert_int_equal(first.opening.nano, 0);
    assert_int_equal(first.topups.nano, 10000000000);
    assert_int_equal(first.usage.nano, 1000000001);
    assert_int_equal(first.closing.nano, 8999999999);
    assert_int_equal(second.opening.nano, 8999999999);
    assert_int_equal(second.usage.nano, 2000000002);
    assert_int_equal(second.closing.nano, 6999999997);
    assert_int_equal(second.from_us, first.until_us);

    page = invoices_of(york.team);
    assert_int_equal(page.n, 1); /* nothing moved in the month after */
    first = whole(&page.v[0]);
    assert_int_equal(first.usage.nano, 3000000003);
    assert_int_equal(first.closing.nano, 6999999997);
    assert_str(first.time_zone, "America/New_York");
    assert_int_equal(first.calls, 2);
}

/* Neither what the team is called later, nor anybody. */
static void nothing_changes_it(struct session *s, struct actor *actor, struct team_settings block,
                               const struct invoice *inv)
{
    struct identity_fault fault;

    block.legal_name = STR("Renamed");
    people_begin(&t, DB_TEAM(s->team));
    assert_int_equal(team_update(t.db, t.a, actor, s->team, &block, &fault), 0);
    people_commit(&t);
    assert_str(whole(inv).buyer.name, "株式会社トールゲート");
    assert_true(db_script(t.owner, "UPDATE invoice SET buyer_name = 'x'") != 0);
    assert_true(db_script(t.owner, "DELETE FROM invoice_line") != 0);
    assert_true(db_script(t.owner, "UPDATE invoice_file SET pdf = ''") != 0);
}

static void an_invoice_says_everything(void **state)
{
    struct session s = team_in("all@example.org", "Asia/Tokyo");
    struct actor actor = people_actor(s.user);
    struct key_settings settings = {.name = STR("東京サーバー")};
    struct team_settings block = {.name = STR("All"),
                                  .time_zone = STR("Asia/Tokyo"),
                                  .legal_name = STR("株式会社トールゲート"),
                                  .address = STR("شارع الملك فهد\nΛεωφόρος Αθηνών"),
                                  .country = STR("JP"),
                                  .tax_id = STR("T123")};
    struct identity_fault fault;
    struct key_minted key;
    struct invoice_page page;
    struct invoice inv;
    struct str pdf;

    people_begin(&t, DB_TEAM(s.team));
    assert_int_equal(team_update(t.db, t.a, &actor, s.team, &block, &fault), 0);
    assert_int_equal(
        keyring_mint(t.db, t.a, test_pepper, &actor, s.team, s.user, &settings, &key, &fault), 0);
    people_commit(&t);
    script("UPDATE installation SET seller_name = 'Seller GmbH', seller_tax_id = 'DE1'");
    post(&s, "TOPUP", 5000000000, "-9 days");
    post(&s, "GRANT", 1000000000, "-8 days");
    post(&s, "ADJUST", -500000000, "-7 days");
    post(&s, "REFUND", -250000000, "-6 days");
    post(&s, "LATE_USAGE", -3, "-5 days");
    for (int i = 0; i < 3; i++)
        script(
            "SELECT test_post(%lld, 'USAGE', -%d, edge() - interval '4 days', %lld, 'demo-large')",
            (long long)s.team.v, 100 + i, (long long)key.id.v);
    assert_int_equal(issue(), 1);
    page = invoices_of(s.team);
    inv = whole(&page.v[0]);
    assert_int_equal(inv.topups.nano, 5000000000);
    assert_int_equal(inv.grants.nano, 1000000000);
    assert_int_equal(inv.adjustments.nano, -750000000);
    assert_int_equal(inv.usage.nano, 306);
    assert_int_equal(inv.closing.nano, 5249999694);
    assert_int_equal(inv.n_lines, 6);
    assert_str(inv.lines[0].text, "because");
    assert_str(inv.lines[2].text, "Adjustment: because");
    assert_int_equal(inv.lines[3].kind, INVOICE_REFUND);
    assert_str(inv.lines[4].model, "demo-large");
    assert_true(str_starts(inv.lines[4].key, STR("東京サーバー …")));
    assert_int_equal(inv.lines[4].calls, 3);
    assert_int_equal(inv.lines[4].input_tokens, 45);
    assert_int_equal(inv.lines[4].output_tokens, 21);
    assert_int_equal(inv.lines[4].amount.nano, -303);
    assert_str(inv.buyer.name, "株式会社トールゲート");
    assert_str(inv.seller.name, "Seller GmbH");
    people_begin(&t, DB_TEAM(s.team));
    assert_int_equal(invoice_get_pdf(t.db, t.a, s.team, inv.id, &pdf), 0);
    people_commit(&t);
    assert_true(str_starts(pdf, STR("%PDF-1.5")));
    const char *text = pdf_text_of(t.a, pdf);
    assert_non_null(strstr(text, "株式会社トールゲート"));
    assert_non_null(strstr(text, "東京サーバー"));
    assert_non_null(strstr(text, "الملك"));
    assert_non_null(strstr(text, "Λεωφόρος"));
    nothing_changes_it(&s, &actor, block, &inv);
}

DB_QUERY(test_charges, "SELECT coalesce(sum(charge_nano), 0)::bigint AS nano FROM call"
                       " WHERE team_id = $1 AND posted_at >= $2 AND posted_at < $3")

static void csv_and_pdf_add_up_to_the_calls(void **state)
{
    struct session s = team_in("sum@example.org", "Europe/Berlin");
    struct money calls, usage = MONEY_ZERO;
    struct invoice_page page;
    struct invoice inv;
    struct buf b;

    post(&s, "TOPUP", 90000000000, "-9 days");
    for (int i = 1; i <= 40; i++)
        script("SELECT test_post(%lld, 'USAGE', -%d, edge() - interval '%d hours', NULL, 'm%d')",
               (long long)s.team.v, 1234567 * i + 1, 60 - i, i % 7);
    assert_int_equal(issue(), 1);
    page = invoices_of(s.team);
    inv = whole(&page.v[0]);
    people_begin(&t, DB_TEAM(s.team));
    assert_int_equal(
        db_one(t.db, &test_charges, NULL,
               DB_ARGS(db_i64(s.team.v), db_time_us(inv.from_us), db_time_us(inv.until_us)),
               DB_COLS(db_col_money("nano", &calls))),
        0);
    people_commit(&t);
    buf_init(&b, KIB(64));
    invoice_csv(&inv, &b);
    assert_int_equal(buf_finish(&b), 0);
    struct str rest = buf_str(&b), row;
    while (str_split(&rest, '\n', &row)) {
        struct money m;
        if (!memmem(row.p, row.n, "\"usage\"", 7) && !memmem(row.p, row.n, ",usage,", 7))
            continue;
        const char *comma = memrchr(row.p, ',', row.n);
        assert_int_equal(
            money_parse(str_trim(str_n(comma + 1, (size_t)(row.p + row.n - comma - 1))), &m), 0);
        assert_int_equal(money_add(usage, m, &usage), 0);
    }
    buf_done(&b);
    assert_true(calls.nano > 0);
    assert_int_equal(-usage.nano, calls.nano);
    assert_int_equal(inv.usage.nano, calls.nano);

    struct str pdf;
    people_begin(&t, DB_TEAM(s.team));
    assert_int_equal(invoice_get_pdf(t.db, t.a, s.team, inv.id, &pdf), 0);
    people_commit(&t);
    buf_init(&b, 128);
    buf_putc(&b, '$');
    money_put_fixed(&b, calls, 9);
    buf_puts(&b, " used in");
    buf_putc(&b, '\0');
    assert_int_equal(buf_finish(&b), 0);
    const char *text = pdf_text_of(t.a, pdf);
    assert_non_null(strstr(text, b.p));
    assert_non_null(memmem(text, strlen(text), inv.number.p, inv.number.n));
    buf_done(&b);
}

static void invoices_are_continuous_when_the_zone_changes(void **state)
{
    struct session s = team_in("moves@example.org", "America/Los_Angeles");
    struct invoice_page page;

    post(&s, "TOPUP", 1000000000, "-5 days");
    post(&s, "USAGE", -7, "3 hours"); /* before the month's end in Los Angeles */
    assert_int_equal(issue(), 1);
    script("UPDATE invoice_cut SET next_month = (next_month - interval '1 month')::date"
           " WHERE team_id = %lld AND next_month > edge()::date",
           (long long)s.team.v);
    script("UPDATE team SET time_zone = 'Asia/Tokyo' WHERE id = %lld", (long long)s.team.v);
    post(&s, "USAGE", -11, "10 hours");
    script("UPDATE invoice_cut SET from_at = (SELECT max(until_at) FROM invoice i"
           " WHERE i.team_id = invoice_cut.team_id) WHERE team_id = %lld",
           (long long)s.team.v);
    assert_int_equal(issue(), 1);
    page = invoices_of(s.team);
    assert_int_equal(page.n, 2);
    assert_int_equal(page.v[0].from_us, page.v[1].until_us);
    assert_int_equal(page.v[0].opening.nano, page.v[1].closing.nano);
    assert_int_equal(page.v[0].usage.nano, 11);
    for (size_t i = 0; i < page.n; i++)
        the_ledger_says_the_same(&s, &page.v[i]);
}

static void books_that_do_not_add_up_are_not_invoiced(void **state)
{
    struct session s = team_in("wrong@example.org", "UTC");
    struct session fine = team_in("fine@example.org", "UTC");

    post(&s, "TOPUP", 1000000000, "-5 days");
    script("INSERT INTO call (team_id, call_id, outcome, charge_nano, posted_at)"
           " VALUES (%lld, gen_random_uuid(), 'ok', 5, edge() - interval '1 day')",
           (long long)s.team.v);
    post(&fine, "TOPUP", 1000000000, "-5 days");
    assert_int_equal(issue(), 1);
    assert_int_equal(invoices_of(s.team).n, 0);
    assert_int_equal(invoices_of(fine.team).n, 1);
    script("SELECT test_post(%lld, 'USAGE', -5, edge() - interval '1 day')", (long long)s.team.v);
    script("INSERT INTO call (team_id, call_id, outcome, posted_at)"
           " SELECT %lld, gen_random_uuid(), 'ok', edge()",
           (long long)s.team.v);
    assert_int_equal(issue(), 0); /* now it is the ledger that lacks 5 */
}

DB_QUERY(test_settle,
         "SELECT settle_batch(session_open('test', ''), ARRAY[json_populate_record("
         "  NULL::settled_call, json_build_object("
         "  'team_id', $1::bigint, 'call_id', $2::text, 'outcome', 'ok', 'status', 200,"
         "  'stream', false, 'attempts', 1, 'fallback', false, 'served_model', 'demo-small',"
         "  'provider', 'demo', 'input_tokens', 3, 'cached_input_tokens', 0,"
         "  'cache_write_5m_tokens', 0, 'cache_write_1h_tokens', 0, 'output_tokens', 4,"
         "  'reasoning_tokens', 0, 'audio_input_tokens', 0, 'audio_output_tokens', 0, 'images', 0,"
         "  'hold_nano', 100, 'charge_nano', 77, 'cost_nano', 1, 'latency_us', 1, 'ttfb_us', 1,"
         "  'repeat', 1))], '{}')")

static void the_preview_shows_the_running_month(void **state)
{
    struct session s = people_session(&t, people_sign_up(&t, "now@example.org").token);
    struct invoice inv;

    people_begin(&t, DB_SYSTEM);
    assert_int_equal(db_exec(t.db, &test_settle,
                             DB_ARGS(db_i64(s.team.v),
                                     db_cstr("01890000-0000-7000-8000-000000000001")),
                             NULL),
                     0);
    people_commit(&t);
    people_begin(&t, DB_TEAM(s.team));
    assert_int_equal(invoice_preview(t.db, t.a, s.team, &inv), 0);
    people_commit(&t);
    assert_null(inv.number.p);
    assert_int_equal(inv.issued_at_us, 0);
    assert_int_equal(inv.usage.nano, 77);
    assert_int_equal(inv.closing.nano, -77);
    assert_int_equal(inv.n_lines, 1);
    assert_int_equal(inv.lines[0].input_tokens, 3);
}

static void one_team_reads_no_invoice_of_another(void **state)
{
    struct session a = team_in("one@example.org", "UTC"), b = team_in("two@example.org", "UTC");
    struct invoice inv;
    struct str pdf;

    post(&a, "TOPUP", 1000000000, "-5 days");
    assert_int_equal(issue(), 1);
    inv = invoices_of(a.team).v[0];
    people_begin(&t, DB_TEAM(b.team));
    assert_int_equal(invoice_get(t.db, t.a, a.team, inv.id, &inv), INVOICE_E_NONE);
    assert_int_equal(invoice_get_pdf(t.db, t.a, a.team, inv.id, &pdf), INVOICE_E_NONE);
    people_commit(&t);
}

struct issuer {
    pthread_t thread;
    int64_t issued;
    int result;
};

static void *issue_all(void *arg)
{
    struct issuer *i = arg;
    struct db *db;

    i->result = -1;
    if (db_open(t.pg.app_conninfo, "issuer", &db) == 0) {
        i->result = invoice_issue_due(db, &i->issued);
        db_close(db);
    }
    return NULL;
}

DB_QUERY(test_numbers, "SELECT count(*) AS n, coalesce(max(serial), 0)::bigint AS last,"
                       "       count(DISTINCT serial) AS different, bool_and(number ="
                       "           'TG-' || year || '-' || lpad(serial::text, 6, '0')) AS formed,"
                       "       count(DISTINCT year) AS years"
                       "  FROM invoice")

static void eight_issuers_leave_no_gap(void **state)
{
    struct session s = people_session(&t, people_sign_up(&t, "many@example.org").token);
    struct issuer issuers[8] = {0};
    int64_t n, last, different, years, issued = 0;
    bool formed;

    script("WITH made AS (INSERT INTO team (name, time_zone, created_at)"
           " SELECT 'Many', 'UTC', edge() - interval '20 days' FROM generate_series(1, 24)"
           " RETURNING id) SELECT open_team_books(id) FROM made");
    script("SELECT test_post(id, 'TOPUP', 1000000000, edge() - interval '2 days'),"
           "       test_post(id, 'USAGE', -id, edge() - interval '1 day')"
           "  FROM team WHERE name = 'Many' AND id <> %lld",
           (long long)s.team.v);
    for (size_t i = 0; i < ARRAY_LEN(issuers); i++)
        assert_int_equal(pthread_create(&issuers[i].thread, NULL, issue_all, &issuers[i]), 0);
    for (size_t i = 0; i < ARRAY_LEN(issuers); i++) {
        pthread_join(issuers[i].thread, NULL);
        assert_int_equal(issuers[i].result, 0);
        issued += issuers[i].issued;
    }
    assert_int_equal(issued, 24);
    people_begin(&t, DB_OPERATOR);
    assert_int_equal(db_one(t.db, &test_numbers, NULL, DB_NO_ARGS,
                            DB_COLS(db_col_i64("n", &n), db_col_i64("last", &last),
                                    db_col_i64("different", &different),
                                    db_col_bool("formed", &formed), db_col_i64("years", &years))),
                     0);
    people_commit(&t);
    assert_int_equal(years, 1);
    assert_int_equal(last, n);
    assert_int_equal(different, n);
    assert_true(formed);
    assert_int_equal(issue(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_month_ends_where_the_team_lives),
        cmocka_unit_test(an_invoice_says_everything),
        cmocka_unit_test(csv_and_pdf_add_up_to_the_calls),
        cmocka_unit_test(invoices_are_continuous_when_the_zone_changes),
        cmocka_unit_test(books_that_do_not_add_up_are_not_invoiced),
        cmocka_unit_test(the_preview_shows_the_running_month),
        cmocka_unit_test(one_team_reads_no_invoice_of_another),
        cmocka_unit_test(eight_issuers_leave_no_gap),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
