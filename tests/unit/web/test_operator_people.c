/* Teams, users, money, the audit log and the installation as an operator without scripts meets
 * them; and that nobody else gets in (the templates are strict here). */
#include "operator_pages.h"

static void nobody_else_gets_in(void **state)
{
    (void)state;
    as(BOB);
    for (size_t i = 0; i < ARRAY_LEN(operator_routes); i++) {
        _cleanup_(freep) char *answer = NULL;

        if (operator_routes[i].auth != AUTH_OPERATOR || strchr(operator_routes[i].path, '{'))
            continue;
        answer = browse_ask(&site, operator_routes[i].method == HTTP_GET ? "GET" : "POST",
                            operator_routes[i].path, NULL, NULL);
        assert_status(answer, 403);
    }
    forget_cookies(&site);
    for (size_t i = 0; i < ARRAY_LEN(operator_routes); i++) {
        _cleanup_(freep) char *answer = NULL;

        if (operator_routes[i].auth != AUTH_OPERATOR || operator_routes[i].method != HTTP_GET)
            continue;
        answer = browse_get(&site, operator_routes[i].path);
        assert_status(answer, 303);
    }
    as(ADA);
}

static void every_page_shows_with_little_in_it(void **state)
{
    (void)state;
    page_has("/operator/accounts", "Not tried yet");
    page_has("/operator/models?q=nothing-like-it", "Nothing fits.");
    page_has("/operator/teams", "Bobbins &amp; Co");
    page_has("/operator/users", "bob@example.org");
    page_has("/operator/audit", "user.sign_up");
    page_has("/operator/orders", "Nobody has topped up yet.");
    page_has("/operator/installation", "value=\"TG\"");
    page_has("/operator/accounts", "<body class=\"framed operator\">");
}

static void a_team_gets_money_once_a_form(void **state)
{
    _cleanup_(freep) char *list = browse_get(&site, "/operator/teams?q=bob%40example.org");
    _cleanup_(freep) char *twice = NULL, *other = NULL, *nothing = NULL;
    long team = number_behind(list, "row-link\" href=\"/operator/teams/");
    const char *path = path_of("/operator/teams/{}", team);
    const char *adjust = path_of("/operator/teams/{}/adjust", team);

    (void)state;
    assert_has_not(list, "\">Acme</a>");
    page_has(path, "bob@example.org");
    send_ok(path, adjust, "amount=100&reason=Opening&reference=op-reference-1");
    twice = browse_send(&site, path, adjust, "amount=100&reason=Opening&reference=op-reference-1");
    assert_status(twice, 303);
    page_has(path, "<div class=\"stat-value\"><span class=\"money\" title=\"100.00 USD\">");
    other = browse_send(&site, path, adjust, "amount=5&reason=Opening&reference=op-reference-1");
    assert_status(other, 422);
    assert_has(other, "This form was sent before with another amount.");
    nothing = browse_send(&site, path, adjust, "amount=0&reason=ab&reference=op-reference-2");
    assert_status(nothing, 422);
    assert_has(nothing, "At least 3 characters.");
    assert_has(nothing, "value=\"op-reference-2\"");
    send_ok(path, adjust, "amount=-12.5&reason=Correction&reference=op-reference-3");
    page_has(path, "title=\"87.50 USD\"");
    send_ok(path, path_of("/operator/teams/{}/grant", team),
            "amount=10&reason=Welcome&reference=op-reference-1&name=Gift&priority=100&expires=");
    page_has(path, "title=\"97.50 USD\"");
    page_has("/operator/audit?action=balance.", "balance.grant");
    page_has(path, "Correction");
}

