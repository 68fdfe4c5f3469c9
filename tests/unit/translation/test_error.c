/* What failed upstreams really send, and the error document that a client gets for it. */
#include "unit.h"

#include "base/bounds.h"
#include "translation/said.h"

/* expected NULL: nothing that a client can be told. */
static void mends(const char *body, const char *expected)
{
    struct wire_error otherwise = {.message = STR("It failed."), .type = "upstream_error"};
    struct buf out;
    bool told;

    buf_init(&out, MIB(1));
    told = openai_chat.edit_error(str_c(body), &otherwise, &out);
    assert_int_equal(buf_finish(&out), 0);
    assert_int_equal(told, expected != NULL);
    assert_str(buf_str(&out), expected ? expected : "");
    buf_done(&out);
}

#define MADE(message, type, code)                                                              \
    "{\"error\":{\"message\":" message ",\"type\":" type ",\"param\":null,\"code\":" code "}}"

static void an_error_in_order_passes_untouched(void **state)
{
    mends("{ \"error\":{\"message\":\"a\",\"type\":\"t\",\"param\":null,\"code\":\"c\",\"x\":1}, "
          "\"y\":2}",
          "{ \"error\":{\"message\":\"a\",\"type\":\"t\",\"param\":null,\"code\":\"c\",\"x\":1}, "
          "\"y\":2}");
    mends("{\"error\":{\"message\":\"a\",\"type\":\"t\",\"param\":\"p\",\"code\":null}}",
          "{\"error\":{\"message\":\"a\",\"type\":\"t\",\"param\":\"p\",\"code\":null}}");
}

static void what_lacks_in_an_error_is_put_in(void **state)
{
    mends("{\"error\":{\"message\":\"a\",\"code\":429,\"metadata\":{\"k\":1}},\"user_id\":\"u\"}",
          "{\"error\":{\"message\":\"a\",\"code\":\"429\",\"metadata\":{\"k\":1},\"type\":"
          "\"upstream_error\",\"param\":null},\"user_id\":\"u\"}");
    mends("{\"error\":{}}", MADE("\"It failed.\"", "\"upstream_error\"", "null"));
    mends("{\"error\":{\"message\":{\"d\":\"x\"},\"type\":null,\"param\":3,\"code\":[]}}",
          MADE("\"{\\\"d\\\":\\\"x\\\"}\"", "\"upstream_error\"", "null"));
    mends("{\"error\":{\"message\":null,\"type\":\"t\"}}",
          "{\"error\":{\"message\":\"It failed.\",\"type\":\"t\",\"param\":null,\"code\":null}}");
    mends("[{\"error\":{\"code\":400,\"message\":\"a } b\",\"status\":\"INVALID\"}}]",
          "{\"error\":{\"code\":\"400\",\"message\":\"a } b\",\"status\":\"INVALID\",\"type\":"
          "\"upstream_error\",\"param\":null}}");
}

static void errors_of_other_shapes_become_one(void **state)
{
    mends("{\"error\":\"model \\\"x\\\" is busy\"}",
          MADE("\"model \\\"x\\\" is busy\"", "\"upstream_error\"", "null"));
    mends("{\"object\":\"error\",\"message\":\"too long\",\"type\":\"BadRequestError\",\"param\":"
          "null,\"code\":400}",
          MADE("\"too long\"", "\"BadRequestError\"", "\"400\""));
    mends("{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Busy.\"},"
          "\"request_id\":\"req_1\"}",
          MADE("\"Busy.\"", "\"overloaded_error\"", "null"));
    mends("{\"detail\":\"no\"}", MADE("\"no\"", "\"upstream_error\"", "null"));
    mends("{\"detail\":[{\"loc\":[1],\"msg\":\"field required\",\"type\":\"missing\"}]}",
          MADE("\"field required\"", "\"upstream_error\"", "null"));
    mends("  upstream says \"no\"\n",
          MADE("\"upstream says \\\"no\\\"\"", "\"upstream_error\"", "null"));
    mends("", MADE("\"It failed.\"", "\"upstream_error\"", "null"));
    mends("{\"x\":1}", MADE("\"It failed.\"", "\"upstream_error\"", "null"));
}

