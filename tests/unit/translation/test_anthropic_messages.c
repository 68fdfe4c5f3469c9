/* Anthropic's Messages format passed on: what is read from requests, messages and events, and the
 * bytes after edits. */
#include "dialect_test.h"

#include "model/llm.h"

#define MESSAGES "\"max_tokens\":8,\"messages\":[]"

static void a_request_is_read(void **state)
{
    struct wire_request r = request_of(
        "{\"model\":\"a\\u002fb\",\"max_tokens\":10,\"system\":\"be kind\",\"stream\":true,"
        "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"tools\":[{\"name\":\"t\"}],"
        "\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":{}}}}");

    assert_str(r.llm.model, "a/b");
    assert_true(r.llm.stream);
    assert_true(r.llm.wants_usage);
    assert_true(r.llm.has_tools);
    assert_true(r.llm.wants_schema);
    assert_true(r.llm.has_output_limit);
    assert_int_equal(r.llm.output_limit, 10);
    assert_int_equal(r.llm.choices, 1);
    assert_int_equal(r.llm.service, SERVICE_STANDARD);
    assert_int_equal(r.llm.text_bytes, r.body.n);
    assert_int_equal(r.llm.prompt_bytes, strlen("\"be kind\"[{\"role\":\"user\",\"content\":\"hi\"}]"
                                                "[{\"name\":\"t\"}]"));
    assert_false(request_of("{\"model\":\"m\"," MESSAGES "}").llm.stream);
    assert_true(request_of("{\"model\":\"m\"," MESSAGES ",\"output_format\":{}}").llm.wants_schema);
    assert_true(request_of("{\"model\":\"m\"," MESSAGES ",\"thinking\":{\"type\":\"adaptive\"}}")
                    .llm.wants_reasoning);
    assert_false(request_of("{\"model\":\"m\"," MESSAGES ",\"thinking\":{\"type\":\"disabled\"}}")
                     .llm.wants_reasoning);
}

static void media_are_told_apart(void **state)
{
    struct wire_request r = request_of(
        "{\"model\":\"m\",\"max_tokens\":8,\"messages\":[{\"role\":\"user\",\"content\":["
        "{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"data\":\"AAAA\"}},"
        "{\"type\":\"image\",\"source\":{\"type\":\"url\",\"url\":\"https://a.example\"}},"
        "{\"type\":\"image\",\"source\":{\"type\":\"file\",\"file_id\":\"f\"}},"
        "{\"type\":\"document\",\"source\":{\"type\":\"base64\",\"data\":\"BBBBBB\"}},"
        "{\"type\":\"document\",\"source\":{\"type\":\"url\",\"url\":\"https://a.example\"}},"
        "{\"type\":\"document\",\"source\":{\"type\":\"text\",\"data\":\"words\"}},"
        "{\"type\":\"document\",\"source\":{\"type\":\"content\",\"content\":["
        "{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"data\":\"CC\"}}]}}]},"
        "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"content\":["
        "{\"type\":\"text\",\"text\":\"]}\\\"\"},"
        "{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"data\":\"DD\"}}]}]}]}");

    assert_int_equal(r.llm.image_parts, 5);
    assert_int_equal(r.llm.file_parts, 1);
    assert_int_equal(r.llm.file_bytes, strlen("\"BBBBBB\""));
    assert_int_equal(r.llm.files_elsewhere, 1);
    assert_int_equal(r.llm.audio_parts, 0);
    assert_int_equal(r.llm.text_bytes, r.body.n - strlen("\"AAAA\"\"BBBBBB\"\"CC\"\"DD\""));
}

static void what_costs_more_is_sold_as_priority(void **state)
{
    assert_int_equal(request_of("{\"model\":\"m\"," MESSAGES ",\"speed\":\"fast\"}").llm.service,
                     SERVICE_PRIORITY);
    assert_int_equal(request_of("{\"model\":\"m\"," MESSAGES
                                ",\"speed\":\"standard\",\"service_tier\":\"auto\"}").llm.service,
                     SERVICE_STANDARD);
    assert_int_equal(
        request_of("{\"model\":\"m\"," MESSAGES ",\"service_tier\":\"standard_only\"}").llm.service,
        SERVICE_STANDARD);
    faults("{\"model\":\"m\"," MESSAGES ",\"service_tier\":\"priority\"}", DIALECT_E_FIELD,
           "service_tier");
    faults("{\"model\":\"m\"," MESSAGES ",\"speed\":\"ultra\"}", DIALECT_E_FIELD, "speed");
}

static void nulls_count_as_absent(void **state)
{
    struct wire_request r = request_of(
        "{\"model\":\"m\"," MESSAGES ",\"stream\":null,\"tools\":null,\"speed\":null,"
        "\"service_tier\":null,\"models\":null,\"output_config\":null}");

    assert_false(r.llm.stream);
    assert_false(r.llm.has_tools);
    assert_false(r.llm.wants_schema);
    assert_null(r.llm.models_json.p);
}

