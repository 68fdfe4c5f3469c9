/* The requests and answers of token counting. */
#include "unit.h"

#include "base/bounds.h"
#include "translation/count_tokens.h"

static struct arena *arena;

static int set_up(void **state)
{
    arena = arena_new(MIB(4));
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    arena_free(arena);
    return 0;
}

static struct wire_request read(const struct count_dialect *d, const char *body)
{
    struct wire_request r = {0};
    struct json_fault fault = {0};

    assert_int_equal(d->read_request(arena, str_c(body), &r, &fault), DIALECT_OK);
    return r;
}

static void edits(const struct count_dialect *d, const char *body, const char *expected)
{
    const struct wire_request_edit edit = {.model = STR("up"), .output_limit = 9};
    struct wire_request r = read(d, body);
    struct buf out;

    buf_init(&out, MIB(1));
    d->edit_request(&r, &edit, &out);
    assert_str(buf_str(&out), expected);
    buf_done(&out);
}

static void faults(const struct count_dialect *d, const char *body, const char *path)
{
    struct wire_request r;
    struct json_fault fault = {0};

    assert_int_equal(d->read_request(arena, str_c(body), &r, &fault), DIALECT_E_FIELD);
    assert_string_equal(fault.path, path);
}

static void answers(const struct count_dialect *d, const char *expected)
{
    uint64_t n = 0;
    struct buf out;

    buf_init(&out, KIB(1));
    d->put_reply(671, &out);
    assert_str(buf_str(&out), expected);
    assert_true(d->read_reply(buf_str(&out), &n));
    assert_int_equal(n, 671);
    assert_false(d->read_reply(STR("{\"input_tokens\":-1,\"totalTokens\":\"3\"}"), &n));
    assert_false(d->read_reply(STR("{}"), &n));
    assert_false(d->read_reply(STR("<html>"), &n));
    buf_done(&out);
}

static void anthropics_needs_no_limit(void **state)
{
    const struct count_dialect *d = &anthropic_count_tokens;
    struct wire_request r = read(
        d, "{\"model\":\"m\",\"system\":\"s\",\"messages\":[{\"role\":\"user\",\"content\":["
           "{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"data\":\"AA\"}}]}]}");

    assert_str(r.llm.model, "m");
    assert_int_equal(r.llm.image_parts, 1);
    assert_true(r.llm.prompt_bytes > 0);
    assert_false(r.llm.has_output_limit);
    edits(d, "{\"model\":\"m\",\"messages\":[]}", "{\"model\":\"up\",\"messages\":[]}");
    faults(d, "{\"model\":\"m\"}", "messages");
    faults(d, "{\"messages\":[]}", "model");
    answers(d, "{\"input_tokens\":671}");
}

static void googles_has_contents_or_a_request(void **state)
{
    const struct count_dialect *d = &gemini_count_tokens;
    struct wire_request r =
        read(d, "{\"generateContentRequest\":{\"model\":\"models/m\",\"contents\":[{\"parts\":["
                "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AA\"}}]}]}}");

    assert_int_equal(r.llm.image_parts, 1);
    edits(d, "{\"contents\":[]}", "{\"contents\":[]}");
    edits(d, "{\"generateContentRequest\":{\"model\":\"models/m\",\"contents\":[]}}",
          "{\"generateContentRequest\":{\"model\":\"models/up\",\"contents\":[]}}");
    edits(d, "{\"generate_content_request\":{\"contents\":[],\"model\":\"models/m\"}}",
          "{\"generate_content_request\":{\"contents\":[],\"model\":\"models/up\"}}");
    faults(d, "{}", "contents");
    faults(d, "{\"contents\":[],\"generateContentRequest\":{\"contents\":[]}}", "contents");
    faults(d, "{\"generateContentRequest\":{}}", "generateContentRequest.contents");
    faults(d, "{\"generateContentRequest\":[]}", "generateContentRequest");
    answers(d, "{\"totalTokens\":671}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anthropics_needs_no_limit),
        cmocka_unit_test(googles_has_contents_or_a_request),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
