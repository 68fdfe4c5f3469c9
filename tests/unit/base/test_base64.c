/* Base64 there and back: the cases of RFC 4648 10, every byte, and texts that are none. */
#include "unit.h"

#include "base/base64.h"
#include "base/bounds.h"

static const struct {
    const char *bytes, *text;
} cases[] = {{"", ""},         {"f", "Zg=="},         {"fo", "Zm8="},        {"foo", "Zm9v"},
             {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};

static void known_texts(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, KIB(1));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        buf_reset(&out);
        base64_put(&out, cases[i].bytes, strlen(cases[i].bytes));
        assert_str(buf_str(&out), cases[i].text);
        buf_reset(&out);
        assert_true(base64_read(str_c(cases[i].text), &out));
        assert_str(buf_str(&out), cases[i].bytes);
    }
    buf_done(&out);
}

static void every_byte_comes_back(void **state)
{
    uint8_t bytes[256 * 3];
    struct buf text, back;

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    buf_init(&text, KIB(4));
    buf_init(&back, KIB(4));
    for (size_t n = 0; n <= sizeof(bytes); n++) {
        buf_reset(&text);
        buf_reset(&back);
        base64_put(&text, bytes, n);
        assert_true(base64_read(buf_str(&text), &back));
        assert_int_equal(back.n, n);
        assert_memory_equal(buf_str(&back).p, bytes, n);
    }
    buf_done(&text);
    buf_done(&back);
}

static void what_is_no_base64_is_refused(void **state)
{
    static const char *const wrong[] = {"A",    "AA",   "AAA",  "A===", "====",     "AA=A",
                                        "AA==AAAA", "AA A", "AA-_", "AAA\n", "AAAA=AAA"};
    struct buf out;

    (void)state;
    buf_init(&out, KIB(1));
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        buf_reset(&out);
        assert_false(base64_read(str_c(wrong[i]), &out));
    }
    buf_done(&out);
}

static void the_form_for_urls_has_other_digits_and_no_padding(void **state)
{
    static const char *const wrong[] = {"A", "AAAAA", "Zg==", "+A", "/A", "A A", "AA.A"};
    struct buf out;

    (void)state;
    buf_init(&out, KIB(1));
    base64url_put(&out, "\xfb\xff\xfe", 3);
    assert_str(buf_str(&out), "-__-");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str text;
        char copy[16];

        buf_reset(&out);
        base64url_put(&out, cases[i].bytes, strlen(cases[i].bytes));
        text = buf_str(&out);
        assert_false(memchr(text.p, '=', text.n));
        memcpy(copy, text.p, text.n);
        text.p = copy;
        buf_reset(&out);
        assert_true(base64url_read(text, &out));
        assert_str(buf_str(&out), cases[i].bytes);
    }
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        buf_reset(&out);
        assert_false(base64url_read(str_c(wrong[i]), &out));
    }
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_texts),
        cmocka_unit_test(every_byte_comes_back),
        cmocka_unit_test(what_is_no_base64_is_refused),
        cmocka_unit_test(the_form_for_urls_has_other_digits_and_no_padding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
