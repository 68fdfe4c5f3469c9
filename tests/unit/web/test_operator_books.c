/* Grants, codes, refunds, chargebacks and credit notes through the pages, as an operator and a team
 * without scripts meet them (the templates are strict here). */
#include "operator_pages.h"

#include "ledger/invoice.h"

static void refused(const char *from, const char *path, const char *fields, const char *says)
{
    _cleanup_(freep) char *answer = browse_send(&site, from, path, fields);

    assert_status(answer, 422);
    assert_has(answer, says);
}

static int issue_due(void)
{
    struct db *db = NULL;
    int r = db_open(site.pg.app_conninfo, "issuer", &db);

    if (r == 0)
        r = invoice_issue_due(db, NULL);
    db_close(db);
    return r;
}

static long acme(void)
{
    _cleanup_(freep) char *list = browse_get(&site, "/operator/teams?q=ada%40example.org");

    return number_behind(list, "row-link\" href=\"/operator/teams/");
}

static void a_grant_is_given_listed_and_ended(void **state)
{
    const char *path = path_of("/operator/teams/{}", acme());
    const char *grant = path_of("/operator/teams/{}/grant", acme());
    _cleanup_(freep) char *page = NULL;
    char end[96];
    long id;

    (void)state;
    refused(path, grant, "amount=0.0000000001&reason=for+you&reference=op-12345678&name=A&priority=1",
            "At most nine decimals.");
    refused(path, grant, "amount=-5&reason=for+you&reference=op-12345678&name=A&priority=1",
            "The amount has to be above zero.");
    refused(path, grant,
            "amount=99999999999999999999&reason=for+you&reference=op-12345678&name=A&priority=1",
            "An amount in dollars");
    refused(path, grant, "amount=5&reason=for+you&reference=op-12345678&name=A&priority=1001",
            "At most 1000.");
    refused(path, grant,
            "amount=5&reason=for+you&reference=op-12345678&name=A&priority=1&expires=2020-01-01",
            "The end has to lie in the future.");
    page_has("/billing", "No money has moved yet.");
    send_ok(path, grant,
            "amount=5&reason=for+you&reference=op-12345678&name=Welcome+%26+more&priority=1"
            "&expires=2099-12-31");
    send_ok(path, grant,
            "amount=5&reason=for+you&reference=op-12345678&name=Welcome+%26+more&priority=1"
            "&expires=2099-12-31");
    page_has("/billing", "Welcome &amp; more");
    page_has("/billing", "title=\"5.00 USD\">$5.00");
    page_has("/billing", "31 Dec 2099");
    page = browse_get(&site, path);
    assert_has(page, "In use");
    id = number_behind(page, "/grants/");
    assert_has(page, "title=\"GRANT op-12345678\"");
    page_has(path_of("/operator/teams/{}?kind=usage", acme()), "Nothing of this was booked.");
    page_has(path_of("/operator/teams/{}/ledger", acme()), ",GRANT,Grant,op-12345678,for you,");
    page_has(path_of("/operator/teams/{}/ledger?kind=grant", acme()), ",5.00,5.00\r\n");
    snprintf(end, sizeof(end), "%s/grants/%ld/end", path, id);
    send_ok(path, end, "");
    page_has(path, "Ending");
}

static void a_code_is_made_shown_once_and_redeemed(void **state)
{
    const char *from = "/operator/codes";
    _cleanup_(freep) char *made = NULL, *list = NULL, *wrong = NULL, *again = NULL;
    char code[20], fields[64];
    const char *at;
    long id;

    (void)state;
    refused(from, from, "amount=3&name=Fair&count=501&uses=1&priority=100", "At most 500.");
    refused(from, from, "amount=3&name=Fair&count=1&uses=0&priority=100", "At least 1.");
    refused(from, from, "amount=0&name=Fair&count=1&uses=1&priority=100", "The amount has to be above zero.");
    page_has(from, "None yet.");
    made = browse_send(&site, from, from,
                       "amount=3&name=Fair+credit&count=1&uses=1&priority=100&grant_days=30"
                       "&note=Berlin");
    assert_status(made, 200);
    at = strstr(made, "id=\"secret\">");
    assert_non_null(at);
    snprintf(code, sizeof(code), "%.19s", at + strlen("id=\"secret\">"));
    page_has_not(from, code);
    page_has(from, "Berlin");
    list = browse_get(&site, from);
    id = number_behind(list, "href=\"/operator/codes/");
    page_has(path_of("/operator/codes/{}", id), "Nobody yet.");
    wrong = browse_send(&site, "/billing", "/billing/redeem", "code=AAAA-AAAA-AAAA-AAAA");
    assert_status(wrong, 422);
    assert_has(wrong, "There is no such code.");
    assert_has(wrong, "value=\"AAAA-AAAA-AAAA-AAAA\"");
    snprintf(fields, sizeof(fields), "code=%s", code);
    send_ok("/billing", "/billing/redeem", fields);
    page_has("/billing", "Fair credit");
    again = browse_send(&site, "/billing", "/billing/redeem", fields);
    assert_status(again, 422);
    assert_has(again, "Your team has redeemed this code already.");
    page_has(path_of("/operator/codes/{}", id), "1 of 1 redeemed");
    page_has(path_of("/operator/codes/{}", id), "Acme");
    page_has("/operator/audit?action=code.", "code.redeem");
    free(made);
    made = browse_send(&site, from, from, "amount=3&name=Other&count=3&uses=2&priority=100");
    assert_has(made, "3 codes made");
    free(list);
    list = browse_get(&site, from);
    id = number_behind(list, "href=\"/operator/codes/");
    send_ok(from, path_of("/operator/codes/{}/revoke", id), "");
    page_has(path_of("/operator/codes/{}", id), "Revoked");
}

