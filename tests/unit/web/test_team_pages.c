/* The pages of a team, new and with a past: that each is served whole, that what is sent is done, and
 * that figures on one page are those of another. Templates are strict. */
#include "team_pages.h"

static void a_new_team_is_told_what_to_do(void **state)
{
    (void)state;
    shows("/overview", "Three steps to the first answer");
    shows("/keys", "Mint the first key");
    shows("/log", "No requests yet");
    shows("/usage", "Nothing was used in this time.");
    shows("/billing", "No money has moved yet.");
    shows("/billing/ledger", "No money has moved yet.");
    shows("/billing/preview", "Closing balance");
    shows("/members", "1 member");
    shows("/settings", "Management keys");
}

static void public_pages_need_nobody(void **state)
{
    char kept[sizeof(site.cookies)];

    (void)state;
    memcpy(kept, site.cookies, sizeof(kept));
    forget_cookies(&site);
    shows("/", "One key for every model");
    shows("/pricing", "Models and prices");
    shows("/quickstart", "Mint a key");
    shows("/reference", "id=\"post-keys-id-rotate\"");
    memcpy(site.cookies, kept, sizeof(kept));
}

static void a_top_up_grows_the_balance_once(void **state)
{
    _cleanup_(freep) char *wrong = NULL, *made = NULL, *paid = NULL, *again = NULL;
    const char *checkout;

    (void)state;
    wrong = browse_send(&site, "/billing", "/billing/top-up", "amount=a+lot&provider=sandbox");
    assert_status(wrong, 422);
    assert_has(wrong, "An amount in dollars");
    assert_has(wrong, "value=\"a lot\"");
    made = browse_send(&site, "/billing", "/billing/top-up", "amount=%2425.50&provider=sandbox");
    assert_status(made, 303);
    checkout = between(made, "location: ", "\r");
    shows(checkout, "Pay $25.50");
    paid = browse_send(&site, checkout, checkout, "play=succeed");
    assert_status(paid, 303);
    shows("/billing", "$25.50");
    again = browse_send(&site, "/billing", checkout, "play=succeed");
    assert_status(again, 303);
    shows("/billing", "title=\"25.50 USD\">$25.50");
    shows("/billing/ledger", "Top-up");
}

static void a_declined_card_says_so(void **state)
{
    _cleanup_(freep) char *made = NULL, *declined = NULL;
    const char *order;

    (void)state;
    made = browse_send(&site, "/billing", "/billing/top-up", "amount=10&provider=sandbox");
    declined = browse_send(&site, between(made, "location: ", "\r"),
                           between(made, "location: ", "\r"), "play=decline");
    order = between(declined, "location: ", "\r");
    shows(order, "Declined");
    shows(order, "The card was declined.");
}

static void a_bank_transfer_tells_how_to_pay_and_can_be_canceled(void **state)
{
    _cleanup_(freep) char *made = NULL, *canceled = NULL;
    const char *path;
    const char *order;

    (void)state;
    made = browse_send(&site, "/billing", "/billing/top-up", "amount=100&provider=manual");
    order = between(made, "location: ", "\r");
    shows(order, "How to pay");
    path = path_of("%s/cancel", order);
    canceled = browse_send(&site, order, path, "");
    assert_status(canceled, 303);
    shows(order, "Canceled");
}

static void a_key_is_minted_shown_once_changed_rotated_and_deleted(void **state)
{
    _cleanup_(freep) char *wrong = NULL, *minted = NULL, *changed = NULL, *rotated = NULL;
    _cleanup_(freep) char *disabled = NULL, *refused = NULL, *deleted = NULL;
    const char *key, *path;

    (void)state;
    wrong = browse_send(&site, "/keys/new", "/keys",
                        "name=&budget=many&budget_window=month&addresses=nowhere&project=");
    assert_status(wrong, 422);
    assert_has(wrong, "This is needed.");
    assert_has(wrong, "value=\"many\"");
    minted = browse_send(&site, "/keys/new", "/keys",
                         "name=Check+out&budget=20&budget_window=month&project=&rpm=60"
                         "&addresses=10.0.0.0%2F8%0D%0A192.0.2.1&tags=app%3Dshop&expires_at=2099-12-31");
    assert_status(minted, 200);
    assert_has(minted, "<code id=\"secret\">tg-");
    key = path_of("%s", between(minted, "<a href=\"/keys/", "\""));
    path = path_of("/keys/%s", key);
    shows(path, "value=\"2099-12-31\"");
    shows(path, "10.0.0.0/8");
    shows(path, "app=shop");
    shows("/keys", "$20.00 a month, 60 rpm");
    changed = browse_send(&site, path, path,
                          "name=Checkout&budget=&budget_window=month&project=&rpm=");
    assert_status(changed, 303);
    shows("/keys", "Checkout");
    path = path_of("/keys/%s/rotate", key);
    rotated = browse_send(&site, "/settings", path, "overlap_hours=24");
    assert_status(rotated, 200);
    assert_has(rotated, "works for 24 hours more.");
    assert_string_not_equal(between(rotated, "id=\"secret\">", "<"),
                            between(minted, "id=\"secret\">", "<"));
    path = path_of("/keys/%s/disable", key);
    disabled = browse_send(&site, "/settings", path, "");
    assert_status(disabled, 303);
    shows("/keys", "Disabled");
    path = path_of("/keys/%s/delete", key);
    refused = browse_send(&site, "/settings", path, "confirm=Something");
    assert_status(refused, 422);
    assert_has(refused, "This is not the key");
    deleted = browse_send(&site, "/settings", path, "confirm=Checkout");
    assert_status(deleted, 303);
    shows("/keys?deleted=1", "Deleted");
}

