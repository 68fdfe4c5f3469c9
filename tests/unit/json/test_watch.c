/* Watched paths: the spans they deliver, duplicates on their way; reading and splicing spans. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>

#include "base/bounds.h"
#include "json/scan.h"

static struct json_fault fault;
static struct json_scan_result result;

#define SCAN(doc, watches) json_scan(doc, watches, ARRAY_LEN(watches), &result, &fault)

static void spans_are_the_raw_values(void **state)
{
    const struct str doc =
        STR("{\"model\" : \"gpt\", \"stream\":true,\"n\": 12 ,\"temperature\":0.5,"
            "\"tools\":[ 1, 2 ],\"stop\":null,\"response_format\":{\"type\":1}}");
    struct json_watch w[] = {{"model"}, {"stream"}, {"n"},      {"temperature"},
                             {"tools"}, {"stop"},   {"absent"}, {"response_format"}};
    static const struct {
        const char *text;
        enum json_kind kind;
    } expected[] = {
        {"\"gpt\"", JSON_STRING}, {"true", JSON_BOOL},           {"12", JSON_INT},
        {"0.5", JSON_NUMBER},     {"[ 1, 2 ]", JSON_ARRAY},      {"null", JSON_NULL},
        {"", JSON_NULL},          {"{\"type\":1}", JSON_OBJECT},
    };

    assert_int_equal(SCAN(doc, w), JSON_OK);
    for (size_t i = 0; i < ARRAY_LEN(w); i++) {
        assert_str(json_span_str(doc, w[i].span), expected[i].text);
        assert_int_equal(w[i].span.kind, expected[i].kind);
        assert_int_equal(w[i].count, expected[i].text[0] != '\0');
        assert_int_equal(w[i].bytes, strlen(expected[i].text));
    }
}

static void steps_go_through_objects_and_arrays(void **state)
{
    const struct str doc = STR("{\"usage\":{\"details\":{\"cached\":7},\"cached\":8},"
                               "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\"},"
                               "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:\"}}]},"
                               "{\"role\":\"tool\",\"content\":\"plain\"}],"
                               "\"grid\":[[1,2],[3],4],\"details\":{\"cached\":9}}");
    struct json_watch w[] = {
        {"usage.details.cached"},
        {"messages[].role"},
        {"messages[].content[].type"},
        {"messages[].content[].image_url.url"},
        {"messages[]"},
        {"messages"},
        {"grid[][]"},
        {"messages[].content"},
    };

    assert_int_equal(SCAN(doc, w), JSON_OK);
    assert_str(json_span_str(doc, w[0].span), "7");
    assert_int_equal(w[0].count, 1);
    assert_str(json_span_str(doc, w[1].span), "\"tool\"");
    assert_int_equal(w[1].count, 2);
    assert_int_equal(w[1].bytes, 12);
    assert_str(json_span_str(doc, w[2].span), "\"image_url\"");
    assert_int_equal(w[2].count, 2);
    assert_str(json_span_str(doc, w[3].span), "\"data:\"");
    assert_str(json_span_str(doc, w[4].span), "{\"role\":\"tool\",\"content\":\"plain\"}");
    assert_int_equal(w[4].count, 2);
    assert_int_equal(w[5].span.kind, JSON_ARRAY);
    assert_int_equal(w[6].count, 3);
    assert_str(json_span_str(doc, w[6].span), "3");
    assert_str(json_span_str(doc, w[7].span), "\"plain\"");
    assert_int_equal(w[7].count, 2);
}

static void a_path_of_the_wrong_kind_matches_nothing(void **state)
{
    const struct str doc = STR("{\"a\":[{\"b\":1}],\"c\":{\"[]\":1,\"d\":2},\"e.f\":3}");
    struct json_watch w[] = {{"a.b"}, {"c[]"}, {"c[].d"}, {"e.f"}, {"[]"}, {"a[][]"}};

    assert_int_equal(SCAN(doc, w), JSON_OK);
    for (size_t i = 0; i < ARRAY_LEN(w); i++)
        assert_int_equal(w[i].count, 0);
}

static void the_root_may_be_an_array(void **state)
{
    const struct str doc = STR("[{\"id\":1},{\"id\":2}]");
    struct json_watch w[] = {{"[]"}, {"[].id"}};

    assert_int_equal(SCAN(doc, w), JSON_OK);
    assert_int_equal(w[0].count, 2);
    assert_str(json_span_str(doc, w[1].span), "2");
}

static void keys_with_escapes_are_met_too(void **state)
{
    const struct str doc =
        STR("{\"mod\\u0065l\":\"x\",\"\\u0073tream\\u005foptions\":{\"a\\/b\":1}}");
    struct json_watch w[] = {{"model"}, {"stream_options.a/b"}};

    assert_int_equal(SCAN(doc, w), JSON_OK);
    assert_str(json_span_str(doc, w[0].span), "\"x\"");
    assert_str(json_span_str(doc, w[1].span), "1");
}

static void results_are_reset_before_each_scan(void **state)
{
    struct json_watch w[] = {{"a"}};

    assert_int_equal(SCAN(STR("{\"a\":1}"), w), JSON_OK);
    assert_int_equal(SCAN(STR("{\"b\":1}"), w), JSON_OK);
    assert_int_equal(w[0].count, 0);
    assert_int_equal(w[0].span.n, 0);
    assert_int_equal(w[0].bytes, 0);
}

static void duplicates_count_on_the_way_to_a_watched_value(void **state)
{
    struct json_watch w[] = {{"messages[].role"}, {"stream_options"}};

    assert_int_equal(SCAN(STR("{\"messages\":[{\"x\":1},{\"role\":1,\"r\\u006fle\":2}]}"), w),
                     JSON_E_FAULT);
    assert_string_equal(fault.path, "messages[1].r\\u006fle");
    assert_int_equal(SCAN(STR("{\"messages\":[{\"y\":1,\"y\":2}]}"), w), JSON_E_FAULT);
    assert_int_equal(SCAN(STR("{\"stream_options\":{\"y\":1,\"y\":2}}"), w), JSON_E_FAULT);
    assert_int_equal(SCAN(STR("{\"metadata\":{\"y\":1,\"y\":2}}"), w), JSON_OK);
    assert_int_equal(SCAN(STR("{\"messages\":[{\"f\":{\"y\":1,\"y\":2}}]}"), w), JSON_OK);
}

static void thirty_two_watches_are_told_apart(void **state)
{
    static char paths[BOUND_JSON_WATCHES][24];
    struct json_watch w[BOUND_JSON_WATCHES];
    struct buf b;

    buf_init(&b, 10000);
    buf_puts(&b, "{\"list\":[{\"other\":1");
    for (unsigned i = 0; i < ARRAY_LEN(w); i++) {
        (void)snprintf(paths[i], sizeof(paths[i]), "%sfield_%u", i % 2 ? "list[]." : "", i);
        w[i] = (struct json_watch){.path = paths[i]};
        buf_printf(&b, ",\"field_%u\":%u", i, i);
    }
    buf_puts(&b, "}]");
    for (unsigned i = 0; i < ARRAY_LEN(w); i++)
        buf_printf(&b, ",\"field_%u\":%u", i, 1000 + i);
    buf_putc(&b, '}');
    assert_int_equal(SCAN(buf_str(&b), w), JSON_OK);
    for (unsigned i = 0; i < ARRAY_LEN(w); i++) {
        uint64_t v = 0;

        assert_int_equal(w[i].count, 1);
        assert_true(json_span_u64(buf_str(&b), w[i].span, &v));
        assert_int_equal(v, i % 2 ? i : 1000 + i);
    }
    buf_done(&b);
}

/* The span of the one watch "v". */
static struct json_span span_in(struct str doc)
{
    struct json_watch w[] = {{"v"}};

