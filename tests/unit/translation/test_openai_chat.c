/* OpenAI's chat format: what is read from requests, answers and chunks, and the bytes after edits.
 */
#include "unit.h"

#include <stdio.h>

#include "base/bounds.h"
#include "translation/dialect.h"

static struct arena *arena;

static int set_up(void **state)
{
    arena = arena_new(MIB(64));
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    arena_free(arena);
    return 0;
}

static struct wire_request request_of(const char *body)
{
    struct wire_request r = {0};
    struct json_fault fault = {0};

    assert_int_equal(openai_chat.read_request(arena, str_c(body), &r, &fault), DIALECT_OK);
    return r;
}

static void edits(const char *body, struct wire_request_edit edit, const char *expected)
{
    struct wire_request r = request_of(body);
    struct buf out;

    buf_init(&out, MIB(1));
    openai_chat.edit_request(&r, &edit, &out);
    assert_int_equal(buf_finish(&out), 0);
    assert_str(buf_str(&out), expected);
    buf_done(&out);
}

static void faults(const char *body, int outcome, const char *path)
{
    struct wire_request r;
    struct json_fault fault = {0};

    assert_int_equal(openai_chat.read_request(arena, str_c(body), &r, &fault), outcome);
    assert_string_equal(fault.path, path);
}

static bool thinks(const char *member)
{
    char body[200];

    (void)snprintf(body, sizeof(body), "{\"model\":\"m\",\"messages\":[],%s}", member);
    return request_of(body).llm.wants_reasoning;
}

static void reasoning_is_asked_for_in_openais_and_in_openrouters_words(void **state)
{
    assert_true(thinks("\"reasoning_effort\":\"low\""));
    assert_false(thinks("\"reasoning_effort\":\"none\""));
    assert_true(thinks("\"reasoning\":{\"effort\":\"low\"}"));
    assert_false(thinks("\"reasoning\":{\"effort\":\"none\"}"));
    assert_true(thinks("\"reasoning\":{\"max_tokens\":2000}"));
    assert_true(thinks("\"reasoning\":{\"enabled\":true}"));
    assert_false(thinks("\"reasoning\":{\"enabled\":false,\"effort\":\"low\"}"));
    assert_false(thinks("\"reasoning\":{\"exclude\":true}"));
}

static void a_request_is_read(void **state)
{
    struct wire_request r = request_of(
        "{\"model\":\"a\\u002fb\",\"messages\":[{\"role\":\"user\",\"content\":["
        "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,AAAA\"}},"
        "{\"type\":\"text\",\"text\":\"hi\"}]}],\"stream\":true,\"n\":2,\"max_tokens\":10,"
        "\"max_completion_tokens\":20,\"tools\":[],\"service_tier\":\"flex\"}");

    assert_str(r.llm.model, "a/b");
    assert_true(r.llm.stream);
    assert_false(r.llm.wants_usage);
    assert_true(r.llm.has_tools);
    assert_false(r.llm.wants_schema);
    assert_false(r.llm.wants_reasoning);
    assert_true(r.llm.has_output_limit);
    assert_string_equal(r.llm.limit_field, "max_completion_tokens");
    assert_int_equal(r.llm.output_limit, 20);
    assert_int_equal(r.llm.choices, 2);
    assert_int_equal(r.llm.image_parts, 1);
    assert_int_equal(r.llm.text_bytes, r.body.n - strlen("\"data:image/png;base64,AAAA\""));
    assert_int_equal(r.llm.service, SERVICE_FLEX);
    assert_false(r.llm.wants_audio);
}

static void media_are_told_apart(void **state)
{
    struct wire_request r = request_of(
        "{\"model\":\"m\",\"modalities\":[\"text\",\"audio\"],\"messages\":[{\"content\":["
        "{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"AAAAAAAA\",\"format\":\"mp3\"}},"
        "{\"type\":\"file\",\"file\":{\"file_data\":\"BBBB\"}},"
        "{\"type\":\"file\",\"file\":{\"file_id\":\"file-1\"}},"
        "{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://a.example/b.png\"}}]}]}");

    assert_int_equal(r.llm.audio_parts, 1);
    assert_int_equal(r.llm.audio_bytes, strlen("\"AAAAAAAA\""));
    assert_int_equal(r.llm.file_parts, 1);
    assert_int_equal(r.llm.file_bytes, strlen("\"BBBB\""));
    assert_int_equal(r.llm.files_elsewhere, 1);
    assert_int_equal(r.llm.image_parts, 1);
    assert_true(r.llm.wants_audio);
    assert_int_equal(r.llm.service, SERVICE_STANDARD);
}

