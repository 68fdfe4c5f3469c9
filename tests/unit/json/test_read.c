/* Reading objects by a table: what is refused and how the fault names it. */
#include "unit.h"

#include "json/read.h"

struct wanted {
    struct str name;
    int64_t rpm;
    bool enabled;
    struct money budget;
    struct json_strs models;
    struct json_object *extra;
    uint8_t name_seen, rpm_seen, enabled_seen, budget_seen, models_seen;
};

#define AT(field) offsetof(struct wanted, field), offsetof(struct wanted, field##_seen)

static const struct json_field fields[] = {
    {"name", WANT_STR, true, 1, 5, AT(name)},
    {"rpm", WANT_I64, false, 1, 1000, AT(rpm)},
    {"enabled", WANT_BOOL, false, 0, 0, AT(enabled)},
    {"budget", WANT_MONEY, false, 0, 5000000000, AT(budget)},
    {"models", WANT_STRS, false, 0, 2, AT(models)},
    {"extra", WANT_ANY, false, 0, 0, offsetof(struct wanted, extra), SIZE_MAX},
};

static struct arena *arena;
static struct json_object *object;

static int setup(void **state)
{
    arena = arena_new(100000);
    object = json_new_object();
    json_set_cstr(object, "name", "n");
    return 0;
}

static int teardown(void **state)
{
    arena_free(arena);
    json_unref(object);
    return 0;
}

static void refuses(const char *path, const char *reason)
{
    struct wanted w = {0};
    struct json_fault fault = {0};

    assert_int_equal(json_read(arena, object, fields, ARRAY_LEN(fields), &w, &fault), JSON_E_FAULT);
    assert_string_equal(fault.path, path);
    assert_string_equal(fault.reason, reason);
}

static struct wanted reads(void)
{
    struct wanted w = {.rpm = 77};
    struct json_fault fault = {0};

    assert_int_equal(json_read(arena, object, fields, ARRAY_LEN(fields), &w, &fault), JSON_OK);
    return w;
}

static void given_null_and_absent_are_told_apart(void **state)
{
    struct wanted w;

    json_set_null(object, "rpm");
    json_set_bool(object, "enabled", true);
    w = reads();
    assert_str(w.name, "n");
    assert_int_equal(w.name_seen, FIELD_GIVEN);
    assert_int_equal(w.rpm_seen, FIELD_NULL);
    assert_int_equal(w.rpm, 77);
    assert_int_equal(w.enabled_seen, FIELD_GIVEN);
    assert_true(w.enabled);
    assert_int_equal(w.budget_seen, FIELD_ABSENT);
}

static void all_kinds_arrive(void **state)
{
    struct json_object *models = json_new_array();
    struct wanted w;

    json_push_str(models, STR("gpt"));
    json_push_str(models, STR(""));
    json_set(object, "models", models);
    json_set_cstr(object, "budget", "1.25");
    json_set(object, "extra", json_new_array());
    w = reads();
    assert_int_equal(w.models.n, 2);
    assert_str(w.models.v[0], "gpt");
    assert_int_equal(w.budget.nano, 1250000000);
    assert_int_equal(json_kind(w.extra), JSON_ARRAY);
    json_set_i64(object, "budget", 3);
    assert_int_equal(reads().budget.nano, 3000000000);
    json_set_money_number(object, "budget", (struct money){1});
    assert_int_equal(reads().budget.nano, 1);
}

static void unknown_fields_are_named(void **state)
{
    json_set_i64(object, "nmae", 1);
    refuses("nmae", "is not a known field");
}

static void required_means_given(void **state)
{
    json_set_null(object, "name");
    refuses("name", "must not be null");
    json_unref(object);
    object = json_new_object();
    refuses("name", "is required");
    json_unref(object);
    object = json_new_array();
    refuses("", "must be an object");
}

static void kinds_are_not_bent(void **state)
{
    json_set_cstr(object, "rpm", "12abc");
    refuses("rpm", "must be an integer");
    json_set_bool(object, "rpm", true);
    refuses("rpm", "must be an integer");
    json_set_i64(object, "rpm", 1);
    json_set_i64(object, "enabled", 1);
    refuses("enabled", "must be true or false");
    json_set_bool(object, "enabled", true);
    json_set_bool(object, "budget", true);
    refuses("budget", "must be an amount such as \"12.50\"");
    json_set_cstr(object, "budget", "1e3");
    refuses("budget", "must be an amount such as \"12.50\"");
    json_set_cstr(object, "budget", "0.0000000001");
    refuses("budget", "must have at most 9 decimals");
    json_set_cstr(object, "budget", "99999999999999999999");
    refuses("budget", "is too large an amount");
}

static void bounds_are_inclusive_and_named(void **state)
{
    json_set_i64(object, "rpm", 1000);
    assert_int_equal(reads().rpm, 1000);
    json_set_i64(object, "rpm", 1001);
    refuses("rpm", "must be between 1 and 1000");
    json_set_i64(object, "rpm", 0);
    refuses("rpm", "must be between 1 and 1000");
    json_set_i64(object, "rpm", 1);
    json_set_cstr(object, "budget", "5.000000001");
    refuses("budget", "must be between 0 and 5");
    json_set_cstr(object, "budget", "5");
    (void)reads();
}

static void strings_are_counted_in_characters(void **state)
{
    json_set_cstr(object, "name", "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4");
    (void)reads();
    json_set_cstr(object, "name", "123456");
    refuses("name", "length must be between 1 and 5");
    json_set_cstr(object, "name", "");
    refuses("name", "length must be between 1 and 5");
    json_set_str(object, "name", str_n("a\0b", 3));
    refuses("name", "must not contain a NUL character");
}

static void elements_are_named_by_their_place(void **state)
{
    struct json_object *models = json_new_array();

    json_push_str(models, STR("gpt"));
    json_push_i64(models, 1);
    json_set(object, "models", models);
    refuses("models[1]", "must be a string");
    json_push_str(models, STR("x"));
    refuses("models", "number of entries must be between 0 and 2");
    json_set_cstr(object, "models", "gpt");
    refuses("models", "must be a list of strings");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(given_null_and_absent_are_told_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(all_kinds_arrive, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_fields_are_named, setup, teardown),
        cmocka_unit_test_setup_teardown(required_means_given, setup, teardown),
        cmocka_unit_test_setup_teardown(kinds_are_not_bent, setup, teardown),
        cmocka_unit_test_setup_teardown(bounds_are_inclusive_and_named, setup, teardown),
        cmocka_unit_test_setup_teardown(strings_are_counted_in_characters, setup, teardown),
        cmocka_unit_test_setup_teardown(elements_are_named_by_their_place, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
