/* The incident switches on their own page: each does what its model's or team's page does, names
 * what it does not find, and stands on every page while it is on, but only for operators. */
#include "history.h"

#include "operator_pages.h"

#define PAGE "/operator/incidents"

static long account, model;

static void something_to_switch(void **state)
{
    _cleanup_(freep) char *target = NULL;

    (void)state;
    account = send_and_follow("/operator/accounts/new?kind=openai-compatible", "/operator/accounts",
                              "kind=openai-compatible&name=Ours&network=private&data_policy=unknown&priority=0"
                              "&weight=100&enabled=on&key=&base_url=http%3A%2F%2F127.0.0.1%3A9",
                              "location: /operator/accounts/");
    model = send_and_follow("/operator/models/new", "/operator/models",
                            "name=acme-1&kind=chat&vendor=Acme&media_tokens=4096&enabled=on"
                            "&strategy=priority&max_attempts=4&triggers=connect",
                            "location: /operator/models/");
    assert_true(asprintf(&target,
                         "account=%ld&upstream_model=llama&priority=1&weight=50&enabled=on"
                         "&output_limit_field=",
                         account) > 0);
    send_ok(path_of("/operator/models/{}", model), path_of("/operator/models/{}/targets", model),
            target);
    page_has(PAGE, "None: every model is routed by its policy");
    page_has(PAGE, "<option value=\"acme-1\">");
    page_has(PAGE, path_of("action=\"/operator/accounts/{}/disable\"", account));
}

static void refused(const char *path, const char *fields, const char *sentence)
{
    _cleanup_(freep) char *answer = browse_send(&site, PAGE, path, fields);

    assert_status(answer, 422);
    assert_has(answer, sentence);
    page_has(PAGE, "None: every model");
}

static void what_is_not_found_is_named(void **state)
{
    (void)state;
    refused(PAGE "/off", "model=acme-2&reason=It+lies", "There is no model of this name.");
    refused(PAGE "/off", "model=acme-2&reason=It+lies", "value=\"acme-2\"");
    refused(PAGE "/off", "model=acme-1&reason=", "This is needed.");
    refused(PAGE "/pin", "model=acme-1&account=999", "class=\"fault\"");
    refused(PAGE "/freeze", "team=nobody&reason=Fraud", "No team has this name, id or member.");
    refused(PAGE "/freeze", "team=example.org&reason=Fraud", "Several teams fit: give the id.");
    refused(PAGE "/freeze", "team=Bobbins&reason=", "This is needed.");
}

static void a_model_is_pinned_and_switched_off(void **state)
{
    char pin[64];

    (void)state;
    snprintf(pin, sizeof(pin), "model=acme-1&account=%ld", account);
    send_ok(PAGE, PAGE "/pin", pin);
    page_has("/billing", "<strong>Pinned</strong> (Ours · llama) by ada@example.org");
    send_ok(PAGE, path_of("/operator/models/{}/pin", model), "");
    page_has(PAGE, "None: every model");
    send_ok(PAGE, PAGE "/off", "model=acme-1&reason=It+lies");
    page_has("/billing", "<strong>Switched off</strong> (It lies) by ada@example.org");
    page_has(PAGE, path_of("action=\"/operator/models/{}/on\"", model));
    as(BOB);
    page_has_not("/billing", "It lies");
    as(ADA);
    send_ok(PAGE, path_of("/operator/models/{}/on", model), "");
    page_has_not("/billing", "strip incidents");
}

static void a_team_is_frozen_by_what_one_knows_of_it(void **state)
{
    (void)state;
    send_ok(PAGE, PAGE "/freeze", "team=bob%40example.org&reason=Stolen+key");
    page_has("/operator", "<strong>Frozen</strong> (Stolen key) by ada@example.org");
    page_has(PAGE, "/unfreeze\"");
}

static void an_account_that_is_left_alone_says_why(void **state)
{
    struct health *h = health_of(site.services.health, (struct account_id){account});

    (void)state;
    page_has("/operator", "All up");
    health_failed(h, clock_mono_ms(), HEALTH_CREDENTIAL, 60000);
    page_has(PAGE, "Credential refused");
    page_has("/operator", "1 not up");
    health_reset(h);
    health_failed(h, clock_mono_ms(), HEALTH_RATE_LIMITED, 60000);
    page_has(PAGE, "Rate limited");
    health_reset(h);
    page_has("/operator", "All up");
}

/* history.h: of its calls every 11th failed, of three models in turn. */
static void what_fails_is_told_by_team_model_and_account(void **state)
{
    (void)state;
    page_has(PAGE, "No call of the last 15 minutes");
    history_write(&site);
    page_has(PAGE, "model=gpt-4o-mini&amp;account=openai%20main&amp;status=upstream_error\">7</a>");
    page_has(PAGE, "model=claude-sonnet-4&amp;account=anthropic%20main&amp;status=upstream_error\">7</a>");
    page_has(PAGE, "model=demo-chat&amp;account=demo%20main&amp;status=upstream_error\">6</a>");
    page_has(PAGE, "Provider error 502");
    page_has(PAGE, "<a href=\"/operator/teams/1\">Acme</a>");
    page_has(PAGE, "<a href=\"/operator/calls/call_");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(something_to_switch),
        cmocka_unit_test(what_is_not_found_is_named),
        cmocka_unit_test(a_model_is_pinned_and_switched_off),
        cmocka_unit_test(a_team_is_frozen_by_what_one_knows_of_it),
        cmocka_unit_test(an_account_that_is_left_alone_says_why),
        cmocka_unit_test(what_fails_is_told_by_team_model_and_account),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