    assert_int_equal(SCAN(doc, w), JSON_OK);
    return w[0].span;
}

static void text_is_decoded(void **state)
{
    const struct str doc = STR("{\"v\":\"a\\\"\\\\\\/\\n\\u00e4\\ud83d\\ude00\\ud800x\\udc00\"}");
    struct buf b;

    buf_init(&b, 100);
    assert_int_equal(json_span_text(doc, span_in(doc), &b), JSON_OK);
    assert_str(buf_str(&b), "a\"\\/\n\xc3\xa4\xf0\x9f\x98\x80\xef\xbf\xbdx\xef\xbf\xbd");
    assert_int_equal(json_span_text(STR("{\"v\":1}"), span_in(STR("{\"v\":1}")), &b), JSON_E_FAULT);
    assert_int_equal(json_span_text(doc, (struct json_span){0}, &b), JSON_E_FAULT);
    buf_done(&b);
    buf_init(&b, 3);
    assert_int_equal(json_span_text(doc, span_in(doc), &b), -EMSGSIZE);
    buf_done(&b);
}

static void text_is_compared_decoded(void **state)
{
    const struct str plain = STR("{\"v\":\"auto\"}"), escaped = STR("{\"v\":\"\\u0061uto\"}");

    assert_true(json_span_is(plain, span_in(plain), "auto"));
    assert_true(json_span_is(escaped, span_in(escaped), "auto"));
    assert_false(json_span_is(plain, span_in(plain), "aut"));
    assert_false(json_span_is(plain, span_in(plain), "\"auto\""));
    assert_false(json_span_is(STR("{\"v\":1}"), span_in(STR("{\"v\":1}")), "1"));
    assert_false(json_span_is(plain, (struct json_span){0}, ""));
}

