/* Slices, their strict readings, UTF-8; ids, digests, time and log texts. */
#include "unit.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/id.h"
#include "base/log.h"
#include "base/random.h"

static void comparisons_take_any_byte(void **state)
{
    assert_true(str_eq(STR_NONE, STR("")));
    assert_false(str_eq(str_n("a\0b", 3), str_n("a\0c", 3)));
    assert_true(str_ieq(STR("Content-Type"), STR("cONTENT-tYPE")));
    assert_false(str_ieq(STR("a["), STR("a{")));
    assert_true(str_starts(STR("abc"), STR("ab")));
    assert_false(str_starts(STR("a"), STR("ab")));
    assert_true(str_ends(STR("abc"), STR("bc")));
    assert_true(str_ends(STR("abc"), STR_NONE));
    assert_true(str_cmp(STR("a"), STR("ab")) < 0);
    assert_true(str_cmp(STR("b"), STR("ab")) > 0);
    assert_int_equal(str_cmp(STR("ab"), STR("ab")), 0);
    assert_str(str_trim(STR(" \t a b\r\n")), "a b");
    assert_int_equal(str_trim(STR(" \t")).n, 0);
    assert_int_equal(str_find(STR("abc"), 'c'), 2);
    assert_int_equal(str_find(STR_NONE, 'c'), -1);
}

static void split_yields_empty_parts_too(void **state)
{
    struct str rest = STR("a,,b,"), part = STR_NONE;
    const char *expected[] = {"a", "", "b", ""};

    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        assert_true(str_split(&rest, ',', &part));
        assert_str(part, expected[i]);
    }
    assert_false(str_split(&rest, ',', &part));
    rest = STR_NONE;
    assert_false(str_split(&rest, ',', &part));
}

static void integers_are_read_whole_or_not(void **state)
{
    static const char *const wrong[] = {"", "-", "+1", " 1", "1 ", "1x", "0x1", "1.0", "--1"};
    uint64_t u = 7;
    int64_t i = 7;
    uint32_t w = 7;

    for (size_t k = 0; k < ARRAY_LEN(wrong); k++) {
        assert_int_equal(str_u64(str_c(wrong[k]), &u), STR_E_SYNTAX);
        assert_int_equal(str_i64(str_c(wrong[k]), &i), STR_E_SYNTAX);
    }
    assert_int_equal(str_u64(STR("-1"), &u), STR_E_SYNTAX);
    assert_int_equal(str_u64(STR("18446744073709551616"), &u), STR_E_RANGE);
    assert_int_equal(str_i64(STR("9223372036854775808"), &i), STR_E_RANGE);
    assert_int_equal(str_i64(STR("-9223372036854775809"), &i), STR_E_RANGE);
    assert_int_equal(str_u32(STR("4294967296"), &w), STR_E_RANGE);
    assert_true(u == 7 && i == 7 && w == 7);
    assert_int_equal(str_u64(STR("18446744073709551615"), &u), STR_OK);
    assert_int_equal(str_i64(STR("-9223372036854775808"), &i), STR_OK);
    assert_int_equal(str_u32(STR("4294967295"), &w), STR_OK);
    assert_true(u == UINT64_MAX && i == INT64_MIN && w == UINT32_MAX);
}

/* Unicode 15, table 3-7, as a predicate written from code points instead of byte ranges. */
static bool decodes(const uint8_t *b, size_t n)
{
    uint32_t cp;
    size_t length = b[0] < 0x80       ? 1
                    : b[0] >> 5 == 6  ? 2
                    : b[0] >> 4 == 14 ? 3
                    : b[0] >> 3 == 30 ? 4
                                      : 0;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

    if (length == 0 || length != n)
        return false;
    cp = length == 1 ? b[0] : b[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (b[i] >> 6 != 2)
            return false;
        cp = cp << 6 | (b[i] & 0x3f);
    }
    return cp >= least[length] && cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff);
}

static void utf8_is_checked_as_unicode_says(void **state)
{
    static const uint8_t edges[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0};

    for (unsigned first = 0; first < 256; first++)
        for (size_t i = 0; i < ARRAY_LEN(edges); i++)
            for (size_t k = 0; k < ARRAY_LEN(edges); k++)
                for (size_t l = 0; l < ARRAY_LEN(edges); l++) {
                    uint8_t b[4] = {(uint8_t)first, edges[i], edges[k], edges[l]};
                    size_t n = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

                    assert_int_equal(str_utf8(str_n((char *)b, n)), decodes(b, n));
                    assert_int_equal(str_utf8_length((char *)b, n), decodes(b, n) ? n : 0);
                }
    assert_true(str_utf8(STR("plain ascii of some length, gr\xc3\xbc\xc3\x9f"
                             "e \xf0\x9f\x98\x80")));
    assert_false(str_utf8(STR("plain ascii of some length \xc3")));
    assert_false(str_utf8(STR("12345678\xff"
                              "12345678")));
}

