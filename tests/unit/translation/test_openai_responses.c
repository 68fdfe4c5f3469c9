/* OpenAI's Responses format passed on: what is read from requests, responses and events, and the
 * bytes after edits. */
#include "dialect_test.h"

#define HI "\"model\":\"m\",\"input\":\"hi\""

static void a_request_is_read(void **state)
{
    struct wire_request r = request_of(
        "{\"model\":\"a\\u002fb\",\"input\":[{\"role\":\"user\",\"content\":\"hi\"}],"
        "\"instructions\":\"be kind\",\"stream\":true,\"max_output_tokens\":20,\"tools\":[],"
        "\"text\":{\"format\":{\"type\":\"json_schema\"}},\"service_tier\":\"fast\"}");

    assert_str(r.llm.model, "a/b");
    assert_true(r.llm.stream);
    assert_true(r.llm.wants_usage);
    assert_true(r.llm.has_tools);
    assert_true(r.llm.wants_schema);
    assert_int_equal(r.llm.output_limit, 20);
    assert_int_equal(r.llm.choices, 1);
    assert_int_equal(r.llm.service, SERVICE_PRIORITY);
    assert_int_equal(r.llm.text_bytes, r.body.n);
    assert_int_equal(r.llm.prompt_bytes, strlen("[{\"role\":\"user\",\"content\":\"hi\"}]"
                                                "\"be kind\"[]"));
    assert_null(r.llm.previous_id.p);
    r = request_of("{" HI ",\"text\":{\"format\":{\"type\":\"text\"}},\"max_output_tokens\":null}");
    assert_false(r.llm.wants_schema);
    assert_false(r.llm.has_output_limit);
    assert_int_equal(r.llm.service, SERVICE_STANDARD);
}

