/* Text to tree and back: nothing is bent on the way. */
#include "unit.h"

#include "base/random.h"
#include "json/value.h"
#include "json/write.h"

static struct json_fault fault;

static void same_again(const char *text, const char *expected)
{
    _cleanup_json_ struct json_object *v = NULL;
    struct buf b;

    buf_init(&b, 100000);
    if (json_parse(str_c(text), &v, &fault) != JSON_OK)
        fail_msg("%s: %s", text, fault.reason);
    assert_int_equal(json_print(v, &b), 0);
    assert_str(buf_str(&b), expected);
    buf_done(&b);
}

static void values_keep_their_text(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1.50",
        "1e400",
        "1E-7",
        "[1,[2,[]],{}]",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "-9223372036854775809",
        "123456789012345678901234567890",
        "\"\"",
        "\"/\"",
        "{\"a\":1,\"b\":{\"c\":[null,\"x\"]},\"\":\"\"}",
        "\"\\u0000\\n\\\"\\\\\"",
        "\"\xc3\xa4\xf0\x9f\x98\x80\"",
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        same_again(texts[i], texts[i]);
}

static void space_and_escapes_are_normalised(void **state)
{
    same_again(" { \"a\\u0062\" : [ 1 , 2 ] ,\n\"c\":\t\"\\/\\u00e4\" } ",
               "{\"ab\":[1,2],\"c\":\"/\xc3\xa4\"}");
    same_again("\"\\ud83d\\ude00 \\ud83d\"", "\"\xf0\x9f\x98\x80 \xef\xbf\xbd\"");
    same_again("\"\xc3\xa4\\n\xc3\xa4\\\"x\"", "\"\xc3\xa4\\n\xc3\xa4\\\"x\"");
}

static void kinds_are_told_apart(void **state)
{
    static const struct {
        const char *text;
        enum json_kind kind;
    } cases[] = {
        {"1", JSON_INT},        {"-0", JSON_NUMBER},
        {"1.0", JSON_NUMBER},   {"1e0", JSON_NUMBER},
        {"\"1\"", JSON_STRING}, {"null", JSON_NULL},
        {"true", JSON_BOOL},    {"[]", JSON_ARRAY},
        {"{}", JSON_OBJECT},    {"9223372036854775808", JSON_NUMBER},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        _cleanup_json_ struct json_object *v = NULL;

        assert_int_equal(json_parse(str_c(cases[i].text), &v, &fault), JSON_OK);
        assert_int_equal(json_kind(v), cases[i].kind);
    }
}

static void what_is_not_json_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "NaN",
        "{\"a\":1}x",
        "[1,]",
        "'a'",
        "{\"a\":{\"b\":1,\"b\":2}}",
        "{\"a\\u0000b\":1}",
        "\"\xff\"",
        "01",
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct json_object *v = NULL;

        assert_int_equal(json_parse(str_c(texts[i]), &v, &fault), JSON_E_FAULT);
        assert_null(v);
    }
    assert_int_equal(json_parse(STR("{}\0"), &(struct json_object *){NULL}, &fault), JSON_E_FAULT);
}

static void deepest_documents_are_read_and_printed(void **state)
{
    char text[129] = {0};

    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    same_again(text, text);
}

/* A random document, written compactly by rules of its own. */
static void put_random(struct buf *b, int depth)
{
    static const char *const scalars[] = {
        "null",   "true",     "12",
        "-1.5e3", "\"\"",     "\"x\"",
        "0.10",   "\"\\\\\"", "\"\xc3\xa4 long enough for a vector\""};
    uint32_t n = random_below(4);

    switch (depth > 6 ? 2 : random_below(4)) {
    case 0:
        buf_putc(b, '[');
        for (uint32_t i = 0; i < n; i++) {
            buf_puts(b, i ? "," : "");
            put_random(b, depth + 1);
        }
        buf_putc(b, ']');
        break;
    case 1:
        buf_putc(b, '{');
        for (uint32_t i = 0; i < n; i++) {
            buf_printf(b, "%s\"%u\\\"%u\":", i ? "," : "", i, random_below(100));
            put_random(b, depth + 1);
        }
        buf_putc(b, '}');
        break;
    default:
        buf_puts(b, scalars[random_below(ARRAY_LEN(scalars))]);
    }
}

static void random_documents_come_back_as_they_were(void **state)
{
    struct buf b;

    buf_init(&b, 1000000);
    random_drive(9);
    for (int i = 0; i < 2000; i++) {
        buf_reset(&b);
        put_random(&b, 0);
        buf_putc(&b, '\0');
        same_again(b.p, b.p);
    }
    random_undrive();
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_keep_their_text),
        cmocka_unit_test(space_and_escapes_are_normalised),
        cmocka_unit_test(kinds_are_told_apart),
        cmocka_unit_test(what_is_not_json_is_refused),
        cmocka_unit_test(deepest_documents_are_read_and_printed),
        cmocka_unit_test(random_documents_come_back_as_they_were),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