static long paid_order(const char *amount)
{
    _cleanup_(freep) char *orders = NULL;
    char fields[96];
    long order;

    snprintf(fields, sizeof(fields), "amount=%s&provider=manual", amount);
    send_ok("/billing", "/billing/top-up", fields);
    orders = browse_get(&site, "/operator/orders");
    order = number_behind(orders, "action=\"/operator/orders/");
    snprintf(fields, sizeof(fields), "amount=%s&currency=USD&bank_reference=BANK-%ld", amount, order);
    send_ok("/operator/orders", path_of("/operator/orders/{}/confirm", order), fields);
    return order;
}

static void money_goes_back_and_comes_again(void **state)
{
    long order = paid_order("40"), payment, chargeback;
    const char *path = path_of("/operator/orders/{}", order);
    const char *own = path_of("/billing/orders/{}", order);
    const char *refund, *take, *team = path_of("/operator/teams/{}", acme());
    _cleanup_(freep) char *page = browse_get(&site, path);

    (void)state;
    payment = number_behind(page, "action=\"/operator/payments/");
    refund = path_of("/operator/payments/{}/refund", payment);
    take = path_of("/operator/payments/{}/chargeback", payment);
    assert_has(page, "value=\"40.00\"");
    refused(path, refund, "amount=41&reason=asked+for&reference=op-00000001", "Only $40.00 of this payment");
    refused(path, refund, "amount=1.0000000001&reason=asked+for&reference=op-00000001",
            "At most nine decimals.");
    refused(path, refund, "amount=1&reason=x&reference=op-00000001", "At least 3 characters.");
    send_ok(path, refund, "amount=15&reason=asked+for&reference=op-00000001");
    send_ok(path, refund, "amount=15&reason=asked+for&reference=op-00000001");
    refused(path, refund, "amount=5&reason=asked+for&reference=op-00000001", "This form was sent before");
    page_has(path, "Refunded in part");
    page_has(own, "asked for");
    page_has(own, "Refunded in part");
    refused(path, take, "amount=25&reason=the+bank&reference=", "This is needed.");
    send_ok(path, take, "amount=25&reason=the+bank&reference=CASE-7");
    page_has(team, "Chargeback CASE-7");
    page_has(own, "Charged back");
    free(page);
    page = browse_get(&site, path);
    chargeback = number_behind(page, "action=\"/operator/chargebacks/");
    send_ok(path, path_of("/operator/chargebacks/{}/reverse", chargeback),
            "reason=we+won&reference=CASE-7&amount=");
    page_has(own, "Refunded in part");
    page_has(own, "Chargeback reversed");
    page_has(team, "Frozen");
    send_ok(team, path_of("/operator/teams/{}/unfreeze", acme()), "");
    page_has(team, path_of("/operator/orders/{}", order));
    page_has("/operator/audit?action=payment.", "payment.chargeback_reversed");
}

