/* test_parts.c: the demo upstream's tokenizer, switches, prose and schema inventor. */
#include "unit.h"

#include "demo/prose.h"
#include "demo/schema.h"
#include "demo/switches.h"
#include "demo/token.h"
#include "json/scan.h"

static void tokens_are_as_documented(void **state)
{
    assert_int_equal(token_count(STR("Hello, wonderful world")), 5);
    assert_int_equal(token_length(STR("Hello, wonderful world")), 5);
    assert_int_equal(token_length(STR(" wonderful world")), 7);
    assert_int_equal(token_count(STR("")), 0);
    assert_int_equal(token_count(STR("   ")), 3);
    assert_int_equal(token_count(STR(" a")), 1);
    assert_int_equal(token_count(STR("  a")), 2);
    assert_int_equal(token_count(STR("a ")), 2);
    assert_int_equal(token_count(STR("{\"a\":1}")), 7);
    assert_int_equal(token_count(STR("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9")),
                     2);
}

static void tokens_of_pieces_add_up(void **state)
{
    struct str text =
        STR("A caf\xc3\xa9 served  2,500 croissants; \xe6\xbc\xa2\xe5\xad\x97 too!\n\n- yes");
    struct str rest = text;
    size_t n = 0;

    while (rest.n) {
        struct str one = token_head(rest, 1);

        assert_true(str_utf8(one));
        assert_int_equal(token_count(one), 1);
        rest = str_n(rest.p + one.n, rest.n - one.n);
        n++;
    }
    assert_int_equal(n, token_count(text));
    assert_int_equal(token_count(token_head(text, 7)), 7);
    assert_int_equal(token_head(text, 1000).n, text.n);
}

static void switches_are_read(void **state)
{
    struct switches s = {0};

    assert_true(switches_add_all(&s, STR("429+delay500"), '+'));
    assert_int_equal(s.status, 429);
    assert_int_equal(s.delay_ms, 500);
    assert_true(switches_add_all(&s, STR("delay=20, die,slow ,nousage,badjson,timeout"), ','));
    assert_int_equal(s.delay_ms, 20);
    assert_true(s.die && s.slow && s.no_usage && s.bad_json && s.timeout);
    assert_false(switches_add(&s, STR("399")));
    assert_false(switches_add(&s, STR("600")));
    assert_false(switches_add(&s, STR("explode")));
    assert_false(switches_add(&s, STR("delay")));
    assert_false(switches_add(&s, STR("delay=-1")));
    assert_false(switches_add(&s, STR("")));
}

static void prose_repeats_with_the_dice_and_not_without(void **state)
{
    struct topics topics;
    struct dice one = {7}, same = {7}, other = {8};
    struct buf a, b, c;

    topics_find(STR("What would you tell Ada about glaciers, Rivers and rivers?"), &topics);
    assert_int_equal(topics.n, 2);
    assert_str(topics.words[0], "glaciers");
    assert_str(topics.words[1], "Rivers");
    buf_init(&a, 100000);
    buf_init(&b, 100000);
    buf_init(&c, 100000);
    prose_write(&one, &topics, 300, &a);
    prose_write(&same, &topics, 300, &b);
    prose_write(&other, &topics, 300, &c);
    assert_true(token_count(buf_str(&a)) >= 300);
    assert_true(str_eq(buf_str(&a), buf_str(&b)));
    assert_false(str_eq(buf_str(&a), buf_str(&c)));
    assert_true(str_utf8(buf_str(&a)));
    assert_true(a.p[a.n - 1] == '.');
    buf_done(&a);
    buf_done(&b);
    buf_done(&c);
}

/* Parses the invented value for a schema; the caller owns it. */
static struct json_object *invented(const char *schema, uint64_t seed)
{
    static const struct topics none;
    struct json_object *tree, *value = NULL;
    struct json_fault fault;
    struct dice d = {seed};
    struct buf out;

    assert_int_equal(json_parse(str_c(schema), &tree, &fault), JSON_OK);
    buf_init(&out, 1 << 20);
    schema_invent(&d, &none, tree, &out);
    assert_int_equal(buf_finish(&out), 0);
    if (json_check(buf_str(&out), &fault) != JSON_OK ||
        json_parse(buf_str(&out), &value, &fault) != JSON_OK)
        fail_msg("%s in %.*s", fault.reason, STR_FMT(buf_str(&out)));
    buf_done(&out);
    json_unref(tree);
    return value;
}