static void a_grant_ends_on_the_team_s_day(void **state)
{
    _cleanup_(freep) char *list = browse_get(&site, "/operator/teams?q=bob%40example.org");
    long team = number_behind(list, "row-link\" href=\"/operator/teams/");
    const char *path = path_of("/operator/teams/{}", team);

    (void)state;
    assert_int_equal(db_script(owner, "UPDATE team SET time_zone = 'Pacific/Honolulu'"
                                      " WHERE name = 'Bobbins & Co'"),
                     0);
    send_ok(path, path_of("/operator/teams/{}/grant", team),
            "amount=1&reason=Until+then&reference=op-of-a-day&name=Until&priority=100&expires=2098-12-31");
    page_has(path, "31 Dec 2098, 23:59:59 HST");
    page_has_not(path, "1 Jan 2099");
}

/* Ada has a team and is an operator. */
static void a_letter_leads_to_one_section(void **state)
{
    _cleanup_(freep) char *page = browse_get(&site, "/operator");
    bool seen[256] = {false};
    int letters = 0;

    (void)state;
    for (const char *p = page; (p = strstr(p, "data-key=\"")); letters++) {
        unsigned char letter = (unsigned char)*(p += strlen("data-key=\""));

        if (seen[letter])
            fail_msg("g %c leads to two sections", letter);
        seen[letter] = true;
        assert_int_equal(p[1], '"');
    }
    assert_true(letters > 20);
    assert_false(seen['g']); /* begins anew */
}

static void a_frozen_team_is_seen_everywhere(void **state)
{
    _cleanup_(freep) char *list = browse_get(&site, "/operator/teams?q=bob%40example.org");
    long team = number_behind(list, "row-link\" href=\"/operator/teams/");
    const char *path = path_of("/operator/teams/{}", team);
    _cleanup_(freep) char *no_reason = NULL;

    (void)state;
    no_reason = browse_send(&site, path, path_of("/operator/teams/{}/freeze", team), "reason=");
    assert_status(no_reason, 422);
    send_ok(path, path_of("/operator/teams/{}/freeze", team), "reason=Chargebacks");
    page_has(path, "Its keys are refused: Chargebacks");
    page_has("/operator/installation", "<strong>Frozen</strong> (Chargebacks)");
    send_ok(path, path_of("/operator/teams/{}/unfreeze", team), "");
    page_has_not(path, "Chargebacks</div>");
}

static void users_are_disabled_promoted_and_reset(void **state)
{
    _cleanup_(freep) char *list = browse_get(&site, "/operator/users?q=bob");
    _cleanup_(freep) char *reset = NULL, *self = NULL, *opened = NULL;
    const char *from = "/operator/users?q=bob", *link;
    char path[128];
    long bob = number_behind(list, "action=\"/operator/users/"), ada;

    (void)state;
    send_ok(from, path_of("/operator/users/{}/disable", bob), "");
    page_has(from, "/enable\"");
    send_ok(from, path_of("/operator/users/{}/enable", bob), "");
    send_ok(from, path_of("/operator/users/{}/operator", bob), "");
    page_has(from, "/not-operator\"");
    send_ok(from, path_of("/operator/users/{}/not-operator", bob), "");
    reset = browse_send(&site, from, path_of("/operator/users/{}/reset", bob), "");
    assert_status(reset, 200);
    link = strstr(reset, "http://127.0.0.1/reset/");
    assert_non_null(link);
    snprintf(path, sizeof(path), "%.*s", (int)strcspn(link + 16, "<"), link + 16);
    opened = browse_get(&site, path);
    assert_status(opened, 200);
    assert_has(opened, "bob@example.org");
    free(list);
    list = browse_get(&site, "/operator/users?q=ada");
    ada = number_behind(list, "action=\"/operator/users/");
    self = browse_send(&site, "/operator/users?q=ada",
                       path_of("/operator/users/{}/not-operator", ada), "");
    assert_status(self, 422);
    assert_has(self, "class=\"note bad\"");
}

