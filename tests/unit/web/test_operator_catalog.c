/* Provider accounts, models, targets and prices as an operator without scripts meets them: what a
 * change does, and what a refused one says (the templates are strict here). */
#include "operator_pages.h"

#define ACCOUNT                                                                       \
    "kind=openai-compatible&name=Own+server&base_url=http%3A%2F%2F127.0.0.1%3A9%2Fv1" \
    "&network=private&data_policy=unknown&priority=0&weight=100&enabled=on&key="

static long an_account(const char *name)
{
    _cleanup_(freep) char *fields = NULL;

    assert_true(asprintf(&fields,
                         "kind=openai-compatible&name=%s&base_url=http%%3A%%2F%%2F127.0.0.1%%3A9"
                         "&network=private&data_policy=unknown&priority=0&weight=100&enabled=on&key=",
                         name) > 0);
    return send_and_follow("/operator/accounts/new?kind=openai-compatible", "/operator/accounts",
                           fields, "location: /operator/accounts/");
}

static long a_model(const char *name)
{
    _cleanup_(freep) char *fields = NULL;

    assert_true(asprintf(&fields,
                         "name=%s&kind=chat&vendor=Acme&media_tokens=4096&enabled=on"
                         "&strategy=priority&max_attempts=4&triggers=connect&triggers=timeout",
                         name) > 0);
    return send_and_follow("/operator/models/new", "/operator/models", fields,
                           "location: /operator/models/");
}

static void an_account_is_added_changed_and_deleted(void **state)
{
    long id;
    const char *path;
    _cleanup_(freep) char *wrong = NULL, *right = NULL;

    (void)state;
    page_has("/operator/accounts/new", "/operator/accounts/new?kind=openai");
    page_has("/operator/accounts/new?kind=openai", "Choose it only for a server that you run");
    id = send_and_follow("/operator/accounts/new?kind=openai-compatible", "/operator/accounts",
                         ACCOUNT "sk-secret-of-a-server-1234", "location: /operator/accounts/");
    path = path_of("/operator/accounts/{}", id);
    page_has(path, "It ends in <code>1234</code>");
    page_has_not(path, "sk-secret-of");
    page_has("/operator/accounts", "Own server");
    send_ok(path, path,
            "name=Other+name&base_url=http%3A%2F%2F127.0.0.1%3A9&network=private&data_policy=unknown"
            "&weight=7&priority=3&rpm=60");
    page_has(path, "value=\"Other name\"");
    page_has("/operator/accounts", "Off");
    send_ok(path, path_of("/operator/accounts/{}/enable", id), "");
    page_has_not("/operator/accounts", "Off<");
    send_ok(path, path_of("/operator/accounts/{}/key", id), "key=sk-newer-secret-9876");
    page_has(path, "It ends in <code>9876</code>");
    send_ok(path, path_of("/operator/accounts/{}/disable", id), "");
    send_ok(path, path_of("/operator/accounts/{}/adopt", id), "");
    wrong = browse_send(&site, path, path_of("/operator/accounts/{}/delete", id), "confirm=Own");
    assert_status(wrong, 422);
    assert_has(wrong, "This is not the account’s name.");
    right =
        browse_send(&site, path, path_of("/operator/accounts/{}/delete", id), "confirm=Other+name");
    assert_status(right, 303);
    page_has_not("/operator/accounts", "Other name");
}

static void a_wrong_account_is_told_beside_its_field(void **state)
{
    _cleanup_(freep) char *url = NULL, *headers = NULL, *name = NULL, *key = NULL, *home = NULL;
    const char *from = "/operator/accounts/new?kind=openai";
    const char *to = "/operator/accounts";

    (void)state;
    url = browse_send(&site, from, to,
                      "kind=openai&name=A&network=public&data_policy=unknown&weight=1&key=k&enabled=on"
                      "&base_url=http%3A%2F%2Fllm.example.org");
    assert_status(url, 422);
    assert_has(url, "id=\"e-base_url\"");
    assert_has(url, "value=\"http://llm.example.org\"");
    headers = browse_send(&site, from, to,
                          "kind=openai&name=A&network=public&data_policy=unknown&weight=1&key=k&extra_headers=%5B1");
    assert_status(headers, 422);
    assert_has(headers, "This is not a JSON object.");
    name = browse_send(&site, from, to, "kind=openai&name=&network=public&data_policy=unknown&weight=0&key=k");
    assert_status(name, 422);
    assert_has(name, "This is needed.");
    assert_has(name, "At least 1.");
    key = browse_send(&site, from, to, "kind=openai&name=A&network=public&data_policy=unknown&weight=1&key=");
    assert_status(key, 422);
    assert_has(key, "This provider needs a credential.");
    home = browse_send(&site, "/operator/accounts/new?kind=ollama", to,
                       "kind=ollama&name=A&network=public&data_policy=unknown&weight=1");
    assert_status(home, 422);
    assert_has(home, "id=\"e-network\"");
}

