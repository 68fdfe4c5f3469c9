/* test_problem.c: what clients of each API family read when something went wrong. */
#include "unit.h"

#include <stdio.h>

#include "base/buf.h"
#include "http/problem.h"
#include "translation/said.h"

static struct buf out;

static int make(void **state)
{
    buf_init(&out, 1 << 20);
    return 0;
}

static int unmake(void **state)
{
    buf_done(&out);
    return 0;
}

static void expect(const struct problem *p, enum problem_format format, const char *json)
{
    problem_json(p, format, STR("call_1"), &out);
    assert_int_equal(buf_finish(&out), 0);
    assert_str(buf_str(&out), json);
}

static void openai_has_four_members_always(void **state)
{
    struct problem p = problem_of(PROBLEM_BAD_KEY);

    expect(&p, PROBLEM_AS_OPENAI,
           "{\"error\":{\"message\":\"The API key is not valid.\","
           "\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"invalid_api_key\"},"
           "\"tollgate\":{\"request_id\":\"call_1\"}}");
    assert_int_equal(problem_status(&p), 401);
}

static void what_is_given_replaces_the_default(void **state)
{
    struct problem p = problem_of(PROBLEM_BAD_FIELD);

    p.message = STR("Too \"long\".");
    p.param = STR("messages[2].content");
    expect(&p, PROBLEM_AS_OPENAI,
           "{\"error\":{\"message\":\"Too \\\"long\\\".\",\"type\":\"invalid_request_error\","
           "\"param\":\"messages[2].content\",\"code\":\"invalid_value\"},"
           "\"tollgate\":{\"request_id\":\"call_1\"}}");
}

static void anthropic_takes_its_type_from_the_status(void **state)
{
    struct problem p = problem_of(PROBLEM_NO_BALANCE);

    expect(&p, PROBLEM_AS_ANTHROPIC,
           "{\"type\":\"error\",\"error\":{\"type\":\"billing_error\","
           "\"message\":\"The team's balance does not cover this request.\"},"
           "\"request_id\":\"call_1\",\"tollgate\":{\"request_id\":\"call_1\"}}");
}

static void gemini_has_code_and_status(void **state)
{
    struct problem p = problem_of(PROBLEM_RATE_TOKENS);

    expect(&p, PROBLEM_AS_GEMINI,
           "{\"error\":{\"code\":429,\"message\":\"Too many tokens in this minute.\","
           "\"status\":\"RESOURCE_EXHAUSTED\"},\"tollgate\":{\"request_id\":\"call_1\"}}");
}

static void a_limit_names_its_source(void **state)
{
    struct problem p = problem_of(PROBLEM_KEY_LIMIT);

    p.quota_source = "app_key";
    p.scope = "key";
    p.id = STR("17");
    p.limit = STR("5.00");
    p.used = STR("4.999");
    p.unit = "usd";
    p.resets_at_unix_s = 1767225600;
    p.attempts_json = STR("[{\"n\":1}]");
    p.message = STR("m");
    expect(&p, PROBLEM_AS_OPENAI,
           "{\"error\":{\"message\":\"m\",\"type\":\"insufficient_quota\",\"param\":null,"
           "\"code\":\"key_limit_exceeded\"},\"tollgate\":{\"quota_source\":\"app_key\","
           "\"scope\":\"key\",\"id\":\"17\",\"limit\":\"5.00\",\"used\":\"4.999\","
           "\"unit\":\"usd\",\"resets_at\":\"2026-01-01T00:00:00.000000Z\","
           "\"request_id\":\"call_1\",\"attempts\":[{\"n\":1}]}}");
}

static void an_upstreams_error_passes_with_our_member(void **state)
{
    struct problem p = problem_of(PROBLEM_UPSTREAM);

    p.upstream_status = 418;
    p.upstream_body = STR("{\"error\":{\"message\":\"teapot\"}} \n");
    expect(&p, PROBLEM_AS_OPENAI,
           "{\"error\":{\"message\":\"teapot\"},\"tollgate\":{\"request_id\":\"call_1\"}} \n");
    assert_int_equal(problem_status(&p), 418);
    buf_reset(&out);
    p.upstream_body = STR("{}");
    expect(&p, PROBLEM_AS_OPENAI, "{\"tollgate\":{\"request_id\":\"call_1\"}}");
    buf_reset(&out);
    p.upstream_body = STR("{\"tollgate\": {\"request_id\":\"theirs\"}, \"error\":{}}");
    expect(&p, PROBLEM_AS_OPENAI, "{\"tollgate\": {\"request_id\":\"call_1\"}, \"error\":{}}");
}

static void an_upstreams_html_does_not_pass(void **state)
{
    struct problem p = problem_of(PROBLEM_UPSTREAM);

    p.upstream_status = 502;
    p.upstream_body = STR("<html>Bad gateway</html>");
    expect(&p, PROBLEM_AS_OPENAI,
           "{\"error\":{\"message\":\"The provider failed.\",\"type\":\"upstream_error\","
           "\"param\":null,\"code\":\"upstream_error\"},\"tollgate\":{\"request_id\":\"call_1\"}}");
}

/* Errors of ours and of a provider go to the same clients, from tables of two rooms. */
static void translation_has_the_same_words_for_a_status(void **state)
{
    struct problem p = problem_of(PROBLEM_UPSTREAM);
    char word[80];

    for (p.upstream_status = 400; p.upstream_status < 600; p.upstream_status++) {
        buf_reset(&out);
        problem_json(&p, PROBLEM_AS_ANTHROPIC, STR("call_1"), &out);
        (void)snprintf(word, sizeof(word), "{\"type\":\"error\",\"error\":{\"type\":\"%s\"",
                       said_anthropic_type(p.upstream_status));
        assert_true(str_starts(buf_str(&out), str_c(word)));
        buf_reset(&out);
        problem_json(&p, PROBLEM_AS_GEMINI, STR("call_1"), &out);
        (void)snprintf(word, sizeof(word), "\"status\":\"%s\"}",
                       said_google_status(p.upstream_status));
        assert_true(str_ihas(buf_str(&out), str_c(word)));
    }
}

static void money_is_402_and_time_is_429(void **state)
{
    for (int code = PROBLEM_NONE + 1; code < PROBLEM_COUNT; code++) {
        struct problem p = problem_of((enum problem_code)code);
        int status = problem_status(&p);
        bool money = code == PROBLEM_NO_BALANCE || code == PROBLEM_BUDGET ||
                     code == PROBLEM_KEY_LIMIT || code == PROBLEM_EXHAUSTED;

        assert_int_equal(status == 402, money);
        assert_true(status >= 400 && status < 600);
        assert_true(strlen(problem_sentence(p.code)) > 10);
        assert_true(strlen(problem_slug(p.code)) > 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(openai_has_four_members_always, make, unmake),
        cmocka_unit_test_setup_teardown(what_is_given_replaces_the_default, make, unmake),
        cmocka_unit_test_setup_teardown(anthropic_takes_its_type_from_the_status, make, unmake),
        cmocka_unit_test_setup_teardown(gemini_has_code_and_status, make, unmake),
        cmocka_unit_test_setup_teardown(a_limit_names_its_source, make, unmake),
        cmocka_unit_test_setup_teardown(an_upstreams_error_passes_with_our_member, make, unmake),
        cmocka_unit_test_setup_teardown(an_upstreams_html_does_not_pass, make, unmake),
        cmocka_unit_test_setup_teardown(translation_has_the_same_words_for_a_status, make, unmake),
        cmocka_unit_test_setup_teardown(money_is_402_and_time_is_429, make, unmake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
