/* One look through a request, an answer, a form and a stream: what is found behind escapes and between
 * events, what is put in its place, what stays as it was, and patterns that are made to take long. */
#include "unit.h"

#include <stdio.h>
#include <time.h>

#include "guard/check.h"
#include "json/scan.h"

#define BOTH (GUARD_REQUEST | GUARD_ANSWER)
#define KIND(k) (1u << DETECT_##k)

static struct guard_set *set_of(const struct guardrail_settings *all, size_t n)
{
    struct guardrail rules[GUARD_RULES_MAX] = {{.id = 0}};
    struct guard_set *s;

    for (size_t i = 0; i < n; i++)
        rules[i].is = all[i];
    assert_int_equal(guard_set_new(rules, n, &s), 0);
    return s;
}

static struct guard_set *redacting(unsigned finds)
{
    const struct guardrail_settings is = {
        .name = STR("r"), .finds = finds, .where = BOTH, .action = GUARD_REDACT};

    return set_of(&is, 1);
}

typedef void looking(struct guard_check *c, struct str bytes);

/* The bytes as they are afterwards, to be freed. */
static char *after(const struct guard_set *s, looking *look, const char *bytes, uint32_t hits)
{
    struct guard_check c;
    struct buf out;
    char *text;

    guard_check_init(&c, s, GUARD_REQUEST);
    look(&c, str_c(bytes));
    assert_false(c.failed);
    assert_null(c.stop);
    assert_int_equal(c.hits[0], hits);
    buf_init(&out, 1 << 20);
    guard_check_put(&c, &out, NULL);
    assert_int_equal(buf_finish(&out), 0);
    text = strndup(out.n ? out.p : "", out.n);
    buf_done(&out);
    guard_check_done(&c);
    return text;
}

static void becomes(const struct guard_set *s, looking *look, const char *bytes, uint32_t hits, const char *wanted)
{
    char *text = after(s, look, bytes, hits);

    assert_string_equal(text, wanted);
    free(text);
}

static void only_what_was_found_is_replaced(void **state)
{
    struct guard_set *s = redacting(KIND(EMAIL) | KIND(CARD));

    (void)state;
    becomes(s, guard_check_json, "{ \"model\" : \"m\", \"messages\":[{\"role\":\"user\",\"content\":\"I am a@b.com, é \\u00e9\"}] }",
            1, "{ \"model\" : \"m\", \"messages\":[{\"role\":\"user\",\"content\":\"I am [EMAIL], é \\u00e9\"}] }");
    becomes(s, guard_check_json, "{\"x\":\"a@b.com c@d.com\",\"y\":[\"4111 1111 1111 1111\",{\"z\":\"e@f.org\"}]}", 4,
            "{\"x\":\"[EMAIL] [EMAIL]\",\"y\":[\"[CARD]\",{\"z\":\"[EMAIL]\"}]}");
    becomes(s, guard_check_json, "{\"x\":\"nothing\"}", 0, "{\"x\":\"nothing\"}");
    becomes(s, guard_check_json, "[]", 0, "[]");
    guard_set_free(s);
}

static void escapes_hide_nothing(void **state)
{
    struct guard_set *s = redacting(KIND(EMAIL) | KIND(CARD));

    (void)state;
    becomes(s, guard_check_json, "{\"c\":\"to a\\u0040b.com\\n\"}", 1, "{\"c\":\"to [EMAIL]\\n\"}");
    becomes(s, guard_check_json, "{\"c\":\"\\u0061\\u0040\\u0062.c\\u006fm!\"}", 1, "{\"c\":\"[EMAIL]!\"}");
    becomes(s, guard_check_json, "{\"c\":\"\\ud83d\\ude00\\n4111\\u00201111 1111 1111\\t\\ud83d\"}", 1,
            "{\"c\":\"\\ud83d\\ude00\\n[CARD]\\t\\ud83d\"}");
    becomes(s, guard_check_json, "{\"c\":\"\\\\\\\"a@b.com\\\"\\\\\"}", 1, "{\"c\":\"\\\\\\\"[EMAIL]\\\"\\\\\"}");
    becomes(s, guard_check_json, "{\"arguments\":\"{\\\"to\\\":\\\"a@b.com\\\"}\"}", 1,
            "{\"arguments\":\"{\\\"to\\\":\\\"[EMAIL]\\\"}\"}");
    becomes(s, guard_check_json, "{\"c\":\"\xf0\x9f\x98\x80 \xc3\xa9 a@b.com \xe6\x97\xa5\"}", 1,
            "{\"c\":\"\xf0\x9f\x98\x80 \xc3\xa9 [EMAIL] \xe6\x97\xa5\"}");
    guard_set_free(s);
}

