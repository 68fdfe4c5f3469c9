/* Tags that a request says, beside those of its key. */
#include <stdio.h>

#include "unit.h"

#include "base/bounds.h"
#include "gateway/tags.h"

static struct arena *arena;

static int set_up(void **state)
{
    arena = arena_new(KIB(256));
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    arena_free(arena);
    return 0;
}

static void joins(const char *said, const char *of_key, const char *expected)
{
    struct json_fault fault;
    struct str text;

    assert_int_equal(tags_join(arena, str_c(said), str_c(of_key), &text, &fault), TAGS_OK);
    assert_str(text, expected);
}

static void faults(const char *said, const char *reason)
{
    struct json_fault fault;
    struct str text = STR("untouched");

    assert_int_equal(tags_join(arena, str_c(said), STR("{}"), &text, &fault), TAGS_E_SAID);
    assert_string_equal(fault.path, "x-tollgate-tags");
    assert_non_null(strstr(fault.reason, reason));
    assert_str(text, "untouched");
}

static void pairs_are_read_and_the_keys_own_stay(void **state)
{
    joins("customer=acme, workflow = support ", "", "{\"customer\":\"acme\",\"workflow\":\"support\"}");
    joins("app=mine,step=2", "{\"app\":\"billing\"}", "{\"app\":\"billing\",\"step\":\"2\"}");
    joins("a=b=c,,", "{}", "{\"a\":\"b=c\"}");
    joins("a=1,a=2", "{}", "{\"a\":\"1\"}");
    joins("quote=\"\\", "{}", "{\"quote\":\"\\\"\\\\\"}");
    joins("", "{\"app\":\"billing\"}", "{\"app\":\"billing\"}");
}

static void what_is_no_tag_is_refused_with_its_reason(void **state)
{
    char many[400] = "", longest[200] = "a=";

    faults("customer", "name=value");
    faults("=x", "name of a tag");
    faults("cust omer=x", "name of a tag");
    faults("a=", "value of a tag");
    faults("a=\xff", "value of a tag");
    memset(longest + 2, 'x', TAGS_VALUE_MAX + 1);
    faults(longest, "value of a tag");
    for (int i = 0; i <= TAGS_SAID_MAX; i++)
        snprintf(many + strlen(many), sizeof(many) - strlen(many), "t%d=1,", i);
    faults(many, "more than 16");
}

static void more_than_a_record_holds_is_refused(void **state)
{
    char said[2000] = "";

    for (int i = 0; i < 12; i++)
        snprintf(said + strlen(said), sizeof(said) - strlen(said), "t%d=%090d,", i, i);
    faults(said, "room for");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_read_and_the_keys_own_stay),
        cmocka_unit_test(what_is_no_tag_is_refused_with_its_reason),
        cmocka_unit_test(more_than_a_record_holds_is_refused),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
