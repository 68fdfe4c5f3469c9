/* The usage object of a reply, in disjoint classes; figures that cannot be true. */
#include "unit.h"

#include "base/bounds.h"

#include "translation/dialect.h"

static struct arena *arena;

static int set_up(void **state)
{
    arena = arena_new(MIB(1));
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    arena_free(arena);
    return 0;
}

static struct wire_report reply_of(const char *body)
{
    struct wire_report r = {0};

    assert_int_equal(openai_chat.read_reply(str_c(body), &r), DIALECT_OK);
    return r;
}

/* What usage says of a figure, as "prompt completion", "-" for a side that is lacking. */
static const char *sides_of(const char *usage)
{
    struct llm_report l =
        reply_of(arena_cstr(arena, arena_strf(arena, "{\"usage\":{%s}}", usage))).llm;

    if (!l.has_usage)
        return "none";
    return arena_cstr(
        arena, arena_strf(arena, "%s %s",
                          l.lacks_prompt ? "-" : arena_cstr(arena, arena_strf(arena, "%lld",
                              (long long)usage_sum(&l.usage, USAGE_COVERS_PROMPT))),
                          l.lacks_output ? "-" : arena_cstr(arena, arena_strf(arena, "%lld",
                              (long long)usage_sum(&l.usage, USAGE_COVERS_OUTPUT)))));
}

static void usage_falls_into_disjoint_classes(void **state)
{
    struct wire_report r =
        reply_of("{\"id\":\"x\",\"choices\":[{\"finish_reason\":\"stop\",\"message\":{\"content\":"
                 "\"abcd\"}}],"
                 "\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":50,\"total_tokens\":150,"
                 "\"prompt_tokens_details\":{\"cached_tokens\":60,\"audio_tokens\":10,"
                 "\"cache_write_tokens\":5},\"completion_tokens_details\":{\"reasoning_tokens\":20,"
                 "\"audio_tokens\":7}}}");

    assert_true(r.llm.has_usage);
    assert_int_equal(r.llm.usage.n[USAGE_INPUT], 25);
    assert_int_equal(r.llm.usage.n[USAGE_CACHED_INPUT], 60);
    assert_int_equal(r.llm.usage.n[USAGE_CACHE_WRITE_5M], 5);
    assert_int_equal(r.llm.usage.n[USAGE_AUDIO_INPUT], 10);
    assert_int_equal(r.llm.usage.n[USAGE_OUTPUT], 23);
    assert_int_equal(r.llm.usage.n[USAGE_REASONING], 20);
    assert_int_equal(r.llm.usage.n[USAGE_AUDIO_OUTPUT], 7);
    assert_str(r.llm.finish_reason, "stop");
    assert_str(r.llm.id, "x");
    assert_int_equal(r.llm.output_bytes, 4);
}