static void ids_and_media_are_no_texts_but_arguments_of_tools_are(void **state)
{
    struct guard_set *s = redacting(KIND(CARD) | KIND(EMAIL));
    char media[600], doc[800];

    (void)state;
    becomes(s, guard_check_json, "{\"id\":\"4111111111111111\",\"type\":\"a@b.com\",\"content\":\"a@b.com\"}", 1,
            "{\"id\":\"4111111111111111\",\"type\":\"a@b.com\",\"content\":\"[EMAIL]\"}");
    becomes(s, guard_check_json, "{\"input\":{\"id\":\"4111111111111111\",\"role\":\"a@b.com\"}}", 2,
            "{\"input\":{\"id\":\"[CARD]\",\"role\":\"[EMAIL]\"}}");
    becomes(s, guard_check_json, "{\"functionCall\":{\"args\":{\"a\":[{\"type\":\"a@b.com\"}]}}}", 1,
            "{\"functionCall\":{\"args\":{\"a\":[{\"type\":\"[EMAIL]\"}]}}}");
    becomes(s, guard_check_json, "{\"inp\\u0075t\":{\"id\":\"a@b.com\"}}", 1, "{\"inp\\u0075t\":{\"id\":\"[EMAIL]\"}}");
    memset(media, 'A', sizeof(media));
    memcpy(media + 100, "+4111111111111111+", 18);
    media[599] = '\0';
    snprintf(doc, sizeof(doc), "{\"url\":\"data:image/png;base64,%s\"}", media);
    becomes(s, guard_check_json, doc, 0, doc);
    media[300] = ' '; /* then it is no base64 */
    snprintf(doc, sizeof(doc), "{\"url\":\"data:image/png;base64,%s\"}", media);
    free(after(s, guard_check_json, doc, 1));
    guard_set_free(s);
}

static void what_is_no_json_is_text(void **state)
{
    struct guard_set *s = redacting(KIND(EMAIL));

    (void)state;
    becomes(s, guard_check_json, "plain a@b.com \\u0040", 1, "plain [EMAIL] \\u0040");
    becomes(s, guard_check_json, "{\"a\":\"a@b.com\"", 1, "{\"a\":\"[EMAIL]\"");
    becomes(s, guard_check_text, "{\"id\":\"a@b.com\"}", 1, "{\"id\":\"[EMAIL]\"}");
    guard_set_free(s);
}

static void form(struct guard_check *c, struct str bytes)
{
    guard_check_form(c, STR("multipart/form-data; boundary=b"), bytes);
}

static void fields_of_forms_are_texts_and_files_are_not(void **state)
{
    struct guard_set *s = redacting(KIND(EMAIL));

    (void)state;
#define PART(head, value) "--b\r\nContent-Disposition: form-data; " head "\r\n\r\n" value "\r\n"
    becomes(s, form,
            PART("name=\"prompt\"", "of a@b.com") PART("name=\"file\"; filename=\"x\"", "c@d.com") "--b--\r\n", 1,
            PART("name=\"prompt\"", "of [EMAIL]") PART("name=\"file\"; filename=\"x\"", "c@d.com") "--b--\r\n");
    guard_set_free(s);
}

