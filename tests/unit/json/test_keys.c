/* Keys: each once in its object, whatever they are and however many are open. */
#include "unit.h"

#include <stdio.h>

#include "base/bounds.h"
#include "base/random.h"
#include "json/scan.h"

static struct json_fault fault;
static struct json_scan_result result;

static int scan(struct str doc)
{
    memset(&fault, 0, sizeof(fault));
    return json_scan(doc, NULL, 0, &result, &fault);
}

/* An object with n keys, as the root or one level down; an escape in each if asked for. */
static void put_object(struct buf *b, unsigned n, bool escaped)
{
    buf_putc(b, '{');
    for (unsigned i = 0; i < n; i++)
        buf_printf(b, "%s\"%s%u\":%u", i ? "," : "", escaped ? "\\u006b" : "k", i, i);
    buf_putc(b, '}');
}

static int scan_keys(unsigned n, bool escaped, const char *before, const char *behind)
{
    struct buf b;
    int r;

    buf_init(&b, 4000000);
    buf_puts(&b, before);
    put_object(&b, n, escaped);
    buf_puts(&b, behind);
    r = scan(buf_str(&b));
    buf_done(&b);
    return r;
}

static void keys_of_one_object_are_counted(void **state)
{
    assert_int_equal(scan_keys(BOUND_JSON_KEYS_PER_OBJECT, false, "", ""), JSON_OK);
    assert_int_equal(scan_keys(BOUND_JSON_KEYS_PER_OBJECT, true, "", ""), JSON_OK);
    assert_int_equal(scan_keys(BOUND_JSON_KEYS_PER_OBJECT, false, "[", "]"), JSON_OK);
    assert_int_equal(scan_keys(BOUND_JSON_KEYS_PER_OBJECT + 1, false, "", ""), JSON_E_FAULT);
    assert_string_equal(fault.reason, "too many keys in one object");
    assert_int_equal(scan_keys(BOUND_JSON_KEYS_PER_OBJECT + 1, false, "[", "]"), JSON_E_FAULT);
}

static void open_keys_are_counted_over_nesting_objects(void **state)
{
    struct buf b;

    buf_init(&b, 4000000);
    for (int levels = 1; levels <= 2; levels++) {
        buf_reset(&b);
        buf_puts(&b, "{\"first\":");
        put_object(&b, 3000, false);
        buf_puts(&b, ",\"second\":{\"third\":"); /* the first one is closed by now */
        put_object(&b, 4000, false);
        buf_puts(&b, "}}");
        assert_int_equal(json_check(buf_str(&b), &fault), JSON_OK);
    }
    buf_reset(&b);
    buf_puts(&b, "{\"pad\":0");
    for (unsigned i = 0; i < 3000; i++)
        buf_printf(&b, ",\"k%u\":%u", i, i);
    buf_puts(&b, ",\"inner\":");
    put_object(&b, 3000, false);
    buf_putc(&b, '}');
    assert_int_equal(scan(buf_str(&b)), JSON_OK); /* the inner one is not looked through */
    assert_int_equal(json_check(buf_str(&b), &fault), JSON_E_FAULT);
    assert_string_equal(fault.reason, "too many keys");
    assert_string_equal(fault.path, "inner.k2118"); /* 5120 less 3002 outside: the 2119th */
    buf_done(&b);
}

static void long_keys_are_refused_only_where_they_are_compared(void **state)
{
    static char doc[200000];
    size_t n = 0;

    doc[n++] = '{';
    doc[n++] = '"';
    memset(doc + n, 'k', 70000);
    n += 70000;
    memcpy(doc + n, "\":1}", 4);
    n += 4;
    assert_int_equal(scan(str_n(doc, n)), JSON_E_FAULT);
    assert_string_equal(fault.reason, "this key is too long");
    memmove(doc + 1, doc, n);
    doc[0] = '[';
    doc[n + 1] = ']';
    assert_int_equal(scan(str_n(doc, n + 2)), JSON_OK);
    assert_int_equal(json_check(str_n(doc, n + 2), &fault), JSON_E_FAULT);
}

static void long_keys_with_escapes_are_refused_only_where_they_are_compared(void **state)
{
    char doc[8 + BOUND_JSON_ESCAPED_KEY_BYTES + 8] = "[{\"\\n";
    size_t n = strlen(doc);

    memset(doc + n, 'k', BOUND_JSON_ESCAPED_KEY_BYTES - 1); /* the escape is one byte more */
    n += BOUND_JSON_ESCAPED_KEY_BYTES - 1;
    memcpy(doc + n, "\":1}]", 5);
    assert_int_equal(json_check(str_n(doc, n + 5), &fault), JSON_OK);
    memcpy(doc + n, "k\":1}]", 6);
    assert_int_equal(json_check(str_n(doc, n + 6), &fault), JSON_E_FAULT);
    assert_string_equal(fault.reason, "this key is too long");
    assert_int_equal(scan(str_n(doc, n + 6)), JSON_OK);
}