static void a_line_end_is_found_wherever_it_stands(void **state)
{
    char text[80];

    for (size_t n = 0; n < sizeof(text); n++)
        for (size_t at = 0; at <= n; at++)
            for (size_t from = 0; from <= n; from++) {
                memset(text, '\x8a', sizeof(text));
                text[at] = at % 2 ? '\n' : '\r';
                text[n] = '\n'; /* behind the text: of no interest */
                assert_int_equal(str_line_end(str_n(text, n), from), from <= at ? at : n);
            }
}

static void call_ids_are_ordered_and_readable(void **state)
{
    struct call_id before = call_id_new(), id, back;
    char text[CALL_ID_TEXT], uuid[UUID_TEXT];
    int64_t now_ms = clock_wall_us() / 1000;

    for (int i = 0; i < 100; i++) {
        id = call_id_new();
        assert_true(memcmp(before.b, id.b, 7) <= 0);
        before = id;
    }
    assert_true(call_id_ms(id) >= now_ms && call_id_ms(id) < now_ms + 60000);
    assert_int_equal(id.b[6] >> 4, 7);
    assert_int_equal(id.b[8] >> 6, 2);
    call_id_text(id, text);
    call_id_uuid(id, uuid);
    assert_int_equal(strlen(text), CALL_ID_TEXT - 1);
    assert_int_equal(strlen(uuid), UUID_TEXT - 1);
    memset(&back, 0, sizeof(back));
    assert_true(call_id_parse(str_c(text), &back));
    assert_true(call_id_eq(id, back));
    memset(&back, 0, sizeof(back));
    assert_true(call_id_parse(str_c(uuid), &back));
    assert_true(call_id_eq(id, back));
    assert_true(call_id_parse(str_c(text + 5), &back));
}

static void broken_call_ids_are_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "call_",
        "0190163d8694739baea5966c26f8ad9",
        "0190163d8694739baea5966c26f8ad91f",
        "0190163d8694739baea5966c26f8ad9g",
        "0190163d-8694739b-aea5-966c-26f8ad91",
        "0190163d-8694-739b-aea5+966c26f8ad91",
        "0190163d8-694-739b-aea5-966c26f8ad91",
        "CALL_0190163d8694739baea5966c26f8ad91",
    };
    struct call_id id;

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_false(call_id_parse(str_c(wrong[i]), &id));
    assert_true(call_id_parse(STR("0190163D-8694-739B-AEA5-966C26F8AD91"), &id));
}

static void digests_match_published_values(void **state)
{
    const uint8_t pepper[32] = {1};
    struct digest abc = digest_plain(STR("abc")), keyed = digest_keyed(pepper, STR("abc"));
    uint8_t zeros[32] = {0};
    char hex[65];

    digest_hex(&abc, hex); /* b2sum -l 256 */
    assert_string_equal(hex, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    assert_false(digest_eq(&abc, &keyed));
    assert_true(digest_eq(&abc, &abc));
    assert_true(digest_crc32c(0, "123456789", 9) == 0xe3069283); /* the usual check value */
    assert_true(digest_crc32c(0, zeros, 32) == 0x8a9136aa);      /* RFC 3720 B.4 */
    assert_true(digest_crc32c(digest_crc32c(0, "1234", 4), "56789", 5) == 0xe3069283);
    assert_true(digest_crc32c(0, NULL, 0) == 0);
    assert_true(digest_crc32c_by_tables(0, "123456789", 9) == 0xe3069283);
    for (size_t n = 0; n < 32; n++) /* of every length, from an address that is not even */
        assert_true(digest_crc32c(7, (const char *)&abc + 1, MIN(n, sizeof(abc) - 1)) ==
                    digest_crc32c_by_tables(7, (const char *)&abc + 1, MIN(n, sizeof(abc) - 1)));
}

static void times_print_as_rfc3339(void **state)
{
    static const struct {
        int64_t us;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000000Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
        {1795242453123456, "2026-11-21T06:27:33.123456Z"},
        {951782400000000, "2000-02-29T00:00:00.000000Z"},
        {253402300799999999, "9999-12-31T23:59:59.999999Z"},
    };
    char out[CLOCK_RFC3339_SIZE];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        clock_rfc3339(cases[i].us, out);
        assert_string_equal(out, cases[i].text);
    }
    clock_rfc3339(INT64_MAX, out);
    assert_int_equal(strlen(out), CLOCK_RFC3339_SIZE - 1);
}

