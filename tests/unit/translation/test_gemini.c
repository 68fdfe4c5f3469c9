/* Google's generateContent format passed on: what is read from requests, answers and chunks, and the
 * bytes after edits. */
#include <stdio.h>

#include "dialect_test.h"

#define HI "\"contents\":[{\"parts\":[{\"text\":\"hi\"}]}]"

static void a_request_is_read(void **state)
{
    struct wire_request r = request_of(
        "{" HI ",\"systemInstruction\":{\"parts\":[]},\"tools\":[{}],\"serviceTier\":\"flex\","
        "\"generationConfig\":{\"maxOutputTokens\":10,\"candidateCount\":2,"
        "\"responseMimeType\":\"application/json\",\"responseModalities\":[\"TEXT\",\"AUDIO\"]}}");

    assert_null(r.llm.model.p);
    assert_false(r.llm.stream);
    assert_true(r.llm.wants_usage);
    assert_true(r.llm.has_tools);
    assert_false(r.llm.wants_schema);
    assert_true(r.llm.wants_audio);
    assert_true(r.llm.has_output_limit);
    assert_int_equal(r.llm.output_limit, 10);
    assert_int_equal(r.llm.choices, 2);
    assert_int_equal(r.llm.service, SERVICE_FLEX);
    assert_int_equal(r.llm.text_bytes, r.body.n);
    assert_int_equal(r.llm.prompt_bytes,
                     strlen("[{\"parts\":[{\"text\":\"hi\"}]}]{\"parts\":[]}[{}]"));
    r = request_of("{" HI "}");
    assert_false(r.llm.has_output_limit);
    assert_false(r.llm.wants_schema);
    assert_int_equal(r.llm.choices, 1);
    assert_int_equal(r.llm.service, SERVICE_STANDARD);
}

static void both_spellings_are_read(void **state)
{
    struct wire_request r = request_of(
        "{" HI ",\"generation_config\":{\"max_output_tokens\":7,\"candidate_count\":3,"
        "\"response_json_schema\":{}},\"service_tier\":\"PRIORITY\"}");

    assert_int_equal(r.llm.output_limit, 7);
    assert_int_equal(r.llm.choices, 3);
    assert_true(r.llm.wants_schema);
    assert_int_equal(r.llm.service, SERVICE_PRIORITY);
    assert_true(request_of("{" HI ",\"generationConfig\":{\"responseSchema\":{}}}").llm.wants_schema);
}

static bool thinks(const char *config)
{
    char body[200];

    (void)snprintf(body, sizeof(body), "{" HI ",\"generationConfig\":{%s}}", config);
    return request_of(body).llm.wants_reasoning;
}

static void thoughts_are_asked_for_by_a_level_or_a_budget(void **state)
{
    assert_true(thinks("\"thinkingConfig\":{\"thinkingBudget\":512}"));
    assert_true(thinks("\"thinkingConfig\":{\"thinkingBudget\":-1}"));
    assert_true(thinks("\"thinking_config\":{\"thinking_level\":\"low\"}"));
    assert_false(thinks("\"thinkingConfig\":{\"thinkingBudget\":0}"));
    assert_false(thinks("\"thinkingConfig\":{\"includeThoughts\":true}"));
    assert_false(thinks("\"temperature\":1"));
}

static void media_are_told_apart(void **state)
{
    struct wire_request r = request_of(
        "{\"contents\":[{\"parts\":[{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AA\"}},"
        "{\"inline_data\":{\"mime_type\":\"audio/mp3\",\"data\":\"BBB\"}},"
        "{\"inlineData\":{\"mimeType\":\"video/mp4\",\"data\":\"CCCC\"}},"
        "{\"fileData\":{\"mimeType\":\"image/png\",\"fileUri\":\"u\"}},"
        "{\"file_data\":{\"mime_type\":\"application/pdf\",\"file_uri\":\"u\"}}]},"
        "{\"parts\":{\"inlineData\":{\"mimeType\":\"IMAGE/png\",\"data\":\"DD\"}}},"
        "{\"parts\":[{\"functionResponse\":{\"name\":\"f\",\"response\":{},\"parts\":["
        "{\"inlineData\":{\"mimeType\":\"application/pdf\",\"data\":\"EEE\"}}]}}]}]}");

    assert_int_equal(r.llm.image_parts, 3);
    assert_int_equal(r.llm.audio_parts, 1);
    assert_int_equal(r.llm.audio_bytes, strlen("\"BBB\""));
    assert_int_equal(r.llm.file_parts, 2);
    assert_int_equal(r.llm.file_bytes, strlen("\"CCCC\"\"EEE\""));
    assert_int_equal(r.llm.files_elsewhere, 1);
    assert_int_equal(r.llm.text_bytes,
                     r.body.n - strlen("\"AA\"\"BBB\"\"CCCC\"\"DD\"\"EEE\""));
    r = request_of("{\"contents\":{\"parts\":[{\"inlineData\":{\"mimeType\":\"image/png\","
                   "\"data\":\"AA\"}}]},\"cachedContent\":\"cachedContents/1\"}");
    assert_int_equal(r.llm.image_parts, 1);
    assert_int_equal(r.llm.files_elsewhere, 1);
}

