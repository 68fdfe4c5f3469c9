/* Calls that leave: nothing while retention is off, nothing that is not invoiced and kept as CSV; then
 * whole weeks, with the books as sound as before and the CSV as the log had it. */
#include "lease/money.h"
#include "log_past.h"

#include "ledger/invoice.h"
#include "ledger/settle_sql.h"
#include "logs/export.h"
#include "logs/retention.h"
#include "model/record.h"

#define PAST_ROWS 8000
#define PAST_WEEKS 22

static struct money_test t;
static struct buf before_csv; /* of an old invoice, from the log */
static int64_t old_invoice, old_from_us, old_until_us, old_usage;

static void owner_does(const char *sql)
{
    char text[1024];

    snprintf(text, sizeof(text), "BEGIN; SET LOCAL app.scope = 'system'; %s; COMMIT", sql);
    if (db_script(t.p.owner, text) != 0)
        fail_msg("%s: %s", sql, db_last_error(t.p.owner));
}

static int setup(void **state)
{
    money_start(&t, 1);
    log_past_write(t.p.owner, PAST_ROWS, PAST_WEEKS);
    owner_does("UPDATE team SET created_at = now() - interval '24 weeks'");
    buf_init(&before_csv, MIB(16));
    return 0;
}

static int teardown(void **state)
{
    buf_done(&before_csv);
    money_stop(&t);
    return 0;
}

DB_QUERY(retention_figure,
         "SELECT CASE $1::bigint WHEN 1 THEN (SELECT count(*) FROM call)"
         " WHEN 2 THEN (SELECT count(*) FROM call WHERE posted_at >= now() - interval '60 days')"
         " WHEN 3 THEN (SELECT count(*) FROM ledger_findings())"
         " WHEN 4 THEN (SELECT count(*) FROM ledger_findings(now() - interval '1 day'))"
         " WHEN 5 THEN (SELECT sum(charge_nano) FROM usage_day)"
         " WHEN 6 THEN (SELECT count(*) FROM call_dropped)"
         " WHEN 7 THEN (SELECT count(*) FROM call WHERE call_id < call_id_floor(now() - interval '18 weeks'))"
         " WHEN 8 THEN (SELECT coalesce(sum(calls), 0) FROM call_archive)"
         " WHEN 9 THEN (SELECT count(*) FROM attempt)"
         " WHEN 10 THEN (SELECT coalesce(sum(calls), 0) FROM call_dropped)"
         " END::bigint AS v")
enum {
    ALL_CALLS = 1, RECENT_CALLS, FULL_FINDINGS, WINDOW_FINDINGS, ROLLED_UP, WEEKS_DROPPED, OLDEST_CALLS,
    ARCHIVED_CALLS, ALL_ATTEMPTS, DROPPED_CALLS,
};

static int64_t figure(int which)
{
    return money_figure(&t, &retention_figure, which);
}

static struct retention_done run(void)
{
    struct retention_done done = {0}, one;

    do {
        assert_int_equal(retention_run(t.p.db, &one), 0);
        done.archived += one.archived;
        done.dropped += one.dropped;
    } while (one.archived + one.dropped > 0);
    return done;
}

static void calls_stay_while_it_is_off(void **state)
{
    struct retention_done done = run();
    struct retention_view view;

    assert_int_equal(done.archived + done.dropped, 0);
    people_begin(&t.p, DB_OPERATOR);
    assert_int_equal(retention_read(t.p.db, &view), 0);
    people_commit(&t.p);
    assert_int_equal(view.months, 0);
    assert_int_equal(view.cutoff_us, 0);
}

static void calls_stay_while_they_are_not_invoiced(void **state)
{
    int64_t calls = figure(ALL_CALLS);
    struct retention_done done;

    owner_does("UPDATE installation SET call_retention_months = 2");
    done = run();
    assert_int_equal(done.archived, 0);
    assert_int_equal(figure(DROPPED_CALLS), 0); /* weeks without calls have nothing to wait for */
    assert_int_equal(figure(ALL_CALLS), calls);
}

static int keep_row(void *ctx, const struct log_row *row)
{
    log_csv_row(&before_csv, row);
    return 0;
}

