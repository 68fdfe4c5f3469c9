/* The system page, all calls, orders, and testing an account, as an operator without scripts meets
 * them, with a past of calls (the templates are strict here). */
#include "history.h"

#include "operator_pages.h"

static void the_system_page_tells_how_it_goes(void **state)
{
    (void)state;
    page_has("/operator", "this one");
    page_has("/operator", "1 replica");
    page_has("/operator", "passwords");
    page_has("/operator", "PostgreSQL");
    page_has_not("/operator", "The books do not agree");
}

static void findings_are_told_everywhere_and_closed_with_a_reason(void **state)
{
    _cleanup_(freep) char *refused = NULL, *again = NULL;
    const char *from = "/operator/findings", *close;

    (void)state;
    page_has(from, "None: every rule holds.");
    page_has(from, "not checked yet");
    assert_int_equal(db_script(owner, "BEGIN; SET LOCAL app.scope = 'system';"
                                      "INSERT INTO recon_finding (invariant, team_id, subject, detail)"
                                      " VALUES ('I2 wallet', 1, 'wallet', 'off by <one>'); COMMIT"),
                     0);
    page_has("/operator", "The books do not agree");
    page_has("/operator", "off by &lt;one&gt;");
    page_has("/operator/teams", "The books do not agree");
    page_has("/operator/teams", ">1 finding</a>");
    again = browse_get(&site, from);
    close = path_of("/operator/findings/{}/close", number_behind(again, "section\" method=\"post\" action=\"/operator/findings/"));
    refused = browse_send(&site, from, close, "reason=++&accept=on");
    assert_status(refused, 422);
    assert_has(refused, "class=\"fault\"");
    assert_has(refused, " checked");
    send_ok(from, close, "reason=A+test+%3Crow%3E");
    page_has(from, "None: every rule holds.");
    page_has(from, "A test &lt;row&gt;");
    page_has(from, "ada@example.org");
    page_has_not("/operator/teams", "The books do not agree");
    page_has("/operator/audit?action=finding.", "finding.close");
    free(again);
    again = browse_send(&site, from, close, "reason=once+more");
    assert_status(again, 404);
    send_ok(from, "/operator/findings/check", "");
    page_has(from, "begins within seconds");
    page_has("/operator/audit?action=finding.", "finding.check");
}

static void alerts_say_what_stands_and_lead_to_it(void **state)
{
    const char *from = "/operator/alerts";
    _cleanup_(freep) char *refused = NULL, *untested = NULL;

    (void)state;
    page_has(from, "None was raised so far.");
    page_has(from, "No mail server is set here");
    assert_int_equal(
        db_script(owner, "INSERT INTO alarm (kind, subject, name, detail, raised_at, seen_at, ended_at) VALUES"
                         " ('account', 'account:1', 'open <ai>', 'It <fails>', now(), now(), NULL),"
                         " ('database', 'database', '', 'x', now(), now(), now())"),
        0);
    page_has(from, "<a href=\"/operator/accounts/1\">Provider account open &lt;ai&gt; fails</a>");
    page_has(from, "It &lt;fails&gt;");
    page_has(from, "The database is away");
    refused = browse_send(&site, from, from, "kinds=books&account_after_seconds=86401");
    assert_status(refused, 422);
    assert_has(refused, "class=\"fault\"");
    send_ok(from, from, "kinds=books&account_after_seconds=5&recipients=1");
    page_has(from, "value=\"5\"");
    page_has("/operator/audit?action=alarms.", "alarms.change");
    untested = browse_send(&site, from, "/operator/alerts/mail/test", "");
    assert_status(untested, 404);
}

/* A search that the machine was too slow for says how far it came. */
static void lists_no_call(const char *path)
{
    _cleanup_(freep) char *page = browse_get(&site, path);

    assert_status(page, 200);
    assert_has_not(page, "/operator/calls/call_");
    if (!strstr(page, "Searched back to"))
        assert_has(page, "No call matches.");
}

/* Where "Search on from there" leads; false: it is not on the page. */
static bool goes_on(const char *page, char *ret, size_t size)
{
    const char *end = strstr(page, "\">Search on from there"), *at = end;
    size_t n = 0;

    while (at && at > page && at[-1] != '"')
        at--;
    for (; at && at < end && n + 1 < size; at++) {
        ret[n++] = *at;
        if (strncmp(at, "&amp;", 5) == 0)
            at += 4;
    }
    ret[n] = '\0';
    return end != NULL;
}

