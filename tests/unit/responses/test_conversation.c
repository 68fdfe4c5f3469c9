/* Conversations that go on from an answer: what is read of a request, and what providers get. */
#include "unit.h"

#include "base/bounds.h"
#include "responses/conversation.h"

static struct arena *a;

static int setup(void **state)
{
    a = arena_new(MIB(128));
    return a ? 0 : -1;
}

static int teardown(void **state)
{
    arena_free(a);
    return 0;
}

static struct conversation_request read_ok(const char *body)
{
    struct conversation_request q;
    struct json_fault fault;

    assert_int_equal(conversation_read(a, str_c(body), &q, &fault), CONVERSATION_OK);
    return q;
}

static void refuses(const char *body, int outcome, const char *field)
{
    struct conversation_request q;
    struct json_fault fault;

    assert_int_equal(conversation_read(a, str_c(body), &q, &fault), outcome);
    assert_string_equal(fault.path, field);
}

static void writes(const char *body, const char *before, const char *wanted, const char *input)
{
    struct conversation_request q = read_ok(body);
    struct str written, items;

    assert_int_equal(conversation_write(a, &q, str_c(before), &written, &items), CONVERSATION_OK);
    assert_str(written, wanted);
    if (input)
        assert_str(items, input);
    else
        assert_null(items.p);
}

static void what_a_request_says_is_read(void **state)
{
    struct conversation_request q =
        read_ok("{\"model\":\"m\\u0031\",\"stream\":true,\"store\":true,"
                "\"previous_response_id\":\"resp_1\",\"input\":[]}");

    assert_str(q.model, "m1");
    assert_str(q.previous_id, "resp_1");
    assert_true(q.stream);
    assert_int_equal(q.store, CONVERSATION_STORE_YES);
    q = read_ok("{\"model\":\"m\",\"store\":null,\"previous_response_id\":null,\"prompt\":null,"
                "\"conversation\":null,\"background\":false,\"input\":\"x\"}");
    assert_int_equal(q.store, CONVERSATION_STORE_UNSAID);
    assert_null(q.previous_id.p);
}

static void what_is_not_done_here_is_refused_by_name(void **state)
{
    struct conversation_request q;
    struct json_fault fault;

    refuses("{\"model\":\"m\",\"background\":true}", CONVERSATION_E_UNSUPPORTED, "background");
    refuses("{\"model\":\"m\",\"background\":1}", CONVERSATION_E_FIELD, "background");
    refuses("{\"model\":\"m\",\"conversation\":\"conv_1\"}", CONVERSATION_E_UNSUPPORTED,
            "conversation");
    refuses("{\"model\":\"m\",\"prompt\":{\"id\":\"p\"}}", CONVERSATION_E_UNSUPPORTED, "prompt");
    refuses("{\"model\":\"m\",\"store\":\"yes\"}", CONVERSATION_E_FIELD, "store");
    refuses("{\"model\":\"m\",\"previous_response_id\":7}", CONVERSATION_E_FIELD,
            "previous_response_id");
    assert_int_equal(conversation_read(a, STR("{\"model\":"), &q, &fault), CONVERSATION_E_SYNTAX);
    assert_int_equal(conversation_read(a, STR("[]"), &q, &fault), CONVERSATION_E_SYNTAX);
}

static void providers_are_asked_to_store_nothing(void **state)
{
    struct conversation_request q;
    struct str body;

    writes("{\"model\":\"m\", \"input\":[{\"a\":1}], \"more\": 1.50}", "",
           "{\"store\":false,\"model\":\"m\", \"input\":[{\"a\":1}], \"more\": 1.50}",
           "[{\"a\":1}]");
    writes("{\"model\":\"m\",\"store\":true,\"input\":\"h\\u00e9\"}", "",
           "{\"model\":\"m\",\"store\":false,\"input\":\"h\\u00e9\"}",
           "[{\"type\":\"message\",\"role\":\"user\",\"content\":"
           "[{\"type\":\"input_text\",\"text\":\"h\\u00e9\"}]}]");
    writes("{\"background\":false,\"prompt\":null,\"model\":\"m\",\"input\":[],"
           "\"conversation\":null,\"previous_response_id\":null}",
           "",
           "{\"store\":false,\"prompt\":null,\"model\":\"m\",\"input\":[],"
           "\"conversation\":null,\"previous_response_id\":null}",
           "[]");
    writes("{\"model\":\"m\",\"input\":7}", "", "{\"store\":false,\"model\":\"m\",\"input\":7}",
           NULL);
    writes("{\"input\":[]}", "", "{\"input\":[]}", NULL); /* refused for want of a model */
    writes("{}", "", "{}", NULL);
    q = read_ok("{\"model\":\"m\",\"input\":\"x\"}");
    assert_int_equal(conversation_write(a, &q, STR(""), &body, NULL), CONVERSATION_OK);
    assert_str(body, "{\"store\":false,\"model\":\"m\",\"input\":\"x\"}");
}