/* The log's CSV of the second invoice of the first team, to compare with. */
static void remember_an_old_invoice(void)
{
    struct invoice_page page;
    const struct invoice *old;

    people_begin(&t.p, DB_TEAM(t.team));
    assert_int_equal(invoice_list(t.p.db, t.p.a, t.team, &page), 0);
    assert_true(page.n >= 4);
    old = &page.v[page.n - 2];
    old_invoice = old->id;
    old_from_us = old->from_us;
    old_until_us = old->until_us;
    old_usage = old->usage.nano;
    log_csv_head(&before_csv);
    assert_int_equal(log_each(t.p.db,
                              &(struct log_filter){.team = t.team, .from_us = old_from_us,
                                                   .to_us = old_until_us, .cost_above = {-1}},
                              keep_row, NULL), 0);
    people_commit(&t.p);
    assert_int_equal(buf_finish(&before_csv), 0);
    assert_true(old_usage > 0);
}

static void invoiced_and_archived_weeks_leave(void **state)
{
    int64_t calls, recent, rolled, issued = 0, attempts, weeks = figure(WEEKS_DROPPED);
    struct retention_done done;

    assert_int_equal(invoice_issue_due(t.p.db, &issued), 0);
    assert_true(issued > 21);
    remember_an_old_invoice();
    /* An old call that was settled just now: its month is not invoiced, so its week stays. */
    owner_does("INSERT INTO call (team_id, call_id, outcome, posted_at) SELECT min(t.id),"
               " call_id_floor(date_trunc('week', now(), 'UTC') - interval '16 weeks'), 'ok', now()"
               "  FROM team t;"
               "INSERT INTO usage_day (team_id, day, model, key_id, project_id, provider, account_id,"
               " calls) SELECT min(t.id), now()::date, '', 0, 0, '', 0, 1 FROM team t");
    calls = figure(ALL_CALLS);
    recent = figure(RECENT_CALLS);
    rolled = figure(ROLLED_UP);
    attempts = figure(ALL_ATTEMPTS);
    assert_int_equal(figure(FULL_FINDINGS), 0);
    done = run();
    assert_true(done.archived > 21);
    assert_true(done.dropped >= 8);
    assert_int_equal(done.dropped, figure(WEEKS_DROPPED) - weeks);
    assert_int_equal(figure(ALL_CALLS), calls - figure(DROPPED_CALLS));
    assert_int_equal(figure(RECENT_CALLS), recent);
    assert_int_equal(figure(OLDEST_CALLS), 0);
    assert_true(figure(ALL_ATTEMPTS) < attempts);
    assert_int_equal(figure(ROLLED_UP), rolled);
    assert_true(figure(ARCHIVED_CALLS) >= figure(DROPPED_CALLS));
}

DB_QUERY(retention_week_there,
         "SELECT count(*) AS v FROM pg_class WHERE relname ="
         " call_partition('call', now() - $1 * interval '7 days')")

static void a_week_with_a_call_of_an_open_month_stays(void **state)
{
    assert_int_equal(money_figure(&t, &retention_week_there, 16), 1);
    assert_int_equal(money_figure(&t, &retention_week_there, 15), 0);
    assert_int_equal(money_figure(&t, &retention_week_there, 17), 0);
    assert_int_equal(money_figure(&t, &retention_week_there, 4), 1);
}

static void the_books_are_as_sound_as_before(void **state)
{
    assert_int_equal(figure(FULL_FINDINGS), 0);
    assert_int_equal(figure(WINDOW_FINDINGS), 0);
    owner_does("ALTER TABLE call_dropped_transfer DISABLE TRIGGER append_only;"
               "UPDATE call_dropped_transfer SET charge_nano = charge_nano + 1 WHERE transfer_id ="
               " (SELECT min(transfer_id) FROM call_dropped_transfer)");
    assert_true(figure(FULL_FINDINGS) > 1);
    owner_does("UPDATE call_dropped_transfer SET charge_nano = charge_nano - 1 WHERE transfer_id ="
               " (SELECT min(transfer_id) FROM call_dropped_transfer);"
               "ALTER TABLE call_dropped_transfer ENABLE TRIGGER append_only");
    assert_int_equal(figure(FULL_FINDINGS), 0);
}

