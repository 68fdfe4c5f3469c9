/* The specification's cases (mustache_spec/, from github.com/mustache/spec, MIT), our own rules on
 * top of it, and random templates for the sanitizers. */
#include "unit.h"

#include <stdio.h>

#include "base/random.h"
#include "web/mustache.h"

#define SPEC_DIR "tests/unit/web/mustache_spec/"

static struct json_object *read_json(const char *path)
{
    _cleanup_(freep) char *text = malloc(1 << 20);
    struct json_object *v = NULL;
    struct json_fault fault;
    FILE *f = fopen(path, "re");

    if (!f)
        return NULL;
    assert_int_equal(json_parse(str_n(text, fread(text, 1, 1 << 20, f)), &v, &fault), 0);
    fclose(f);
    return v;
}

static bool add_partial(void *ctx, const char *name, struct json_object *v)
{
    struct mustache_fault fault;

    assert_int_equal(mustache_add(ctx, name, json_text(v), &fault), 0);
    return true;
}

static bool spec_case(const struct json_object *test)
{
    _cleanup_(mustache_freep) struct mustache *m = NULL;
    struct mustache_fault fault = {""};
    struct str expected = json_text(json_get(test, "expected"));
    struct buf out;
    bool same;

    buf_init(&out, 1 << 20);
    assert_int_equal(mustache_new(MUSTACHE_SPEC, &m), 0);
    if (json_has(test, "partials"))
        json_each(json_get(test, "partials"), add_partial, m);
    same = mustache_add(m, "\x01main", json_text(json_get(test, "template")), &fault) == 0 &&
           mustache_seal(m, &fault) == 0 &&
           mustache_render(m, "\x01main", json_get(test, "data"), &out, &fault) == 0 &&
           out.n == expected.n && (!out.n || memcmp(out.p, expected.p, out.n) == 0);
    if (!same)
        print_error("%.*s: %s\n want [%.*s]\n have [%.*s]\n",
                    STR_FMT(json_text(json_get(test, "name"))), fault.text, STR_FMT(expected),
                    STR_FMT(buf_str(&out)));
    buf_done(&out);
    return same;
}

static void spec_file(const char *path)
{
    _cleanup_json_ struct json_object *file = read_json(path);
    const struct json_object *tests;
    size_t failed = 0;

    assert_non_null(file);
    tests = json_get(file, "tests");
    assert_true(json_length(tests) > 0);
    for (size_t i = 0; i < json_length(tests); i++)
        failed += !spec_case(json_at(tests, i));
    assert_int_equal(failed, 0);
}

#define SPEC(name)                                                                                 \
    static void spec_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        spec_file(SPEC_DIR #name ".json");                                                         \
    }
SPEC(comments)
SPEC(delimiters)
SPEC(interpolation)
SPEC(inverted)
SPEC(partials)
SPEC(sections)
SPEC(inheritance)

static void spec_dynamic_names(void **state)
{
    (void)state;
    spec_file(SPEC_DIR "dynamic-names.json");
}

/* Renders one template over one view; NULL on a fault. */
static const char *render(enum mustache_mode mode, const char *source, struct json_object *view,
                          struct mustache_fault *fault)
{
    static char text[4096];
    _cleanup_(mustache_freep) struct mustache *m = NULL;
    struct buf out;
    int r;

    buf_init(&out, sizeof(text) - 1);
    assert_int_equal(mustache_new(mode, &m), 0);
    r = mustache_add(m, "t", str_c(source), fault);
    if (r == 0)
        r = mustache_seal(m, fault);
    if (r == 0)
        r = mustache_render(m, "t", view, &out, fault);
    memcpy(text, buf_str(&out).p, out.n);
    text[out.n] = '\0';
    buf_done(&out);
    return r == 0 ? text : NULL;
}

static void escapes_what_could_leave_text_or_attribute(void **state)
{
    _cleanup_json_ struct json_object *view = json_new_object();
    struct mustache_fault fault;

    (void)state;
    json_set_cstr(view, "a", "<a href=\"x\" title='y'>&</a>");
    assert_string_equal(render(MUSTACHE_STRICT, "{{a}}", view, &fault),
                        "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;&lt;/a&gt;");
}

static void raw_prints_only_marked_markup(void **state)
{
    _cleanup_json_ struct json_object *view = json_new_object();
    struct mustache_fault fault;

    (void)state;
    json_set_cstr(view, "plain", "<b>");
    mustache_markup(view, "marked", STR("<i>"));
    assert_string_equal(render(MUSTACHE_LENIENT, "{{{plain}}}{{&marked}}", view, &fault),
                        "&lt;b&gt;<i>");
    assert_null(render(MUSTACHE_STRICT, "{{{plain}}}", view, &fault));
    assert_string_equal(fault.text, "t:1: `plain` is not marked as markup");
}

