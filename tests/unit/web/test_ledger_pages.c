/* The ledger of a team with a past, as its page, its export and its transfers show it. Templates are
 * strict. */
#include "team_pages.h"

#include "ledger/invoice.h"

static int setup_with_past(void **state)
{
    if (setup(state) != 0)
        return -1;
    history_write(&site);
    return 0;
}

/* The sum of a ledger's export in nano-dollars, whose last two columns are amount and balance; each
 * balance has to follow from the one before it where all kinds are asked for. */
static int64_t ledger_sum(const char *query, bool whole, int *ret_rows)
{
    _cleanup_(freep) char *answer = browse_get(&site, path_of("/billing/ledger/export?%s", query));
    _cleanup_(freep) char *csv = unchunked(answer);
    struct money amount, after = {0};
    int64_t sum = 0;
    char *row = strchr(csv, '\n') + 1, *end;

    assert_status(answer, 200);
    assert_has(answer, "text/csv");
    for (*ret_rows = 0; (end = strstr(row, "\r\n")); row = end + 2, ++*ret_rows) {
        char *balance, *change;
        int64_t before = after.nano;

        *end = '\0';
        balance = strrchr(row, ',');
        *balance++ = '\0';
        change = strrchr(row, ',') + 1;
        assert_int_equal(money_parse(str_c(change), &amount), MONEY_OK);
        assert_int_equal(money_parse(str_c(balance), &after), MONEY_OK);
        if (whole)
            assert_int_equal(after.nano, before + amount.nano);
        sum += amount.nano;
    }
    return sum;
}

static void the_ledgers_export_is_its_page_and_the_invoice(void **state)
{
    _cleanup_(freep) char *all = browse_get(&site, "/billing/ledger"), *page = NULL, *none = NULL;
    _cleanup_(freep) char *preview = browse_get(&site, "/billing/preview");
    char month[8];
    const char *exact;
    struct money sum;
    int n, n_usage, n_other;
    int64_t usage, other;

    (void)state;
    assert_has_not(all, "together");
    snprintf(month, sizeof(month), "%s", between(strstr(all, "All months"), "<option value=\"", "\""));
    usage = ledger_sum(path_of("month=%s&kind=usage", month), false, &n_usage);
    other = ledger_sum(path_of("month=%s&kind=other", month), false, &n_other);
    assert_int_equal(ledger_sum(path_of("month=%s", month), true, &n), usage + other);
    assert_true(n_usage > 0 && n_other > 0);
    assert_int_equal(n, n_usage + n_other);
    page = browse_get(&site, path_of("/billing/ledger?month=%s&kind=usage", month));
    assert_has(page, path_of("<option value=\"%s\" selected>", month));
    exact = between(strstr(page, "together"), "title=\"\u2212", " USD");
    assert_int_equal(money_parse(str_c(exact), &sum), MONEY_OK);
    assert_int_equal(-sum.nano, usage);
    assert_has(preview, path_of("%s USD", exact));
    assert_has(page, path_of("/billing/ledger/export?month=%s&amp;kind=usage", month));
    none = browse_get(&site, "/billing/ledger?kind=refund");
    assert_has(none, "Nothing of this was booked.");
    shows("/billing/ledger?month=1999-13&kind=nothing", "A welcome grant"); /* as if not asked */
}

static void a_transfer_opens_into_its_calls(void **state)
{
    _cleanup_(freep) char *ledger = browse_get(&site, "/billing/ledger?kind=usage");
    _cleanup_(freep) char *transfer = NULL, *other = NULL;
    const char *path;

    (void)state;
    path = path_of("/billing/ledger/%s",
             between(ledger, "row-link\" href=\"/billing/ledger/", "\""));
    transfer = browse_get(&site, path);
    assert_status(transfer, 200);
    assert_has(transfer, "The requests it charged");
    assert_int_equal(count_of(transfer, "class=\"mono\" href=\"/log/call_"), 100);
    assert_has(transfer, "?after=call_");
    other = browse_get(&site, "/billing/ledger/999999");
    assert_status(other, 404);
}

static void as_owner(const char *sql)
{
    struct db *db;

    assert_int_equal(db_open(site.pg.owner_conninfo, "past", &db), 0);
    if (db_script(db, sql) != 0)
        fail_msg("%s", db_last_error(db));
    db_close(db);
}

/* All that happened is moved to a month that is over. */
static void a_call_leads_to_the_invoice_that_it_is_on(void **state)
{
    _cleanup_(freep) char *ledger = browse_get(&site, "/billing/ledger?kind=usage");
    _cleanup_(freep) char *transfer = NULL, *invoiced = NULL;
    struct db *db;
    const char *call;

    (void)state;
    transfer = browse_get(&site, path_of("/billing/ledger/%s",
                                         between(ledger, "row-link\" href=\"/billing/ledger/", "\"")));
    call = path_of("/log/call_%s", between(transfer, "href=\"/log/call_", "\""));
    shows(call, "of the running month");
    as_owner("BEGIN; SET LOCAL app.scope = 'system';"
             "ALTER TABLE transfer DISABLE TRIGGER USER; ALTER TABLE call DISABLE TRIGGER USER;"
             "UPDATE team SET created_at = created_at - interval '70 days';"
             "DELETE FROM invoice_cut;"
             "UPDATE transfer SET posted_at = posted_at - interval '35 days';"
             "UPDATE call SET posted_at = posted_at - interval '35 days';"
             "ALTER TABLE transfer ENABLE TRIGGER USER; ALTER TABLE call ENABLE TRIGGER USER;"
             "COMMIT");
    shows(call, " is not invoiced yet");
    assert_int_equal(db_open(site.pg.app_conninfo, "issuer", &db), 0);
    assert_int_equal(invoice_issue_due(db, NULL), 0);
    db_close(db);
    invoiced = browse_get(&site, call);
    assert_has_not(invoiced, "not invoiced");
    shows(path_of("/billing/invoices/%s", between(invoiced, "<a href=\"/billing/invoices/", "\"")),
          between(strstr(invoiced, "/billing/invoices/"), ">", "</a> of 20"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ledgers_export_is_its_page_and_the_invoice),
        cmocka_unit_test(a_transfer_opens_into_its_calls),
        cmocka_unit_test(a_call_leads_to_the_invoice_that_it_is_on),
    };

    return cmocka_run_group_tests(tests, setup_with_past, teardown);
}