static void a_text_of_a_stream_is_one_text(void **state)
{
    struct guard_set *s = redacting(KIND(EMAIL));

    (void)state;
#define CHUNK(i, text) "data: {\"id\":\"1\",\"choices\":[{\"index\":" #i ",\"delta\":{\"content\":\"" text "\"}}]}\n\n"
    becomes(s, guard_check_events, CHUNK(0, "I am ali") CHUNK(0, "ce\\u0040exam") CHUNK(0, "ple.com, hi") "data: [DONE]\n\n", 1,
            CHUNK(0, "I am [EMAIL]") CHUNK(0, "") CHUNK(0, ", hi") "data: [DONE]\n\n");
    /* Two answers at once do not mix. */
    becomes(s, guard_check_events, CHUNK(0, "a@b") CHUNK(1, "c@d") CHUNK(0, ".com") CHUNK(1, ".xy "), 2,
            CHUNK(0, "[EMAIL]") CHUNK(1, "[EMAIL]") CHUNK(0, "") CHUNK(1, " "));
    becomes(s, guard_check_events, CHUNK(0, "a@b") CHUNK(1, ".com"), 0, CHUNK(0, "a@b") CHUNK(1, ".com"));
#define DELTA(i, text)                                                                             \
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":" #i              \
    ",\"delta\":{\"type\":\"text_delta\",\"text\":\"" text "\"}}\n\n"
    becomes(s, guard_check_events, DELTA(0, "a@") ": a comment\n\n" DELTA(0, "b.com"), 1,
            DELTA(0, "[EMAIL]") ": a comment\n\n" DELTA(0, ""));
    guard_set_free(s);
}

static void a_place_moves_with_the_bytes_before_it(void **state)
{
    struct guard_set *s = redacting(KIND(EMAIL));
    struct guard_check c;
    struct buf out;
    size_t at = strlen(CHUNK(0, "alice@example.com"));

    (void)state;
    guard_check_init(&c, s, GUARD_ANSWER);
    guard_check_events(&c, str_c(CHUNK(0, "alice@example.com") CHUNK(1, "bob@example.com")));
    buf_init(&out, 4096);
    guard_check_put(&c, &out, &at);
    assert_int_equal(at, strlen(CHUNK(0, "[EMAIL]")));
    assert_str(str_n(out.p + at, out.n - at), CHUNK(1, "[EMAIL]"));
    buf_done(&out);
    guard_check_done(&c);
    guard_set_free(s);
}

static void rules_hold_where_they_are_for_and_the_first_that_blocks_stops(void **state)
{
    const struct guardrail_settings all[] = {
        {.name = STR("mail"), .finds = KIND(EMAIL), .where = BOTH, .action = GUARD_LOG},
        {.name = STR("falcon"), .words = &STR("Falcon"), .n_words = 1, .where = GUARD_REQUEST, .action = GUARD_BLOCK},
        {.name = STR("cards"), .finds = KIND(CARD), .where = GUARD_ANSWER, .action = GUARD_BLOCK},
    };
    struct guard_set *s = set_of(all, 3);
    struct guard_check c;
    struct buf names;

    (void)state;
    guard_check_init(&c, s, GUARD_REQUEST);
    guard_check_json(&c, STR("[\"a@b.com\",\"the falcon\",\"4111111111111111\",\"a@b.com\"]"));
    assert_non_null(c.stop);
    assert_str(c.stop->name, "falcon");
    assert_false(c.undecided);
    assert_false(guard_check_changes(&c));
    buf_init(&names, 256);
    guard_check_names(&c, &names);
    assert_str(buf_str(&names), "mail=2, falcon=1");
    guard_check_done(&c);
    guard_check_init(&c, s, GUARD_ANSWER);
    guard_check_json(&c, STR("[\"the falcons\",\"4111111111111111\"]"));
    assert_str(c.stop->name, "cards");
    buf_done(&names);
    guard_check_done(&c);
    guard_set_free(s);
}

