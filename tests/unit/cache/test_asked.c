/* What makes two requests the same, what a header wishes, and the copy of an answer that costs nothing. */
#include "unit.h"

#include "base/bounds.h"
#include "cache/asked.h"
#include "cache/free_copy.h"
#include "cache/wish.h"
#include "translation/format.h"

static const uint8_t pepper[32] = {1, 2, 3};

static const struct asked plain = {
    .team = {1},
    .cleared_at_us = 5,
    .standing = {{6}},
    .endpoint = STR("chat.completions"),
    .model = {8},
    .headers = STR(""),
    .body = STR("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"),
};

static struct digest of(struct asked a)
{
    struct digest d;

    assert_true(asked_digest(pepper, &a, &d));
    return d;
}

static bool same(struct asked a, struct asked b)
{
    struct digest x = of(a), y = of(b);

    return digest_eq(&x, &y);
}

static struct asked with_body(const char *body)
{
    struct asked a = plain;

    a.body = str_c(body);
    return a;
}

static void every_part_makes_it_another(void **state)
{
    struct asked all[11];
    const uint8_t other[32] = {9};
    struct digest a = of(plain), b;

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        all[i] = plain;
    all[1].team.v = 2;
    all[2].key.v = 1;
    all[3].cleared_at_us = 6;
    all[4].standing.b[31] = 7;
    all[5].endpoint = STR("messages");
    all[6].model.v = 9;
    all[7].sort = 1;
    all[8].headers = STR("anthropic-beta:x\n");
    all[9].likeness = STR("facts");
    all[10].text = (struct json_span){.at = 46, .n = 4, .kind = JSON_STRING};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        for (size_t k = 0; k < ARRAY_LEN(all); k++)
            assert_int_equal(same(all[i], all[k]), i == k);
    assert_true(asked_digest(other, &plain, &b));
    assert_false(digest_eq(&a, &b));
}

/* What one part lacks may not be made up for by the next. */
static void parts_do_not_run_into_each_other(void **state)
{
    struct asked a = plain, b = plain;

    a.endpoint = STR("rerank");
    b.endpoint = STR("rerank");
    a.headers = STR("x");
    b.headers = STR("x0:");
    a.body = STR("{\"a\":\"0:\"}");
    b.body = STR("{\"a\":\"\"}");
    assert_false(same(a, b));
    a.team.v = 11;
    a.key.v = 1;
    b = a;
    b.team.v = 1;
    b.key.v = 11;
    assert_false(same(a, b));
}

static void members_that_name_the_author_do_not_count(void **state)
{
    struct asked one = with_body("{\"model\":\"a\",\"user\":\"one\",\"metadata\":{\"k\":[1,\"}\"]},\"input\":\"x\"}");
    struct asked two = with_body("{\"model\":\"the alias\",\"user\":\"two\",\"metadata\":null,\"input\":\"x\"}");

    assert_true(same(one, two));
    one.endpoint = two.endpoint = STR("responses"); /* its answers show them */
    assert_false(same(one, two));
    assert_true(same(one, one));
    one = with_body("{\"model\":\"a\",\"messages\":[{\"user\":\"one\"}]}"); /* deeper it is content */
    two = with_body("{\"model\":\"a\",\"messages\":[{\"user\":\"two\"}]}");
    assert_false(same(one, two));
    one = with_body("{\"user\":\"one\"}"); /* nothing else in it */
    two = with_body("{\"user\":\"two\"}");
    assert_true(same(one, two));
}

static void other_bytes_are_another_request(void **state)
{
    static const char *const bodies[] = {
        "{\"model\":\"m\",\"temperature\":0}",      "{\"model\":\"m\",\"temperature\":0.0}",
        "{\"model\":\"m\", \"temperature\":0}",     "{\"model\":\"m\",\"temperature\":1}",
        "{\"temperature\":0,\"model\":\"m\"}",      "{\"model\":\"m\",\"stream\":true}",
        "{\"model\":\"m\",\"stream\":false}",       "{\"model\":\"m\",\"user_\":1}",
        "{\"model\":\"m\",\"stream_options\":{}}",  "{\"model\":\"m\",\"user\":1}",
    };

    for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
        for (size_t k = 0; k < ARRAY_LEN(bodies); k++)
            assert_int_equal(same(with_body(bodies[i]), with_body(bodies[k])), i == k);
}