static void a_page_is_no_error_for_a_client(void **state)
{
    mends("<html><body>502</body></html>", NULL);
    mends("  \n<!doctype html>", NULL);
    mends("\x1f\x8b\x08", NULL);
    mends("a\x01", NULL);
    mends("[1]", NULL);
    mends("[]", NULL);
    mends("7", NULL);
}

static void an_error_within_a_200_names_its_status(void **state)
{
    assert_int_equal(openai_chat.error_status(STR("{\"error\":{\"code\":429}}")), 429);
    assert_int_equal(openai_chat.error_status(STR("{\"error\":\"x\",\"code\":503}")), 503);
    assert_int_equal(openai_chat.error_status(STR("{\"error\":{\"code\":\"429\"}}")), 0);
    assert_int_equal(openai_chat.error_status(STR("{\"error\":{\"code\":200}}")), 0);
    assert_int_equal(openai_chat.error_status(STR("x")), 0);
}

static void a_record_gets_the_sentence_of_any_shape(void **state)
{
    static const struct {
        const char *body, *sentence;
    } cases[] = {
        {"{\"error\":{\"message\":\"a \\\"b\\\"\"}}", "a \"b\""},
        {"[{\"error\":{\"message\":\"a\"}}]", "a"},
        {"{\"type\":\"response.failed\",\"response\":{\"error\":{\"message\":\"a\"}}}", "a"},
        {"{\"Message\":\"a\"}", "a"},
        {"{\"detail\":[{\"msg\":\"a\"}]}", "a"},
        {" busy \n", "busy"},
    };
    struct arena *a = arena_new(KIB(64));

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_str(said_text(a, str_c(cases[i].body)), cases[i].sentence);
    assert_null(said_text(a, STR("<html>")).p);
    assert_null(said_text(a, STR("{\"error\":{\"message\":7}}")).p);
    arena_free(a);
}

static void why_a_request_was_refused_is_seen_where_it_is_said(void **state)
{
    static const struct {
        const char *body;
        enum said_refusal why;
    } cases[] = {
        {"{\"error\":{\"message\":\"x\",\"code\":\"context_length_exceeded\"}}", SAID_REFUSED_FOR_LENGTH},
        {"{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":"
         "\"prompt is too long: 213462 tokens > 200000 maximum\"}}", SAID_REFUSED_FOR_LENGTH},
        {"[{\"error\":{\"code\":400,\"message\":\"The input token count (1200293) exceeds the maximum number of "
         "tokens allowed (1048576).\",\"status\":\"INVALID_ARGUMENT\"}}]", SAID_REFUSED_FOR_LENGTH},
        {"{\"message\":\"Input is too long for requested model.\"}", SAID_REFUSED_FOR_LENGTH},
        {"{\"object\":\"error\",\"message\":\"This model's maximum context length is 4096 tokens.\","
         "\"type\":\"BadRequestError\",\"code\":400}", SAID_REFUSED_FOR_LENGTH},
        {"{\"error\":{\"message\":\"The response was filtered\",\"code\":\"content_filter\"}}",
         SAID_REFUSED_FOR_CONTENT},
        {"{\"error\":{\"message\":\"x\",\"code\":\"content_policy_violation\"}}", SAID_REFUSED_FOR_CONTENT},
        {"{\"error\":{\"message\":\"max_tokens is too large\",\"code\":null}}", SAID_REFUSED_OTHERWISE},
        {"{\"messages\":\"prompt is too long\"}", SAID_REFUSED_OTHERWISE},
        {"prompt is too long", SAID_REFUSED_FOR_LENGTH},
        {"<html>prompt is too long</html>", SAID_REFUSED_OTHERWISE},
        {"", SAID_REFUSED_OTHERWISE},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (wire_error_refusal(str_c(cases[i].body)) != cases[i].why)
            fail_msg("%s", cases[i].body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(why_a_request_was_refused_is_seen_where_it_is_said),
        cmocka_unit_test(an_error_in_order_passes_untouched),
        cmocka_unit_test(what_lacks_in_an_error_is_put_in),
        cmocka_unit_test(errors_of_other_shapes_become_one),
        cmocka_unit_test(a_page_is_no_error_for_a_client),
        cmocka_unit_test(an_error_within_a_200_names_its_status),
        cmocka_unit_test(a_record_gets_the_sentence_of_any_shape),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
