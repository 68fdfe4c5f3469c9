/* The strict scanner: what it accepts, what it refuses and where, what it finds. */
#include "unit.h"

#include "base/bounds.h"
#include "base/random.h"
#include "json/scan.h"

static const struct str accepted[] = {
    STR("{}"),
    STR("[]"),
    STR(" \t\r\n[ ]\n"),
    STR("0"),
    STR("-0"),
    STR("-0.0e-0"),
    STR("1E+400"),
    STR("123456789012345678901234567890"),
    STR("1.5"),
    STR("10"),
    STR("true"),
    STR("false"),
    STR("null"),
    STR("\"\""),
    STR("\"a\""),
    STR("[null,true,false,1,\"x\",{},[]]"),
    STR("{\"a\":{\"b\":[{\"c\":null}]}}"),
    STR("{\"\":0}"),
    STR("{\"a\" : 1 , \"b\" : 2}"),
    STR("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uABCD\\uabcd\""),
    STR("\"\\ud83d\\ude00\""),
    STR("\"\\ud800\""), /* alone, but in a value: passed on as it is */
    STR("\"\\udc00\\ud800\""),
    STR("\"\\ud800\\u0041\""),
    STR("\"\x7f\""),
    STR("\"\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf\""),
    STR("\"\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf \xe2\x80\xa8\""),
    STR("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"),
    STR("[\"a string of more than sixteen bytes, so that vectors are used\"]"),
    STR("{\"a\":{\"x\":1},\"b\":{\"x\":1}}"), /* the same key in two objects */
    STR("{\"a\":1,\"A\":1,\"a \":1}"),
};

static const struct {
    struct str doc;
    size_t at;
} refused[] = {
    {STR(""), 0},
    {STR(" "), 1},
    {STR("["), 1},
    {STR("{"), 1},
    {STR("]"), 0},
    {STR("[1"), 2},
    {STR("[1}"), 2},
    {STR("{]"), 1},
    {STR("[1,]"), 3},
    {STR("[,1]"), 1},
    {STR("[1,,2]"), 3},
    {STR("[1 2]"), 3},
    {STR("{\"a\":1,}"), 7},
    {STR("{,}"), 1},
    {STR("{\"a\"}"), 4},
    {STR("{\"a\":}"), 5},
    {STR("{\"a\" 1}"), 5},
    {STR("{a:1}"), 1},
    {STR("{'a':1}"), 1},
    {STR("{1:1}"), 1},
    {STR("{\"a\":1 \"b\":2}"), 7},
    {STR("{\"a\":1}}"), 7},
    {STR("{} {}"), 3},
    {STR("[]\0"), 2},
    {STR("\0"), 0},
    {STR("nul"), 0},
    {STR("nulll"), 4},
    {STR("True"), 0},
    {STR("NaN"), 0},
    {STR("Infinity"), 0},
    {STR("-Infinity"), 1},
    {STR("+1"), 0},
    {STR("-"), 1},
    {STR("--1"), 1},
    {STR("01"), 1},
    {STR("-01"), 2},
    {STR("00"), 1},
    {STR("1."), 2},
    {STR(".5"), 0},
    {STR("1.e5"), 2},
    {STR("1e"), 2},
    {STR("1e+"), 3},
    {STR("1e1.5"), 3},
    {STR("0x10"), 1},
    {STR("1_000"), 1},
    {STR("\xef\xbc\x91"), 0},
    {STR("\""), 1},
    {STR("\"a"), 2},
    {STR("\"\\\""), 3},
    {STR("\"\\"), 1},
    {STR("\"\\x41\""), 1},
    {STR("\"\\'\""), 1},
    {STR("\"\\u12\""), 1},
    {STR("\"\\u12g4\""), 1},
    {STR("\"\\U1234\""), 1},
    {STR("\"\\u+123\""), 1},
    {STR("\"tab\there\""), 4},
    {STR("\"line\nbreak\""), 5},
    {STR("\"nul\0\""), 4},
    {STR("\"\x1f\""), 1},
    {STR("\"0123456789abcdef0123456789abcdef\x1f\""), 33},
    {STR("\"\xc0\xaf\""), 1},
    {STR("\"\xed\xa0\x80\""), 1},
    {STR("\"\xf4\x90\x80\x80\""), 1},
    {STR("\"\xf8\x88\x80\x80\x80\""), 1},
    {STR("\"\x80\""), 1},
    {STR("\"\xe2\x82\""), 1},
    {STR("\"\xe2\x82"), 1},
    {STR("\"\xff\""), 1},
    {STR("\"\xe4\xbd\xa0\xe5\xa5\xbd\xe5\""), 7},
    {STR("\xef\xbb\xbf{}"), 0},
    {STR("{}// comment"), 2},
    {STR("[1/**/]"), 2},
    {STR("\xc2\xa0[]"), 0},
    {STR("[\x0b]"), 1},
    {STR("[\x0c]"), 1},
    {STR("{\"a\":1,\"a\":2}"), 7},
    {STR("{\"model\":1,\"mod\\u0065l\":2}"), 11},
    {STR("{\"mod\\u0065l\":1,\"model\":2}"), 16},
    {STR("{\"\\u00e4\":1,\"\xc3\xa4\":2}"), 12},
    {STR("{\"\":1,\"\":2}"), 6},
    {STR("{\"a\\u0000b\":1}"), 3},
    {STR("{\"\\ud800\":1}"), 2},
    {STR("{\"\\ude00x\":1}"), 2},
    {STR("[{\"a\\u0000\":1}]"), 4}, /* in any object, watched or not */
};