static void wrong_values_are_named(void **state)
{
    faults("[]", DIALECT_E_FIELD, "model");
    faults("{" MESSAGES "}", DIALECT_E_FIELD, "model");
    faults("{\"model\":7," MESSAGES "}", DIALECT_E_FIELD, "model");
    faults("{\"model\":\"m\",\"max_tokens\":1}", DIALECT_E_FIELD, "messages");
    faults("{\"model\":\"m\",\"max_tokens\":1,\"messages\":\"hi\"}", DIALECT_E_FIELD, "messages");
    faults("{\"model\":\"m\",\"messages\":[]}", DIALECT_E_FIELD, "max_tokens");
    faults("{\"model\":\"m\",\"messages\":[],\"max_tokens\":-1}", DIALECT_E_FIELD, "max_tokens");
    faults("{\"model\":\"m\",\"messages\":[],\"max_tokens\":1.5}", DIALECT_E_FIELD, "max_tokens");
    faults("{\"model\":\"m\"," MESSAGES ",\"stream\":1}", DIALECT_E_FIELD, "stream");
    faults("{\"model\":\"m\"," MESSAGES ",\"tools\":{}}", DIALECT_E_FIELD, "tools");
    faults("{\"model\":\"m\"," MESSAGES ",\"models\":\"x\"}", DIALECT_E_FIELD, "models");
    faults("{\"model\":\"m\",", DIALECT_E_SYNTAX, "");
}

static void only_what_has_to_is_changed(void **state)
{
    struct wire_request_edit e = {.model = STR("up/\"x\""), .ask_usage = true};

    edits("{ \"max_tokens\":8, \"messages\":[ ], \"model\" : \"m\", \"x\":1.0e3 }", e,
          "{ \"max_tokens\":8, \"messages\":[ ], \"model\" : \"up/\\\"x\\\"\", \"x\":1.0e3 }");
    edits("{\"models\":[\"b\"]," MESSAGES ",\"provider\":{}}", e,
          "{\"model\":\"up/\\\"x\\\"\"," MESSAGES "}");
    e = (struct wire_request_edit){.model = STR("m"), .output_limit = 99, .ask_usage = true};
    edits("{\"model\":\"m\"," MESSAGES ",\"stream\":true}", e,
          "{\"model\":\"m\"," MESSAGES ",\"stream\":true}");
}

#define USAGE                                                                                      \
    "\"usage\":{\"input_tokens\":10,\"cache_read_input_tokens\":4,"                                \
    "\"cache_creation_input_tokens\":7,\"cache_creation\":{\"ephemeral_5m_input_tokens\":2,"       \
    "\"ephemeral_1h_input_tokens\":5},\"output_tokens\":20,"                                       \
    "\"output_tokens_details\":{\"thinking_tokens\":6},\"service_tier\":\"standard\"}"

static void a_message_is_read(void **state)
{
    struct wire_report r = reply_of(
        "{\"id\":\"msg_1\",\"type\":\"message\",\"content\":[{\"type\":\"text\",\"text\":\"four\"},"
        "{\"type\":\"thinking\",\"thinking\":\"hm\"},{\"type\":\"tool_use\",\"input\":{\"a\":1}}],"
        "\"stop_reason\":\"end_turn\"," USAGE "}");

    assert_true(r.has_choices);
    assert_false(r.error);
    assert_str(r.llm.id, "msg_1");
    assert_str(r.llm.finish_reason, "end_turn");
    assert_int_equal(r.llm.output_bytes, 4 + 2 + 5);
    assert_true(r.llm.has_usage);
    assert_false(r.llm.lacks_prompt);
    assert_false(r.llm.lacks_output);
    assert_int_equal(unit_of(&r, USAGE_INPUT), 10);
    assert_int_equal(unit_of(&r, USAGE_CACHED_INPUT), 4);
    assert_int_equal(unit_of(&r, USAGE_CACHE_WRITE_5M), 2);
    assert_int_equal(unit_of(&r, USAGE_CACHE_WRITE_1H), 5);
    assert_int_equal(unit_of(&r, USAGE_OUTPUT), 14);
    assert_int_equal(unit_of(&r, USAGE_REASONING), 6);
    assert_true(r.llm.has_service);
    assert_int_equal(r.llm.service, SERVICE_STANDARD);
}