static void wrong_values_are_named(void **state)
{
    faults("[]", DIALECT_E_FIELD, "contents");
    faults("{}", DIALECT_E_FIELD, "contents");
    faults("{\"contents\":\"hi\"}", DIALECT_E_FIELD, "contents");
    faults("{" HI ",\"generationConfig\":[]}", DIALECT_E_FIELD, "generationConfig");
    faults("{" HI ",\"generationConfig\":{},\"generation_config\":{}}", DIALECT_E_FIELD,
           "generation_config");
    faults("{" HI ",\"generationConfig\":{\"maxOutputTokens\":0}}", DIALECT_E_FIELD,
           "generationConfig.maxOutputTokens");
    faults("{" HI ",\"generation_config\":{\"max_output_tokens\":\"9\"}}", DIALECT_E_FIELD,
           "generation_config.max_output_tokens");
    faults("{" HI ",\"generationConfig\":{\"candidateCount\":129}}", DIALECT_E_FIELD,
           "generationConfig.candidateCount");
    faults("{" HI ",\"service_tier\":\"batch\"}", DIALECT_E_FIELD, "service_tier");
    faults("{" HI ",\"serviceTier\":1}", DIALECT_E_FIELD, "serviceTier");
    faults("{" HI ",", DIALECT_E_SYNTAX, "");
}

static void only_the_limit_is_put_in(void **state)
{
    struct wire_request_edit e = {.model = STR("up"), .output_limit = 64, .ask_usage = true};

    edits("{" HI ",\"model\":\"m\"}", e,
          "{\"generationConfig\":{\"maxOutputTokens\":64}," HI ",\"model\":\"m\"}");
    edits("{" HI ",\"generationConfig\":{ }}", e,
          "{" HI ",\"generationConfig\":{\"maxOutputTokens\":64 }}");
    edits("{" HI ",\"generation_config\":{\"topK\":1.0}}", e,
          "{" HI ",\"generation_config\":{\"maxOutputTokens\":64,\"topK\":1.0}}");
    edits("{" HI ",\"generationConfig\":null}", e,
          "{" HI ",\"generationConfig\":{\"maxOutputTokens\":64}}");
    edits("{" HI ",\"generationConfig\":{\"a\":1,\"maxOutputTokens\":null}}", e,
          "{" HI ",\"generationConfig\":{\"a\":1,\"maxOutputTokens\":64}}");
    edits("{" HI ",\"generationConfig\":{\"maxOutputTokens\":5}}", e,
          "{" HI ",\"generationConfig\":{\"maxOutputTokens\":5}}");
    e.output_limit = 0;
    edits("{" HI " }", e, "{" HI " }");
}

#define ANSWER(usage)                                                                              \
    "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"four\"},{\"functionCall\":{\"name\":"   \
    "\"f\",\"args\":{\"a\":1}}}]},\"finishReason\":\"STOP\"}],\"usageMetadata\":" usage            \
    ",\"responseId\":\"r1\"}"

