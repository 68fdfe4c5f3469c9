/* The dialects of what is no chat: what admission needs of a request, the usage of answers in
 * disjoint classes, and the bytes that are put in. */
#include "dialect_test.h"

static struct llm_report usage_of(const struct dialect *d, const char *body)
{
    subject = d;
    return reply_of(body).llm;
}

static void embeddings_keep_their_bytes(void **state)
{
    subject = &openai_embeddings;
    edits("{\"input\": [\"a\"], \"model\":\"m\" , \"x\":{\"y\":1}}", (struct wire_request_edit){.model = STR("up")},
          "{\"input\": [\"a\"], \"model\":\"up\" , \"x\":{\"y\":1}}");
    faults("{\"model\":\"m\"}", DIALECT_E_FIELD, "input");
    faults("{\"input\":\"x\"}", DIALECT_E_FIELD, "model");
    faults("{\"model\":\"m\",\"input\":{}}", DIALECT_E_FIELD, "input");
}

static void completions_are_as_many_as_are_made(void **state)
{
    subject = &openai_completions;
    assert_int_equal(request_of("{\"model\":\"m\",\"prompt\":\"a\"}").llm.choices, 1);
    assert_int_equal(request_of("{\"model\":\"m\",\"prompt\":[1,2,3]}").llm.choices, 1);
    assert_int_equal(request_of("{\"model\":\"m\",\"prompt\":[[1,2],[3]],\"n\":3}").llm.choices, 6);
    assert_int_equal(request_of("{\"model\":\"m\",\"prompt\":[\"a\",\"b\"],\"n\":2,\"best_of\":5}").llm.choices, 10);
    assert_int_equal(request_of("{\"model\":\"m\",\"prompt\":\"a\",\"max_tokens\":7}").llm.output_limit, 7);
    edits("{\"model\":\"m\",\"prompt\":\"a\",\"stream\":true,\"provider\":{}}",
          (struct wire_request_edit){.model = STR("m"), .output_limit = 9, .limit_name = "max_completion_tokens",
                                     .ask_usage = true},
          "{\"stream_options\":{\"include_usage\":true},\"max_tokens\":9,\"model\":\"m\",\"prompt\":\"a\",\"stream\":true}");
    assert_int_equal(reply_of("{\"choices\":[{\"text\":\"abcd\"},{\"text\":\"ef\"}]}").llm.output_bytes, 6);
}

static void images_say_how_many_and_of_what_kind(void **state)
{
    struct wire_request r;

    subject = &openai_images;
    r = request_of("{\"model\":\"m\",\"prompt\":\"a\",\"n\":3,\"size\":\"1024x1536\",\"quality\":\"h\\u0064\"}");
    assert_int_equal(r.llm.choices, 3);
    assert_str(r.llm.visual.size, "1024x1536");
    assert_str(r.llm.visual.quality, "hd");
    r = request_of("{\"model\":\"m\",\"prompt\":\"a\",\"width\":768,\"height\":1024}");
    assert_str(r.llm.visual.size, "768x1024");
    r = request_of("{\"model\":\"m\",\"prompt\":\"a\",\"images\":[{\"image_url\":\"u\"},{\"file_id\":\"f\"}]}");
    assert_int_equal(r.llm.pictures, 2);
    faults("{\"model\":\"m\",\"prompt\":\"a\",\"width\":0}", DIALECT_E_FIELD, "width");
    assert_int_equal(reply_of("{\"data\":[{\"url\":\"a\"},{\"url\":\"b\"}]}").llm.images, 2);
    assert_false(reply_of("{\"created\":1}").has_data);
}

static void image_tokens_are_told_apart(void **state)
{
    struct llm_report r =
        usage_of(&openai_images, "{\"data\":[{}],\"quality\":\"low\",\"size\":\"1x1\",\"usage\":{\"input_tokens\":50,"
                                 "\"output_tokens\":300,\"input_tokens_details\":{\"text_tokens\":8,\"image_tokens\":40,"
                                 "\"cached_tokens\":2},\"output_tokens_details\":{\"text_tokens\":28,\"image_tokens\":272}}}");

    assert_true(r.has_usage);
    assert_int_equal(r.usage.n[USAGE_INPUT], 8);
    assert_int_equal(r.usage.n[USAGE_IMAGE_INPUT], 40);
    assert_int_equal(r.usage.n[USAGE_CACHED_INPUT], 2);
    assert_int_equal(r.usage.n[USAGE_OUTPUT], 28);
    assert_int_equal(r.usage.n[USAGE_IMAGE_OUTPUT], 272);
    assert_str(r.visual.quality, "low");
    r = usage_of(&openai_images, "{\"data\":[{}],\"usage\":{\"input_tokens\":5,\"output_tokens\":9,"
                                 "\"input_tokens_details\":{\"image_tokens\":99}}}");
    assert_int_equal(r.usage.n[USAGE_IMAGE_INPUT], 5); /* a part is never more than its whole */
    assert_int_equal(r.usage.n[USAGE_IMAGE_OUTPUT], 9);
    r = usage_of(&openai_images, "{\"data\":[{}],\"usage\":{\"input_tokens\":-1,\"output_tokens\":1.5}}");
    assert_false(r.has_usage);
}