static void money_in_another_currency_is_looked_at(void **state)
{
    _cleanup_(freep) char *orders = NULL, *review = NULL;
    const char *from = "/operator/orders";
    long order, payment;

    (void)state;
    send_ok("/billing", "/billing/top-up", "amount=7&provider=manual");
    orders = browse_get(&site, from);
    order = number_behind(orders, "action=\"/operator/orders/");
    refused(from, path_of("/operator/orders/{}/confirm", order),
            "amount=7&currency=eur&bank_reference=E-1", "Three capital letters");
    send_ok(from, path_of("/operator/orders/{}/confirm", order),
            "amount=7&currency=EUR&bank_reference=E-1");
    page_has(path_of("/billing/orders/{}", order), "Nothing is credited until an operator");
    page_has("/billing", "In review");
    review = browse_get(&site, from);
    payment = number_behind(review, "action=\"/operator/payments/");
    refused(from, path_of("/operator/payments/{}/accept", payment), "note=take+it",
            "Only dollars can be credited.");
    send_ok(from, path_of("/operator/payments/{}/dismiss", payment), "note=sent+back");
    page_has(path_of("/billing/orders/{}", order), "Canceled");
}

static void an_invoice_is_corrected(void **state)
{
    _cleanup_(freep) char *page = NULL, *own = NULL, *pdf = NULL, *csv = NULL;
    long team = acme(), invoice, note;
    char path[64];

    (void)state;
    assert_int_equal(
        db_script(owner, "BEGIN; SET LOCAL app.scope = 'system';"
                         "SELECT settle_batch(session_open('test', ''), ARRAY["
                         "json_populate_record(NULL::settled_call, json_build_object("
                         " 'team_id', t.id, 'call_id', '01890000-0000-7000-8000-000000000001',"
                         " 'outcome', 'ok', 'status', 200, 'attempts', 1,"
                         " 'charge_nano', 2000000000))], '{}')"
                         " FROM team t WHERE t.name = 'Acme'; COMMIT;"
                         "ALTER TABLE transfer DISABLE TRIGGER append_only;"
                         "ALTER TABLE call DISABLE TRIGGER append_only;"
                         "UPDATE team SET time_zone = 'UTC', created_at = created_at - interval '40 days';"
                         "UPDATE transfer SET posted_at = posted_at - interval '1 month';"
                         "UPDATE call SET posted_at = posted_at - interval '1 month'"),
        0);
    assert_int_equal(issue_due(), 0);
    page = browse_get(&site, path_of("/operator/teams/{}", team));
    invoice = number_behind(page, "/invoices/");
    snprintf(path, sizeof(path), "/operator/teams/%ld/invoices/%ld", team, invoice);
    refused(path, path, "amount=2.5&reason=it+was+slow&reference=op-00000009",
            "Only $2.00 of this invoice is not credited yet.");
    refused(path, path, "amount=-1&reason=it+was+slow&reference=op-00000009", "The amount has to be above zero.");
    send_ok(path, path, "amount=0.75&reason=it+was+slow&reference=op-00000009");
    send_ok(path, path, "amount=0.75&reason=it+was+slow&reference=op-00000009");
    page_has(path, "TG-CN-");
    page_has(path, "title=\"1.25 USD\">$1.25");
    own = browse_get(&site, "/billing");
    note = number_behind(own, "/billing/credit-notes/");
    page_has(path_of("/billing/credit-notes/{}", note), "it was slow");
    page_has(path_of("/billing/invoices/{}", invoice), "Corrected by");
    pdf = browse_get(&site, path_of("/billing/credit-notes/{}/pdf", note));
    assert_has(pdf, "content-type: application/pdf");
    csv = browse_get(&site, path_of("/billing/credit-notes/{}/csv", note));
    assert_has(csv, "0.75");
    page_has("/operator/audit?action=credit_note.", "credit_note.issue");
}

static void others_see_and_do_nothing_of_it(void **state)
{
    static const char *const paths[] = {"/operator/codes", "/operator/orders/1",
                                        "/operator/teams/1/invoices/1"};
    _cleanup_(freep) char *order = NULL, *note = NULL;

    (void)state;
    as(BOB);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        _cleanup_(freep) char *answer = browse_get(&site, paths[i]);

        assert_has_not(answer, "HTTP/1.1 200");
    }
    order = browse_get(&site, "/billing/orders/1");
    assert_status(order, 404);
    note = browse_get(&site, "/billing/credit-notes/1");
    assert_status(note, 404);
    as(ADA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grant_is_given_listed_and_ended),
        cmocka_unit_test(a_code_is_made_shown_once_and_redeemed),
        cmocka_unit_test(money_goes_back_and_comes_again),
        cmocka_unit_test(money_in_another_currency_is_looked_at),
        cmocka_unit_test(an_invoice_is_corrected),
        cmocka_unit_test(others_see_and_do_nothing_of_it),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