/* The first page with a call on it: on a slow machine some searches end before they come to one. */
static char *page_of_calls(void)
{
    char path[512] = "/operator/calls", next[sizeof(path)];
    char *page = browse_get(&site, path);

    for (int i = 0; i < 100 && !strstr(page, "/operator/calls/call_"); i++) {
        if (!goes_on(page, next, sizeof(next)))
            break;
        snprintf(path, sizeof(path), "%s", next);
        free(page);
        page = browse_get(&site, path);
    }
    return page;
}

/* Those of the team would not be found by somebody who is no member of it. */
static void an_operators_view_leads_to_operators_pages(void)
{
    _cleanup_(freep) char *list = browse_get(&site, "/operator/calls?status=ok"), *call = NULL;
    const char *link = strstr(list, "/operator/calls/call_");
    char path[128];

    assert_non_null(link);
    snprintf(path, sizeof(path), "%.*s", (int)strcspn(link, "\""), link);
    call = browse_get(&site, path);
    assert_has(call, "<body class=\"framed operator\">");
    assert_has(call, "<p class=\"crumb\"><a href=\"/operator/calls\">All calls</a></p>");
    assert_has(call, "<dt>Team</dt><dd><a href=\"/operator/teams/1\">Acme</a></dd>");
    assert_has(call, "<dt>Key</dt><dd><a href=\"/operator/calls?key=");
    assert_has(call, "by transfer ");
    assert_has_not(call, "href=\"/billing/ledger/");
    assert_has_not(call, "href=\"/keys/");
}

static void all_calls_are_listed_filtered_and_opened(void **state)
{
    _cleanup_(freep) char *page = NULL, *call = NULL, *asked = NULL, *minted = NULL;
    char path[128];
    const char *link;

    (void)state;
    lists_no_call("/operator/calls");
    minted = browse_send(&site, "/keys/new", "/keys", "name=Production&project=&budget_window=month");
    assert_status(minted, 200);
    history_write(&site);
    page = page_of_calls();
    assert_has(page, ">Acme</a>");
    assert_has(page, "openai main");
    assert_has(page, ">Older</a>");
    link = strstr(page, "/operator/calls/call_");
    assert_non_null(link);
    snprintf(path, sizeof(path), "%.*s", (int)strcspn(link, "\""), link);
    call = browse_get(&site, path);
    assert_status(call, 200);
    assert_has(call, "Provider cost");
    an_operators_view_leads_to_operators_pages();
    asked = browse_ask(&site, "GET", "/operator/calls?id=call_00000000000070008000000000000000",
                       NULL, NULL);
    assert_status(asked, 303);
    page_has("/operator/calls?id=nonsense", "is not a request id");
    page_has("/operator/calls?account=openai+main&team=1",
             "account is <strong>openai main</strong>");
    page_has_not("/operator/calls?account=openai+main", "demo main");
    lists_no_call("/operator/calls?team=2");
    page_has("/operator/calls?key=4711&project=4712", "key is <strong>4711</strong>");
    page_has("/operator/calls?key=4711&project=4712", "project is <strong>4712</strong>");
    page_has("/operator/calls?team=1&key=4711", "key is <strong>4711</strong>");
    page_has("/operator/calls?period=1h&from=2026-01-02&days=shown", "time is <strong>1h</strong>");
    page_has("/operator/calls?status=blocked&model=gpt-4o-mini", "model is");
}

/* Without a price or a target: whoever calls it is refused, and that is told where one looks first. */
static void a_model_that_is_enabled_and_not_served_is_told(void **state)
{
    (void)state;
    page_has_not("/operator", "enabled, but not served");
    send_and_follow("/operator/models/new", "/operator/models",
                    "name=unpriced-1&kind=chat&vendor=Acme&media_tokens=4096&enabled=on"
                    "&strategy=priority&max_attempts=4&triggers=connect",
                    "location: /operator/models/");
    page_has("/operator", "<a href=\"/operator/models?state=unserved\">1 enabled, but not served</a>");
    page_has("/operator/models?state=unserved", "unpriced-1");
}

/* Pages are asked of workers that have no connection. */
static void a_database_away_is_told_as_such(void **state)
{
    struct jobs_config without = {.name = "away", .threads = 1, .queue_max = 4};
    _cleanup_(freep) char *page = NULL, *filtered = NULL, *form = NULL, *sent = NULL;
    struct jobs *pages = site.services.pages;

    (void)state;
    assert_int_equal(jobs_new(&without, &site.services.pages), 0);
    page = browse_get(&site, "/operator");
    assert_status(page, 503);
    assert_has(page, "<h1>Not right now</h1>");
    assert_has(page, "The database does not answer");
    assert_has(page, "href=\"/operator\">Try again</a>");
    filtered = browse_get(&site, "/operator/calls?team=7&status=5xx");
    assert_has(filtered, "href=\"/operator/calls?team=7&amp;status=5xx\">Try again</a>");
    form = browse_get(&site, "/sign-in");
    assert_status(form, 200);
    sent = browse_send(&site, "/sign-in", "/sign-in", ADA);
    assert_status(sent, 503);
    assert_has(sent, "The database does not answer");
    assert_has_not(sent, "Try again</a>");
    jobs_free(site.services.pages);
    site.services.pages = pages;
    page_has("/operator", "this one");
}