static void objects_have_all_properties_of_the_right_kind(void **state)
{
    static const char schema[] =
        "{\"type\":\"object\",\"required\":[\"s\"],\"properties\":{"
        "\"s\":{\"type\":\"string\",\"minLength\":30},\"short\":{\"type\":\"string\",\"maxLength\":"
        "3},"
        "\"i\":{\"type\":\"integer\",\"minimum\":3,\"maximum\":5},"
        "\"n\":{\"type\":\"number\",\"minimum\":0.5,\"maximum\":0.9},"
        "\"b\":{\"type\":\"boolean\"},\"z\":{\"type\":\"null\"},"
        "\"e\":{\"enum\":[\"x\",{\"y\":1}]},\"c\":{\"const\":7},"
        "\"l\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"minItems\":2,\"maxItems\":3},"
        "\"m\":{\"type\":[\"null\",\"string\"]},\"d\":{\"type\":\"string\",\"format\":\"date\"},"
        "\"o\":{\"anyOf\":[{\"type\":\"boolean\"},{\"type\":\"string\"}]},"
        "\"neg\":{\"type\":\"integer\",\"exclusiveMaximum\":0}}}";

    for (uint64_t seed = 0; seed < 50; seed++) {
        struct json_object *v = invented(schema, seed);
        int64_t i = json_i64(json_get(v, "i"));
        size_t l = json_length(json_get(v, "l"));

        assert_int_equal(json_length(v), 13);
        assert_true(json_text(json_get(v, "s")).n >= 30);
        assert_true(json_text(json_get(v, "short")).n <= 3);
        assert_int_equal(json_kind(json_get(v, "i")), JSON_INT);
        assert_true(i >= 3 && i <= 5);
        assert_str(json_text(json_get(v, "n")), "0.5");
        assert_int_equal(json_kind(json_get(v, "b")), JSON_BOOL);
        assert_int_equal(json_kind(json_get(v, "z")), JSON_NULL);
        assert_int_equal(json_i64(json_get(v, "c")), 7);
        assert_true(l == 2 || l == 3);
        assert_int_equal(json_kind(json_at(json_get(v, "l"), 0)), JSON_INT);
        assert_int_equal(json_kind(json_get(v, "m")), JSON_STRING);
        assert_str(json_text(json_get(v, "d")), "2026-03-14");
        assert_int_equal(json_kind(json_get(v, "o")), JSON_BOOL);
        assert_true(json_i64(json_get(v, "neg")) < 0);
        json_unref(v);
    }
}

static void references_are_followed_and_end(void **state)
{
    static const char recursive[] =
        "{\"$ref\":\"#/$defs/node\",\"$defs\":{\"node\":{\"type\":\"object\",\"properties\":{"
        "\"name\":{\"type\":\"string\"},\"children\":{\"type\":\"array\",\"minItems\":1,"
        "\"items\":{\"$ref\":\"#/$defs/node\"}}}}}}";
    static const char *const endless[] = {
        "{\"$ref\":\"#\"}",
        "{\"$ref\":\"#/nowhere\"}",
        "{\"anyOf\":[{\"$ref\":\"#\"}]}",
        "{\"type\":\"array\",\"items\":{\"$ref\":\"#\"},\"minItems\":3}",
        "{\"type\":7}",
        "{\"type\":\"string\",\"minLength\":-5,\"maxLength\":-9}",
        "{\"enum\":[]}",
        "{\"type\":\"array\",\"minItems\":9223372036854775807}",
        "{\"type\":\"array\",\"maxItems\":-9223372036854775808}",
        "{\"type\":\"integer\",\"minimum\":9223372036854775807}",
        "{\"type\":\"integer\",\"maximum\":-9223372036854775808}",
        "{\"properties\":[]}",
        NULL};
    struct json_object *v = invented(recursive, 1);

    assert_int_equal(json_kind(json_get(v, "name")), JSON_STRING);
    assert_int_equal(json_kind(json_get(v, "children")), JSON_ARRAY);
    json_unref(v);
    for (const char *const *s = endless; *s; s++)
        json_unref(invented(*s, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_as_documented),
        cmocka_unit_test(tokens_of_pieces_add_up),
        cmocka_unit_test(switches_are_read),
        cmocka_unit_test(prose_repeats_with_the_dice_and_not_without),
        cmocka_unit_test(objects_have_all_properties_of_the_right_kind),
        cmocka_unit_test(references_are_followed_and_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