/* Of every length, the words of a key tell it from one that differs in any byte. */
static void keys_that_differ_in_one_byte_are_two(void **state)
{
    enum { LONGEST = 40 };
    char doc[2 * LONGEST + 20];

    for (int n = 1; n <= LONGEST; n++)
        for (int other = -1; other < n; other++) {
            char keys[2][LONGEST];
            int bytes;

            for (int i = 0; i < n; i++)
                keys[0][i] = keys[1][i] = (char)('a' + i % 26);
            if (other >= 0)
                keys[1][other] = '_';
            bytes = snprintf(doc, sizeof(doc), "{\"%.*s\":1,\"%.*s\":2}", n, keys[0], n, keys[1]);
            assert_int_equal(scan(str_n(doc, (size_t)bytes)), other >= 0 ? JSON_OK : JSON_E_FAULT);
        }
}

/* Documents of more than a few open keys and containers are read on in another place. */
static void what_is_open_is_known_however_much_it_is(void **state)
{
    struct buf b;

    buf_init(&b, 100000);
    for (int depth = 1; depth <= BOUND_JSON_DEPTH; depth++)
        for (int twice = -1; twice < depth; twice += 1 + depth / 8) {
            buf_reset(&b);
            for (int i = 0; i < depth; i++)
                buf_puts(&b, i + 1 < depth ? "{\"k\":0,\"a\":" : "{\"k\":0,\"z\":0");
            for (int i = depth - 1; i >= 0; i--)
                buf_puts(&b, i == twice ? ",\"\\u006b\":0}" : ",\"b\":0}");
            assert_int_equal(json_check(buf_str(&b), &fault), twice < 0 ? JSON_OK : JSON_E_FAULT);
            if (twice >= 0)
                assert_int_equal(strlen(fault.path), 2 * twice + (int)strlen("\\u006b"));
        }
    for (unsigned n = 1; n < 300; n += 7)
        for (unsigned twice = 0; twice <= n; twice += 11) {
            buf_reset(&b);
            buf_puts(&b, "{\"first\":0");
            for (unsigned i = 0; i < n; i++)
                buf_printf(&b, ",\"%u\":0", i);
            buf_printf(&b, ",\"%u\":[{\"k\":0}]}", twice < n ? twice : n);
            assert_int_equal(scan(buf_str(&b)), twice < n ? JSON_E_FAULT : JSON_OK);
        }
    buf_done(&b);
}

static void check_finds_duplicates_at_any_depth(void **state)
{
    const struct str doc = STR("[{\"a\":[{\"b\":1,\"c\":2,\"\\u0062\":3}]}]");

    assert_int_equal(scan(doc), JSON_OK); /* nobody watches there */
    assert_int_equal(json_check(doc, &fault), JSON_E_FAULT);
    assert_string_equal(fault.path, "[0].a[0].\\u0062");
    assert_int_equal(fault.at, 20);
}

/* Random keys out of few, some written with escapes: the scanner must agree with a plain list. */
static void duplicates_are_found_among_random_keys(void **state)
{
    static const char *const spellings[][2] = {
        {"a", "\\u0061"}, {"\xc3\xa4", "\\u00e4"}, {"\xf0\x9f\x98\x80", "\\ud83d\\ude00"},
        {"/", "\\/"},     {"\\n", "\\u000a"},      {"x", "x"},
    };
    int twice = 0;

    random_drive(4);
    for (int round = 0; round < 3000; round++) {
        uint32_t seen[40], n = 1 + random_below(12);
        bool expected = false;
        struct buf b;

        buf_init(&b, 10000);
        buf_putc(&b, '{');
        for (uint32_t i = 0; i < n; i++) {
            uint32_t code = random_below(216);

            for (uint32_t k = 0; k < i; k++)
                expected = expected || seen[k] == code;
            seen[i] = code;
            buf_puts(&b, i ? ",\"" : "\"");
            for (uint32_t left = code, digits = 0; digits < 3; digits++, left /= 6)
                buf_puts(&b, spellings[left % 6][random_below(2)]);
            buf_puts(&b, "\":0");
        }
        buf_putc(&b, '}');
        assert_int_equal(scan(buf_str(&b)), expected ? JSON_E_FAULT : JSON_OK);
        twice += expected;
        buf_done(&b);
    }
    random_undrive();
    assert_in_range(twice, 100, 2900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_one_object_are_counted),
        cmocka_unit_test(open_keys_are_counted_over_nesting_objects),
        cmocka_unit_test(long_keys_are_refused_only_where_they_are_compared),
        cmocka_unit_test(long_keys_with_escapes_are_refused_only_where_they_are_compared),
        cmocka_unit_test(keys_that_differ_in_one_byte_are_two),
        cmocka_unit_test(what_is_open_is_known_however_much_it_is),
        cmocka_unit_test(check_finds_duplicates_at_any_depth),
        cmocka_unit_test(duplicates_are_found_among_random_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