static void what_is_no_object_has_no_number(void **state)
{
    static const char *const bodies[] = {"[]", "", "{", "{\"model\":1,\"model\":2}"};
    struct digest d;

    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct asked a = with_body(bodies[i]);

        assert_false(asked_digest(pepper, &a, &d));
    }
}

static void a_header_takes_back_what_the_key_gives(void **state)
{
    static const struct {
        const char *header;
        int64_t max_age_ms;
        bool read, keep;
    } rows[] = {
        {NULL, 60000, true, true},        {"max-age=5", 5000, true, true},
        {"max-age=60", 60000, true, true}, {"max-age=3600", 60000, true, true},
        {"max-age=0", 0, false, true},    {"no-cache", 60000, false, true},
        {"no-store", 60000, false, false}, {" No-Cache ", 60000, false, true},
        {"MAX-AGE=7", 7000, true, true},
    };
    static const char *const wrong[] = {"", "max-age", "max-age=", "max-age=-1", "max-age=1s", "max-age= 1",
                                        "no-cache,no-store", "only-if-cached", "max-age=18446744073709551616"};
    struct cache_wish w;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(cache_wish_read(str_c(rows[i].header), 60, &w), CACHE_WISH_OK);
        assert_int_equal(w.read, rows[i].read);
        assert_int_equal(w.keep, rows[i].keep);
        assert_int_equal(w.max_age_ms, rows[i].max_age_ms);
    }
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_int_equal(cache_wish_read(str_c(wrong[i]), 60, &w), CACHE_WISH_E_WORD);
}

static void check_stream(const struct dialect *d, const char *events, bool told, const char *expected)
{
    struct buf out;

    buf_init(&out, KIB(64));
    assert_int_equal(free_copy_stream(d, str_c(events), told, &out), expected != NULL);
    if (expected)
        assert_str(buf_str(&out), expected);
    buf_done(&out);
}

#define SAID "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\\\"cost\\\":1\"}}]}\n\n"
#define TOLD(cost) "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":3" cost "}}\n\n"
#define END "data: [DONE]\n\n"

static void the_copy_of_a_stream_costs_nothing(void **state)
{
    const struct dialect *d = format_openai_chat.dialect;

    check_stream(d, SAID TOLD(",\"cost\":0.5") END, true, SAID TOLD(",\"cost\":0") END);
    check_stream(d, SAID ": tollgate {\"cost\":0.5}\n\n" END, false, SAID END);
    check_stream(d, ": waiting\n\n" SAID END, true, SAID END);
    check_stream(d, "", true, "");
    check_stream(d, SAID "data: {\"choices\"", true, NULL); /* torn */
    check_stream(d, "data: {\"error\":{\"message\":\"no\"}}\n\n", true, NULL);
    check_stream(d, "data: nonsense\n\n", true, NULL);
}

static void the_copy_of_an_answer_costs_nothing(void **state)
{
    const struct dialect *d = format_openai_chat.dialect;
    struct buf out;

#define WHOLE(cost)                                                                                     \
    "{\"choices\":[{\"index\":0,\"message\":{\"tool_calls\":[{\"function\":{\"arguments\":\"{\\\"cost\\\":9}\"}}]}," \
    "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2" cost "}}"
    buf_init(&out, KIB(64));
    assert_true(free_copy_whole(d, STR(WHOLE(",\"cost\":0.5")), &out));
    assert_str(buf_str(&out), WHOLE(",\"cost\":0"));
    buf_reset(&out);
    assert_false(free_copy_whole(d, STR("{\"error\":{\"message\":\"no\"}}"), &out));
    assert_false(free_copy_whole(d, STR("<html>"), &out));
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_makes_it_another),
        cmocka_unit_test(parts_do_not_run_into_each_other),
        cmocka_unit_test(members_that_name_the_author_do_not_count),
        cmocka_unit_test(other_bytes_are_another_request),
        cmocka_unit_test(what_is_no_object_has_no_number),
        cmocka_unit_test(a_header_takes_back_what_the_key_gives),
        cmocka_unit_test(the_copy_of_a_stream_costs_nothing),
        cmocka_unit_test(the_copy_of_an_answer_costs_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
