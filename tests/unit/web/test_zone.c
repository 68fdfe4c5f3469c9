/* Wall clocks of a few zones at moments that are known. */
#include "unit.h"

#include "web/zone.h"

#define SECONDS(n) ((int64_t)(n) * 1000000)

static int setup(void **state)
{
    *state = arena_new(64 << 20);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static void berlin_changes_in_march_and_october(void **state)
{
    struct zone *z = zone_open(*state, STR("Europe/Berlin"));
    struct civil before = zone_civil(z, SECONDS(1774745999)); /* 2026-03-29T00:59:59Z */
    struct civil after = zone_civil(z, SECONDS(1774746000));

    assert_int_equal(before.hour, 1);
    assert_string_equal(before.abbreviation, "CET");
    assert_int_equal(after.hour, 3);
    assert_int_equal(after.offset_s, 7200);
    assert_string_equal(after.abbreviation, "CEST");
    assert_int_equal(after.weekday, 0);
}

static void half_hours_and_the_other_side_of_the_day(void **state)
{
    struct civil c = zone_civil(zone_open(*state, STR("Asia/Kolkata")), SECONDS(1798741800));

    /* 2026-12-31T18:30:00Z */
    assert_int_equal(c.year, 2027);
    assert_int_equal(c.day, 1);
    assert_int_equal(c.hour, 0);
    assert_int_equal(c.minute, 0);
}

static void local_midnight_is_found_again(void **state)
{
    static const char *const zones[] = {"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata",
                                        "Pacific/Auckland"};

    for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
        struct zone *z = zone_open(*state, str_c(zones[i]));

        for (int day = 1; day <= 30; day++) {
            struct civil c = {.year = 2026, .month = 3 + day % 10, .day = day};
            struct civil back = zone_civil(z, zone_unix_us(z, &c));

            assert_int_equal(back.day, c.day);
            assert_int_equal(back.month, c.month);
            assert_int_equal(back.hour, 0);
        }
    }
}

static void unknown_names_are_utc(void **state)
{
    static const char *const names[] = {"", "Mars/Olympus", "../../etc/passwd", "/etc/passwd",
                                        "Europe", "zone.tab"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct zone *z = zone_open(*state, str_c(names[i]));

        assert_str(zone_name(z), "UTC");
        assert_int_equal(zone_civil(z, SECONDS(86400)).day, 2);
    }
}

static void names_to_choose_from_are_zones(void **state)
{
    struct str *names;
    size_t n, known = 0;

    assert_int_equal(zone_names(*state, &names, &n), 0);
    assert_true(n > 200);
    assert_str(names[0], "UTC");
    for (size_t i = 0; i < n; i++)
        known += str_eq(zone_name(zone_open(*state, names[i])), names[i]);
    assert_int_equal(known, n);
}

static void days_are_read_strictly(void **state)
{
    static const char *const bad[] = {"",           "2026-2-03",  "2026-02-29", "2026-13-01",
                                      "2026-00-01", "2026-04-31", "2026/04/01", "2026-04-01 "};
    struct civil c;

    (void)state;
    assert_true(civil_parse_day(STR("2024-02-29"), &c));
    assert_int_equal(c.day, 29);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(civil_parse_day(str_c(bad[i]), &c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(berlin_changes_in_march_and_october),
        cmocka_unit_test(half_hours_and_the_other_side_of_the_day),
        cmocka_unit_test(local_midnight_is_found_again),
        cmocka_unit_test(unknown_names_are_utc),
        cmocka_unit_test(names_to_choose_from_are_zones),
        cmocka_unit_test(days_are_read_strictly),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