static void figures_that_are_none_are_lacking(void **state)
{
    struct wire_report r = reply_of("{\"usage\":{\"input_tokens\":-1,\"output_tokens\":3}}");

    assert_true(r.llm.has_usage);
    assert_true(r.llm.lacks_prompt);
    assert_false(r.llm.lacks_output);
    r = reply_of("{\"usage\":{\"input_tokens\":3,\"output_tokens\":1e9}}");
    assert_false(r.llm.lacks_prompt);
    assert_true(r.llm.lacks_output);
    assert_false(reply_of("{\"usage\":{\"input_tokens\":\"3\"}}").llm.has_usage);
    assert_false(reply_of("{\"usage\":{}}").llm.has_usage);
    r = reply_of("{\"usage\":{\"input_tokens\":1,\"output_tokens\":3,"
                 "\"output_tokens_details\":{\"thinking_tokens\":9}}}");
    assert_int_equal(unit_of(&r, USAGE_REASONING), 3);
    assert_int_equal(unit_of(&r, USAGE_OUTPUT), 0);
    r = reply_of("{\"usage\":{\"input_tokens\":1,\"output_tokens\":3,\"speed\":\"fast\","
                 "\"service_tier\":\"standard\"}}");
    assert_int_equal(r.llm.service, SERVICE_PRIORITY);
}

static void the_cost_is_put_into_usage(void **state)
{
    struct wire_report_edit e = {.has_cost = true, .cost = {12340}};

    replies("{\"usage\":{\"input_tokens\":1,\"output_tokens\":2},\"x\":1}", e,
            "{\"usage\":{\"input_tokens\":1,\"output_tokens\":2,\"cost\":0.00001234},\"x\":1}");
    replies("{\"usage\":{\"cost\":9,\"input_tokens\":1}}", e,
            "{\"usage\":{\"cost\":0.00001234,\"input_tokens\":1}}");
    replies("{\"usage\":{}}", e, "{\"usage\":{}}");
    e = (struct wire_report_edit){.members = STR("\"tollgate\":{}")};
    replies("{\"type\":\"message\" }", e, "{\"type\":\"message\" ,\"tollgate\":{}}");
}

#define START                                                                                      \
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\","       \
    "\"usage\":{\"input_tokens\":10,\"cache_read_input_tokens\":4,"                                \
    "\"cache_creation_input_tokens\":7,\"cache_creation\":{\"ephemeral_5m_input_tokens\":2,"       \
    "\"ephemeral_1h_input_tokens\":5},\"output_tokens\":1,\"service_tier\":\"standard\"}}}\n\n"

static void events_are_told_apart(void **state)
{
    struct wire_report r = event_of(START);

    assert_str(r.llm.id, "msg_1");
    assert_true(r.llm.has_usage);
    assert_true(r.llm.lacks_output);
    assert_int_equal(r.usage_at.n, 0);
    assert_false(r.usage_only);
    r = event_of("data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
                 "{\"type\":\"text_delta\",\"text\":\"four\"}}\n\n");
    assert_int_equal(r.llm.output_bytes, 4);
    r = event_of("data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
                 "{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"a\"}}\n\n");
    assert_int_equal(r.llm.output_bytes, 4);
    assert_false(event_of("event: ping\ndata: {\"type\": \"ping\"}\n\n").done);
    assert_false(event_of(": comment\n\n").done);
    r = event_of("data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"max_tokens\"},"
                 "\"usage\":{\"output_tokens\":9}}\n\n");
    assert_str(r.llm.finish_reason, "max_tokens");
    assert_true(r.llm.has_usage);
    assert_true(r.llm.lacks_prompt);
    assert_true(r.usage_at.n > 0);
    assert_false(r.done);
    assert_true(event_of("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n").done);
    assert_true(event_of("data: {\"type\":\"error\",\"error\":{}}\n\n").error);
    assert_true(event_of("event: error\ndata: {\"message\":\"x\"}\n\n").error);
}

/* Its start has what is cached by time, its end the sums. */
static void the_figures_of_a_stream_are_put_together(void **state)
{
    struct llm_report last = {0};
    struct wire_report start = event_of(START), end;

    llm_take_usage(&last, &start.llm);
    assert_true(last.lacks_output);
    end = event_of("data: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":9}}\n\n");
    llm_take_usage(&last, &end.llm);
    assert_false(last.lacks_prompt);
    assert_false(last.lacks_output);
    assert_int_equal(usage_sum(&last.usage, USAGE_COVERS_PROMPT), 21);
    assert_int_equal(last.usage.n[USAGE_OUTPUT], 9);
    end = event_of("data: {\"type\":\"message_delta\",\"usage\":{\"input_tokens\":30,"
                   "\"cache_read_input_tokens\":6,\"cache_creation_input_tokens\":8,"
                   "\"output_tokens\":12}}\n\n");
    llm_take_usage(&last, &end.llm);
    assert_int_equal(last.usage.n[USAGE_INPUT], 30);
    assert_int_equal(last.usage.n[USAGE_CACHED_INPUT], 6);
    assert_int_equal(last.usage.n[USAGE_CACHE_WRITE_1H], 5);
    assert_int_equal(last.usage.n[USAGE_CACHE_WRITE_5M], 3);
    assert_int_equal(last.usage.n[USAGE_OUTPUT], 12);
    end = event_of("data: {\"type\":\"message_delta\",\"usage\":{\"input_tokens\":31,"
                   "\"cache_read_input_tokens\":null,\"cache_creation_input_tokens\":null,"
                   "\"output_tokens\":13}}\n\n");
    llm_take_usage(&last, &end.llm);
    assert_int_equal(usage_sum(&last.usage, USAGE_COVERS_PROMPT), 31 + 6 + 8);
    assert_int_equal(last.usage.n[USAGE_CACHE_WRITE_1H], 5);
}