static void findings_on_each_other_become_one(void **state)
{
    const struct str words[] = {STR("alice"), STR("alice@example.com now"), STR("Größe"), STR("a.b")};
    const struct guardrail_settings is = {.name = STR("w"), .words = words, .n_words = 4, .finds = KIND(EMAIL),
                                          .where = BOTH, .action = GUARD_REDACT};
    struct guard_set *s = set_of(&is, 1);

    (void)state;
    becomes(s, guard_check_json, "[\"to alice@example.com now\"]", 2, "[\"to [REDACTED]\"]");
    becomes(s, guard_check_json, "[\"Alice, malice\",\"GRÖSSE gröSSe GRÖẞE größe\",\"a.b axb\"]", 4,
            "[\"[REDACTED], malice\",\"GRÖSSE gröSSe [REDACTED] [REDACTED]\",\"[REDACTED] axb\"]");
    guard_set_free(s);
}

/* --- patterns --- */

static struct pattern *pattern(const char *source)
{
    char why[PATTERN_WHY_BYTES];
    struct pattern *p;

    assert_int_equal(pattern_new(str_c(source), &p, why), PATTERN_OK);
    return p;
}

static void a_wrong_pattern_is_told_why(void **state)
{
    static const struct {
        const char *source, *why;
    } all[] = {
        {"(a", "At character 2: missing closing parenthesis."},
        {"a*", "It would find nothing at all"},
        {"\\C", "using \\C is disabled"},
        {"(?:(?:(?:a{1,99}){1,99}){1,99}){1,99}b", "regular expression is too large"},
        {"[z-a]", "range out of order"},
    };
    char why[PATTERN_WHY_BYTES];
    struct pattern *p;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        assert_int_equal(pattern_new(str_c(all[i].source), &p, why), PATTERN_E_BAD);
        if (!str_ihas(str_c(why), str_c(all[i].why)))
            fail_msg("%s: %s", all[i].source, why);
    }
}

static void patterns_that_go_over_a_text_again_and_again_are_told(void **state)
{
    static const char *const slow[] = {"(a+)+[bc]\\d", "(\\w+\\s?)+[!?]\\d", "([a-z]+)*\\d\\d[xy]", "(x|x\\w)+\\W\\d{3}"};
    static const char *const quick[] = {"\\bEMP-\\d{6}\\b", "project\\s+(falcon|eagle)", "[a-z]+@corp\\.example", "sk-[A-Za-z0-9]{20,}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
        struct pattern *p = pattern(slow[i]);

        if (pattern_is_quick(p))
            fail_msg("%s", slow[i]);
        pattern_free(p);
    }
    for (size_t i = 0; i < ARRAY_LEN(quick); i++) {
        struct pattern *p = pattern(quick[i]);

        if (!pattern_is_quick(p))
            fail_msg("%s", quick[i]);
        pattern_free(p);
    }
}

/* A hundred thousand texts, each as hard as its length allows: what must hold is that it ends, undecided, and
 * that processor time has a bound far below what that would take. */
static void hostile_texts_are_left_undecided(void **state)
{
    const struct guardrail_settings is = {.name = STR("slow"), .patterns = &STR("(a+)+[bc]\\d"), .n_patterns = 1,
                                          .where = BOTH, .action = GUARD_BLOCK};
    struct guard_set *s = set_of(&is, 1);
    struct timespec before, end;
    struct guard_check c;
    struct buf doc;

    (void)state;
    buf_init(&doc, 16 << 20);
    buf_putc(&doc, '[');
    for (int i = 0; i < 100000; i++)
        buf_puts(&doc, i ? ",\"aaaaaaaaaaaaab!\"" : "\"aaaaaaaaaaaaab!\"");
    buf_putc(&doc, ']');
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    guard_check_init(&c, s, GUARD_REQUEST);
    guard_check_json(&c, buf_str(&doc));
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    assert_true(c.undecided);
    assert_str(c.stop->name, "slow");
    assert_int_equal(c.hits[0], 1);
    assert_true(end.tv_sec - before.tv_sec < 5);
    guard_check_done(&c);
    buf_done(&doc);
    guard_set_free(s);
}