static void a_model_is_routed_priced_and_switched(void **state)
{
    long account = an_account("Routed"), model = a_model("acme-1"), target;
    const char *path = path_of("/operator/models/{}", model);
    _cleanup_(freep) char *add = NULL, *page = NULL, *typed = NULL;
    char pin[64];

    (void)state;
    page_has(path, "Not served yet");
    assert_true(asprintf(&add,
                         "account=%ld&upstream_model=llama-3&priority=1&weight=50&enabled=on"
                         "&output_limit_field=",
                         account) > 0);
    send_ok(path, path_of("/operator/models/{}/targets", model), add);
    page = browse_get(&site, path);
    target = number_behind(page, "action=\"/operator/targets/");
    assert_has(page, "priority 1, weight 50");
    typed = browse_send(&site, path, path_of("/operator/targets/{}", target),
                        "upstream_model=llama-3.1&priority=2000&weight=1&output_limit_field=");
    assert_status(typed, 422);
    assert_has(typed, "At most 1000.");
    assert_has(typed, "value=\"llama-3.1\"");
    send_ok(
        path, path_of("/operator/targets/{}", target),
        "upstream_model=llama-3.1&priority=2&weight=1&enabled=on&output_limit_field=max_tokens");
    page_has(path, "priority 2, weight 1");
    snprintf(pin, sizeof(pin), "target=%ld", target);
    send_ok(path, path_of("/operator/models/{}/pin", model), pin);
    page_has("/operator/models", "<strong>Pinned</strong> (Routed · llama-3.1) by ada@example.org");
    send_ok(path, path_of("/operator/models/{}/pin", model), "target=");
    page_has_not("/operator/models", "strip incidents");
    send_ok(path, path_of("/operator/models/{}/off", model), "reason=It+lies");
    page_has("/operator/users", "<strong>Switched off</strong> (It lies)");
    page_has("/operator/models?state=switched", "acme-1");
    send_ok(path, path_of("/operator/models/{}/on", model), "");
    send_ok(path, path_of("/operator/models/{}/aliases", model), "alias=acme-latest");
    page_has(path, "<code>acme-latest</code>");
    send_ok(path, path_of("/operator/models/{}/aliases/delete", model), "alias=acme-latest");
    page_has_not(path, "<code>acme-latest</code>");
    send_ok(path, path_of("/operator/targets/{}/delete", target), "");
    page_has(path, "it has no target");
}

/* Abilities that no request asks for are no boxes of the form. */
static void a_target_keeps_what_its_form_does_not_show(void **state)
{
    long account = an_account("Lacking"), model = a_model("acme-lacks"), target;
    const char *path = path_of("/operator/models/{}", model);
    _cleanup_(freep) char *add = NULL, *page = NULL;

    (void)state;
    assert_true(asprintf(&add, "account=%ld&upstream_model=up&priority=0&weight=100&output_limit_field=", account) > 0);
    send_ok(path, path_of("/operator/models/{}/targets", model), add);
    page = browse_get(&site, path);
    target = number_behind(page, "action=\"/operator/targets/");
    assert_int_equal(db_script(owner, "UPDATE target SET lacks = '{tools,web_search}' WHERE upstream_model = 'up'"), 0);
    send_ok(path, path_of("/operator/targets/{}", target),
            "upstream_model=up-2&priority=0&weight=100&output_limit_field=&lacks=vision");
    assert_int_equal(db_script(owner, "SELECT 1 / count(*) FROM target WHERE upstream_model = 'up-2'"
                                      "   AND lacks @> '{vision,web_search}' AND cardinality(lacks) = 2"),
                     0);
}