static void an_answer_is_read(void **state)
{
    struct wire_report r = reply_of(ANSWER(
        "{\"promptTokenCount\":100,\"cachedContentTokenCount\":30,\"candidatesTokenCount\":20,"
        "\"thoughtsTokenCount\":7,\"toolUsePromptTokenCount\":5,\"totalTokenCount\":132,"
        "\"promptTokensDetails\":[{\"modality\":\"AUDIO\",\"tokenCount\":40},{\"modality\":"
        "\"TEXT\",\"tokenCount\":50},{\"modality\":\"IMAGE\",\"tokenCount\":10}],"
        "\"cacheTokensDetails\":[{\"modality\":\"AUDIO\",\"tokenCount\":30}],"
        "\"candidatesTokensDetails\":[{\"modality\":\"IMAGE\",\"tokenCount\":12}],"
        "\"serviceTier\":\"flex\"}"));

    assert_true(r.has_choices);
    assert_str(r.llm.id, "r1");
    assert_str(r.llm.finish_reason, "STOP");
    assert_int_equal(r.llm.output_bytes, 4 + 5);
    assert_int_equal(unit_of(&r, USAGE_CACHED_INPUT), 30);
    assert_int_equal(unit_of(&r, USAGE_AUDIO_INPUT), 10);
    assert_int_equal(unit_of(&r, USAGE_IMAGE_INPUT), 10);
    assert_int_equal(unit_of(&r, USAGE_INPUT), 55);
    assert_int_equal(unit_of(&r, USAGE_IMAGE_OUTPUT), 12);
    assert_int_equal(unit_of(&r, USAGE_OUTPUT), 8);
    assert_int_equal(unit_of(&r, USAGE_REASONING), 7);
    assert_int_equal(r.llm.service, SERVICE_FLEX);
    assert_false(r.llm.lacks_prompt || r.llm.lacks_output);
    r = reply_of("{\"promptFeedback\":{\"blockReason\":\"SAFETY\"},\"usageMetadata\":"
                 "{\"promptTokenCount\":14,\"totalTokenCount\":14}}");
    assert_true(r.has_choices);
    assert_str(r.llm.finish_reason, "SAFETY");
    assert_false(r.llm.lacks_output);
    assert_int_equal(usage_sum(&r.llm.usage, USAGE_COVERS_OUTPUT), 0);
    assert_false(reply_of("{}").has_choices);
}

static void zeros_are_left_out_and_totals_tell(void **state)
{
    struct wire_report r = reply_of(
        ANSWER("{\"promptTokenCount\":440,\"thoughtsTokenCount\":27,"
               "\"toolUsePromptTokenCount\":86,\"totalTokenCount\":553}"));

    assert_false(r.llm.lacks_output);
    assert_int_equal(unit_of(&r, USAGE_OUTPUT), 0);
    assert_int_equal(unit_of(&r, USAGE_REASONING), 27);
    assert_int_equal(unit_of(&r, USAGE_INPUT), 526);
    r = reply_of(ANSWER("{\"promptTokenCount\":10,\"totalTokenCount\":14}"));
    assert_int_equal(unit_of(&r, USAGE_OUTPUT), 4);
    r = reply_of(ANSWER("{\"candidatesTokenCount\":10,\"totalTokenCount\":14}"));
    assert_int_equal(unit_of(&r, USAGE_INPUT), 4);
    r = reply_of(ANSWER("{\"promptTokenCount\":10}"));
    assert_true(r.llm.lacks_output);
    r = reply_of(ANSWER("{\"promptTokenCount\":-10,\"candidatesTokenCount\":3}"));
    assert_true(r.llm.lacks_prompt);
    assert_false(r.llm.lacks_output);
    r = reply_of(ANSWER("{\"trafficType\":\"ON_DEMAND_PRIORITY\"}"));
    assert_false(r.llm.has_usage);
    assert_int_equal(r.llm.service, SERVICE_PRIORITY);
    assert_true(r.llm.has_service);
}

static void chunks_are_told_apart(void **state)
{
    struct wire_report r = event_of(
        "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"ab\"}]}}],\"usageMetadata\":"
        "{\"promptTokenCount\":15,\"totalTokenCount\":15}}\r\n\r\n");

    assert_true(r.llm.has_usage);
    assert_true(r.llm.lacks_output); /* it goes on */
    assert_int_equal(r.llm.finish_reason.n, 0);
    assert_int_equal(r.llm.output_bytes, 2);
    assert_int_equal(r.usage_at.n, 0);
    r = event_of("data: " ANSWER("{\"promptTokenCount\":13,\"candidatesTokenCount\":8}") "\n\n");
    assert_false(r.done);
    assert_false(r.llm.lacks_output);
    assert_str(r.llm.finish_reason, "STOP");
    assert_true(r.usage_at.n > 0);
    assert_true(event_of("data: {\"error\":{\"code\":503,\"message\":\"x\"}}\n\n").error);
    assert_false(event_of(": comment\n\n").error);
}

