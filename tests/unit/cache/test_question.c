/* Which text of a request is its question, and what of it has to be the same. */
#include "unit.h"

#include <stdio.h>

#include "base/bounds.h"
#include "cache/question.h"

static void the_last_text_of_the_user_is_found_in_each_format(void **state)
{
    static const struct {
        const char *endpoint, *body, *text; /* text NULL: none */
    } rows[] = {
        {"chat.completions", "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\",\"content\":\"b\"}]}", "\"b\""},
        {"chat.completions", "{\"messages\":[{\"content\":[{\"text\":\"a\",\"type\":\"text\"}],\"role\":\"user\"}]}", "\"a\""},
        {"chat.completions", "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}]}]}", NULL},
        {"chat.completions", "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"text\":\"a\"}]}]}", NULL},
        {"chat.completions", "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"}]}", NULL},
        {"chat.completions", "{\"messages\":[{\"content\":\"a\"}]}", NULL},
        {"chat.completions", "{\"messages\":[{\"role\":\"user\",\"content\":\"\"}]}", NULL},
        {"chat.completions", "{\"messages\":[{\"role\":\"user\",\"content\":null}]}", NULL},
        {"chat.completions", "{\"messages\":[\"a\"]}", NULL},
        {"chat.completions", "{\"messages\":[]}", NULL},
        {"chat.completions", "{\"messages\":[{\"role\":\"tool\",\"content\":\"a\"}]}", NULL},
        {"messages", "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"x\",\"content\":\"a\"}]}]}", NULL},
        {"messages", "{\"system\":\"s\",\"messages\":[{\"role\":\"user\",\"content\":\"a\\\"b\"}]}", "\"a\\\"b\""},
        {"responses", "{\"input\":\"a\"}", "\"a\""},
        {"responses", "{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"a\"}]}]}", "\"a\""},
        {"responses", "{\"input\":[{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":\"a\"}]}", NULL},
        {"generateContent", "{\"contents\":[{\"parts\":[{\"text\":\"a\"}]}]}", "\"a\""},
        {"streamGenerateContent", "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"a\"}]}]}", "\"a\""},
        {"generateContent", "{\"contents\":[{\"role\":\"model\",\"parts\":[{\"text\":\"a\"}]}]}", NULL},
        {"generateContent", "{\"contents\":[{\"parts\":[{\"inlineData\":{}}]}]}", NULL},
        {"completions", "{\"prompt\":\"a\"}", NULL},
        {"embeddings", "{\"input\":\"a\"}", NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str body = str_c(rows[i].body);
        struct json_span span = {.n = 0};
        bool found = question_find(str_c(rows[i].endpoint), body, &span);

        if (found != (rows[i].text != NULL))
            fail_msg("row %zu", i);
        if (found)
            assert_str(json_span_str(body, span), rows[i].text);
    }
}

static void one_that_is_too_long_is_none(void **state)
{
    static char body[QUESTION_BYTES + 128];
    struct json_span span;

    for (size_t n = QUESTION_BYTES - 2; n <= QUESTION_BYTES - 1; n++) {
        int head = snprintf(body, sizeof(body), "{\"input\":\"");

        memset(body + head, 'a', n);
        memcpy(body + head + n, "\"}", sizeof("\"}"));
        assert_int_equal(question_find(STR("responses"), str_c(body), &span), n == QUESTION_BYTES - 2);
    }
}

static struct question of(const char *text)
{
    struct question q;

    assert_true(question_read(str_c(text), &q));
    return q;
}

static bool same_facts(const char *a, const char *b)
{
    struct question x = of(a), y = of(b);

    return digest_eq(&x.facts, &y.facts);
}

static void its_facts_are_numbers_quotes_and_polarity(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"Convert 100 euros", "convert 100 dollars", true},
        {"Convert 100 euros", "Convert 101 euros", false},
        {"Add 2 to 3", "Add 3 to 2", false},
        {"Is it (5)?", "Is that 5.", true},
        {"Is it 5.0?", "Is it 5?", false},
        {"Is it v2?", "Is it V2?", true},
        {"Is it $5?", "Is it 5?", false},
        {"\xD9\xA3 of them", "\xD9\xA4 of them", false},
        {"\xEF\xBC\x91 of them", "\xEF\xBC\x92 of them", false},
        {"\xC3\xA9t\xC3\xA9", "ete", true},
        {"Turn it on", "Turn it OFF", false},
        {"Why does it work?", "Why doesn't it work?", false},
        {"Why doesn\xE2\x80\x99t it work?", "Why does it work?", false},
        {"I want nothing", "I want a note", true},
        {"Enabling alerts", "Disabling alerts", false},
        {"Say \"yes\" please", "Say \"no\" please", false},
        {"Say \xE2\x80\x9Cyes\xE2\x80\x9D", "Say \xE2\x80\x9Cwell\xE2\x80\x9D", false},
        {"Say \xC2\xAByes\xC2\xBB", "Say \xC2\xABwell\xC2\xBB", false},
        {"Run `ls`", "Run `rm`", false},
        {"A lone \" quote", "Lone \" quote", true},
        {"Say \"a\" and \"b\"", "Tell \"a\" or \"b\"", true},
        {"...", "!!", true},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (same_facts(rows[i].a, rows[i].b) != rows[i].same)
            fail_msg("%s / %s", rows[i].a, rows[i].b);
}

static void the_order_of_the_same_words_is_told(void **state)
{
    const struct question a = of("From Rome to Paris"), b = of("from paris to ROME?"), c = of("from rome, to Paris!"),
                          more = of("From Rome to Paris now");

    assert_true(digest_eq(&a.bag, &b.bag));
    assert_false(digest_eq(&a.words, &b.words));
    assert_true(digest_eq(&a.words, &c.words));
    assert_false(digest_eq(&a.bag, &more.bag));
}

static void too_many_words_are_no_question(void **state)
{
    static char text[QUESTION_BYTES];
    struct question q;

    for (size_t i = 0; i + 1 < sizeof(text); i++)
        text[i] = i % 2 ? ' ' : 'a';
    assert_false(question_read(str_c(text), &q));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_text_of_the_user_is_found_in_each_format),
        cmocka_unit_test(one_that_is_too_long_is_none),
        cmocka_unit_test(its_facts_are_numbers_quotes_and_polarity),
        cmocka_unit_test(the_order_of_the_same_words_is_told),
        cmocka_unit_test(too_many_words_are_no_question),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