static void a_models_settings_are_kept(void **state)
{
    long model = a_model("acme-2");
    const char *path = path_of("/operator/models/{}", model);
    _cleanup_(freep) char *wrong = NULL, *twice = NULL, *off = NULL, *alias = NULL;

    (void)state;
    send_ok(path, path,
            "vendor=Acme+AI&description=Good&context_tokens=128000&media_tokens=0"
            "&strategy=priority&max_attempts=2&retries=1&triggers=connect&abilities=tools"
            "&abilities_known=on&idle_timeout_ms=5000&enabled=on");
    page_has(path, "value=\"Acme AI\"");
    page_has(path, "value=\"128000\"");
    page_has(path, "value=\"tools\" checked");
    page_has(path, "name=\"idle_timeout_ms\" type=\"text\" value=\"5000\"");
    wrong = browse_send(&site, path, path, "vendor=&strategy=priority&max_attempts=99&idle_timeout_ms=3");
    assert_status(wrong, 422);
    assert_has(wrong, "This is needed.");
    assert_has(wrong, "At most 16.");
    twice = browse_send(&site, "/operator/models/new", "/operator/models",
                        "name=acme-2&kind=chat&vendor=Acme&strategy=priority&max_attempts=4");
    assert_status(twice, 422);
    assert_has(twice, "There is a model or alias of this name already.");
    off = browse_send(&site, path, path_of("/operator/models/{}/off", model), "reason=");
    assert_status(off, 422);
    assert_has(off, "A reason of 1 to 300 characters is needed.");
    alias =
        browse_send(&site, path, path_of("/operator/models/{}/aliases", model), "alias=not+a+name");
    assert_status(alias, 422);
    assert_has(alias, "value=\"not a name\"");
}

static void rules_are_added_moved_tried_and_deleted(void **state)
{
    long model = a_model("acme-ruled"), rule;
    const char *path = path_of("/operator/models/{}/rules", model);
    _cleanup_(freep) char *wrong = NULL, *page = NULL, *tried = NULL, *untried = NULL;

    (void)state;
    (void)a_model("acme-cheap");
    page_has(path, "None yet");
    wrong = browse_send(&site, path, path, "name=free&serves=nothing&tags=plan&team_ids=x&position=1");
    assert_status(wrong, 422);
    assert_has(wrong, "Numbers, with commas between them.");
    assert_has(wrong, "value=\"nothing\"");
    send_ok(path, path, "name=free&serves=acme-cheap&tags=plan%3Dfree%0Aplan%3Dtrial&max_input_tokens=4000"
                        "&asks_not=tools&share_percent=10&share_tag=user&position=1&enabled=on");
    page_has(path, "plan=free, plan=trial; 4,000 input tokens or fewer; without tool calls; 10% of them by user");
    send_ok(path, path, "name=rest&serves=acme-cheap&position=2");
    page_has(path, "every call");
    page = browse_get(&site, path);
    rule = number_behind(page, "href=\"/operator/rules/");
    send_ok(path_of("/operator/rules/{}", rule), path_of("/operator/rules/{}/switch", rule), "to=on");
    tried = browse_send(&site, path, path_of("/operator/models/{}/rules/try", model), "try_tags=plan%3Dfree");
    assert_status(tried, 200);
    assert_has(tried, "10% by <strong>free</strong>: <code>acme-cheap</code>");
    assert_has(tried, "The rest: <code>acme-ruled</code>");
    untried = browse_send(&site, path, path_of("/operator/models/{}/rules/try", model), "try_tags=plan");
    assert_status(untried, 422);
    assert_has(untried, "NAME=VALUE");
    page_has(path_of("/operator/models/{}", model), "By its rules");
    send_ok(path, path_of("/operator/rules/{}/up", rule), "");
    send_ok(path, path_of("/operator/rules/{}", rule), "name=tier&serves=acme-cheap&position=2&enabled=on");
    page_has(path, ">tier</a>");
    send_ok(path, path_of("/operator/rules/{}/delete", rule), "");
    page_has_not(path, ">tier</a>");
}

