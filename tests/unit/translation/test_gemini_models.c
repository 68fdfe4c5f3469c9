/* What a request says to Google follows the model that it is for: how long it shall think, and whether
 * calls of tools that another model made are signed. */
#include <stdio.h>

#include "unit.h"

#include "base/bounds.h"
#include "translation/chat_dialect.h"

static struct arena *a;

static struct str written(const char *body, const char *model, struct chat_losses *losses)
{
    const struct chat_target target = {.model = str_c(model)};
    struct chat_request request;
    struct json_fault fault;
    struct str text;
    struct buf out;

    *losses = (struct chat_losses){.n = 0};
    assert_int_equal(openai_chat_neutral.read_request(a, str_c(body), &request, &fault), CHAT_OK);
    buf_init(&out, MIB(1));
    gemini_neutral.write_request(&request, &target, &out, losses);
    text = arena_str(a, buf_str(&out));
    buf_done(&out);
    return text;
}

#define ASK(more) "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]" more "}"

static void thinks(const char *model, const char *effort, const char *expected)
{
    struct chat_losses losses;
    char body[200], config[200];

    (void)snprintf(body, sizeof(body), ASK(",\"reasoning_effort\":\"%s\""), effort);
    (void)snprintf(config, sizeof(config), "\"thinkingConfig\":{%s", expected);
    if (!str_ihas(written(body, model, &losses), str_c(config)))
        fail_msg("%s %s: not %s", model, effort, expected);
    assert_int_equal(losses.refusable, 0);
}

static void gemini_2_5_thinks_by_the_budgets_that_google_has_for_efforts(void **state)
{
    static const struct {
        const char *effort, *config;
    } cases[] = {{"minimal", "\"thinkingBudget\":1024,"}, {"low", "\"thinkingBudget\":1024,"},
                 {"medium", "\"thinkingBudget\":8192,"}, {"high", "\"thinkingBudget\":24576,"},
                 {"xhigh", "\"thinkingBudget\":24576,"}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        thinks("gemini-2.5-flash", cases[i].effort, cases[i].config);
        thinks("publishers/google/models/gemini-2.5-pro", cases[i].effort, cases[i].config);
        thinks("gemini-2.5-flash-lite-preview-09-2025", cases[i].effort, cases[i].config);
    }
}

static void later_ones_think_by_levels(void **state)
{
    static const char *const levels[] = {"low", "medium", "high"};

    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        char config[60];

        (void)snprintf(config, sizeof(config), "\"thinkingLevel\":\"%s\",", levels[i]);
        thinks("gemini-3-flash-preview", levels[i], config);
        thinks("gemini-3.1-pro-preview", levels[i], config);
        thinks("gemini-flash-latest", levels[i], config);
        thinks("tuned-model-7", levels[i], config);
    }
    thinks("gemini-3-flash-preview", "minimal", "\"thinkingLevel\":\"minimal\"");
    thinks("gemini-3.6-flash", "minimal", "\"thinkingLevel\":\"minimal\"");
    thinks("gemini-3.8-flash", "minimal", "\"thinkingLevel\":\"low\"");
    thinks("gemini-3.8-flash-lite", "minimal", "\"thinkingLevel\":\"minimal\"");
    thinks("gemini-3.1-pro-preview", "minimal", "\"thinkingLevel\":\"low\"");
}

static void a_model_that_always_thinks_does_so_as_little_as_it_can(void **state)
{
    thinks("gemini-2.5-flash", "none", "\"thinkingBudget\":0}");
    thinks("gemini-2.5-flash-lite", "none", "\"thinkingBudget\":0}");
    thinks("gemini-2.5-pro", "none", "\"thinkingBudget\":128}");
    thinks("gemini-3.1-pro-preview", "none", "\"thinkingLevel\":\"low\"}");
    thinks("gemini-3-flash-preview", "none", "\"thinkingLevel\":\"minimal\"}");
    thinks("gemini-pro-latest", "none", "\"thinkingLevel\":\"low\"}");
}

/* --- signatures --- */

#define SEAL "\"thoughtSignature\":\"c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=\""
#define CALL(id, name)                                                                             \
    "{\"id\":\"" id "\",\"type\":\"function\",\"function\":{\"name\":\"" name                      \
    "\",\"arguments\":\"{}\"}}"
#define RESULT(id) "{\"role\":\"tool\",\"tool_call_id\":\"" id "\",\"content\":\"1\"}"
#define MADE(id, name, seal) "{\"functionCall\":{\"id\":\"" id "\",\"name\":\"" name "\",\"args\":{}}" seal "}"

static const char two_steps[] =
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"},"
    "{\"role\":\"assistant\",\"content\":\"Two.\",\"tool_calls\":[" CALL("a", "f") "," CALL("b", "g") "]},"
    RESULT("a") "," RESULT("b") ","
    "{\"role\":\"assistant\",\"content\":null,\"reasoning_details\":[{\"type\":\"reasoning.text\","
    "\"text\":\"\",\"signature\":\"gemini:c2ln\"}],\"tool_calls\":[" CALL("c", "f") "]}," RESULT("c") ","
    "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[" CALL("d", "g") "]}," RESULT("d") "]}";

static void the_first_call_of_a_step_is_signed_from_gemini_3_on(void **state)
{
    static const char *const models[] = {"gemini-3-flash-preview", "gemini-3.1-pro-preview",
                                         "google/gemini-flash-latest"};
    struct chat_losses losses;

    for (size_t i = 0; i < ARRAY_LEN(models); i++) {
        struct str out = written(two_steps, models[i], &losses);

        assert_true(str_ihas(out, STR("{\"text\":\"Two.\"}," MADE("a", "f", "," SEAL) "," MADE("b", "g", ""))));
        assert_true(str_ihas(out, STR("[" MADE("c", "f", ",\"thoughtSignature\":\"c2ln\"") "]")));
        assert_true(str_ihas(out, STR("[" MADE("d", "g", "," SEAL) "]")));
        assert_int_equal(losses.n, 0);
    }
}

static void earlier_models_get_no_stand_in(void **state)
{
    static const char *const models[] = {"gemini-2.5-pro", "gemini-2.0-flash", "tuned-model-7",
                                         "gemini-exp-1206", "gemma-3-27b-it"};
    struct chat_losses losses;

    for (size_t i = 0; i < ARRAY_LEN(models); i++)
        assert_false(str_ihas(written(two_steps, models[i], &losses), STR(SEAL)));
}

static int begin(void **state)
{
    a = arena_new(MIB(16));
    return a ? 0 : -1;
}

static int end(void **state)
{
    arena_free(a);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            gemini_2_5_thinks_by_the_budgets_that_google_has_for_efforts, begin, end),
        cmocka_unit_test_setup_teardown(later_ones_think_by_levels, begin, end),
        cmocka_unit_test_setup_teardown(a_model_that_always_thinks_does_so_as_little_as_it_can,
                                        begin, end),
        cmocka_unit_test_setup_teardown(the_first_call_of_a_step_is_signed_from_gemini_3_on, begin,
                                        end),
        cmocka_unit_test_setup_teardown(earlier_models_get_no_stand_in, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
