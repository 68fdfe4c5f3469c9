/* The streaming writer: commas, escapes, money; and trees printed through it. */
#include "unit.h"

#include <errno.h>

#include "json/value.h"
#include "json/write.h"

static struct buf out;

static int setup(void **state)
{
    buf_init(&out, 100000);
    return 0;
}

static int teardown(void **state)
{
    buf_done(&out);
    return 0;
}

static void commas_stand_between_and_only_there(void **state)
{
    struct json_writer w;

    json_begin(&w, &out);
    json_open_object(&w);
    json_key(&w, "a");
    json_open_array(&w);
    json_int(&w, 1);
    json_open_array(&w);
    json_close_array(&w);
    json_open_object(&w);
    json_close_object(&w);
    json_cstr(&w, NULL);
    json_close_array(&w);
    json_key(&w, "b");
    json_bool(&w, true);
    json_key(&w, "c");
    json_raw(&w, STR("{\"x\":1}"));
    json_close_object(&w);
    assert_str(buf_str(&out), "{\"a\":[1,[],{},null],\"b\":true,\"c\":{\"x\":1}}");
}

static struct str escaped(struct str s)
{
    buf_reset(&out);
    json_escape(&out, s);
    return buf_str(&out);
}

static void every_control_character_is_escaped(void **state)
{
    assert_str(escaped(STR("\"\\/\b\f\n\r\t")), "\\\"\\\\/\\b\\f\\n\\r\\t");
    assert_str(escaped(str_n("\0\x01\x1f\x7f", 4)), "\\u0000\\u0001\\u001f\x7f");
    for (int c = 0; c < 0x20; c++) {
        char text[40];

        memset(text, 'x', sizeof(text));
        text[c] = (char)c; /* at every place of a vector */
        assert_int_equal(escaped(str_n(text, sizeof(text))).n > sizeof(text), 1);
        assert_non_null(memchr(out.p, '\\', out.n));
    }
    assert_str(escaped(STR_NONE), "");
}

static void wrong_utf8_becomes_the_replacement_character(void **state)
{
    assert_str(escaped(STR("gr\xc3\xbc\xc3\x9f")), "gr\xc3\xbc\xc3\x9f");
    assert_str(escaped(STR("a\xff"
                           "b")),
               "a\xef\xbf\xbd"
               "b");
    assert_str(escaped(STR("\xed\xa0\x80")), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    assert_str(escaped(STR("cut \xe2\x82")), "cut \xef\xbf\xbd\xef\xbf\xbd");
    assert_true(str_utf8(escaped(STR("\xc0\xaf\xf5\x80\x80\x80"))));
}

static void money_is_exact_in_both_forms(void **state)
{
    struct json_writer w;

    json_begin(&w, &out);
    json_open_array(&w);
    json_money(&w, (struct money){1000});
    json_money_number(&w, (struct money){1000});
    json_money_number(&w, (struct money){-12000000000});
    json_close_array(&w);
    assert_str(buf_str(&out), "[\"0.000001\",0.000001,-12]");
}

static void tree_prints_as_built(void **state)
{
    _cleanup_json_ struct json_object *o = json_new_object();
    struct json_object *list = json_new_array();

    json_set_str(o, "s", str_n("a\0\"", 3));
    json_set_i64(o, "i", INT64_MIN);
    json_set_bool(o, "b", false);
    json_set_null(o, "z");
    json_set_cstr(o, "y", NULL);
    json_set_money(o, "m", (struct money){INT64_MAX});
    json_set_money_number(o, "n", (struct money){17});
    json_push_str(list, STR("/"));
    json_push_i64(list, 3);
    json_push(list, json_new_object());
    json_set(o, "l", list);
    assert_int_equal(json_print(o, &out), 0);
    assert_str(buf_str(&out),
               "{\"s\":\"a\\u0000\\\"\",\"i\":-9223372036854775808,\"b\":false,\"z\":null,"
               "\"y\":null,\"m\":\"9223372036.854775807\",\"n\":0.000000017,"
               "\"l\":[\"/\",3,{}]}");
}

static void what_does_not_fit_is_an_error(void **state)
{
    _cleanup_json_ struct json_object *o = json_new_object();
    struct buf small;

    json_set_str(o, "key", STR("value"));
    buf_init(&small, 10);
    assert_int_equal(json_print(o, &small), -EMSGSIZE);
    buf_done(&small);
}

static bool count_two(void *ctx, const char *key, struct json_object *v)
{
    return ++*(int *)ctx < 2;
}

static void readings_of_the_wrong_kind_are_empty(void **state)
{
    _cleanup_json_ struct json_object *o = json_new_object();
    struct json_object *list = json_new_array();
    int visited = 0;

    json_set_str(o, "s", STR("12abc"));
    json_set_bool(o, "b", true);
    json_set_null(o, "z");
    json_set(o, "l", list);
    assert_int_equal(json_i64(json_get(o, "s")), 0);
    assert_int_equal(json_i64(json_get(o, "b")), 0);
    assert_false(json_true(json_get(o, "s")));
    assert_int_equal(json_text(json_get(o, "b")).n, 0);
    assert_null(json_get(list, "s"));
    assert_null(json_get(NULL, "s"));
    assert_null(json_at(o, 0));
    assert_null(json_at(list, 0));
    assert_true(json_has(o, "z"));
    assert_false(json_has(o, "q"));
    assert_int_equal(json_length(o), 4);
    assert_int_equal(json_length(NULL), 0);
    assert_int_equal(json_kind(NULL), JSON_NULL);
    json_each(o, count_two, &visited);
    assert_int_equal(visited, 2);
    json_each(list, count_two, &visited);
    assert_int_equal(visited, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(commas_stand_between_and_only_there, setup, teardown),
        cmocka_unit_test_setup_teardown(every_control_character_is_escaped, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_utf8_becomes_the_replacement_character, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(money_is_exact_in_both_forms, setup, teardown),
        cmocka_unit_test_setup_teardown(tree_prints_as_built, setup, teardown),
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_an_error, setup, teardown),
        cmocka_unit_test(readings_of_the_wrong_kind_are_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