static void prices_are_published_and_kept(void **state)
{
    long model = a_model("acme-3");
    const char *prices = path_of("/operator/models/{}/prices", model);
    const char *form = path_of("/operator/models/{}/prices/new", model);
    _cleanup_(freep) char *wrong = NULL, *dear = NULL, *past = NULL, *steps = NULL, *page = NULL;

    (void)state;
    page_has(prices, "No price yet");
    page_has(form, "name=\"charge_cache_write_5m\"");
    send_ok(form, prices,
            "charge_input=2.50&cost_input=1.25&charge_output=%2410&cost_output="
            "&charge_request=0.005&cost_request=0&applies_to=&note=First");
    page = browse_get(&site, prices);
    assert_has(page, "In force");
    assert_has(page, "$2.50");
    assert_has(page, "$0.005");
    assert_has(page, "50.0%");
    assert_has(page, "<dd>First</dd>");
    assert_has(page, "ada@example.org");
    page_has(form, "name=\"charge_input\" value=\"2.5\"");
    wrong = browse_send(&site, form, prices,
                        "charge_input=two&cost_output=1&charge_output=&applies_to=");
    assert_status(wrong, 422);
    assert_has(wrong, "An amount in dollars, such as 2.50.");
    assert_has(wrong, "What is charged?");
    assert_has(wrong, "value=\"two\"");
    dear = browse_send(&site, form, prices,
                       "charge_input=20000&cost_input=1&charge_output=1&cost_output=1&applies_to=");
    assert_status(dear, 422);
    assert_has(dear, "Confirm it if it is meant.");
    past = browse_send(&site, form, prices,
                       "charge_input=1&charge_output=1&applies_to=&effective_from=2020-01-01");
    assert_status(past, 422);
    assert_has(past, "A price cannot start in the past.");
    send_ok(form, prices,
            "charge_input=3&cost_input=1&charge_output=4&cost_output=1&applies_to="
            "&charge_input_above_200000=6&cost_input_above_200000=2"
            "&effective_from=2999-01-01T08%3A30");
    steps = browse_get(&site, prices);
    assert_has(steps, "Scheduled");
    assert_has(steps, "above 200,000 input tokens");
    assert_has(steps, "1 Jan 2999, 08:30:00");
    page_has(path_of("/operator/models/{}/prices/new?above=100000", model),
             "name=\"charge_output_above_100000\"");
}

static void a_model_is_shadowed_by_another(void **state)
{
    long model = a_model("acme-shadowed"), to = a_model("acme-shadow");
    const char *path = path_of("/operator/models/{}/shadow", model);
    _cleanup_(freep) char *rule = NULL, *wrong = NULL, *itself = NULL;

    (void)state;
    page_has(path, "Nothing was compared in this time.");
    assert_true(asprintf(&rule, "to_model=%ld&share=0.5&day_ceiling=2.50", to) > 0);
    send_ok(path, path, rule);
    page_has(path, "<strong>0.5%</strong> of the calls of acme-shadowed");
    page_has(path, "No call has been shadowed in this time yet.");
    wrong = browse_send(&site, path, path, "to_model=1&share=ten&day_ceiling=");
    assert_status(wrong, 422);
    itself = browse_send(&site, path, path, "to_model=&share=1000.5&day_ceiling=-1");
    assert_status(itself, 422);
    page_has(path, "<strong>0.5%</strong>");
    send_ok(path, path_of("/operator/models/{}/shadow/end", model), "");
    page_has(path, "Nothing was compared in this time.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_is_added_changed_and_deleted),
        cmocka_unit_test(a_wrong_account_is_told_beside_its_field),
        cmocka_unit_test(a_model_is_routed_priced_and_switched),
        cmocka_unit_test(a_target_keeps_what_its_form_does_not_show),
        cmocka_unit_test(a_models_settings_are_kept),
        cmocka_unit_test(rules_are_added_moved_tried_and_deleted),
        cmocka_unit_test(prices_are_published_and_kept),
        cmocka_unit_test(a_model_is_shadowed_by_another),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
