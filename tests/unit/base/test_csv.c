/* test_csv.c: quoting, and what a spreadsheet must not run. */
#include "unit.h"

#include "base/csv.h"

static void expect(struct str in, const char *want)
{
    struct buf b;

    buf_init(&b, 1000);
    csv_text(&b, in);
    csv_end(&b);
    assert_int_equal(buf_finish(&b), 0);
    assert_true(str_eq_c(buf_str(&b), want));
    buf_done(&b);
}

static void text_is_quoted_when_it_must_be(void **state)
{
    (void)state;
    expect(STR("plain"), "plain\r\n");
    expect(STR("a,b"), "\"a,b\"\r\n");
    expect(STR("say \"hi\""), "\"say \"\"hi\"\"\"\r\n");
    expect(STR("two\nlines"), "\"two\nlines\"\r\n");
    expect(STR_NONE, "\r\n");
}

static void formulas_are_defused(void **state)
{
    (void)state;
    expect(STR("=1+1"), "'=1+1\r\n");
    expect(STR("-2"), "'-2\r\n");
    expect(STR("@x"), "'@x\r\n");
    expect(STR("  +cmd"), "\"'  +cmd\"\r\n");
    expect(STR("\xef\xbc\x9dSUM(A1)"), "'\xef\xbc\x9dSUM(A1)\r\n");
    expect(STR("\"=1\""), "\"'\"\"=1\"\"\"\r\n");
}

static void figures_are_bare(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    csv_i64(&b, -5);
    csv_money(&b, (struct money){-1500000001});
    csv_time(&b, 0);
    csv_time(&b, 1000000);
    csv_end(&b);
    assert_true(str_eq_c(buf_str(&b), "-5,-1.500000001,,1970-01-01T00:00:01.000000Z\r\n"));
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_quoted_when_it_must_be),
        cmocka_unit_test(formulas_are_defused),
        cmocka_unit_test(figures_are_bare),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