static void members_are_invited_join_and_leave(void **state)
{
    _cleanup_(freep) char *made = NULL, *joined = NULL, *denied = NULL, *left = NULL;
    const char *token, *fields, *path;
    char kept[sizeof(site.cookies)];
    _cleanup_(freep) char *members = NULL;

    (void)state;
    made = browse_send(&site, "/members", "/members/invites", "email=&role=viewer");
    assert_status(made, 200);
    token = path_of("%s", between(made, "/invite/", "<"));
    memcpy(kept, site.cookies, sizeof(kept));
    forget_cookies(&site);
    path = path_of("/invite/%s", token);
    shows(path, "Join Acme");
    fields = path_of("name=Vic&email=vic%%40example.org&password=correct+horse+staple&invite=%s", token);
    joined = browse_send(&site, "/sign-up", "/sign-up", fields);
    assert_status(joined, 303);
    shows("/overview", "Acme");
    denied = browse_get(&site, "/keys/new");
    assert_status(denied, 403);
    members = browse_get(&site, "/members");
    path = path_of("/members/%s/remove", between(members, "action=\"/members/", "/"));
    left = browse_send(&site, "/members", path, "");
    assert_status(left, 303);
    shows("/account", "You belong to no team.");
    memcpy(site.cookies, kept, sizeof(kept));
    shows("/members", "1 member");
}

static void settings_projects_and_management_keys(void **state)
{
    _cleanup_(freep) char *bad = NULL, *saved = NULL, *added = NULL, *twice = NULL, *minted = NULL;
    _cleanup_(freep) char *zone = NULL;

    (void)state;
    bad = browse_send(&site, "/settings", "/settings",
                      "name=Acme+2&time_zone=Mars%2FOlympus");
    assert_status(bad, 422);
    assert_has(bad, "Choose from the list.");
    assert_has(bad, "value=\"Acme 2\"");
    zone = browse_send(&site, "/settings", "/settings", "name=Acme&time_zone=Asia%2FTokyo");
    assert_status(zone, 303);
    saved = browse_send(&site, "/settings", "/settings/buyer",
                        "legal_name=Acme+GmbH&country=de&address=Hauptstr.+1%0D%0A10115+Berlin"
                        "&tax_id=DE123&billing_email=");
    assert_status(saved, 303);
    shows("/settings", "Acme GmbH");
    free(bad);
    bad = browse_send(&site, "/settings", "/settings/responses", "response_days=31");
    assert_status(bad, 422);
    assert_has(bad, "value=\"31\"");
    free(saved);
    saved = browse_send(&site, "/settings", "/settings/responses", "response_days=7");
    assert_status(saved, 303);
    shows("/settings", "name=\"response_days\" type=\"text\" value=\"7\"");
    shows("/settings", "Acme GmbH");
    shows("/overview", "times in Asia/Tokyo");
    added = browse_send(&site, "/settings", "/settings/projects", "name=Search");
    assert_status(added, 303);
    twice = browse_send(&site, "/settings", "/settings/projects", "name=Search");
    assert_status(twice, 422);
    shows("/settings", "Search");
    minted = browse_send(&site, "/settings", "/settings/management-keys",
                         "name=Terraform&role=developer");
    assert_status(minted, 200);
    assert_has(minted, "<code id=\"secret\">tgm-");
    shows("/settings", "Terraform");
}

/* --- with a past --- */

