/* Events that repeat the one before: whatever is taken for one says what a full reading says. */
#include "unit.h"

#include <stdio.h>

#include "translation/openai_chat/chat.h"
#include "translation/repeat.h"

#define CHUNK(delta, rest)                                                                       \
    "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,"        \
    "\"model\":\"m\",\"service_tier\":\"flex\",\"choices\":[{\"index\":0,\"delta\":{" delta      \
    "},\"finish_reason\":null}]" rest "}"
#define TEXT(text) CHUNK("\"content\":\"" text "\"", ",\"usage\":null")

static struct sse_event event_of(const char *data)
{
    return (struct sse_event){.data = str_c(data), .raw = str_c(data), .ended = true};
}

static struct wire_report read_whole(const struct sse_event *e)
{
    struct wire_report report;

    assert_int_equal(openai_chat_read_event(e, &report), DIALECT_OK);
    return report;
}

static void same(const struct wire_report *a, const struct wire_report *b)
{
    assert_ptr_equal(a->bytes.p, b->bytes.p);
    assert_int_equal(a->bytes.n, b->bytes.n);
    assert_int_equal(a->llm.output_bytes, b->llm.output_bytes);
    assert_int_equal(a->llm.has_usage, b->llm.has_usage);
    assert_int_equal(a->llm.has_service, b->llm.has_service);
    assert_int_equal(a->llm.service, b->llm.service);
    assert_int_equal(a->llm.finish_reason.n, b->llm.finish_reason.n);
    assert_int_equal(a->has_choices, b->has_choices);
    assert_int_equal(a->has_data, b->has_data);
    assert_int_equal(a->error, b->error);
    assert_int_equal(a->done, b->done);
    assert_int_equal(a->usage_only, b->usage_only);
    assert_int_equal(a->usage_at.n, b->usage_at.n);
    assert_int_equal(a->close_at, b->close_at);
    assert_int_equal(a->root_empty, b->root_empty);
    assert_int_equal(a->text.at, b->text.at);
    assert_int_equal(a->text.n, b->text.n);
}

/* Is the second taken for a repetition of the first? */
static bool repeats(const char *first, const char *second)
{
    struct sse_event one = event_of(first), other = event_of(second);
    struct wire_report said = read_whole(&one), taken, whole;
    struct repeat p;
    bool is;

    repeat_init(&p);
    repeat_note(&p, &one, &said);
    is = repeat_take(&p, &other, &taken);
    if (is) {
        whole = read_whole(&other);
        same(&taken, &whole);
    }
    repeat_done(&p);
    return is;
}

static void text_alone_may_differ(void **state)
{
    assert_true(repeats(TEXT("Hello"), TEXT("Hello")));
    assert_true(repeats(TEXT("Hello"), TEXT(" world, and more of it")));
    assert_true(repeats(TEXT("Hello"), TEXT("")));
    assert_true(repeats(TEXT(""), TEXT("x")));
    assert_true(repeats(TEXT("a \\\"quoted\\\" word"), TEXT("b")));
    assert_true(repeats(TEXT("a"), TEXT("\xe6\xbc\xa2\xe5\xad\x97")));
    assert_true(repeats(CHUNK("\"content\":null,\"reasoning_content\":\"a\"", ""),
                        CHUNK("\"content\":null,\"reasoning_content\":\"bc\"", "")));
}

static void whatever_else_differs_is_read(void **state)
{
    static const char *const others[] = {
        TEXT("an \\\"escape"), /* counted as it stands, but not without a look */
        TEXT("\xff"),
        TEXT("a\tb"),
        TEXT("\"},\"finish_reason\":\"stop\"}],\"x\":[{\"y\":{\"z\":\""),
        CHUNK("\"content\":\"a\"", ",\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}"),
        CHUNK("\"content\":\"a\"", ",\"error\":{}"),
        CHUNK("\"role\":\"assistant\",\"content\":\"a\"", ",\"usage\":null"),
        "{}", "", "[DONE]",
    };

    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_false(repeats(TEXT("Hello"), others[i]));
}

static void what_says_more_than_text_is_not_repeated(void **state)
{
    static const char *const firsts[] = {
        CHUNK("\"content\":\"a\"", ",\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}"),
        CHUNK("\"content\":\"a\"", ",\"error\":{\"message\":\"m\"}"),
        CHUNK("\"content\":\"a\",\"refusal\":\"b\"", ""),
        CHUNK("\"content\":[\"a\"]", ""),
        "{\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}",
        "{\"choices\":[{\"delta\":{\"content\":\"a\"}},{\"delta\":{\"content\":\"b\"}}]}",
        "{\"choices\":[]}",
    };

    for (size_t i = 0; i < ARRAY_LEN(firsts); i++)
        assert_false(repeats(firsts[i], firsts[i]));
}

static void an_event_of_another_kind_is_read(void **state)
{
    struct sse_event one = event_of(TEXT("a")), other = one;
    struct wire_report said = read_whole(&one), taken;
    struct repeat p;

    repeat_init(&p);
    assert_false(repeat_take(&p, &one, &taken));
    repeat_note(&p, &one, &said);
    other.type = STR("error");
    assert_false(repeat_take(&p, &other, &taken));
    other = one;
    other.ended = false; /* torn off */
    assert_false(repeat_take(&p, &other, &taken));
    other.ended = true;
    other.type = STR_NONE;
    assert_true(repeat_take(&p, &other, &taken));
    repeat_done(&p);
}

/* One byte of it becomes another, at every place: what is still taken says the same when it is read. */
static void no_byte_changes_unseen(void **state)
{
    static const char bytes[] = "\"\\{}[],:x0 \n\x01\x80\xc3";
    const char *first = TEXT("Hello");
    char other[512];
    unsigned taken = 0;

    for (size_t at = 0; at < strlen(first); at++)
        for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
            (void)snprintf(other, sizeof(other), "%s", first);
            other[at] = bytes[i];
            taken += repeats(first, other) && other[at] != first[at];
        }
    assert_int_equal(taken, strlen("Hello") * strlen("{}[],:x0 "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_alone_may_differ),
        cmocka_unit_test(whatever_else_differs_is_read),
        cmocka_unit_test(what_says_more_than_text_is_not_repeated),
        cmocka_unit_test(an_event_of_another_kind_is_read),
        cmocka_unit_test(no_byte_changes_unseen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