static void what_came_before_stands_in_front(void **state)
{
    writes("{\"previous_response_id\":\"r\",\"model\":\"m\",\"input\":[ {\"b\":2} ]}",
           "{\"a\":1}", "{\"store\":false,\"model\":\"m\",\"input\":[{\"a\":1},{\"b\":2}]}",
           "[{\"a\":1},{\"b\":2}]");
    writes("{\"model\":\"m\",\"input\":\"go on\",\"previous_response_id\":\"r\"}", "{\"a\":1}",
           "{\"store\":false,\"model\":\"m\",\"input\":[{\"a\":1},{\"type\":\"message\","
           "\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"go on\"}]}]}",
           "[{\"a\":1},{\"type\":\"message\",\"role\":\"user\",\"content\":"
           "[{\"type\":\"input_text\",\"text\":\"go on\"}]}]");
    writes("{\"model\":\"m\",\"input\":[],\"previous_response_id\":\"r\"}", "{\"a\":1}",
           "{\"store\":false,\"model\":\"m\",\"input\":[{\"a\":1}]}", "[{\"a\":1}]");
    writes("{\"model\":\"m\",\"previous_response_id\":\"r\"}", "{\"a\":1}",
           "{\"store\":false,\"input\":[{\"a\":1}],\"model\":\"m\"}", "[{\"a\":1}]");
}

static void a_conversation_beyond_a_request_is_refused(void **state)
{
    struct conversation_request q = read_ok("{\"model\":\"m\",\"input\":\"x\"}");
    struct buf big;
    struct str body, items;

    buf_init(&big, MIB(32));
    buf_putc(&big, '"');
    for (size_t i = 0; i < BOUND_LLM_BODY_BYTES / KIB(1); i++)
        buf_printf(&big, "%1024s", "x");
    buf_putc(&big, '"');
    assert_int_equal(buf_finish(&big), 0);
    assert_int_equal(conversation_write(a, &q, buf_str(&big), &body, &items), CONVERSATION_E_LARGE);
    buf_done(&big);
}

static void the_next_request_goes_on_from_both(void **state)
{
    struct str items;

    assert_int_equal(
        conversation_items(
            a, STR("[{\"role\":\"user\",\"content\":\"Hi\"}]"),
            STR("{\"id\":\"r\",\"output\":[{\"type\":\"reasoning\",\"id\":\"rs_1\",\"summary\":[]},"
                "{\"type\":\"reasoning\",\"encrypted_content\":\"e\"},"
                "{\"type\":\"message\",\"content\":[{\"text\":\"a, ]}\\\"\"}]}]}"),
            &items),
        CONVERSATION_OK);
    assert_str(items, "{\"role\":\"user\",\"content\":\"Hi\"},"
                      "{\"type\":\"reasoning\",\"encrypted_content\":\"e\"},"
                      "{\"type\":\"message\",\"content\":[{\"text\":\"a, ]}\\\"\"}]}");
    assert_int_equal(conversation_items(a, STR("[]"), STR("{\"output\":[]}"), &items),
                     CONVERSATION_OK);
    assert_int_equal(items.n, 0);
    assert_int_equal(conversation_items(a, STR("{}"), STR("{\"output\":[]}"), &items),
                     CONVERSATION_E_SYNTAX);
    assert_int_equal(conversation_items(a, STR("[]"), STR("{\"output\":null}"), &items),
                     CONVERSATION_E_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_request_says_is_read),
        cmocka_unit_test(what_is_not_done_here_is_refused_by_name),
        cmocka_unit_test(providers_are_asked_to_store_nothing),
        cmocka_unit_test(what_came_before_stands_in_front),
        cmocka_unit_test(a_conversation_beyond_a_request_is_refused),
        cmocka_unit_test(the_next_request_goes_on_from_both),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