static void a_past_shows_everywhere(void **state)
{
    _cleanup_(freep) char *minted = browse_send(&site, "/keys/new", "/keys",
                                                "name=Production&project=&budget_window=month");

    (void)state;
    assert_status(minted, 200);
    history_write(&site);
    shows("/overview", "Spend by day");
    shows("/overview", "data-chart=\"{&quot;unit&quot;:&quot;usd&quot;");
    shows("/log", "claude-sonnet-4");
    shows("/log", "Older");
    shows("/log?status=blocked", "status is");
    shows("/log?status=5xx&fallback=no&above=0.001&model=nothing", "No request matches");
    shows("/usage?by=model", "gpt-4o-mini");
    shows("/usage?by=key", "Production");
    shows("/usage?by=project", "No project");
    shows("/usage?by=model", "Served by no model: refused here, or no provider answered.");
    shows("/usage?by=model", "&amp;status=unserved\">Served by no model</a>");
    shows("/usage?by=provider", "&amp;provider=none\">No provider was asked</a>");
    shows("/overview", "&amp;status=unserved\">Served by no model</a>");
    shows("/log?status=unserved&period=30d", "status is <strong>served by no model</strong>");
    shows("/log?provider=none&period=30d", "provider is <strong>none</strong>");
    shows("/usage?by=provider&span=30d", "anthropic");
    shows("/billing", "Usage");
    shows("/billing/preview", "gpt-4o-mini");
}

static void the_log_pages_by_key_and_opens_a_call(void **state)
{
    _cleanup_(freep) char *first = browse_get(&site, "/log");
    _cleanup_(freep) char *second = NULL, *call = NULL, *found = NULL, *missing = NULL;
    const char *older, *path, *id;

    (void)state;
    older = path_of("%s", between(first, "href=\"/log?before=", "\""));
    path = path_of("/log?before=%s", older);
    second = browse_get(&site, path);
    assert_status(second, 200);
    assert_has(second, "Newer");
    assert_int_equal(count_of(first, "class=\"row-link\""), 50);
    id = path_of("%s", between(second, "href=\"/log/call_", "\""));
    path = path_of("/log/call_%s", id);
    call = browse_get(&site, path);
    assert_status(call, 200);
    assert_has(call, "Attempts");
    path = path_of("/log?id=call_%s", id);
    found = browse_get(&site, path);
    assert_status(found, 303);
    missing = browse_get(&site, "/log/call_00000000000070008000000000000000");
    assert_status(missing, 404);
    shows("/log?id=nonsense", "is not a request id");
}

static void of_days_and_a_period_that_which_was_chosen_last_holds(void **state)
{
    static const char days[] = "name=\"days\" value=\"shown\"", chip[] = "from <strong>2026-01-02</strong>";
    _cleanup_(freep) char *opened = browse_get(&site, "/log?from=2026-01-02&to=2026-01-03");
    _cleanup_(freep) char *period = NULL, *typed = NULL, *status = NULL;

    (void)state;
    assert_has(opened, chip);
    assert_has(opened, days);
    status = browse_get(&site, "/log?period=&from=2026-01-02&to=2026-01-03&days=shown&status=ok");
    assert_has(status, chip);
    assert_has(status, days);
    period = browse_get(&site, "/log?period=1h&from=2026-01-02&to=2026-01-03&days=shown");
    assert_has(period, "time is <strong>1h</strong>");
    assert_has_not(period, "2026-01-02");
    assert_has_not(period, days);
    typed = browse_get(&site, "/log?period=1h&from=2026-01-02&to="); /* in a form that showed a period */
    assert_has(typed, chip);
    assert_has_not(typed, "time is <strong>1h</strong>");
}

static void what_one_filters_by_is_told_though_it_is_nobody_s(void **state)
{
    (void)state;
    shows("/log?key=4711", "key is <strong>4711</strong>");
    shows("/log?key=4711", "<option value=\"4711\" selected>");
    shows("/log?project=4712", "project is <strong>4712</strong>");
}

static void every_kind_of_call_has_a_page(void **state)
{
    static const char *const statuses[] = {"ok",          "blocked", "upstream_error",
                                           "client_gone", "5xx",     "unserved"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        _cleanup_(freep) char *list = NULL, *page = NULL;
        const char *path;

        path = path_of("/log?status=%s", statuses[i]);
        list = browse_get(&site, path);
        path = path_of("/log/call_%s", between(list, "href=\"/log/call_", "\""));
        page = browse_get(&site, path);
        if (status_of(page) != 200)
            fail_msg("%s: %.2000s", statuses[i], page);
        if (strcmp(statuses[i], "blocked") == 0)
            assert_has(page, "<dt>Which means</dt><dd>The team&#39;s balance does not cover this request.");
        assert_has_not(page, "<overloaded>");
    }
}

static void export_usage_ledger_and_preview_agree(void **state)
{
    _cleanup_(freep) char *log = browse_get(&site, "/log/export?period=all");
    _cleanup_(freep) char *usage = browse_get(&site, "/usage/export?by=model");
    _cleanup_(freep) char *page = browse_get(&site, "/usage?by=day");
    _cleanup_(freep) char *ledger = browse_get(&site, "/billing/ledger?kind=usage");
    _cleanup_(freep) char *preview = browse_get(&site, "/billing/preview");
    const char *sum;

    (void)state;
    assert_status(log, 200);
    assert_has(log, "text/csv");
    assert_has(log, "attachment; filename=\"tollgate-requests.csv\"");
    assert_has(usage, "charge_usd");
    sum = path_of("%s", between(ledger, "title=\"\u2212", " USD"));
    assert_true(strlen(sum) > 4);
    assert_has(page, sum);
    assert_true(count_of(preview, sum) >= 2); /* of all, and below the table of usage */
    assert_true(count_of(preview, "$50.000000") >= 2); /* the grant, and the sum of grants */
}

