/* Google's embeddings passed on, one and many. */
#include "dialect_test.h"

static void one_is_read_and_edited(void **state)
{
    struct wire_request_edit e = {.model = STR("up")};
    struct wire_request r;

    subject = &gemini_embed;
    r = request_of("{\"content\":{\"parts\":[{\"text\":\"hi\"},{\"inlineData\":{\"mimeType\":"
                   "\"image/png\",\"data\":\"AA\"}}]},\"outputDimensionality\":8}");
    assert_int_equal(r.llm.image_parts, 1);
    assert_int_equal(r.llm.choices, 1);
    assert_int_equal(r.llm.text_bytes, r.body.n - strlen("\"AA\""));
    assert_null(r.llm.model.p);
    edits("{\"content\":{\"parts\":[]},\"x\":1}", e, "{\"content\":{\"parts\":[]},\"x\":1}");
    edits("{\"model\":\"models/m\",\"content\":{\"parts\":[]}}", e,
          "{\"model\":\"models/up\",\"content\":{\"parts\":[]}}");
    e.model = STR("tunedModels/a\"b");
    edits("{\"model\": \"models/m\" ,\"content\":{}}", e,
          "{\"model\": \"tunedModels/a\\\"b\" ,\"content\":{}}");
    faults("{}", DIALECT_E_FIELD, "content");
    faults("{\"content\":\"hi\"}", DIALECT_E_FIELD, "content");
    faults("{\"content\":{},\"model\":1}", DIALECT_E_FIELD, "model");
}

static void a_batch_names_the_model_in_each_request(void **state)
{
    struct wire_request_edit e = {.model = STR("up")};
    struct wire_request r;

    subject = &gemini_embed_batch;
    edits("{\"requests\":[{\"model\":\"models/m\",\"content\":{}}, {\"content\":{}},"
          "{\"content\":{},\"model\":\"models/m\"}],\"x\":1}",
          e,
          "{\"requests\":[{\"model\":\"models/up\",\"content\":{}}, {\"content\":{}},"
          "{\"content\":{},\"model\":\"models/up\"}],\"x\":1}");
    edits("{\"requests\":[]}", e, "{\"requests\":[]}");
    r = request_of("{\"requests\":[{\"content\":{\"parts\":[{\"inlineData\":{\"mimeType\":"
                   "\"image/png\",\"data\":\"AA\"}}]}},{\"content\":{\"parts\":[{\"fileData\":{"
                   "\"mimeType\":\"application/pdf\",\"fileUri\":\"u\"}}]}}]}");
    assert_int_equal(r.llm.image_parts, 1);
    assert_int_equal(r.llm.files_elsewhere, 1);
    faults("{}", DIALECT_E_FIELD, "requests");
    faults("{\"requests\":{}}", DIALECT_E_FIELD, "requests");
}

static void answers_are_read(void **state)
{
    struct wire_report_edit e = {.has_cost = true, .cost = {5000}};
    struct wire_report r;

    subject = &gemini_embed;
    r = reply_of("{\"embedding\":{\"values\":[0.5]}}");
    assert_true(r.has_data);
    assert_false(r.llm.has_usage);
    subject = &gemini_embed_batch;
    r = reply_of("{\"embeddings\":[{\"values\":[0.5]}],\"usageMetadata\":{\"promptTokenCount\":14,"
                 "\"promptTokenDetails\":[{\"modality\":\"IMAGE\",\"tokenCount\":4}]}}");
    assert_true(r.has_data);
    assert_int_equal(unit_of(&r, USAGE_INPUT), 10);
    assert_int_equal(unit_of(&r, USAGE_IMAGE_INPUT), 4);
    assert_false(r.llm.lacks_prompt);
    replies("{\"embeddings\":[],\"usageMetadata\":{\"promptTokenCount\":14}}", e,
            "{\"embeddings\":[],\"usageMetadata\":{\"promptTokenCount\":14,\"cost\":0.000005}}");
    assert_false(reply_of("{}").has_data);
    assert_true(reply_of("{\"error\":{\"code\":404}}").error);
    errors_become("{\"message\":\"no\"}", 404,
                  "{\"error\":{\"code\":404,\"message\":\"no\",\"status\":\"NOT_FOUND\"}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_read_and_edited),
        cmocka_unit_test(a_batch_names_the_model_in_each_request),
        cmocka_unit_test(answers_are_read),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