static void integers_are_read_strictly(void **state)
{
    static const char *const wrong[] = {
        "{\"v\":-1}",   "{\"v\":1.0}", "{\"v\":1e3}",  "{\"v\":\"1\"}",
        "{\"v\":true}", "{\"v\":-0}",  "{\"v\":null}", "{\"v\":18446744073709551616}",
        "{\"x\":1}",
    };
    uint64_t v = 42;

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_false(json_span_u64(str_c(wrong[i]), span_in(str_c(wrong[i])), &v));
    assert_true(v == 42);
    const struct str doc = STR("{\"v\":18446744073709551615}");

    assert_true(json_span_u64(doc, span_in(doc), &v));
    assert_true(v == UINT64_MAX);
}

static void splices_change_only_their_places(void **state)
{
    const struct str doc = STR("{\"model\":\"a\",\"n\":1}");
    const struct json_splice splices[] = {{1, 0, STR("\"x\":0,")},
                                          {9, 3, STR("\"long name\"")},
                                          {17, 1, STR("")},
                                          {18, 1, STR("]}")}};
    struct buf b;

    buf_init(&b, 100);
    json_splice_apply(doc, splices, ARRAY_LEN(splices), &b);
    assert_str(buf_str(&b), "{\"x\":0,\"model\":\"long name\",\"n\":]}");
    buf_reset(&b);
    json_splice_apply(doc, NULL, 0, &b);
    assert_true(str_eq(buf_str(&b), doc));
    buf_done(&b);
}

/* Paths that are constants are kept made ready by their addresses; others must not be. */
static void a_path_that_changes_is_read_anew(void **state)
{
    const struct str doc = STR("{\"model\":1,\"other\":2,\"deep\":{\"model\":3}}");
    static const char *const asked[] = {"model", "other", "deep.model", "model", "deep", "absent"};
    static const char *const found[] = {"1", "2", "3", "1", "{\"model\":3}", ""};
    char path[32];

    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        struct json_watch w[] = {{path}};

        (void)snprintf(path, sizeof(path), "%s", asked[i]);
        assert_int_equal(SCAN(doc, w), JSON_OK);
        assert_str(json_span_str(doc, w[0].span), found[i]);
    }
}