static void what_only_logs_goes_on_undecided(void **state)
{
    const struct guardrail_settings all[] = {
        {.name = STR("slow"), .patterns = &STR("(a+)+[bc]\\d"), .n_patterns = 1, .where = BOTH, .action = GUARD_LOG},
        {.name = STR("mail"), .finds = KIND(EMAIL), .where = BOTH, .action = GUARD_REDACT},
    };
    struct guard_set *s = set_of(all, 2);
    char hard[2000];

    (void)state;
    memset(hard, 'a', sizeof(hard));
    memcpy(hard, "[\"", 2);
    memcpy(hard + 1900, "b! x@y.com\"]", 13);
    char *text = after(s, guard_check_json, hard, 1);

    assert_non_null(strstr(text, "b! [EMAIL]\"]"));
    free(text);
    guard_set_free(s);
}

static void too_many_findings_are_left_undecided(void **state)
{
    struct guard_set *s = redacting(KIND(EMAIL));
    struct guard_check c;
    struct buf doc;

    (void)state;
    buf_init(&doc, 16 << 20);
    for (int i = 0; i <= GUARD_FINDINGS_MAX; i++)
        buf_puts(&doc, "a@b.cd ");
    guard_check_init(&c, s, GUARD_REQUEST);
    guard_check_text(&c, buf_str(&doc));
    assert_true(c.undecided);
    guard_check_done(&c);
    buf_done(&doc);
    guard_set_free(s);
}

/* --- rules --- */

static void a_rule_that_cannot_be_is_refused_by_field(void **state)
{
    const struct {
        struct guardrail_settings is;
        const char *field;
    } all[] = {
        {{.name = STR("a=b"), .finds = 1, .where = 1}, "name"},
        {{.name = STR("any"), .finds = 1, .where = 1}, "name"},
        {{.name = STR("  "), .finds = 1, .where = 1}, "name"},
        {{.name = STR("ok"), .finds = 1}, "where"},
        {{.name = STR("ok"), .where = 1}, "finds"},
        {{.name = STR("ok"), .where = 1, .words = &STR(" "), .n_words = 1}, "words"},
        {{.name = STR("ok"), .where = 1, .patterns = &STR("(("), .n_patterns = 1}, "patterns"},
        {{.name = STR("ok"), .where = 1, .patterns = &STR("(a+)+[bc]\\d"), .n_patterns = 1}, "patterns"},
        {{.name = STR("ok"), .where = 1, .finds = 1, .project = {1}, .key = {1}}, "key_id"},
    };
    struct arena *a = arena_new(1 << 20);
    struct guardrail_settings good = {.name = STR(" ok "), .where = 1, .patterns = &STR(" a\\d "), .n_patterns = 1};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct guardrail_settings is = all[i].is;
        struct identity_fault fault = {0};

        assert_int_equal(guardrail_check(a, &is, &fault), IDENTITY_E_FAULT);
        assert_string_equal(fault.field, all[i].field);
    }
    assert_int_equal(guardrail_check(a, &good, NULL), 0);
    assert_str(good.name, "ok");
    assert_str(good.patterns[0], "a\\d");
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_was_found_is_replaced),
        cmocka_unit_test(escapes_hide_nothing),
        cmocka_unit_test(ids_and_media_are_no_texts_but_arguments_of_tools_are),
        cmocka_unit_test(what_is_no_json_is_text),
        cmocka_unit_test(fields_of_forms_are_texts_and_files_are_not),
        cmocka_unit_test(a_text_of_a_stream_is_one_text),
        cmocka_unit_test(a_place_moves_with_the_bytes_before_it),
        cmocka_unit_test(rules_hold_where_they_are_for_and_the_first_that_blocks_stops),
        cmocka_unit_test(findings_on_each_other_become_one),
        cmocka_unit_test(a_wrong_pattern_is_told_why),
        cmocka_unit_test(patterns_that_go_over_a_text_again_and_again_are_told),
        cmocka_unit_test(hostile_texts_are_left_undecided),
        cmocka_unit_test(what_only_logs_goes_on_undecided),
        cmocka_unit_test(too_many_findings_are_left_undecided),
        cmocka_unit_test(a_rule_that_cannot_be_is_refused_by_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
