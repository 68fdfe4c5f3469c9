/* Values made ready for templates, and the chart of spend by day: what is shown of an amount, and what
 * becomes of more models than there are colours. */
#include "unit.h"

#include "json/value.h"
#include "web/chart.h"
#include "web/view.h"

static void shows(int64_t nano, int decimals, const char *text, const char *exact)
{
    _cleanup_json_ struct json_object *o = json_new_object();

    view_money(o, "m", (struct money){nano}, decimals);
    assert_true(str_eq_c(json_text(json_get(json_get(o, "m"), "text")), text));
    assert_true(str_eq_c(json_text(json_get(json_get(o, "m"), "exact")), exact));
}

static void an_amount_is_rounded_but_never_to_nothing(void **state)
{
    (void)state;
    shows(0, VIEW_DOLLARS, "$0.00", "0.00 USD");
    shows(1234500000000, VIEW_DOLLARS, "$1,234.50", "1234.50 USD");
    shows(4999999, VIEW_DOLLARS, "<$0.01", "0.004999999 USD");
    shows(5000000, VIEW_DOLLARS, "$0.01", "0.005 USD");
    shows(499, VIEW_CALL, "<$0.000001", "0.000000499 USD");
    shows(-36643120, VIEW_CALL, "\u2212$0.036643", "\u22120.03664312 USD");
    shows(-2500000000, VIEW_DOLLARS, "\u2212$2.50", "\u22122.50 USD");
    shows(INT64_MIN, VIEW_DOLLARS, "\u2212$9,223,372,036.85", "\u22129223372036.854775808 USD");
}

static void a_figure_has_the_decimals_it_wants(void **state)
{
    (void)state;
    assert_int_equal(view_decimals((struct money){592320000001}), VIEW_DOLLARS);
    assert_int_equal(view_decimals((struct money){250000000}), VIEW_DOLLARS);
    assert_int_equal(view_decimals((struct money){221934000}), VIEW_CENTS);
    assert_int_equal(view_decimals((struct money){-221934000}), VIEW_CENTS);
    assert_int_equal(view_decimals((struct money){12760}), VIEW_CALL);
    assert_int_equal(view_decimals(MONEY_ZERO), VIEW_DOLLARS);
}

/* Twelve models on two days; the n-th cost n dollars on each. */
static void models_beyond_the_colours_are_one(void **state)
{
    static const char names[] = "abcdefghijkl";
    struct usage_point v[24];
    struct usage_points points = {.v = v, .n = ARRAY_LEN(v)};
    _cleanup_json_ struct json_object *o = json_new_object();
    struct arena *a = arena_new(1 << 20);
    struct json_object *legend;
    _cleanup_(freep) char *text = NULL;
    struct str data;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(v); i++)
        v[i] = (struct usage_point){.day = i % 2 ? STR("2026-03-02") : STR("2026-03-01"),
                                    .model = str_n(names + i / 2, 1),
                                    .charge = {((int64_t)i / 2 + 1) * 1000000000}};
    assert_int_equal(chart_spend(a, &points, STR("2026-03-01"), STR("2026-03-03"), o, "chart"), 0);
    legend = json_get(json_get(o, "chart"), "legend");
    assert_int_equal(json_length(legend), 8);
    assert_true(str_eq_c(json_text(json_get(json_at(legend, 0), "label")), "l"));
    assert_true(str_eq_c(json_text(json_get(json_at(legend, 7), "label")), "5 other models"));
    assert_true(str_eq_c(
        json_text(json_get(json_get(json_at(legend, 7), "total"), "text")), "$30.00"));
    data = json_text(json_get(json_get(o, "chart"), "data"));
    text = strndup(data.p, data.n);
    assert_non_null(strstr(text, "{\"label\":\"5 other models\",\"values\":[15,15,0],"
                                 "\"texts\":[\"$15.00\",\"$15.00\",\"$0.00\"]}"));
    assert_non_null(strstr(text, "{\"label\":\"l\",\"values\":[12,12,0],"));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_amount_is_rounded_but_never_to_nothing),
        cmocka_unit_test(a_figure_has_the_decimals_it_wants),
        cmocka_unit_test(models_beyond_the_colours_are_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