static void a_service_tier_that_is_not_known_is_refused(void **state)
{
    const char *known[] = {"auto", "default", "standard", "on_demand"};

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        assert_int_equal(request_of(arena_cstr(arena, arena_strf(arena,
                             "{\"model\":\"m\",\"messages\":[],\"service_tier\":\"%s\"}",
                             known[i]))).llm.service, SERVICE_STANDARD);
    assert_int_equal(request_of("{\"model\":\"m\",\"messages\":[],\"service_tier\":null}").llm.service,
                     SERVICE_STANDARD);
    assert_int_equal(
        request_of("{\"model\":\"m\",\"messages\":[],\"service_tier\":\"priority\"}").llm.service,
        SERVICE_PRIORITY);
    faults("{\"model\":\"m\",\"messages\":[],\"service_tier\":\"performance\"}", DIALECT_E_FIELD,
           "service_tier");
}

static void nulls_count_as_absent(void **state)
{
    struct wire_request r = request_of(
        "{\"model\":\"m\",\"messages\":[],\"stream\":null,\"n\":null,\"max_tokens\":null,"
        "\"stream_options\":null,\"tools\":null,\"models\":null}");

    assert_false(r.llm.stream);
    assert_false(r.llm.has_output_limit);
    assert_false(r.llm.has_tools);
    assert_int_equal(r.llm.choices, 1);
    assert_null(r.llm.models_json.p);
}

static void wrong_values_are_named(void **state)
{
    faults("[]", DIALECT_E_FIELD, "model");
    faults("{\"messages\":[]}", DIALECT_E_FIELD, "model");
    faults("{\"model\":\"m\"}", DIALECT_E_FIELD, "messages");
    faults("{\"model\":1,\"messages\":[]}", DIALECT_E_FIELD, "model");
    faults("{\"model\":\"m\",\"messages\":{}}", DIALECT_E_FIELD, "messages");
    faults("{\"model\":\"m\",\"messages\":[],\"stream\":\"yes\"}", DIALECT_E_FIELD, "stream");
    faults("{\"model\":\"m\",\"messages\":[],\"n\":0}", DIALECT_E_FIELD, "n");
    faults("{\"model\":\"m\",\"messages\":[],\"n\":129}", DIALECT_E_FIELD, "n");
    faults("{\"model\":\"m\",\"messages\":[],\"max_tokens\":-1}", DIALECT_E_FIELD, "max_tokens");
    faults("{\"model\":\"m\",\"messages\":[],\"max_tokens\":1.5}", DIALECT_E_FIELD, "max_tokens");
    faults("{\"model\":\"m\",\"messages\":[],\"stream_options\":{\"include_usage\":1}}",
           DIALECT_E_FIELD, "stream_options.include_usage");
}

static void broken_json_is_syntax(void **state)
{
    struct wire_request r;
    struct json_fault fault = {0};

    assert_int_equal(
        openai_chat.read_request(arena, STR("{\"model\":\"m\",\"messages\":[}"), &r, &fault),
        DIALECT_E_SYNTAX);
    assert_true(fault.path[0] || fault.reason[0]);
}

static void only_the_model_is_replaced(void **state)
{
    struct wire_request_edit e = {.model = STR("up/\"x\"")};

    edits("{ \"messages\":[ ], \"model\" : \"m\", \"x\":1.0e3 }", e,
          "{ \"messages\":[ ], \"model\" : \"up/\\\"x\\\"\", \"x\":1.0e3 }");
    e.model = STR("m");
    edits("{\"model\":\"m\",\"messages\":[]}", e, "{\"model\":\"m\",\"messages\":[]}");
}

