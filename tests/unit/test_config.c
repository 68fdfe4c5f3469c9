/* Settings: which source holds, what is worked out, what is refused and how it is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <unistd.h>

#include <cmocka.h>

#include "config.h"

static char fault[CONFIG_FAULT_SIZE];
static char path[] = "/tmp/tg-config-XXXXXX";

static int clean(void **state)
{
    static const char *const names[] = {"LISTEN", "PORT", "DATABASE_URL", "SIGNUP", "DEMO",
                                        "TOLLGATE_CONFIG", "PUBLIC_URL", "DATA_DIR"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        unsetenv(names[i]);
    setenv("DATA_DIR", "/data", 1);
    fault[0] = '\0';
    return 0;
}

static const char *file_with(const char *text)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    return path;
}

static int load_with(const char *file, const struct config_override *o, size_t n,
                     struct config *ret)
{
    return config_load(file, o, n, "/opt/tollgate/bin/tollgate", ret, fault);
}

static struct config load(const char *file)
{
    struct config c;

    assert_int_equal(load_with(file, NULL, 0, &c), CONFIG_OK);
    return c;
}

static void refused(const char *file_text, const char *sentence)
{
    struct config c;

    assert_int_equal(load_with(file_with(file_text), NULL, 0, &c), CONFIG_E_INVALID);
    if (!strstr(fault, sentence))
        fail_msg("\"%s\" is not in \"%s\"", sentence, fault);
}

static void option_beats_environment_beats_file_beats_default(void **state)
{
    const struct config_override port = {"PORT", "4", "--port"};
    struct config c = load(NULL);

    assert_int_equal(c.port, 8080);
    config_done(&c);
    c = load(file_with("PORT=2\n"));
    assert_int_equal(c.port, 2);
    config_done(&c);
    setenv("PORT", "3", 1);
    c = load(path);
    assert_int_equal(c.port, 3);
    config_done(&c);
    assert_int_equal(load_with(path, &port, 1, &c), CONFIG_OK);
    assert_int_equal(c.port, 4);
    config_done(&c);
}

static void the_environment_names_the_file(void **state)
{
    setenv("TOLLGATE_CONFIG", file_with("PORT=99\n"), 1);
    struct config c = load(NULL);

    assert_int_equal(c.port, 99);
    config_done(&c);
}

static void the_file_has_comments_blanks_and_quotes(void **state)
{
    struct config c = load(file_with("# a comment\n\n  NODE_NAME = \"blue one\"  \r\nPORT=\n"));

    assert_string_equal(c.node_name, "blue one");
    assert_int_equal(c.port, 8080);
    config_done(&c);
}

static void mistakes_name_line_and_setting(void **state)
{
    refused("PORT=1\nPROT=2\n", ":2: there is no setting PROT");
    refused("PORT\n", ":1: a line is NAME=value");
    refused("\nPORT=70000\n", "PORT: \"70000\" is not a number from 1 to 65535");
    refused("PORT=8x\n", "PORT: \"8x\"");
    refused("SIGNUP=maybe\n", "SIGNUP: \"maybe\" is not one of auto|open|invite|closed");
    refused("LISTEN=localhost\n", "LISTEN: \"localhost\" is not an IP address");
    refused("TRUSTED_PROXIES=10.0.0.0/8, nonsense\n", "TRUSTED_PROXIES: \" nonsense\"");
    refused("TLS_KEY_FILE=/k\n", "set both or neither");
    refused("PUBLIC_URL=example.org\n", "PUBLIC_URL");
    refused("DEFAULT_TIME_ZONE=Mars';--\n", "DEFAULT_TIME_ZONE");
    struct config c;

    assert_int_equal(load_with("/nonexistent", NULL, 0, &c), CONFIG_E_INVALID);
    assert_non_null(strstr(fault, "/nonexistent"));
}

static void loopback_alone_is_trusting(void **state)
{
    struct config c = load(NULL);

    assert_true(c.loopback);
    assert_int_equal(c.signup, CONFIG_SIGNUP_OPEN);
    assert_int_equal(c.demo, CONFIG_ON);
    assert_int_equal(c.sandbox_payments, CONFIG_ON);
    assert_string_equal(c.public_url, "http://127.0.0.1:8080");
    assert_string_equal(c.secret_file, "/data/secret");
    config_done(&c);
}

static void beyond_loopback_nothing_is_played(void **state)
{
    setenv("LISTEN", "::", 1);
    struct config c = load(NULL);

    assert_false(c.loopback);
    assert_int_equal(c.signup, CONFIG_SIGNUP_INVITE);
    assert_int_equal(c.demo, CONFIG_OFF);
    assert_int_equal(c.sandbox_payments, CONFIG_OFF);
    assert_string_equal(c.public_url, "http://[::1]:8080");
    config_done(&c);
}

static void a_database_of_ones_own_is_no_demo(void **state)
{
    setenv("DATABASE_URL", "postgresql://u:secret@h/db", 1);
    struct config c = load(NULL);

    assert_int_equal(c.demo, CONFIG_OFF);
    assert_string_equal(c.secret_file, "");
    assert_string_equal(c.journal_dir, "/data/journal");
    config_done(&c);
    setenv("DEMO", "on", 1);
    c = load(NULL);
    assert_int_equal(c.demo, CONFIG_ON);
    config_done(&c);
}

static void public_url_loses_its_last_slash(void **state)
{
    setenv("PUBLIC_URL", "https://llm.example.org/", 1);
    struct config c = load(NULL);

    assert_string_equal(c.public_url, "https://llm.example.org");
    config_done(&c);
}

static void printed(const char *url, const char *wanted)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);

    setenv("DATABASE_URL", url, 1);
    struct config c = load(NULL);

    config_print(&c, out);
    config_done(&c);
    fclose(out);
    if (!strstr(text, wanted))
        fail_msg("\"%s\" is not in:\n%s", wanted, text);
    assert_null(strstr(text, "hunter2"));
    free(text);
}

static void passwords_are_not_printed(void **state)
{
    printed("postgresql://app:hunter2@db/x", "DATABASE_URL=postgresql://app:***@db/x   #");
    printed("postgresql://app:hunt@hunter2@db/x", "DATABASE_URL=postgresql://app:***@db/x   #");
    printed("host=db user=app password=hunter2", "DATABASE_URL=host=db user=app password=***");
    printed("host=db password='a hunter2' user=app", "DATABASE_URL=host=db password=***");
    printed("postgresql://app@db/x?password=hunter2",
            "DATABASE_URL=postgresql://app@db/x?password=***");
    printed("postgresql://app@db/x", "DATABASE_URL=postgresql://app@db/x   # environment");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(option_beats_environment_beats_file_beats_default, clean),
        cmocka_unit_test_setup(the_environment_names_the_file, clean),
        cmocka_unit_test_setup(the_file_has_comments_blanks_and_quotes, clean),
        cmocka_unit_test_setup(mistakes_name_line_and_setting, clean),
        cmocka_unit_test_setup(loopback_alone_is_trusting, clean),
        cmocka_unit_test_setup(beyond_loopback_nothing_is_played, clean),
        cmocka_unit_test_setup(a_database_of_ones_own_is_no_demo, clean),
        cmocka_unit_test_setup(public_url_loses_its_last_slash, clean),
        cmocka_unit_test_setup(passwords_are_not_printed, clean),
    };
    int fd = mkstemp(path);

    if (fd < 0)
        return 1;
    close(fd);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    unlink(path);
    return failed;
}
