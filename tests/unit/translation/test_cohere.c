/* Cohere's chat and embeddings passed on: what is read from requests, answers and events, and what the
 * gateway says itself. */
#include "unit.h"

#include "base/bounds.h"
#include "translation/format.h"

#define HI "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"

static struct wire_request request_of(struct arena *a, const struct dialect *d, const char *body)
{
    struct json_fault fault = {0};
    struct wire_request r;

    assert_int_equal(d->read_request(a, str_c(body), &r, &fault), DIALECT_OK);
    return r;
}

static void a_request_is_read_and_changed(void **state)
{
    const struct wire_request_edit edit = {.model = STR("command-a"), .output_limit = 7};
    struct arena *a = arena_new(MIB(1));
    struct wire_request r = request_of(
        a, &cohere_chat,
        "{\"model\":\"m\"," HI ",\"stream\":true,\"tools\":[{}],\"models\":[\"n\"],\"k\":3,"
        "\"response_format\":{\"type\":\"json_object\",\"json_schema\":{}},"
        "\"thinking\":{\"type\":\"enabled\"}}");
    struct buf out;

    (void)state;
    assert_true(r.llm.stream && r.llm.has_tools && r.llm.wants_schema && r.llm.wants_reasoning);
    assert_false(r.llm.has_output_limit);
    buf_init(&out, KIB(4));
    cohere_chat.edit_request(&r, &edit, &out);
    assert_str(buf_str(&out),
               "{\"max_tokens\":7,\"model\":\"command-a\"," HI
               ",\"stream\":true,\"tools\":[{}],\"k\":3,"
               "\"response_format\":{\"type\":\"json_object\",\"json_schema\":{}},"
               "\"thinking\":{\"type\":\"enabled\"}}");
    buf_done(&out);
    arena_free(a);
}

/* What is billed counts, not what the provider adds to the prompt; without it, all does. */
static void what_is_billed_counts(void **state)
{
    struct wire_report r;

    (void)state;
    assert_int_equal(
        cohere_chat.read_reply(
            STR("{\"id\":\"c\",\"finish_reason\":\"COMPLETE\",\"message\":{\"content\":[{\"type\":"
                "\"text\",\"text\":\"abc\"}]},\"usage\":{\"billed_units\":{\"input_tokens\":13.0,"
                "\"output_tokens\":6},\"tokens\":{\"input_tokens\":500,\"output_tokens\":6}}}"),
            &r),
        DIALECT_OK);
    assert_true(r.has_choices && r.llm.has_usage && !r.llm.lacks_prompt);
    assert_int_equal(r.llm.usage.n[USAGE_INPUT], 13);
    assert_int_equal(r.llm.usage.n[USAGE_OUTPUT], 6);
    assert_int_equal(r.llm.output_bytes, 3);
    assert_int_equal(
        cohere_chat.read_reply(STR("{\"message\":{\"tool_calls\":[]},\"usage\":{\"tokens\":{"
                                   "\"input_tokens\":5}}}"),
                               &r),
        DIALECT_OK);
    assert_int_equal(r.llm.usage.n[USAGE_INPUT], 5);
    assert_true(r.llm.lacks_output);
    assert_int_equal(cohere_embed.read_reply(
                         STR("{\"embeddings\":{\"float\":[[1]]},\"meta\":{\"billed_units\":{"
                             "\"input_tokens\":4,\"image_tokens\":2}}}"),
                         &r),
                     DIALECT_OK);
    assert_true(r.has_data && r.llm.has_usage);
    assert_int_equal(r.llm.usage.n[USAGE_INPUT], 6);
}

static struct wire_report event_of(const char *type, const char *data)
{
    const struct sse_event event = {.type = str_c(type), .data = str_c(data), .ended = true};
    struct wire_report r;

    assert_int_equal(cohere_chat.read_event(&event, &r), DIALECT_OK);
    return r;
}

/* What the gateway says is read back as what it means. */
static void a_stream_ends_with_its_figures_or_its_error(void **state)
{
    const struct wire_stop stop = {.choices = 1, .usage = {.n = {[USAGE_INPUT] = 3, [USAGE_OUTPUT] = 2}}};
    struct wire_report r;
    struct sse_event e;
    struct buf out;
    struct sse sse;

    (void)state;
    r = event_of("content-delta", "{\"type\":\"content-delta\",\"index\":0,\"delta\":{\"message\":{"
                                  "\"content\":{\"text\":\"ab\"}}}}");
    assert_int_equal(r.llm.output_bytes, 2);
    assert_false(r.done);
    assert_true(event_of(NULL, "[DONE]").done);
    buf_init(&out, KIB(4));
    cohere_chat.put_stop(&stop, &out);
    cohere_chat.put_error(STR("{\"error\":{\"message\":\"It \\\"broke\\\".\"}}"), &out);
    sse_init(&sse);
    assert_int_equal(sse_push(&sse, buf_str(&out)), SSE_OK);
    assert_int_equal(sse_next(&sse, &e), SSE_OK);
    assert_int_equal(cohere_chat.read_event(&e, &r), DIALECT_OK);
    assert_true(r.done && r.llm.has_usage && !r.error);
    assert_str(r.llm.finish_reason, "MAX_TOKENS");
    assert_int_equal(r.llm.usage.n[USAGE_OUTPUT], 2);
    assert_int_equal(sse_next(&sse, &e), SSE_OK);
    assert_str(e.data, "{\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"ERROR\",\"error\":"
                       "\"It \\\"broke\\\".\"}}");
    assert_int_equal(cohere_chat.read_event(&e, &r), DIALECT_OK);
    assert_true(r.error);
    sse_done(&sse);
    buf_done(&out);
}

static void wrong_values_are_named(void **state)
{
    static const struct {
        const struct dialect *d;
        const char *body, *path;
    } cases[] = {
        {&cohere_chat, "{" HI "}", "model"},
        {&cohere_chat, "{\"model\":\"m\"}", "messages"},
        {&cohere_chat, "{\"model\":\"m\"," HI ",\"max_tokens\":0}", "max_tokens"},
        {&cohere_chat, "{\"model\":\"m\"," HI ",\"tools\":{}}", "tools"},
        {&cohere_embed, "{\"model\":\"m\"}", "texts"},
        {&cohere_embed, "{\"model\":\"m\",\"texts\":\"a\"}", "texts"},
    };
    struct arena *a = arena_new(MIB(1));

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json_fault fault = {0};
        struct wire_request r;

        assert_int_equal(cases[i].d->read_request(a, str_c(cases[i].body), &r, &fault),
                         DIALECT_E_FIELD);
        assert_string_equal(fault.path, cases[i].path);
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read_and_changed),
        cmocka_unit_test(what_is_billed_counts),
        cmocka_unit_test(a_stream_ends_with_its_figures_or_its_error),
        cmocka_unit_test(wrong_values_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