static void strict_wants_every_name(void **state)
{
    _cleanup_json_ struct json_object *view = json_new_object();
    struct mustache_fault fault;

    (void)state;
    json_set_null(view, "none");
    json_set_cstr(view, "name", "n");
    assert_string_equal(render(MUSTACHE_STRICT, "{{none}}{{#none}}x{{/none}}{{name}}", view, &fault),
                        "n");
    assert_null(render(MUSTACHE_STRICT, "\n{{nmae}}", view, &fault));
    assert_string_equal(fault.text, "t:2: the view has no `nmae`");
    assert_null(render(MUSTACHE_STRICT, "{{#nmae}}{{/nmae}}", view, &fault));
    assert_null(render(MUSTACHE_STRICT, "{{name.first}}", view, &fault));
    assert_string_equal(render(MUSTACHE_LENIENT, "[{{nmae}}]", view, &fault), "[]");
}

static void empty_text_is_false_and_zero_is_not(void **state)
{
    _cleanup_json_ struct json_object *view = json_new_object();
    struct mustache_fault fault;

    (void)state;
    json_set_cstr(view, "text", "");
    json_set_i64(view, "zero", 0);
    assert_string_equal(
        render(MUSTACHE_STRICT, "{{^text}}no{{/text}} {{#zero}}{{.}}{{/zero}}", view, &fault),
        "no 0");
}

static void null_hides_the_outer_name(void **state)
{
    _cleanup_json_ struct json_object *view = json_new_object();
    struct json_object *inner = json_new_object();
    struct mustache_fault fault;

    (void)state;
    json_set_cstr(view, "name", "outer");
    json_set_null(inner, "name");
    json_set(view, "inner", inner);
    assert_string_equal(render(MUSTACHE_STRICT, "{{#inner}}[{{name}}]{{/inner}}", view, &fault),
                        "[]");
}

static void broken_templates_are_named(void **state)
{
    static const char *const cases[][2] = {
        {"a\n{{#b}}", "t:2: {{#b}} is not closed"},
        {"{{/b}}", "t:1: {{/b}} closes nothing"},
        {"{{#a}}{{/b}}", "t:1: {{/b}} closes {{#a}}"},
        {"{{a", "t:1: a tag is not closed"},
        {"{{}}", "t:1: a tag has no name"},
        {"{{=a=}}", "t:1: delimiters are two words without ="},
        {"\n\n {{>gone}}", "t:3: there is no template gone"},
        {"{{<gone}}{{/gone}}", "t:1: there is no template gone"},
    };
    struct mustache_fault fault;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_null(render(MUSTACHE_LENIENT, cases[i][0], NULL, &fault));
        assert_string_equal(fault.text, cases[i][1]);
    }
}

static void endless_recursion_is_a_fault(void **state)
{
    struct mustache_fault fault;

    (void)state;
    assert_null(render(MUSTACHE_LENIENT, "{{>t}}", NULL, &fault));
    assert_non_null(strstr(fault.text, "included too deeply"));
    assert_null(render(MUSTACHE_LENIENT, "{{<t}}{{$a}}{{$a}}{{/a}}{{/a}}{{/t}}", NULL, &fault));
}

/* Random strings of the pieces that matter: nothing to compare, the sanitizers watch. */
static void random_templates_do_no_harm(void **state)
{
    static const char *const pieces[] = {
        "{{", "}}",  "{{{", "}}}", "{{#a}}", "{{/a}}", "{{^a}}",     "{{$a}}", "{{<t}}", "{{/t}}",
        "a",  "a.b", ".",   "\n",  "  ",     "{{>t}}", "{{=<% %>=}}", "<%",     "%>",     "{{! \n }}",
        "#",  "/",   "=",   "$",   "\r\n",   "{{>*a}}", "{{&a}}",    "{{.}}",  "<",      "\t"};
    _cleanup_json_ struct json_object *view = json_new_object();
    struct json_object *list = json_new_array();
    struct mustache_fault fault;

    (void)state;
    random_drive(20261121);
    json_push_str(list, STR("t"));
    json_push(list, json_new_object());
    json_set(view, "a", list);
    for (int round = 0; round < 20000; round++) {
        struct buf source;

        buf_init(&source, 256);
        for (uint32_t n = random_below(16); n; n--)
            buf_puts(&source, pieces[random_below(ARRAY_LEN(pieces))]);
        buf_putc(&source, '\0');
        assert_int_equal(buf_finish(&source), 0);
        (void)render(MUSTACHE_LENIENT, source.p, view, &fault);
        buf_done(&source);
    }
    random_undrive();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spec_comments),
        cmocka_unit_test(spec_delimiters),
        cmocka_unit_test(spec_interpolation),
        cmocka_unit_test(spec_inverted),
        cmocka_unit_test(spec_partials),
        cmocka_unit_test(spec_sections),
        cmocka_unit_test(spec_inheritance),
        cmocka_unit_test(spec_dynamic_names),
        cmocka_unit_test(escapes_what_could_leave_text_or_attribute),
        cmocka_unit_test(raw_prints_only_marked_markup),
        cmocka_unit_test(strict_wants_every_name),
        cmocka_unit_test(empty_text_is_false_and_zero_is_not),
        cmocka_unit_test(null_hides_the_outer_name),
        cmocka_unit_test(broken_templates_are_named),
        cmocka_unit_test(endless_recursion_is_a_fault),
        cmocka_unit_test(random_templates_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
