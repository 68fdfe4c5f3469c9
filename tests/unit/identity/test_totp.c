/* Codes against the vectors of RFC 6238, steps that were used, what apps read, and the QR code that they read
 * it from, square by square against the library's own picture. */
#include "unit.h"

#include <qrencode.h>
#include <stdio.h>

#include "base/bounds.h"
#include "identity/qr.h"
#include "identity/totp.h"

static const uint8_t secret[TOTP_SECRET_BYTES] = "12345678901234567890";

static void the_codes_of_the_rfc_are_taken(void **state)
{
    static const struct {
        int64_t at_s;
        const char *code;
    } cases[] = {
        {59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
        {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t step = 0;

        assert_true(totp_check(secret, str_c(cases[i].code), cases[i].at_s, 0, &step));
        assert_int_equal(step, cases[i].at_s / TOTP_STEP_S);
        assert_true(totp_check(secret, str_c(cases[i].code), cases[i].at_s + TOTP_STEP_S, 0, &step));
        assert_true(totp_check(secret, str_c(cases[i].code), cases[i].at_s - TOTP_STEP_S, 0, &step));
        assert_int_equal(step, cases[i].at_s / TOTP_STEP_S);
        assert_false(totp_check(secret, str_c(cases[i].code), cases[i].at_s + 2 * TOTP_STEP_S, 0, &step));
        if (i > 0) /* before 1970 is no time */
            assert_false(totp_check(secret, str_c(cases[i].code), cases[i].at_s - 2 * TOTP_STEP_S, 0, &step));
    }
}

/* 1111111109 and 1111111111 stand in two steps, one after the other. */
static void a_step_that_was_used_hides_no_later_one(void **state)
{
    int64_t step = 0, first = 1111111109 / TOTP_STEP_S;

    assert_false(totp_check(secret, STR("081804"), 1111111111, first, &step));
    assert_int_equal(step, 0);
    assert_true(totp_check(secret, STR("050471"), 1111111111, first, &step));
    assert_int_equal(step, first + 1);
    assert_false(totp_check(secret, STR("081804"), 1111111111, first + 1, &step));
    assert_false(totp_check(secret, STR("050471"), 1111111111, first + 1, &step));
}

static void what_is_no_code_is_none(void **state)
{
    static const char *const texts[] = {"", "28708", "2870822", "28708x", "28708 ", "-28708", "94287082"};
    int64_t step;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_false(totp_check(secret, str_c(texts[i]), 59, 0, &step));
    assert_false(totp_check(secret, str_n("2870\0002", 6), 59, 0, &step));
}

static void apps_get_the_secret_in_base32(void **state)
{
    struct arena *a = arena_new(MIB(1));

    assert_str(totp_typed(a, secret), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
    assert_str(totp_uri(a, secret, STR("Tollgate a:8080"), STR("b+c&d@example.org")),
               "otpauth://totp/Tollgate%20a%3A8080:b%2Bc%26d@example.org"
               "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Tollgate%20a%3A8080");
    arena_free(a);
}

#define SIDE_MAX 200
static bool dark[SIDE_MAX][SIDE_MAX];

/* "M3 0h4v1H3z": squares 3 to 6 of row 0. */
static void draw(struct str path)
{
    const char *p = path.p;
    int x, y, n, back, used;

    memset(dark, 0, sizeof(dark));
    while (*p) {
        assert_int_equal(sscanf(p, "M%d %dh%dv1H%dz%n", &x, &y, &n, &back, &used), 4);
        assert_int_equal(back, x);
        assert_true(n > 0 && x >= 0 && y >= 0 && x + n <= SIDE_MAX && y < SIDE_MAX);
        while (n-- > 0)
            dark[y][x + n] = true;
        p += used;
    }
}

static void the_path_is_the_code(void **state)
{
    struct arena *a = arena_new(MIB(1));
    struct str text = totp_uri(a, secret, STR("Tollgate"), STR("ada@example.org"));
    QRcode *want = QRcode_encodeString8bit(arena_cstr(a, text), 0, QR_ECLEVEL_M);
    struct qr qr;

    assert_int_equal(qr_make(a, text, &qr), QR_OK);
    assert_int_equal(qr.side, want->width);
    draw(qr.path);
    for (int y = 0; y < SIDE_MAX; y++)
        for (int x = 0; x < SIDE_MAX; x++)
            assert_int_equal(dark[y][x], x < want->width && y < want->width &&
                                             (want->data[y * want->width + x] & 1));
    QRcode_free(want);
    arena_free(a);
}

static void what_does_not_fit_is_said(void **state)
{
    struct arena *a = arena_new(MIB(1));
    struct qr qr = {.side = -1};
    char long_text[4000];

    memset(long_text, 'x', sizeof(long_text));
    assert_int_equal(qr_make(a, str_n(long_text, sizeof(long_text)), &qr), QR_E_LONG);
    assert_int_equal(qr.side, -1);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_codes_of_the_rfc_are_taken),
        cmocka_unit_test(a_step_that_was_used_hides_no_later_one),
        cmocka_unit_test(what_is_no_code_is_none),
        cmocka_unit_test(apps_get_the_secret_in_base32),
        cmocka_unit_test(the_path_is_the_code),
        cmocka_unit_test(what_does_not_fit_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