/* More than are kept, each of them twice, and the same paths in another order or number. */
static void many_sets_of_paths_are_told_apart(void **state)
{
    static const char *const paths[] = {"a", "b", "c", "d", "e", "f", "g[]", "g", "h.i", "h.j", "h"};
    static const char *const found[] = {"1", "2", "3", "4", "5", "6", "8", "[7,8]", "9", "10",
                                        "{\"i\":9,\"j\":10}"};
    const struct str doc = STR("{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":[7,8],"
                               "\"h\":{\"i\":9,\"j\":10}}");
    const size_t n = ARRAY_LEN(paths);

    for (size_t set = 0; set < 2 * n * n * n; set++) {
        const size_t which[] = {set % n, set / n % n, set / n / n % n};
        struct json_watch w[] = {{paths[which[0]]}, {paths[which[1]]}, {paths[which[2]]}};
        size_t asked = 1 + set % ARRAY_LEN(w);

        assert_int_equal(json_scan(doc, w, asked, &result, &fault), JSON_OK);
        for (size_t i = 0; i < asked; i++)
            assert_str(json_span_str(doc, w[i].span), found[which[i]]);
    }
}

/* Equal in length and at both ends. */
static void long_names_are_told_apart_by_their_middle(void **state)
{
    const struct str doc = STR("{\"first_of_all__one__the_others\":1,\"first_of_all__two__the_others\":2,"
                               "\"first_of_all__six__the_others\":6}");
    struct json_watch w[] = {{"first_of_all__two__the_others"}, {"first_of_all__one__the_others"}};

    assert_int_equal(SCAN(doc, w), JSON_OK);
    assert_str(json_span_str(doc, w[0].span), "2");
    assert_str(json_span_str(doc, w[1].span), "1");
    assert_int_equal(w[0].count, 1);
}

/* A watched value is open while the scan moves to where there is room for more. */
static void values_are_found_around_what_is_deep_and_wide(void **state)
{
    enum { DEEP = 40, WIDE = 300 };
    struct json_watch w[] = {{"a.deep"}, {"a.wide.last"}, {"a.wide.7"}, {"a"}, {"b"}};
    struct buf b;

    buf_init(&b, 100000);
    buf_puts(&b, "{\"a\":{\"deep\":");
    for (int i = 0; i < DEEP; i++)
        buf_putc(&b, '[');
    for (int i = 0; i < DEEP; i++)
        buf_putc(&b, ']');
    buf_puts(&b, ",\"wide\":{");
    for (int i = 0; i < WIDE; i++)
        buf_printf(&b, "\"%d\":%d,", i, i);
    buf_puts(&b, "\"last\":true}},\"b\":2}");
    assert_int_equal(SCAN(buf_str(&b), w), JSON_OK);
    assert_int_equal(w[0].span.n, 2 * DEEP);
    assert_str(json_span_str(buf_str(&b), w[1].span), "true");
    assert_str(json_span_str(buf_str(&b), w[2].span), "7");
    assert_int_equal(w[3].span.n, b.n - strlen("{\"a\":,\"b\":2}"));
    assert_str(json_span_str(buf_str(&b), w[4].span), "2");
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_are_the_raw_values),
        cmocka_unit_test(steps_go_through_objects_and_arrays),
        cmocka_unit_test(a_path_of_the_wrong_kind_matches_nothing),
        cmocka_unit_test(the_root_may_be_an_array),
        cmocka_unit_test(keys_with_escapes_are_met_too),
        cmocka_unit_test(results_are_reset_before_each_scan),
        cmocka_unit_test(duplicates_count_on_the_way_to_a_watched_value),
        cmocka_unit_test(thirty_two_watches_are_told_apart),
        cmocka_unit_test(a_path_that_changes_is_read_anew),
        cmocka_unit_test(many_sets_of_paths_are_told_apart),
        cmocka_unit_test(long_names_are_told_apart_by_their_middle),
        cmocka_unit_test(values_are_found_around_what_is_deep_and_wide),
        cmocka_unit_test(text_is_decoded),
        cmocka_unit_test(text_is_compared_decoded),
        cmocka_unit_test(integers_are_read_strictly),
        cmocka_unit_test(splices_change_only_their_places),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