static struct json_fault fault;
static struct json_scan_result result;

static int scan(struct str doc)
{
    memset(&fault, 0, sizeof(fault));
    return json_scan(doc, NULL, 0, &result, &fault);
}

/* A copy without anything readable behind it, so that a sanitizer sees a step too far. */
static int scan_copy(struct str doc)
{
    char *copy = malloc(doc.n ? doc.n : 1);
    int r;

    memcpy(copy, doc.p, doc.n);
    r = scan(str_n(copy, doc.n));
    free(copy);
    return r;
}

static void accepts_what_rfc_8259_allows(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(accepted); i++)
        if (scan_copy(accepted[i]) != JSON_OK)
            fail_msg("%.*s: %s", STR_FMT(accepted[i]), fault.reason);
}

static void refuses_everything_else_where_it_is_wrong(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        if (scan_copy(refused[i].doc) != JSON_E_FAULT)
            fail_msg("%.*s was accepted", STR_FMT(refused[i].doc));
        if (fault.at != refused[i].at)
            fail_msg("%.*s: at %zu, not %zu (%s)", STR_FMT(refused[i].doc), fault.at, refused[i].at,
                     fault.reason);
        assert_true(fault.reason[0]);
    }
}

/* Long documents are read in blocks: the same faults, far inside a string and far from its end. */
static void faults_in_long_strings_are_found_where_they_are(void **state)
{
    enum { BEFORE = 5000, BEHIND = 200 };
    int tried = 0;

    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct str doc = refused[i].doc;
        struct buf b;

        if (!doc.n || doc.p[0] != '"' || refused[i].at >= doc.n)
            continue;
        buf_init(&b, 100000);
        buf_putc(&b, '"');
        for (int k = 0; k < BEFORE; k++)
            buf_putc(&b, 'x');
        buf_put(&b, doc.p + 1, doc.n - 1);
        for (int k = 0; k < BEHIND; k++)
            buf_putc(&b, 'x');
        assert_int_equal(scan_copy(buf_str(&b)), JSON_E_FAULT);
        if (fault.at != refused[i].at + BEFORE)
            fail_msg("%.*s: at %zu (%s)", STR_FMT(doc), fault.at, fault.reason);
        buf_done(&b);
        tried++;
    }
    assert_true(tried > 15);
}

static void every_cut_of_a_document_is_refused(void **state)
{
    const struct str doc =
        STR("{\"a\":[1.5e3,{\"b\\n\":null},\"x\\ud83d\\ude00\xc3\xa4\"],\"t\":true}");

    for (size_t n = 0; n < doc.n; n++)
        assert_int_equal(scan_copy(str_n(doc.p, n)), JSON_E_FAULT);
    assert_int_equal(scan_copy(doc), JSON_OK);
}