static int keep_part(void *ctx, struct str bytes)
{
    buf_put_str(ctx, bytes);
    return 0;
}

static void the_csv_of_an_invoice_is_what_the_log_had(void **state)
{
    struct buf kept;
    int64_t until_us = 0;

    buf_init(&kept, MIB(16));
    people_begin(&t.p, DB_TEAM(t.team));
    assert_int_equal(archive_find(t.p.db, t.team, old_invoice, &until_us), RETENTION_OK);
    assert_int_equal(until_us, old_until_us);
    assert_int_equal(archive_each(t.p.db, t.team, until_us, keep_part, &kept), 0);
    assert_int_equal(archive_find(t.p.db, t.team, old_invoice + 100000, &until_us),
                     RETENTION_E_NONE);
    people_commit(&t.p);
    assert_int_equal(kept.n, before_csv.n);
    assert_memory_equal(kept.p, before_csv.p, kept.n);
    assert_non_null(memmem(kept.p, kept.n, ",charge_usd,", 12));
    assert_null(memmem(kept.p, kept.n, "cost_usd", 8)); /* the operator's */
    buf_done(&kept);
}

static void the_server_cannot_drop_or_change_what_is_kept(void **state)
{
    static const char *const tries[] = {
        "DELETE FROM call_archive_part", "UPDATE call_archive SET calls = 0",
        "TRUNCATE call_archive_part", "INSERT INTO call_dropped (week, calls) VALUES ('2020-01-06', 1)",
        "DROP TABLE call_default",
    };

    for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
        people_begin(&t.p, DB_SYSTEM);
        assert_int_not_equal(db_script(t.p.db, tries[i]), 0);
        db_rollback(t.p.db);
    }
}

static int settle_a_call_of(int64_t weeks_ago)
{
    struct call_record r = {.call_id = call_id_new(), .team_id = t.team.v, .outcome = STR("ok"),
                            .repeat = 1, .hold_nano = {700}, .charge_nano = {700}};
    uint64_t ms = (uint64_t)(clock_wall_us() / 1000 - weeks_ago * 7 * 86400000);
    struct settle_entry entry = {.call = &r};
    struct settle_call *call = calloc(1, sizeof(*call));
    struct settle_sql *sql = settle_sql_new();
    int outcome;

    assert_non_null(call);
    assert_non_null(sql);
    for (int i = 0; i < 6; i++)
        r.call_id.b[i] = (uint8_t)(ms >> (40 - 8 * i));
    call->entry[call->n++] = &entry;
    outcome = settle_sql(sql, t.p.db, call);
    settle_sql_free(sql);
    free(call);
    return outcome;
}

/* A journal that comes back after its calls have left: they may have been charged. */
static void a_call_of_a_week_that_was_dropped_is_not_charged(void **state)
{
    int64_t calls = figure(ALL_CALLS), rolled = figure(ROLLED_UP);

    assert_int_equal(settle_a_call_of(15), PORT_E_REFUSED);
    assert_int_equal(settle_a_call_of(17), PORT_E_REFUSED);
    assert_int_equal(figure(ALL_CALLS), calls);
    assert_int_equal(figure(ROLLED_UP), rolled);
    assert_int_equal(settle_a_call_of(16), PORT_OK); /* this week has stayed */
    assert_int_equal(figure(FULL_FINDINGS), 0);
    assert_int_equal(settle_a_call_of(100), PORT_OK); /* and of that one no call was ever dropped */
    assert_int_equal(figure(ALL_CALLS), calls + 2);
    assert_int_equal(figure(ROLLED_UP), rolled + 1400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_stay_while_it_is_off),
        cmocka_unit_test(calls_stay_while_they_are_not_invoiced),
        cmocka_unit_test(invoiced_and_archived_weeks_leave),
        cmocka_unit_test(a_week_with_a_call_of_an_open_month_stays),
        cmocka_unit_test(the_books_are_as_sound_as_before),
        cmocka_unit_test(the_csv_of_an_invoice_is_what_the_log_had),
        cmocka_unit_test(the_server_cannot_drop_or_change_what_is_kept),
        cmocka_unit_test(a_call_of_a_week_that_was_dropped_is_not_charged),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