static void media_are_told_apart(void **state)
{
    struct wire_request r = request_of(
        "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":["
        "{\"type\":\"input_image\",\"image_url\":\"data:image/png;base64,AA\"},"
        "{\"type\":\"input_image\",\"image_url\":\"https://a.example/b.png\"},"
        "{\"type\":\"input_image\",\"file_id\":\"f\"},"
        "{\"type\":\"input_file\",\"file_id\":\"f\"},"
        "{\"type\":\"input_file\",\"file_url\":\"https://a.example/b.pdf\"},"
        "{\"type\":\"input_file\",\"filename\":\"b\",\"file_data\":\"data:x;base64,BBBB\"},"
        "{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"CCC\",\"format\":\"mp3\"}}]},"
        "{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":\"plain\"},"
        "{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":["
        "{\"type\":\"input_image\",\"image_url\":\"data:image/png;base64,DD\"}]},"
        "{\"type\":\"computer_call_output\",\"output\":{\"type\":\"computer_screenshot\","
        "\"image_url\":\"data:image/png;base64,EE\"}},"
        "{\"type\":\"image_generation_call\",\"id\":\"i\",\"result\":\"FFFF\"}]}");

    assert_int_equal(r.llm.image_parts, 6);
    assert_int_equal(r.llm.file_parts, 1);
    assert_int_equal(r.llm.file_bytes, strlen("\"data:x;base64,BBBB\""));
    assert_int_equal(r.llm.files_elsewhere, 2);
    assert_int_equal(r.llm.audio_parts, 1);
    assert_int_equal(r.llm.audio_bytes, strlen("\"CCC\""));
    assert_int_equal(r.llm.text_bytes,
                     r.body.n - strlen("\"data:image/png;base64,AA\"\"data:x;base64,BBBB\"\"CCC\""
                                       "\"data:image/png;base64,DD\"\"data:image/png;base64,EE\""
                                       "\"FFFF\""));
}

static void what_is_kept_elsewhere_is_of_unknown_size(void **state)
{
    struct wire_request r = request_of("{" HI ",\"previous_response_id\":\"resp_1\"}");

    assert_str(r.llm.previous_id, "resp_1");
    assert_int_equal(r.llm.files_elsewhere, 1);
    assert_int_equal(request_of("{" HI ",\"conversation\":{\"id\":\"c\"}}").llm.files_elsewhere, 1);
    assert_int_equal(
        request_of("{\"model\":\"m\",\"prompt\":{\"id\":\"p\"}}").llm.files_elsewhere, 1);
    assert_int_equal(request_of("{" HI ",\"conversation\":null}").llm.files_elsewhere, 0);
}

static void wrong_values_are_named(void **state)
{
    faults("[]", DIALECT_E_FIELD, "model");
    faults("{\"input\":\"hi\"}", DIALECT_E_FIELD, "model");
    faults("{\"model\":\"m\"}", DIALECT_E_FIELD, "input");
    faults("{\"model\":\"m\",\"input\":{}}", DIALECT_E_FIELD, "input");
    faults("{" HI ",\"background\":true}", DIALECT_E_FIELD, "background");
    faults("{" HI ",\"background\":1}", DIALECT_E_FIELD, "background");
    faults("{" HI ",\"previous_response_id\":1}", DIALECT_E_FIELD, "previous_response_id");
    faults("{" HI ",\"max_output_tokens\":0}", DIALECT_E_FIELD, "max_output_tokens");
    faults("{" HI ",\"stream\":\"no\"}", DIALECT_E_FIELD, "stream");
    faults("{" HI ",\"tools\":{}}", DIALECT_E_FIELD, "tools");
    faults("{" HI ",\"service_tier\":\"ultrafast\"}", DIALECT_E_FIELD, "service_tier");
    faults("{" HI ",", DIALECT_E_SYNTAX, "");
    assert_false(request_of("{" HI ",\"background\":false}").llm.stream);
}

static void only_what_has_to_is_changed(void **state)
{
    struct wire_request_edit e = {
        .model = STR("up"), .output_limit = 64, .limit_name = "max_tokens", .ask_usage = true};

    edits("{" HI ",\"x\":1.0}", e,
          "{\"max_output_tokens\":64,\"model\":\"up\",\"input\":\"hi\",\"x\":1.0}");
    edits("{" HI ",\"max_output_tokens\":null}", e,
          "{\"model\":\"up\",\"input\":\"hi\",\"max_output_tokens\":64}");
    edits("{" HI ",\"max_output_tokens\":5,\"models\":[],\"provider\":{}}", e,
          "{\"model\":\"up\",\"input\":\"hi\",\"max_output_tokens\":5}");
    e = (struct wire_request_edit){.model = STR("m")};
    edits("{" HI ", \"stream\": true}", e, "{" HI ", \"stream\": true}");
}

#define USAGE                                                                                      \
    "\"usage\":{\"input_tokens\":100,\"input_tokens_details\":{\"cached_tokens\":30,"              \
    "\"cache_write_tokens\":5},\"output_tokens\":20,\"output_tokens_details\":"                    \
    "{\"reasoning_tokens\":6},\"total_tokens\":120}"

#define OUTPUT                                                                                     \
    "\"output\":[{\"type\":\"reasoning\",\"summary\":[{\"type\":\"summary_text\",\"text\":"        \
    "\"hm\"}]},{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"four\"}]}," \
    "{\"type\":\"function_call\",\"arguments\":\"{}\"}]"

static void a_response_is_read(void **state)
{
    struct wire_report r =
        reply_of("{\"id\":\"resp_1\",\"object\":\"response\",\"status\":\"completed\",\"error\":"
                 "null,\"incomplete_details\":null," OUTPUT "," USAGE
                 ",\"service_tier\":\"priority\"}");

    assert_true(r.has_choices);
    assert_false(r.error);
    assert_str(r.llm.id, "resp_1");
    assert_str(r.llm.finish_reason, "completed");
    assert_int_equal(r.llm.output_bytes, 2 + 4 + 2);
    assert_int_equal(unit_of(&r, USAGE_INPUT), 65);
    assert_int_equal(unit_of(&r, USAGE_CACHED_INPUT), 30);
    assert_int_equal(unit_of(&r, USAGE_CACHE_WRITE_5M), 5);
    assert_int_equal(unit_of(&r, USAGE_OUTPUT), 14);
    assert_int_equal(unit_of(&r, USAGE_REASONING), 6);
    assert_int_equal(r.llm.service, SERVICE_PRIORITY);
    r = reply_of("{\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":"
                 "\"max_output_tokens\"},\"output\":[]}");
    assert_str(r.llm.finish_reason, "max_output_tokens");
    assert_true(reply_of("{\"status\":\"failed\",\"error\":{\"code\":\"x\"},\"output\":[]}").error);
    r = reply_of("{\"usage\":{\"input_tokens\":7,\"output_tokens\":-1}}");
    assert_true(r.llm.lacks_output);
    assert_false(r.llm.lacks_prompt);
}

static void events_are_told_apart(void **state)
{
    struct wire_report r = event_of(
        "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":"
        "\"resp_1\",\"status\":\"in_progress\",\"error\":null,\"usage\":null,\"service_tier\":"
        "\"auto\"}}\n\n");

    assert_str(r.llm.id, "resp_1");
    assert_int_equal(r.llm.finish_reason.n, 0);
    assert_false(r.llm.has_service);
    assert_false(r.done || r.error);
    r = event_of("data: {\"type\":\"response.output_text.delta\",\"delta\":\"four\"}\n\n");
    assert_int_equal(r.llm.output_bytes, 4);
    r = event_of("data: {\"type\":\"response.output_text.done\",\"text\":\"four\"}\n\n");
    assert_int_equal(r.llm.output_bytes, 0);
    r = event_of("data: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\","
                 OUTPUT "," USAGE ",\"service_tier\":\"default\"}}\n\n");
    assert_true(r.done);
    assert_true(r.llm.has_usage);
    assert_true(r.llm.has_service);
    assert_int_equal(r.llm.output_bytes, 0);
    assert_str(r.llm.finish_reason, "completed");
    r = event_of("data: {\"type\":\"response.incomplete\",\"response\":{\"status\":\"incomplete\","
                 "\"incomplete_details\":{\"reason\":\"content_filter\"}}}\n\n");
    assert_true(r.done);
    assert_str(r.llm.finish_reason, "content_filter");
    assert_true(event_of("data: {\"type\":\"response.failed\",\"response\":{\"error\":{}}}\n\n")
                    .error);
    assert_true(event_of("data: {\"type\":\"error\",\"message\":\"x\"}\n\n").error);
    assert_true(event_of("data: {\"error\":{\"message\":\"x\"}}\n\n").error);
    assert_true(event_of("data: [DONE]\n\n").done);
}

static void the_cost_stands_in_the_last_event(void **state)
{
    struct wire_report_edit e = {.has_cost = true, .cost = {5000}};

    events_become("event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":"
                  "{\"usage\":{\"input_tokens\":1,\"output_tokens\":2}},\"sequence_number\":9}\n\n",
                  e,
                  "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":"
                  "{\"usage\":{\"input_tokens\":1,\"output_tokens\":2,\"cost\":0.000005}},"
                  "\"sequence_number\":9}\n\n");
    replies("{\"usage\":{\"input_tokens\":1,\"cost\":1}}", e,
            "{\"usage\":{\"input_tokens\":1,\"cost\":0.000005}}");
}

static void a_stream_that_is_cut_ends_by_length(void **state)
{
    struct wire_stop stop = {.id = STR("resp_1"), .model = STR("m"), .choices = 1,
                             .usage = {.n = {[USAGE_INPUT] = 3, [USAGE_OUTPUT] = 7}}};
    struct wire_report r;
    struct buf out;

    buf_init(&out, MIB(1));
    subject->put_stop(&stop, &out);
    r = event_of(arena_cstr(arena, arena_str(arena, buf_str(&out))));
    assert_true(r.done);
    assert_str(r.llm.finish_reason, "max_output_tokens");
    assert_str(r.llm.id, "resp_1");
    assert_int_equal(unit_of(&r, USAGE_OUTPUT), 7);
    buf_done(&out);
}

static void an_error_is_one_for_every_client(void **state)
{
    struct buf out;

    buf_init(&out, MIB(1));
    subject->put_error(STR("{\"error\":{\"message\":\"no\",\"type\":\"t\",\"param\":null,"
                           "\"code\":\"c\"}}"),
                       &out);
    assert_str(buf_str(&out),
               "event: error\ndata: {\"type\":\"error\",\"sequence_number\":0,\"code\":\"c\","
               "\"message\":\"no\",\"param\":null,\"error\":{\"message\":\"no\",\"type\":\"t\","
               "\"param\":null,\"code\":\"c\"}}\n\n");
    buf_reset(&out);
    subject->put_error(STR("{\"type\":\"error\",\"error\":{}}"), &out);
    assert_str(buf_str(&out), "event: error\ndata: {\"type\":\"error\",\"error\":{}}\n\n");
    buf_done(&out);
}

static void errors_within_a_stream_are_errors(void **state)
{
    errors_become("{\"type\":\"response.failed\",\"response\":{\"status\":\"failed\",\"error\":"
                  "{\"code\":\"server_error\",\"message\":\"no\"}}}",
                  500,
                  "{\"error\":{\"message\":\"no\",\"type\":\"upstream_error\",\"param\":null,"
                  "\"code\":\"server_error\"}}");
    errors_become("{\"type\":\"error\",\"code\":\"rate_limit_exceeded\",\"message\":\"slow\","
                  "\"param\":null,\"sequence_number\":1}",
                  429,
                  "{\"error\":{\"message\":\"slow\",\"type\":\"upstream_error\",\"param\":null,"
                  "\"code\":\"rate_limit_exceeded\"}}");
    assert_int_equal(subject->error_status(STR("{\"type\":\"response.failed\",\"response\":"
                                               "{\"error\":{\"code\":\"server_error\"}}}")),
                     500);
    assert_int_equal(
        subject->error_status(STR("{\"type\":\"error\",\"code\":\"rate_limit_exceeded\"}")), 429);
}

static void usage_is_found_at_a_large_answers_end(void **state)
{
    struct llm_report r = {0};

    assert_true(subject->find_usage(STR("]}],\"truncation\":\"disabled\"," USAGE "}"), &r));
    assert_int_equal(usage_sum(&r.usage, USAGE_COVERS_PROMPT), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read),
        cmocka_unit_test(media_are_told_apart),
        cmocka_unit_test(what_is_kept_elsewhere_is_of_unknown_size),
        cmocka_unit_test(wrong_values_are_named),
        cmocka_unit_test(only_what_has_to_is_changed),
        cmocka_unit_test(a_response_is_read),
        cmocka_unit_test(events_are_told_apart),
        cmocka_unit_test(the_cost_stands_in_the_last_event),
        cmocka_unit_test(a_stream_that_is_cut_ends_by_length),
        cmocka_unit_test(an_error_is_one_for_every_client),
        cmocka_unit_test(errors_within_a_stream_are_errors),
        cmocka_unit_test(usage_is_found_at_a_large_answers_end),
    };

    subject = &openai_responses;
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