static void faults_name_the_path(void **state)
{
    static const struct {
        const char *doc, *path;
    } cases[] = {
        {"{\"messages\":[{},{},{\"content\":[{\"type\":tru}]}]}", "messages[2].content[0].type"},
        {"[[1],[1,x]]", "[1][1]"},
        {"{\"a\":{\"b\":1,\"c\":}}", "a.c"},
        {"{\"a\":{\"b\":1,c}}", "a"},
        {"{\"a\":1} x", ""},
        {"x", ""},
        {"{\"a\":[x", "a[0]"},
        {"{\"a\":[1 x", "a[0]"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(scan(str_c(cases[i].doc)), JSON_E_FAULT);
        assert_string_equal(fault.path, cases[i].path);
    }
}

static void long_paths_are_cut_between_characters(void **state)
{
    struct buf b;

    buf_init(&b, 100000);
    for (int i = 0; i < 30; i++)
        buf_puts(&b, "{\"0123456789\xc3\xa4\xc3\xa4\xc3\xa4\":");
    assert_int_equal(scan(buf_str(&b)), JSON_E_FAULT);
    assert_true(strlen(fault.path) > 150);
    assert_true(str_utf8(str_c(fault.path)));
    buf_done(&b);
}

/* open, then n times item with commas between, then close. */
static int scan_repeated(const char *open, const char *item, size_t n, const char *close)
{
    struct buf b;
    int r;

    buf_init(&b, 4000000);
    buf_puts(&b, open);
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_putc(&b, ',');
        buf_puts(&b, item);
    }
    buf_puts(&b, close);
    assert_int_equal(buf_finish(&b), 0);
    r = scan(buf_str(&b));
    buf_done(&b);
    return r;
}

static int scan_nested(int levels, char open, char close)
{
    char doc[2 * 100];

    memset(doc, open, (size_t)levels);
    memset(doc + levels, close, (size_t)levels);
    return scan(str_n(doc, 2 * (size_t)levels));
}

static void ceilings_hold_exactly(void **state)
{
    assert_int_equal(scan_nested(BOUND_JSON_DEPTH, '[', ']'), JSON_OK);
    assert_int_equal(result.depth, BOUND_JSON_DEPTH);
    assert_int_equal(scan_nested(BOUND_JSON_DEPTH + 1, '[', ']'), JSON_E_FAULT);
    assert_string_equal(fault.reason, "nested too deeply");
    assert_int_equal(scan_repeated("[", "1", BOUND_JSON_VALUES - 1, "]"), JSON_OK);
    assert_int_equal(result.values, BOUND_JSON_VALUES);
    assert_int_equal(scan_repeated("[", "1", BOUND_JSON_VALUES, "]"), JSON_E_FAULT);
    assert_string_equal(fault.reason, "too many values");
    assert_int_equal(scan_repeated("[", "{}", BOUND_JSON_CONTAINERS - 1, "]"), JSON_OK);
    assert_int_equal(result.containers, BOUND_JSON_CONTAINERS);
    assert_int_equal(scan_repeated("[", "[]", BOUND_JSON_CONTAINERS, "]"), JSON_E_FAULT);
    assert_string_equal(fault.reason, "too many objects and arrays");
}

static void documents_beyond_32_bits_are_refused_unread(void **state)
{
    assert_int_equal(scan(str_n("{}", (size_t)UINT32_MAX + 1)), JSON_E_FAULT);
    assert_string_equal(fault.reason, "the document is too large");
}

static void result_describes_the_root(void **state)
{
    assert_int_equal(scan(STR("  {\"a\":[1,{}]} ")), JSON_OK);
    assert_int_equal(result.root_kind, JSON_OBJECT);
    assert_int_equal(result.root_open, 2);
    assert_int_equal(result.root_close, 13);
    assert_false(result.root_empty);
    assert_int_equal(result.values, 4);
    assert_int_equal(result.containers, 3);
    assert_int_equal(result.depth, 3);
    assert_int_equal(scan(STR(" { }")), JSON_OK);
    assert_true(result.root_empty);
    assert_int_equal(result.root_close, 3);
    assert_int_equal(scan(STR("\"x\"")), JSON_OK);
    assert_int_equal(result.root_kind, JSON_STRING);
    assert_int_equal(scan(STR("-1")), JSON_OK);
    assert_int_equal(result.root_kind, JSON_INT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_what_rfc_8259_allows),
        cmocka_unit_test(refuses_everything_else_where_it_is_wrong),
        cmocka_unit_test(faults_in_long_strings_are_found_where_they_are),
        cmocka_unit_test(every_cut_of_a_document_is_refused),
        cmocka_unit_test(faults_name_the_path),
        cmocka_unit_test(long_paths_are_cut_between_characters),
        cmocka_unit_test(ceilings_hold_exactly),
        cmocka_unit_test(documents_beyond_32_bits_are_refused_unread),
        cmocka_unit_test(result_describes_the_root),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