static void usage_is_asked_for_wherever_the_client_left_room(void **state)
{
    struct wire_request_edit e = {.model = STR("m"), .ask_usage = true};

    edits("{\"model\":\"m\",\"messages\":[]}", e, "{\"model\":\"m\",\"messages\":[]}");
    edits("{\"model\":\"m\",\"messages\":[],\"stream\":true}", e,
          "{\"stream_options\":{\"include_usage\":true},\"model\":\"m\",\"messages\":[],"
          "\"stream\":true}");
    edits("{\"model\":\"m\",\"messages\":[],\"stream\":true,\"stream_options\":{ }}", e,
          "{\"model\":\"m\",\"messages\":[],\"stream\":true,\"stream_options\":"
          "{\"include_usage\":true }}");
    edits("{\"model\":\"m\",\"messages\":[],\"stream\":true,\"stream_options\":{\"a\":1}}", e,
          "{\"model\":\"m\",\"messages\":[],\"stream\":true,\"stream_options\":"
          "{\"include_usage\":true,\"a\":1}}");
    edits("{\"model\":\"m\",\"messages\":[],\"stream\":true,\"stream_options\":null}", e,
          "{\"model\":\"m\",\"messages\":[],\"stream\":true,\"stream_options\":"
          "{\"include_usage\":true}}");
    edits("{\"model\":\"m\",\"messages\":[],\"stream\":true,\"stream_options\":"
          "{\"include_usage\":false}}",
          e,
          "{\"model\":\"m\",\"messages\":[],\"stream\":true,\"stream_options\":"
          "{\"include_usage\":true}}");
    edits("{\"model\":\"m\",\"messages\":[],\"stream\":true,\"stream_options\":"
          "{\"include_usage\":true}}",
          e,
          "{\"model\":\"m\",\"messages\":[],\"stream\":true,\"stream_options\":"
          "{\"include_usage\":true}}");
}

static void the_output_limit_goes_under_the_targets_name(void **state)
{
    struct wire_request_edit e = {
        .model = STR("m"), .output_limit = 64, .limit_name = "max_completion_tokens"};

    edits("{\"model\":\"m\",\"messages\":[]}", e,
          "{\"max_completion_tokens\":64,\"model\":\"m\",\"messages\":[]}");
    edits("{\"model\":\"m\",\"messages\":[],\"max_completion_tokens\":null}", e,
          "{\"model\":\"m\",\"messages\":[],\"max_completion_tokens\":64}");
    edits("{\"model\":\"m\",\"messages\":[],\"max_tokens\":5}", e,
          "{\"model\":\"m\",\"messages\":[],\"max_completion_tokens\":5}");
    edits("{\"model\":\"m\",\"messages\":[],\"max_tokens\":5,\"max_completion_tokens\":6}", e,
          "{\"model\":\"m\",\"messages\":[],\"max_tokens\":5,\"max_completion_tokens\":6}");
    e.limit_name = NULL;
    edits("{\"model\":\"m\",\"messages\":[],\"max_tokens\":5}", e,
          "{\"model\":\"m\",\"messages\":[],\"max_tokens\":5}");
}

static void openrouters_own_fields_are_taken_out(void **state)
{
    struct wire_request_edit e = {.model = STR("m")};

    edits("{\"models\":[\"b\"],\"model\":\"m\",\"messages\":[]}", e,
          "{\"model\":\"m\",\"messages\":[]}");
    edits("{\"model\":\"m\", \"models\":[\"b\"], \"messages\":[]}", e,
          "{\"model\":\"m\", \"messages\":[]}");
    edits("{\"model\":\"m\",\"messages\":[], \"models\" : [\"b\"] }", e,
          "{\"model\":\"m\",\"messages\":[] }");
    edits("{\"model\":\"m\",\"messages\":[],\"models\":[\"b\"],\"provider\":{},"
          "\"usage\":{\"include\":true}}",
          e, "{\"model\":\"m\",\"messages\":[]}");
    edits("{\"provider\":{},\"model\":\"m\",\"messages\":[],\"mod\\u0065ls\":[]}", e,
          "{\"model\":\"m\",\"messages\":[]}");
    edits("{\"models\":[\"b\"],\"messages\":[]}", e, "{\"model\":\"m\",\"messages\":[]}");
    assert_true(request_of("{\"model\":\"m\",\"messages\":[],\"usage\":{\"include\":true}}")
                    .llm.wants_usage);
}

