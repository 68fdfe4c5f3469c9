/* What needs no database: passwords, roles, address blocks. */
#include "unit.h"

#include "identity/key.h"
#include "identity/password.h"
#include "identity/role.h"

static void passwords_that_everybody_tries_are_refused(void **state)
{
    static const char *const bad[] = {
        "password1234",   "Password2024!!",   "123456789012",   "aaaaaaaaaaaa",
        "qwertyuiop12",   "passwordpassword", "letmein!!!!!!!", "abababababab",
        "Administrator1", "iloveyou12345",    "1q2w3e4r5t6y",   "1qaz2wsx3edc",
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (!password_refusal(str_c(bad[i]), STR("a@b")))
            fail_msg("%s was taken", bad[i]);
    assert_non_null(password_refusal(STR("short"), STR("a@b")));
    assert_non_null(password_refusal(STR("someone@example.org"), STR("Someone@example.org")));
    assert_non_null(password_refusal(STR("bad \xff\xfe utf-8 text"), STR("a@b")));
    assert_null(password_refusal(STR("correct horse battery"), STR("a@b")));
    assert_null(password_refusal(STR("tr0ub4dor&3xyz"), STR("a@b")));
    assert_null(password_refusal(STR("прекрасный день"), STR("a@b")));
}

static void password_lengths_count_characters(void **state)
{
    char text[PASSWORD_MAX * 4 + 8];
    size_t n = 0;

    for (int i = 0; i < PASSWORD_MAX / 2; i++, n += 3) {
        memcpy(text + n, "\xd0\xb6", 2); /* two bytes, one character */
        text[n + 2] = (char)('a' + i % 26);
    }
    assert_null(password_refusal(str_n(text, n), STR("a@b")));
    text[n] = 'x';
    assert_non_null(password_refusal(str_n(text, n + 1), STR("a@b")));
    assert_non_null(password_refusal(STR("жжжжжabcdef"), STR("a@b"))); /* 11 characters, 16 bytes */
}

static void nobody_has_no_password(void **state)
{
    char hash[SECRET_PASSWORD_SIZE];

    assert_false(password_check(NULL, STR("")));
    assert_int_equal(secret_password_hash(STR("correct horse battery"), hash), 0);
    assert_true(password_check(hash, STR("correct horse battery")));
    assert_false(password_check(hash, STR("correct horse batterz")));
}

static void roles_cover_what_they_should(void **state)
{
    enum role role;

    for (int r = ROLE_VIEWER; r <= ROLE_OWNER; r++) {
        assert_true(role_covers((enum role)r, ROLE_VIEWER));
        assert_true(role_covers((enum role)r, (enum role)r));
        assert_true(role_covers(ROLE_OWNER, (enum role)r));
        assert_true(role_parse(str_c(role_name((enum role)r)), &role));
        assert_int_equal(role, r);
    }
    assert_false(role_covers(ROLE_BILLING, ROLE_DEVELOPER));
    assert_false(role_covers(ROLE_DEVELOPER, ROLE_BILLING));
    assert_true(role_covers(ROLE_ADMIN, ROLE_BILLING));
    assert_false(role_covers(ROLE_ADMIN, ROLE_OWNER));
    assert_false(role_parse(STR("root"), &role));
}

static bool block_has(const char *block, const char *address)
{
    struct key_block b, a;

    assert_true(key_block_parse(str_c(block), &b));
    assert_true(key_block_parse(str_c(address), &a));
    return key_block_has(&b, a.ip);
}

static void blocks_hold_their_addresses(void **state)
{
    struct key_block b;

    assert_true(block_has("0.0.0.0/0", "203.0.113.9"));
    assert_false(block_has("0.0.0.0/0", "2001:db8::1"));
    assert_true(block_has("::/0", "203.0.113.9"));
    assert_true(block_has("192.0.2.128/25", "192.0.2.200"));
    assert_false(block_has("192.0.2.128/25", "192.0.2.127"));
    assert_true(block_has("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(block_has("2001:db8::/33", "2001:db8:8000::1"));
    assert_true(block_has("192.0.2.1", "::ffff:192.0.2.1"));
    assert_false(key_block_parse(STR("192.0.2.1/33"), &b));
    assert_false(key_block_parse(STR("::/129"), &b));
    assert_false(key_block_parse(STR("192.0.2"), &b));
    assert_false(key_block_parse(STR("192.0.2.1/"), &b));
    assert_false(key_block_parse(STR("/8"), &b));
    assert_false(key_block_parse(STR(""), &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passwords_that_everybody_tries_are_refused),
        cmocka_unit_test(password_lengths_count_characters),
        cmocka_unit_test(nobody_has_no_password),
        cmocka_unit_test(roles_cover_what_they_should),
        cmocka_unit_test(blocks_hold_their_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