static void keys_of_the_installation_are_minted_shown_once_and_revoked(void **state)
{
    const char *path = "/operator/management-keys";
    _cleanup_(freep) char *nameless = NULL, *odd = NULL, *minted = NULL;

    (void)state;
    page_has(path, "There is none yet.");
    nameless = browse_send(&site, path, path, "name=&life=never");
    assert_status(nameless, 422);
    odd = browse_send(&site, path, path, "name=export&life=forever");
    assert_status(odd, 422);
    assert_has(odd, "value=\"export\"");
    page_has(path, "There is none yet.");
    minted = browse_send(&site, path, path, "name=export&life=30");
    assert_status(minted, 200);
    assert_has(minted, "it will not be shown again");
    assert_has(minted, "<code id=\"secret\">tgm-");
    page_has_not(path, "id=\"secret\"");
    page_has(path, "export");
    page_has("/operator/audit?action=management_key.", "management_key.mint");
    send_ok(path, path_of("/operator/management-keys/{}/revoke",
                          number_behind(minted, "action=\"/operator/management-keys/")),
            "");
    page_has(path, "There is none yet.");
}

static void the_audit_log_shows_what_differs(void **state)
{
    (void)state;
    page_has("/operator/audit?action=team.", "frozen_reason");
    page_has("/operator/audit?action=team.", "Chargebacks");
    page_has_not("/operator/audit?action=team.", "model.add");
    page_has("/operator/audit?action=nothing.", "Nothing fits.");
    page_has("/operator/audit?team=1", "Acme");
}

static void the_seller_is_kept(void **state)
{
    _cleanup_(freep) char *wrong = NULL;
    const char *path = "/operator/installation";

    (void)state;
    send_ok(path, path,
            "seller_name=Gate+GmbH&seller_address=Weg+1%0ABerlin&seller_country=DE"
            "&invoice_prefix=GT&time_zone=Europe%2FBerlin");
    page_has(path, "value=\"Gate GmbH\"");
    page_has(path, "value=\"Europe/Berlin\" selected");
    wrong = browse_send(&site, path, path,
                        "seller_name=Gate&invoice_prefix=t-g&time_zone=Europe%2FBerlin");
    assert_status(wrong, 422);
    assert_has(wrong, "One to eight capital letters and digits");
    page_has("/operator", "for ever");
    free(wrong);
    wrong = browse_send(&site, path, path,
                        "seller_name=Gate&invoice_prefix=GT&time_zone=Europe%2FBerlin"
                        "&call_retention_months=1");
    assert_status(wrong, 422);
    assert_has(wrong, "2 to 240 months");
    send_ok(path, path,
            "seller_name=Gate&invoice_prefix=GT&time_zone=Europe%2FBerlin&call_retention_months=13");
    page_has(path, "value=\"13\"");
    page_has("/operator", "13 months");
    assert_int_equal(db_script(owner, "UPDATE installation SET time_zone = 'Etc/UTC'"), 0);
    page_has(path, "value=\"Etc/UTC\" selected");
    send_ok(path, path, "seller_name=Gate&invoice_prefix=GT&time_zone=Etc%2FUTC&call_retention_months=13");
}

static void ids_that_are_none_are_not_found(void **state)
{
    static const char *const paths[] = {
        "/operator/accounts/999999", "/operator/accounts/x",           "/operator/models/999999",
        "/operator/models/0",        "/operator/models/999999/prices", "/operator/teams/999999",
        "/operator/teams/-1",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        _cleanup_(freep) char *answer = browse_get(&site, paths[i]);

        assert_status(answer, 404);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_page_shows_with_little_in_it),
        cmocka_unit_test(nobody_else_gets_in),
        cmocka_unit_test(a_team_gets_money_once_a_form),
        cmocka_unit_test(a_grant_ends_on_the_team_s_day),
        cmocka_unit_test(a_letter_leads_to_one_section),
        cmocka_unit_test(a_frozen_team_is_seen_everywhere),
        cmocka_unit_test(users_are_disabled_promoted_and_reset),
        cmocka_unit_test(keys_of_the_installation_are_minted_shown_once_and_revoked),
        cmocka_unit_test(the_audit_log_shows_what_differs),
        cmocka_unit_test(the_seller_is_kept),
        cmocka_unit_test(ids_that_are_none_are_not_found),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