static struct wire_report reply_of(const char *body)
{
    struct wire_report r = {0};

    assert_int_equal(openai_chat.read_reply(str_c(body), &r), DIALECT_OK);
    return r;
}

static void replies(const char *body, struct wire_report_edit e, const char *expected)
{
    struct wire_report r = reply_of(body);
    struct buf out;

    buf_init(&out, MIB(1));
    openai_chat.edit_reply(&r, &e, &out);
    assert_int_equal(buf_finish(&out), 0);
    assert_str(buf_str(&out), expected);
    buf_done(&out);
}

static void the_cost_is_put_into_usage(void **state)
{
    struct wire_report_edit e = {.has_cost = true, .cost = {12340}};

    replies("{\"usage\":{\"prompt_tokens\":1},\"x\":1}", e,
            "{\"usage\":{\"prompt_tokens\":1,\"cost\":0.00001234},\"x\":1}");
    replies("{\"usage\":{\"cost\":0.5,\"prompt_tokens\":1}}", e,
            "{\"usage\":{\"cost\":0.00001234,\"prompt_tokens\":1}}");
    replies("{\"usage\":null}", e, "{\"usage\":null}");
    e.cost.nano = 0;
    replies("{\"usage\":{\"prompt_tokens\":1}}", e, "{\"usage\":{\"prompt_tokens\":1,\"cost\":0}}");
    e = (struct wire_report_edit){.members = STR("\"tollgate\":{}")};
    replies("{\"a\":1 }", e, "{\"a\":1 ,\"tollgate\":{}}");
    replies("{}", e, "{\"tollgate\":{}}");
}

static struct sse_event event_of(struct sse *s, const char *bytes)
{
    struct sse_event e;

    sse_init(s);
    assert_int_equal(sse_push(s, str_c(bytes)), SSE_OK);
    assert_int_equal(sse_next(s, &e), SSE_OK);
    return e;
}

static struct wire_report report_of(struct sse *s, struct sse_event *ret_event, const char *bytes)
{
    struct wire_report r = {0};

    *ret_event = event_of(s, bytes);
    assert_int_equal(openai_chat.read_event(ret_event, &r), DIALECT_OK);
    return r;
}

static void chunks_are_told_apart(void **state)
{
    struct sse s;
    struct sse_event e;

    assert_true(report_of(&s, &e, "data: [DONE]\n\n").done);
    sse_done(&s);
    assert_true(report_of(&s, &e, "data: {\"error\":{\"message\":\"x\"}}\n\n").error);
    sse_done(&s);
    assert_true(report_of(&s, &e, "event: error\ndata: {\"message\":\"x\"}\n\n").error);
    sse_done(&s);
    assert_true(report_of(&s, &e, "data: {\"choices\":[ ],\"usage\":{\"prompt_tokens\":3}}\n\n")
                    .usage_only);
    sse_done(&s);
    assert_false(
        report_of(&s, &e,
                  "data: {\"choices\":[{\"delta\":{}}],\"usage\":{\"prompt_tokens\":3}}\n\n")
            .usage_only);
    sse_done(&s);
    assert_false(report_of(&s, &e, "data: {\"choices\":[],\"usage\":null}\n\n").usage_only);
    sse_done(&s);
    assert_int_equal(
        report_of(&s, &e, "data: {\"choices\":[{\"delta\":{\"content\":\"four\"}}]}\n\n")
            .llm.output_bytes,
        4);
    sse_done(&s);
    assert_int_equal(report_of(&s, &e, "data: {\"choices\":[{\"delta\":{\"content\":null}}]}\n\n")
                         .llm.output_bytes,
                     0);
    sse_done(&s);
    assert_false(report_of(&s, &e, ": comment\n\n").done);
    sse_done(&s);
}