/* How many requests the rows of an export stand for: a refused one may stand for several. */
static int requests_in(const char *answer)
{
    _cleanup_(freep) char *csv = unchunked(answer);
    const char *row = csv, *name = strstr(row, ",repeat");
    int column = 0, n = 0;

    assert_non_null(name);
    for (const char *p = row; p <= name; p++)
        column += *p == ',';
    while ((row = strchr(row, '\n')) && *++row) {
        const char *cell = row;

        for (int i = 0; i < column; i++)
            cell = strchr(cell, ',') + 1;
        n += (int)strtol(cell, NULL, 10);
    }
    return n;
}

/* What a row of the page counts, and what the log has where it leads, are the same. */
static void rows_count_as_the_log(const char *path)
{
    _cleanup_(freep) char *page = browse_get(&site, path);
    const char *row = page;
    int rows = 0;

    while ((row = strstr(row, "href=\"/log?"))) {
        const char *query = between(row, "href=\"/log?", "\"");
        int counted = (int)strtol(between(row, "<td class=\"num\">", "<"), NULL, 10);
        char plain[512];
        size_t n = 0;

        for (const char *p = query; *p; p += strncmp(p, "&amp;", 5) == 0 ? 5 : 1)
            plain[n++] = *p;
        plain[n] = '\0';
        _cleanup_(freep) char *csv = browse_get(&site, path_of("/log/export?%s", plain));
        assert_status(csv, 200);
        if (counted == 0 || requests_in(csv) != counted)
            fail_msg("%s counts %d, %s has %d", path, counted, plain, requests_in(csv));
        row += strlen("href=");
        rows++;
    }
    assert_true(rows > 0);
}

static void a_row_of_figures_leads_to_the_requests_that_it_counts(void **state)
{
    (void)state;
    rows_count_as_the_log("/overview");
    rows_count_as_the_log("/usage?by=model&span=30d");
    rows_count_as_the_log("/usage?by=day&span=30d");
    rows_count_as_the_log("/usage?by=key&span=30d");
    rows_count_as_the_log("/usage?by=key&span=30d&model=gpt-4o-mini");
    rows_count_as_the_log("/usage?by=provider&span=30d&model=gpt-4o-mini");
    rows_count_as_the_log("/usage?by=provider&span=30d");
    shows("/log?status=served&period=30d", "status is <strong>served by a model</strong>");
}

static void another_team_sees_nothing_of_it(void **state)
{
    _cleanup_(freep) char *log = browse_get(&site, "/log");
    _cleanup_(freep) char *up = NULL, *call = NULL, *key = NULL;
    const char *path;

    (void)state;
    path = path_of("/log/call_%s", between(log, "href=\"/log/call_", "\""));
    forget_cookies(&site);
    up = browse_send(&site, "/sign-up", "/sign-up",
                     "name=Eve&email=eve%40example.org&password=correct+horse+staple&team_name=Other");
    assert_status(up, 303);
    call = browse_get(&site, path);
    assert_status(call, 404);
    key = browse_get(&site, "/keys/1");
    assert_status(key, 404);
    shows("/log?period=all", "No request");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_team_is_told_what_to_do),
        cmocka_unit_test(public_pages_need_nobody),
        cmocka_unit_test(a_top_up_grows_the_balance_once),
        cmocka_unit_test(a_declined_card_says_so),
        cmocka_unit_test(a_bank_transfer_tells_how_to_pay_and_can_be_canceled),
        cmocka_unit_test(a_key_is_minted_shown_once_changed_rotated_and_deleted),
        cmocka_unit_test(members_are_invited_join_and_leave),
        cmocka_unit_test(settings_projects_and_management_keys),
        cmocka_unit_test(a_past_shows_everywhere),
        cmocka_unit_test(the_log_pages_by_key_and_opens_a_call),
        cmocka_unit_test(of_days_and_a_period_that_which_was_chosen_last_holds),
        cmocka_unit_test(what_one_filters_by_is_told_though_it_is_nobody_s),
        cmocka_unit_test(every_kind_of_call_has_a_page),
        cmocka_unit_test(export_usage_ledger_and_preview_agree),
        cmocka_unit_test(a_row_of_figures_leads_to_the_requests_that_it_counts),
        cmocka_unit_test(another_team_sees_nothing_of_it),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