static void transcriptions_tell_seconds_or_tokens(void **state)
{
    struct llm_report r = usage_of(&openai_transcriptions,
                                   "{\"text\":\"ab\",\"usage\":{\"type\":\"duration\",\"seconds\":9.0001}}");

    assert_int_equal(r.usage.n[USAGE_SECOND], 10);
    assert_true(r.lacks_prompt && r.lacks_output);
    assert_int_equal(r.output_bytes, 2);
    r = usage_of(&openai_transcriptions, "{\"text\":\"\",\"duration\":\"8.000\"}");
    assert_int_equal(r.usage.n[USAGE_SECOND], 8);
    r = usage_of(&openai_transcriptions,
                 "{\"text\":\"a\",\"usage\":{\"prompt_audio_seconds\":4,\"prompt_tokens\":5,\"completion_tokens\":6}}");
    assert_int_equal(r.usage.n[USAGE_SECOND], 4);
    assert_int_equal(r.usage.n[USAGE_AUDIO_INPUT], 5);
    assert_int_equal(r.usage.n[USAGE_OUTPUT], 6);
    r = usage_of(&openai_transcriptions, "{\"text\":\"a\",\"duration\":-3}");
    assert_false(r.has_usage);
    r = usage_of(&openai_transcriptions, "{\"text\":\"a\",\"duration\":1e99}");
    assert_false(r.has_usage);
    assert_false(reply_of("{\"status\":\"ok\"}").has_data);
}

static void speech_counts_characters(void **state)
{
    subject = &openai_speech;
    assert_int_equal(request_of("{\"model\":\"m\",\"input\":\"a\\u00e4\\ud83d\\ude00\xc3\xbc\"}").llm.characters, 4);
    assert_false(request_of("{\"model\":\"m\",\"input\":\"a\"}").llm.stream);
    assert_true(request_of("{\"model\":\"m\",\"input\":\"a\",\"stream_format\":\"sse\"}").llm.stream);
    faults("{\"model\":\"m\",\"input\":\"a\",\"stream_format\":7}", DIALECT_E_FIELD, "stream_format");
}

static void rerank_tells_search_units_or_tokens(void **state)
{
    struct wire_request q;
    struct llm_report r;

    subject = &rerank;
    q = request_of("{\"model\":\"m\",\"query\":\"ab\",\"documents\":[\"a\",{\"text\":\"b\"}],\"top_n\":1}");
    assert_int_equal(q.llm.documents, 2);
    assert_int_equal(q.llm.query_bytes, 4);
    r = reply_of("{\"results\":[],\"meta\":{\"billed_units\":{\"search_units\":2.0}}}").llm;
    assert_int_equal(r.usage.n[USAGE_SEARCH], 2);
    assert_true(r.lacks_prompt);
    r = reply_of("{\"results\":[],\"usage\":{\"total_tokens\":26,\"search_units\":3}}").llm;
    assert_int_equal(r.usage.n[USAGE_SEARCH], 3);
    assert_int_equal(r.usage.n[USAGE_INPUT], 26);
    assert_false(reply_of("{\"results\":{}}").has_data);
    assert_true(reply_of("{\"data\":[]}").has_data);
}

static void pages_are_named_or_not(void **state)
{
    struct llm_report r;

    subject = &ocr;
    assert_int_equal(request_of("{\"model\":\"m\",\"document\":{},\"pages\":[0,3]}").llm.pages, 2);
    assert_int_equal(request_of("{\"model\":\"m\",\"document\":{},\"pages\":7}").llm.pages, 1);
    assert_int_equal(request_of("{\"model\":\"m\",\"document\":{},\"pages\":[\"0-3\"]}").llm.pages, 0);
    assert_int_equal(request_of("{\"model\":\"m\",\"document\":{\"image_url\":\"u\"}}").llm.pages, 1);
    r = reply_of("{\"pages\":[{},{}],\"usage_info\":{\"pages_processed\":2}}").llm;
    assert_true(r.has_usage);
    assert_int_equal(r.usage.n[USAGE_PAGE], 2);
    r = reply_of("{\"pages\":[{}],\"usage_info\":{\"pages_processed\":\"2\"}}").llm;
    assert_false(r.has_usage);
    assert_int_equal(r.pages, 1);
    assert_false(reply_of("{\"pages\":{}}").has_data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(embeddings_keep_their_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(completions_are_as_many_as_are_made, set_up, tear_down),
        cmocka_unit_test_setup_teardown(images_say_how_many_and_of_what_kind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(image_tokens_are_told_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(transcriptions_tell_seconds_or_tokens, set_up, tear_down),
        cmocka_unit_test_setup_teardown(speech_counts_characters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rerank_tells_search_units_or_tokens, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pages_are_named_or_not, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