static void a_chunk_with_the_cost_is_framed_again(void **state)
{
    struct sse s;
    struct sse_event e;
    struct wire_report_edit edit = {.has_cost = true, .cost = {5000}};
    struct wire_report r = report_of(
        &s, &e, "event: x\ndata: {\"choices\":[],\ndata: \"usage\":{\"prompt_tokens\":3}}\n\n");
    struct buf out;

    buf_init(&out, MIB(1));
    openai_chat.edit_event(&e, &r, &edit, &out);
    assert_str(buf_str(&out), "event: x\ndata: {\"choices\":[],\ndata: "
                              "\"usage\":{\"prompt_tokens\":3,\"cost\":0.000005}}\n\n");
    buf_reset(&out);
    edit.members = STR("\"request_id\":\"r\"");
    openai_chat.put_note(&edit, &out);
    assert_str(buf_str(&out), ": tollgate {\"cost\":0.000005,\"request_id\":\"r\"}\n\n");
    buf_done(&out);
    sse_done(&s);
}

static void an_error_is_an_event(void **state)
{
    struct buf out;

    buf_init(&out, MIB(1));
    openai_chat.put_error(STR("{\"error\":{\n}}"), &out);
    assert_str(buf_str(&out), "data: {\"error\":{\ndata: }}\n\n");
    buf_reset(&out);
    openai_chat.put_error(STR("{\"error\"\r:{\r\n}}"), &out);
    assert_str(buf_str(&out), "data: {\"error\":{\ndata: }}\n\n");
    buf_done(&out);
}

static void a_cut_stream_says_why_to_each_choice(void **state)
{
    struct wire_stop stop = {
        .id = STR("c"), .model = STR("m"), .created_s = 7, .choices = 2, .reason = "length"};
    struct buf out;

    buf_init(&out, MIB(1));
    openai_chat.put_stop(&stop, &out);
    assert_str(buf_str(&out),
               "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":7,"
               "\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":"
               "\"length\"},{\"index\":1,\"delta\":{},\"finish_reason\":\"length\"}]}\n\n");
    buf_done(&out);
}

static void embeddings_are_read_and_edited(void **state)
{
    struct wire_request r = {0};
    struct json_fault fault = {0};
    struct wire_request_edit e = {.model = STR("up")};
    struct buf out;

    assert_int_equal(
        openai_embeddings.read_request(
            arena, STR("{\"input\":[\"a\"],\"model\":\"m\",\"provider\":{}}"), &r, &fault),
        DIALECT_OK);
    assert_str(r.llm.model, "m");
    buf_init(&out, MIB(1));
    openai_embeddings.edit_request(&r, &e, &out);
    assert_str(buf_str(&out), "{\"input\":[\"a\"],\"model\":\"up\"}");
    buf_done(&out);
    assert_int_equal(openai_embeddings.read_request(arena, STR("{\"model\":\"m\"}"), &r, &fault),
                     DIALECT_E_FIELD);
    assert_string_equal(fault.path, "input");
    assert_int_equal(
        openai_embeddings.read_request(arena, STR("{\"input\":1,\"model\":\"m\"}"), &r, &fault),
        DIALECT_E_FIELD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read),
        cmocka_unit_test(reasoning_is_asked_for_in_openais_and_in_openrouters_words),
        cmocka_unit_test(nulls_count_as_absent),
        cmocka_unit_test(wrong_values_are_named),
        cmocka_unit_test(broken_json_is_syntax),
        cmocka_unit_test(only_the_model_is_replaced),
        cmocka_unit_test(usage_is_asked_for_wherever_the_client_left_room),
        cmocka_unit_test(the_output_limit_goes_under_the_targets_name),
        cmocka_unit_test(openrouters_own_fields_are_taken_out),
        cmocka_unit_test(media_are_told_apart),
        cmocka_unit_test(a_service_tier_that_is_not_known_is_refused),
        cmocka_unit_test(the_cost_is_put_into_usage),
        cmocka_unit_test(chunks_are_told_apart),
        cmocka_unit_test(a_chunk_with_the_cost_is_framed_again),
        cmocka_unit_test(an_error_is_an_event),
        cmocka_unit_test(a_cut_stream_says_why_to_each_choice),
        cmocka_unit_test(embeddings_are_read_and_edited),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
