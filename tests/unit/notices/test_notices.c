/* What the settings of mail come to: whose server may do without TLS, whose Message-IDs they are. */
#include "unit.h"

#include "notices/notices.h"

static const uint8_t seal_key[32];

static struct notices made(struct arena *a, const char *smtp_url, const char *from)
{
    const struct notices_settings settings = {.smtp_url = smtp_url,
                                              .smtp_user = "",
                                              .smtp_password_file = "",
                                              .mail_from = from,
                                              .public_url = STR("https://llm.example.org:8443/x")};
    struct notices n;

    assert_int_equal(notices_init(a, &settings, seal_key, &n), NOTICES_OK);
    return n;
}

static void only_loopback_may_do_without_tls(void **state)
{
    static const struct {
        const char *url;
        bool plain;
    } cases[] = {
        {"smtp://127.0.0.1:25", true},         {"smtp://localhost", true},
        {"smtp://[::1]:587", true},            {"smtp://user:word@127.0.0.1/helo", true},
        {"smtp://mail.example.org:587", false}, {"smtp://127.example.org", false},
        {"smtp://localhost@example.org", false}, {"smtp://[2001:db8::1]:587", false},
        {"smtp://localhost.example.org", false},
    };
    struct arena *a = arena_new(65536);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct notices n = made(a, cases[i].url, "Tollgate <ops@example.org>");

        assert_true(notices_mail(&n));
        assert_int_equal(n.server.may_be_plain, cases[i].plain);
        assert_string_equal(n.from_address, "ops@example.org");
        assert_str(n.host, "llm.example.org");
    }
    arena_free(a);
}

static void without_the_settings_nothing_is_mailed(void **state)
{
    struct arena *a = arena_new(65536);
    struct notices n = made(a, "", "");

    (void)state;
    assert_false(notices_mail(&n));
    assert_false(notices_mail(NULL));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_loopback_may_do_without_tls),
        cmocka_unit_test(without_the_settings_nothing_is_mailed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