static int64_t fixed(void *ctx)
{
    return *(int64_t *)ctx;
}

static void clock_can_be_driven(void **state)
{
    int64_t now = 5000000;
    const struct clock_source source = {fixed, fixed, &now};

    clock_drive(&source);
    assert_int_equal(clock_mono_ms(), 5);
    assert_int_equal(clock_wall_us(), 5000000);
    clock_drive(NULL);
    assert_true(clock_wall_us() > 1700000000000000);
    assert_true(clock_mono_ns() <= clock_mono_ns());
}

static void random_is_uniform_enough_and_repeats_when_driven(void **state)
{
    unsigned seen[6] = {0};
    uint64_t first;
    char bytes[13] = {0};

    random_drive(1);
    first = random_u64();
    random_drive(1);
    assert_true(random_u64() == first);
    random_undrive();
    assert_true(random_u64() != random_u64());
    for (int i = 0; i < 6000; i++)
        seen[random_below(6)]++;
    for (int i = 0; i < 6; i++)
        assert_in_range(seen[i], 800, 1200);
    assert_int_equal(random_below(1), 0);
    assert_int_equal(random_below(0), 0);
    random_bytes(bytes, 12);
    assert_int_equal(bytes[12], 0);
}

static void log_values_are_quoted_escaped_and_cut(void **state)
{
    char wide[300];

    assert_string_equal(log_str(STR("a \"b\"\\\n\x01")), "\"a \\\"b\\\"\\\\\\x0a\\x01\"");
    assert_string_equal(log_str(STR("gr\xc3\xbc\xff")), "\"gr\xc3\xbc?\"");
    assert_string_equal(log_str(STR_NONE), "\"\"");
    memset(wide, 1, sizeof(wide));
    assert_int_equal(strlen(log_str(str_n(wide, sizeof(wide)))), 2 + 800 + 3);
    memset(wide, 'x', sizeof(wide));
    memcpy(wide + 199, "\xf0\x9f\x98\x80", 4); /* a character across the cut stays whole */
    assert_true(str_utf8(str_c(log_str(str_n(wide, sizeof(wide))))));
}

static void tokens_and_fields_are_told_byte_by_byte(void **state)
{
    for (int c = 0; c < 256; c++)
        for (size_t at = 0; at < 40; at++) {
            char text[40];
            struct str s = str_n(text, sizeof(text));
            bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

            memset(text, 'x', sizeof(text));
            text[at] = (char)c;
            assert_int_equal(str_is_token(s), alnum || (c && strchr("!#$%&'*+-.^_`|~", c)));
            assert_int_equal(str_is_field(s), (c >= ' ' || c == '\t') && c != 0x7f);
            assert_int_equal(str_is_ascii(s), c < 0x80);
        }
    assert_false(str_is_token(STR("")));
    assert_true(str_is_field(STR("")));
    assert_true(str_is_ascii(STR("")));
}

static void case_is_folded_for_letters_alone(void **state)
{
    for (int a = 0; a < 256; a++)
        for (int b = 0; b < 256; b++) {
            bool same = a == b || (((a ^ b) == 0x20) && (a | 0x20) >= 'a' && (a | 0x20) <= 'z');
            const char first[] = {(char)a, 'x'}, second[] = {(char)b, 'X'};

            assert_int_equal(str_ieq(str_n(first, 2), str_n(second, 2)), same);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparisons_take_any_byte),
        cmocka_unit_test(tokens_and_fields_are_told_byte_by_byte),
        cmocka_unit_test(case_is_folded_for_letters_alone),
        cmocka_unit_test(split_yields_empty_parts_too),
        cmocka_unit_test(integers_are_read_whole_or_not),
        cmocka_unit_test(utf8_is_checked_as_unicode_says),
        cmocka_unit_test(a_line_end_is_found_wherever_it_stands),
        cmocka_unit_test(call_ids_are_ordered_and_readable),
        cmocka_unit_test(broken_call_ids_are_refused),
        cmocka_unit_test(digests_match_published_values),
        cmocka_unit_test(times_print_as_rfc3339),
        cmocka_unit_test(clock_can_be_driven),
        cmocka_unit_test(random_is_uniform_enough_and_repeats_when_driven),
        cmocka_unit_test(log_values_are_quoted_escaped_and_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