static void the_cost_stands_with_the_last_figures(void **state)
{
    struct wire_report_edit e = {.has_cost = true, .cost = {5000}};
    const char going_on[] = "data: {\"usageMetadata\":{\"promptTokenCount\":15}}\r\n\r\n";

    events_become(going_on, e, going_on);
    events_become("data: {\"candidates\":[{\"finishReason\":\"STOP\"}],\"usageMetadata\":"
                  "{\"promptTokenCount\":15}}\r\n\r\n",
                  e,
                  "data: {\"candidates\":[{\"finishReason\":\"STOP\"}],\"usageMetadata\":"
                  "{\"promptTokenCount\":15,\"cost\":0.000005}}\n\n");
    e.members = STR("\"tollgate\":{}");
    replies("{\"usageMetadata\":{\"promptTokenCount\":15}}", e,
            "{\"usageMetadata\":{\"promptTokenCount\":15,\"cost\":0.000005},\"tollgate\":{}}");
}

static void a_stream_that_is_cut_ends_by_length(void **state)
{
    struct wire_stop stop = {.id = STR("r"), .model = STR("m"), .choices = 2,
                             .usage = {.n = {[USAGE_INPUT] = 3, [USAGE_OUTPUT] = 7}}};
    struct wire_report r;
    struct buf out;

    buf_init(&out, MIB(1));
    subject->put_stop(&stop, &out);
    r = event_of(arena_cstr(arena, arena_str(arena, buf_str(&out))));
    assert_str(r.llm.finish_reason, "MAX_TOKENS");
    assert_str(r.llm.id, "r");
    assert_int_equal(unit_of(&r, USAGE_INPUT), 3);
    assert_int_equal(unit_of(&r, USAGE_OUTPUT), 7);
    buf_reset(&out);
    subject->put_error(STR("{\"error\":{}}"), &out);
    assert_str(buf_str(&out), "data: {\"error\":{}}\n\n");
    assert_null(subject->end_mark);
    buf_done(&out);
}

static void errors_are_of_this_format(void **state)
{
    errors_become("[{\"error\":{\"code\":400,\"message\":\"a\",\"status\":\"INVALID_ARGUMENT\","
                  "\"details\":[]}}]",
                  400,
                  "{\"error\":{\"code\":400,\"message\":\"a\",\"status\":\"INVALID_ARGUMENT\","
                  "\"details\":[]}}");
    errors_become("{\"error\":{\"message\":\"slow down\",\"type\":\"rate_limit_error\"}}", 429,
                  "{\"error\":{\"code\":429,\"message\":\"slow down\",\"status\":"
                  "\"RESOURCE_EXHAUSTED\"}}");
    errors_become("{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":"
                  "\"busy\"}}",
                  503,
                  "{\"error\":{\"code\":503,\"message\":\"busy\",\"status\":\"UNAVAILABLE\"}}");
    errors_become("oops", 502,
                  "{\"error\":{\"code\":502,\"message\":\"oops\",\"status\":\"INTERNAL\"}}");
    errors_become("<html>", 502, NULL);
    assert_int_equal(subject->error_status(STR("{\"error\":{\"code\":503}}")), 503);
    assert_int_equal(subject->error_status(STR("{\"error\":{\"status\":\"RESOURCE_EXHAUSTED\"}}")),
                     429);
}

static void usage_is_found_at_a_large_answers_end(void **state)
{
    struct llm_report r = {0};

    assert_true(subject->find_usage(STR("xt\"}]}}],\"usageMetadata\": {\"promptTokenCount\": 3,"
                                        "\"candidatesTokenCount\": 9},\"modelVersion\":\"m\"}"),
                                    &r));
    assert_int_equal(usage_sum(&r.usage, USAGE_COVERS_OUTPUT), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read),
        cmocka_unit_test(both_spellings_are_read),
        cmocka_unit_test(thoughts_are_asked_for_by_a_level_or_a_budget),
        cmocka_unit_test(media_are_told_apart),
        cmocka_unit_test(wrong_values_are_named),
        cmocka_unit_test(only_the_limit_is_put_in),
        cmocka_unit_test(an_answer_is_read),
        cmocka_unit_test(zeros_are_left_out_and_totals_tell),
        cmocka_unit_test(chunks_are_told_apart),
        cmocka_unit_test(the_cost_stands_with_the_last_figures),
        cmocka_unit_test(a_stream_that_is_cut_ends_by_length),
        cmocka_unit_test(errors_are_of_this_format),
        cmocka_unit_test(usage_is_found_at_a_large_answers_end),
    };

    subject = &gemini;
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
