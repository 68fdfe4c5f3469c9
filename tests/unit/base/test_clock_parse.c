/* test_clock_parse.c: times as people and programs write them. */
#include "unit.h"

#include "base/clock.h"

static void good_times_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t us;
    } cases[] = {
        {"1970-01-01", 0},
        {"1970-01-01T00:00:01Z", 1000000},
        {"1970-01-01T00:01", 60000000},
        {"1970-01-01T01:00:00+01:00", 0},
        {"1969-12-31T23:59:59.5Z", -500000},
        {"2024-02-29T12:00:00.123456Z", 1709208000123456},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t us = -1;

        assert_true(clock_parse_rfc3339(str_c(cases[i].text), &us));
        assert_int_equal(us, cases[i].us);
    }
}

static void bad_times_are_refused(void **state)
{
    static const char *const cases[] = {"",
                                        "2026",
                                        "2026-13-01",
                                        "2023-02-29",
                                        "2026-11-31",
                                        "2026-11-21T25:00",
                                        "2026-11-21T10:00:00.",
                                        "2026-11-21T10:00 x",
                                        "2026-11-21T10:00:00+0100",
                                        "26-11-21",
                                        "2026-11-21Z"};
    int64_t us = 7;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_false(clock_parse_rfc3339(str_c(cases[i]), &us));
    assert_int_equal(us, 7);
}

static void what_is_printed_is_read_back(void **state)
{
    int64_t us = 1763706453123456, back = 0;
    char text[CLOCK_RFC3339_SIZE];

    (void)state;
    clock_rfc3339(us, text);
    assert_true(clock_parse_rfc3339(str_c(text), &back));
    assert_int_equal(back, us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_times_are_read),
        cmocka_unit_test(bad_times_are_refused),
        cmocka_unit_test(what_is_printed_is_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