static void the_cost_stands_with_the_end(void **state)
{
    struct wire_report_edit e = {.has_cost = true, .cost = {5000}};

    events_become(START, e, START);
    events_become("event: message_delta\r\ndata: {\"type\":\"message_delta\",\"usage\":"
                  "{\"output_tokens\":9}}\r\n\r\n",
                  e,
                  "event: message_delta\ndata: {\"type\":\"message_delta\",\"usage\":"
                  "{\"output_tokens\":9,\"cost\":0.000005}}\n\n");
}

static void a_stream_that_is_cut_ends_by_length(void **state)
{
    struct wire_stop stop = {.choices = 1, .usage = {.n = {[USAGE_OUTPUT] = 7}}};
    struct wire_report r;
    struct buf out;

    buf_init(&out, MIB(1));
    subject->put_stop(&stop, &out);
    assert_str(buf_str(&out),
               "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":"
               "{\"stop_reason\":\"max_tokens\",\"stop_sequence\":null},\"usage\":"
               "{\"output_tokens\":7}}\n\n");
    r = event_of(arena_cstr(arena, arena_str(arena, buf_str(&out))));
    assert_str(r.llm.finish_reason, "max_tokens");
    buf_reset(&out);
    subject->put_error(STR("{\"type\":\"error\",\n\"error\":{}}"), &out);
    assert_str(buf_str(&out), "event: error\ndata: {\"type\":\"error\",\ndata: \"error\":{}}\n\n");
    assert_true(event_of(subject->end_mark).done);
    buf_done(&out);
}

static void errors_are_of_this_format(void **state)
{
    errors_become("{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"o\"},"
                  "\"request_id\":\"r\"}\n",
                  529,
                  "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"o\"},"
                  "\"request_id\":\"r\"}");
    errors_become("{\"error\":{\"message\":\"too \\\"long\\\"\",\"type\":\"t\",\"code\":null}}", 400,
                  "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":"
                  "\"too \\\"long\\\"\"}}");
    errors_become("{\"message\":\"Too many tokens\"}", 429,
                  "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":"
                  "\"Too many tokens\"}}");
    errors_become("{\"Message\":\"no\"}", 403,
                  "{\"type\":\"error\",\"error\":{\"type\":\"permission_error\",\"message\":"
                  "\"no\"}}");
    errors_become("{\"error\":{}}", 502,
                  "{\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":"
                  "\"It failed.\"}}");
    errors_become("<html>", 502, NULL);
    assert_int_equal(
        subject->error_status(STR("{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}")),
        529);
    assert_int_equal(
        subject->error_status(STR("{\"type\":\"error\",\"error\":{\"type\":\"odd_error\"}}")), 0);
}

static void usage_is_found_at_a_large_answers_end(void **state)
{
    struct llm_report r = {0};

    assert_true(subject->find_usage(
        STR("ext\"}],\"stop_reason\":\"end_turn\"," USAGE ",\"container\":null}"), &r));
    assert_int_equal(usage_sum(&r.usage, USAGE_COVERS_OUTPUT), 20);
    assert_false(subject->find_usage(STR("\"usage\":{\"input_tok"), &r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read),
        cmocka_unit_test(media_are_told_apart),
        cmocka_unit_test(what_costs_more_is_sold_as_priority),
        cmocka_unit_test(nulls_count_as_absent),
        cmocka_unit_test(wrong_values_are_named),
        cmocka_unit_test(only_what_has_to_is_changed),
        cmocka_unit_test(a_message_is_read),
        cmocka_unit_test(figures_that_are_none_are_lacking),
        cmocka_unit_test(the_cost_is_put_into_usage),
        cmocka_unit_test(events_are_told_apart),
        cmocka_unit_test(the_figures_of_a_stream_are_put_together),
        cmocka_unit_test(the_cost_stands_with_the_end),
        cmocka_unit_test(a_stream_that_is_cut_ends_by_length),
        cmocka_unit_test(errors_are_of_this_format),
        cmocka_unit_test(usage_is_found_at_a_large_answers_end),
    };

    subject = &anthropic_messages;
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