static void a_call_that_is_none_is_not_found(void **state)
{
    _cleanup_(freep) char *none = NULL, *odd = NULL;

    (void)state;
    none = browse_get(&site, "/operator/calls/call_00000000000070008000000000000001");
    odd = browse_get(&site, "/operator/calls/what");
    assert_status(none, 404);
    assert_has(none, "There is no such call.");
    assert_status(odd, 404);
}

static void order_of(const char *amount)
{
    char fields[64];

    snprintf(fields, sizeof(fields), "amount=%s&provider=manual", amount);
    send_ok("/billing", "/billing/top-up", fields);
}

static void transfers_are_confirmed_or_decided_about(void **state)
{
    _cleanup_(freep) char *orders = NULL, *wrong = NULL, *again = NULL, *review = NULL;
    const char *from = "/operator/orders";
    long order, payment;

    (void)state;
    order_of("25");
    orders = browse_get(&site, from);
    order = number_behind(orders, "action=\"/operator/orders/");
    assert_has(orders, "name=\"amount\" value=\"25.00\"");
    wrong = browse_send(&site, from, path_of("/operator/orders/{}/confirm", order),
                        "amount=many&bank_reference=");
    assert_status(wrong, 422);
    assert_has(wrong, "An amount in dollars");
    assert_has(wrong, "value=\"many\"");
    send_ok(from, path_of("/operator/orders/{}/confirm", order), "amount=25&currency=USD&bank_reference=SEPA-1");
    page_has(from, "Paid");
    page_has(from, "No transfer is awaited.");
    order_of("30");
    free(orders);
    orders = browse_get(&site, from);
    order = number_behind(orders, "action=\"/operator/orders/");
    again = browse_send(&site, from, path_of("/operator/orders/{}/confirm", order),
                        "amount=30&currency=USD&bank_reference=SEPA-1");
    assert_status(again, 422);
    send_ok(from, path_of("/operator/orders/{}/confirm", order), "amount=29&currency=USD&bank_reference=SEPA-2");
    review = browse_get(&site, from);
    assert_has(review, "Payments to decide about");
    payment = number_behind(review, "action=\"/operator/payments/");
    free(wrong);
    wrong = browse_send(&site, from, path_of("/operator/payments/{}/dismiss", payment), "note=");
    assert_status(wrong, 422);
    send_ok(from, path_of("/operator/payments/{}/accept", payment), "note=A+fee+was+taken");
    page_has_not(from, "Payments to decide about");
}

static void a_test_of_an_account_is_told_and_kept(void **state)
{
    _cleanup_(freep) char *test = NULL;
    long id = send_and_follow("/operator/accounts/new?kind=openai-compatible", "/operator/accounts",
                              "kind=openai-compatible&name=Nobody&network=private&data_policy=unknown&weight=1"
                              "&base_url=http%3A%2F%2F127.0.0.1%3A9&enabled=on",
                              "location: /operator/accounts/");
    const char *path = path_of("/operator/accounts/{}", id);

    (void)state;
    page_has(path, "Not tried yet");
    test = browse_send(&site, path, path_of("/operator/accounts/{}/test", id), "");
    assert_status(test, 200);
    assert_has(test, "The test failed");
    assert_has(test, "Nobody answers at this address");
    page_has(path, "The last try failed");
    page_has("/operator/accounts", "Last test failed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_system_page_tells_how_it_goes),
        cmocka_unit_test(findings_are_told_everywhere_and_closed_with_a_reason),
        cmocka_unit_test(alerts_say_what_stands_and_lead_to_it),
        cmocka_unit_test(all_calls_are_listed_filtered_and_opened),
        cmocka_unit_test(a_call_that_is_none_is_not_found),
        cmocka_unit_test(a_model_that_is_enabled_and_not_served_is_told),
        cmocka_unit_test(a_database_away_is_told_as_such),
        cmocka_unit_test(transfers_are_confirmed_or_decided_about),
        cmocka_unit_test(a_test_of_an_account_is_told_and_kept),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