/* Of two figures under one name nobody could say which one is true. */
static void an_answer_that_tells_a_figure_twice_is_not_read(void **state)
{
    static const struct {
        const struct dialect *dialect;
        const char *key, *body; /* the key, or another one, stands for % */
    } cases[] = {
        {&openai_chat, "prompt_tokens", "{\"usage\":{\"prompt_tokens\":1,\"%\":2}}"},
        {&openai_chat, "cached_token\\u0073",
         "{\"usage\":{\"prompt_tokens\":1,\"prompt_tokens_details\":{\"cached_tokens\":1,\"%\":0}}}"},
        {&openai_chat, "audio_tokens",
         "{\"usage\":{\"prompt_tokens\":1,\"completion_tokens_details\":{\"audio_tokens\":1,\"%\":0}}}"},
        {&openai_responses, "output_tokens", "{\"usage\":{\"output_tokens\":1,\"%\":2}}"},
        {&openai_responses, "reasoning_tokens",
         "{\"usage\":{\"output_tokens\":1,\"output_tokens_details\":{\"reasoning_tokens\":1,\"%\":0}}}"},
        {&anthropic_messages, "input_tokens", "{\"usage\":{\"input_tokens\":1,\"%\":2}}"},
        {&anthropic_messages, "ephemeral_1h_input_tokens",
         "{\"usage\":{\"input_tokens\":1,\"cache_creation\":{\"ephemeral_1h_input_tokens\":1,\"%\":0}}}"},
        {&gemini, "promptTokenCount", "{\"usageMetadata\":{\"promptTokenCount\":1,\"%\":2}}"},
        {&cohere_chat, "input_tokens",
         "{\"usage\":{\"billed_units\":{\"input_tokens\":1,\"%\":2}}}"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (int twice = 0; twice < 2; twice++) {
            struct str rest = str_c(cases[i].body), front;
            struct wire_report r = {0};

            assert_true(str_split(&rest, '%', &front));
            front = arena_strf(arena, "%.*s%s%.*s", STR_FMT(front), twice ? cases[i].key : "another",
                               STR_FMT(rest));
            assert_int_equal(cases[i].dialect->read_reply(front, &r),
                             twice ? DIALECT_E_SYNTAX : DIALECT_OK);
            assert_int_equal(r.llm.has_usage, !twice);
        }
}

static void parts_never_exceed_their_whole(void **state)
{
    struct wire_report r = reply_of("{\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5,"
                                    "\"prompt_tokens_details\":{\"cached_tokens\":99},"
                                    "\"completion_tokens_details\":{\"reasoning_tokens\":99}}}");

    assert_int_equal(usage_sum(&r.llm.usage, USAGE_COVERS_PROMPT), 10);
    assert_int_equal(usage_sum(&r.llm.usage, USAGE_COVERS_OUTPUT), 5);
}

static void a_figure_that_is_no_count_is_as_good_as_none(void **state)
{
    assert_string_equal(sides_of("\"prompt_tokens\":-1,\"completion_tokens\":5"), "- 5");
    assert_string_equal(sides_of("\"prompt_tokens\":9223372036854775808,\"completion_tokens\":5"),
                        "- 5");
    assert_string_equal(sides_of("\"prompt_tokens\":18446744073709551617,\"completion_tokens\":5"),
                        "- 5");
    assert_string_equal(sides_of("\"prompt_tokens\":2147483648,\"completion_tokens\":5"), "- 5");
    assert_string_equal(sides_of("\"prompt_tokens\":2147483647,\"completion_tokens\":5"),
                        "2147483647 5");
    assert_string_equal(sides_of("\"prompt_tokens\":1.5,\"completion_tokens\":5"), "- 5");
    assert_string_equal(sides_of("\"prompt_tokens\":7,\"completion_tokens\":\"5\""), "7 -");
    assert_string_equal(sides_of("\"prompt_tokens\":7,\"completion_tokens\":-5"), "7 -");
    assert_string_equal(sides_of("\"prompt_tokens\":-7,\"completion_tokens\":-5"), "none");
    assert_string_equal(sides_of("\"prompt_tokens\":-7,\"completion_tokens\":-5,\"total_tokens\":3"),
                        "none");
}

static void what_is_left_of_the_total_is_the_other_side(void **state)
{
    assert_string_equal(sides_of("\"prompt_tokens\":7,\"total_tokens\":12"), "7 5");
    assert_string_equal(sides_of("\"completion_tokens\":5,\"total_tokens\":12"), "7 5");
    assert_string_equal(sides_of("\"prompt_tokens\":7,\"total_tokens\":7"), "7 0");
    assert_string_equal(sides_of("\"prompt_tokens\":7,\"total_tokens\":6"), "7 -");
    assert_string_equal(sides_of("\"prompt_tokens\":-7,\"completion_tokens\":5,\"total_tokens\":12"),
                        "7 5");
    assert_string_equal(sides_of("\"total_tokens\":12"), "12 0");
    assert_string_equal(sides_of("\"prompt_tokens\":7,\"completion_tokens\":5,\"total_tokens\":3"),
                        "7 5");
}

static void parts_that_are_no_counts_are_none(void **state)
{
    struct usage u =
        reply_of("{\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":50,"
                 "\"prompt_tokens_details\":{\"cached_tokens\":-60,\"audio_tokens\":1e3,"
                 "\"cache_write_tokens\":9223372036854775808},\"completion_tokens_details\":null}}")
            .llm.usage;

    assert_int_equal(u.n[USAGE_INPUT], 100);
    assert_int_equal(u.n[USAGE_OUTPUT], 50);
    assert_int_equal(usage_sum(&u, USAGE_COVERS_PROMPT), 100);
    assert_int_equal(usage_sum(&u, USAGE_COVERS_OUTPUT), 50);
}

static void parts_together_never_exceed_their_whole(void **state)
{
    struct usage u =
        reply_of("{\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":50,"
                 "\"prompt_tokens_details\":{\"cached_tokens\":60,\"audio_tokens\":60,"
                 "\"image_tokens\":60},\"completion_tokens_details\":{\"reasoning_tokens\":30,"
                 "\"audio_tokens\":10,\"image_tokens\":30}}}")
            .llm.usage;

    assert_int_equal(u.n[USAGE_CACHED_INPUT], 60);
    assert_int_equal(u.n[USAGE_AUDIO_INPUT], 40);
    assert_int_equal(u.n[USAGE_IMAGE_INPUT], 0);
    assert_int_equal(u.n[USAGE_INPUT], 0);
    assert_int_equal(u.n[USAGE_REASONING], 30);
    assert_int_equal(u.n[USAGE_AUDIO_OUTPUT], 10);
    assert_int_equal(u.n[USAGE_IMAGE_OUTPUT], 10);
    assert_int_equal(u.n[USAGE_OUTPUT], 0);
}

static void predicted_tokens_are_output_tokens(void **state)
{
    struct usage u =
        reply_of("{\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":50,\"total_tokens\":60,"
                 "\"completion_tokens_details\":{\"accepted_prediction_tokens\":20,"
                 "\"rejected_prediction_tokens\":25,\"reasoning_tokens\":4}}}")
            .llm.usage;

    assert_int_equal(u.n[USAGE_OUTPUT], 46);
    assert_int_equal(u.n[USAGE_REASONING], 4);
}

static void the_service_tier_that_served_is_read(void **state)
{
    struct llm_report l = reply_of("{\"choices\":[],\"service_tier\":\"priority\"}").llm;

    assert_true(l.has_service);
    assert_int_equal(l.service, SERVICE_PRIORITY);
    assert_false(reply_of("{\"choices\":[],\"service_tier\":null}").llm.has_service);
    assert_false(reply_of("{\"choices\":[],\"service_tier\":\"scale\"}").llm.has_service);
    assert_false(reply_of("{\"choices\":[]}").llm.has_service);
}

static void reasoning_beyond_the_completion_is_output_too(void **state)
{
    struct wire_report r =
        reply_of("{\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5,\"total_tokens\":40,"
                 "\"completion_tokens_details\":{\"reasoning_tokens\":25}}}");

    assert_int_equal(r.llm.usage.n[USAGE_OUTPUT], 5);
    assert_int_equal(r.llm.usage.n[USAGE_REASONING], 25);
}

static void an_explicit_zero_is_a_figure_and_nothing_is_none(void **state)
{
    assert_true(
        reply_of("{\"usage\":{\"prompt_tokens\":0,\"completion_tokens\":0}}").llm.has_usage);
    assert_false(reply_of("{\"usage\":{}}").llm.has_usage);
    assert_false(reply_of("{\"usage\":null}").llm.has_usage);
    assert_false(reply_of("{}").llm.has_usage);
    assert_false(reply_of("{\"usage\":{\"prompt_tokens\":\"7\"}}").llm.has_usage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage_falls_into_disjoint_classes),
        cmocka_unit_test(an_answer_that_tells_a_figure_twice_is_not_read),
        cmocka_unit_test(parts_never_exceed_their_whole),
        cmocka_unit_test(a_figure_that_is_no_count_is_as_good_as_none),
        cmocka_unit_test(what_is_left_of_the_total_is_the_other_side),
        cmocka_unit_test(parts_that_are_no_counts_are_none),
        cmocka_unit_test(parts_together_never_exceed_their_whole),
        cmocka_unit_test(predicted_tokens_are_output_tokens),
        cmocka_unit_test(the_service_tier_that_served_is_read),
        cmocka_unit_test(reasoning_beyond_the_completion_is_output_too),
        cmocka_unit_test(an_explicit_zero_is_a_figure_and_nothing_is_none),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
