/* test_answer.c: answers as upstreams write them and as they must not, whole and in pieces of each size. */
#include "unit.h"

#include "fetch/read_answer.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"

enum { GOOD = ANSWER_OK, CUT = ANSWER_E_MORE, BAD = ANSWER_E_BAD };

struct answer_case {
    const char *text;
    int outcome, status;
    const char *body;
    bool keep, to_head;
};

static const struct answer_case cases[] = {
    {OK_HEAD "Content-Length: 3\r\n\r\nabc", GOOD, 200, "abc", true},
    {OK_HEAD "Content-Length: 0\r\n\r\n", GOOD, 200, "", true},
    {"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\na", GOOD, 200, "a", true},
    {"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc", GOOD, 200, "abc", true},
    {OK_HEAD "content-LENGTH:3\r\nContent-Length: 3\r\n\r\nabc", GOOD, 200, "abc", true},
    {OK_HEAD "Connection: x, Close\r\nContent-Length: 3\r\n\r\nabc", GOOD, 200, "abc"},
    {"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", GOOD, 200, "abc"},
    {OK_HEAD "\r\nto the end", GOOD, 200, "to the end"},
    {"HTTP/1.1 204 No\r\n\r\n", GOOD, 204, "", true},
    {"HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n", GOOD, 304, "", true},
    {OK_HEAD "Content-Length: 9\r\n\r\n", GOOD, 200, "", true, .to_head = true},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" OK_HEAD
     "Content-Length: 3\r\n\r\nabc", GOOD, 200, "abc", true},
    {"HTTP/1.1 429 Slow\r\nContent-Length: 2\r\n\r\n{}", GOOD, 429, "{}", true},
    {CHUNKED "3\r\nabc\r\n0\r\n\r\n", GOOD, 200, "abc", true},
    {CHUNKED "3\r\nabc\r\n00000A\r\n0123456789\r\n0\r\n\r\n", GOOD, 200, "abc0123456789", true},
    {CHUNKED "3;a=\"b\"\r\nabc\r\n1 \r\nd\r\n0;x\r\nTrailer: 1\r\nb: 2\r\n\r\n", GOOD, 200, "abcd", true},
    {CHUNKED "0\r\n\r\n", GOOD, 200, "", true},
    {OK_HEAD "Content-Length: 1\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", GOOD, 200, "ab"},

    {OK_HEAD "Content-Length: 4\r\n\r\nabc", CUT, 200, "abc"},
    {OK_HEAD "Content-Len", CUT, 0, ""},
    {CHUNKED "3\r\nabc\r\n", CUT, 200, "abc"},
    {CHUNKED "3\r\nabc\r\n0\r\nTrailer: 1\r\n", CUT, 200, "abc"},
    {"", CUT, 0, ""},

    {"SSH-2.0-OpenSSH\r\n", BAD, 0, ""},
    {"HTTP/2 200 OK\r\n\r\n", BAD, 0, ""},
    {"HTTP/1.2 200 OK\r\n\r\n", BAD, 0, ""},
    {"HTTP/1.1  200 OK\r\n\r\n", BAD, 0, ""},
    {"HTTP/1.1 2000 OK\r\n\r\n", BAD, 0, ""},
    {"HTTP/1.1 20 OK\r\n\r\n", BAD, 0, ""},
    {"HTTP/1.1 099 OK\r\n\r\n", BAD, 0, ""},
    {"HTTP/1.1 101 Switching\r\n\r\n", BAD, 0, ""},
    {OK_HEAD "no colon\r\n\r\n", BAD, 0, ""},
    {OK_HEAD ": nameless\r\n\r\n", BAD, 0, ""},
    {OK_HEAD "Name : spaced\r\n\r\n", BAD, 0, ""},
    {OK_HEAD "A: 1\r\n folded\r\n\r\n", BAD, 0, ""},
    {OK_HEAD "A: 1\rB: 2\r\n\r\n", BAD, 0, ""},
    {OK_HEAD "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", BAD, 0, ""},
    {OK_HEAD "Content-Length: 3, 3\r\n\r\nabc", BAD, 0, ""},
    {OK_HEAD "Content-Length: -1\r\n\r\n", BAD, 0, ""},
    {OK_HEAD "Content-Length: +1\r\n\r\na", BAD, 0, ""},
    {OK_HEAD "Content-Length: 0x1\r\n\r\na", BAD, 0, ""},
    {OK_HEAD "Content-Length:\r\n\r\n", BAD, 0, ""},
    {OK_HEAD "Content-Length: 99999999999999999999\r\n\r\n", BAD, 0, ""},
    {OK_HEAD "Transfer-Encoding: gzip\r\n\r\n", BAD, 0, ""},
    {OK_HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n", BAD, 0, ""},
    {OK_HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", BAD, 0, ""},
    {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", BAD, 0, ""},
    {CHUNKED "\r\n", BAD, 200, ""},
    {CHUNKED "x\r\n", BAD, 200, ""},
    {CHUNKED "-1\r\n", BAD, 200, ""},
    {CHUNKED "3\nabc\r\n0\r\n\r\n", BAD, 200, ""},
    {CHUNKED "3\r\nabcd\r\n0\r\n\r\n", BAD, 200, "abc"},
    {CHUNKED "3\r\nabc0\r\n\r\n", BAD, 200, "abc"},
    {CHUNKED "1000000000000000\r\na", BAD, 200, ""},
    {CHUNKED "1;x\ny\r\na\r\n0\r\n\r\n", BAD, 200, ""},
    {CHUNKED "0\r\n\rx", BAD, 200, ""},
};

static void check(const struct answer_case *c, size_t piece)
{
    struct reading r;

    read_answer(str_c(c->text), piece, c->to_head, true, &r);
    if (r.outcome != c->outcome || r.status != c->status || r.keep != c->keep ||
        !str_eq(buf_str(&r.body), str_c(c->body)))
        fail_msg("in pieces of %zu: outcome %d, status %d, keep %d, body \"%.*s\" of\n%s", piece,
                 r.outcome, r.status, r.keep, STR_FMT(buf_str(&r.body)), c->text);
    reading_done(&r);
}

static void answers_are_read_strictly_and_whatever_the_cuts(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (size_t piece = strlen(cases[i].text) + 1; piece > 0; piece--)
            check(&cases[i], piece);
}

static void nul_is_nowhere_in_a_head_or_between_chunks(void **state)
{
    static const struct str texts[] = {STR("HTTP/1.1 200 O\0K\r\n\r\n"),
                                       STR("HTTP/1.1 200 OK\r\nA: \0\r\n\r\n"),
                                       STR("HTTP/1.1 200 OK\r\nA\0: b\r\n\r\n"),
                                       STR(CHUNKED "1;\0\r\na\r\n0\r\n\r\n"),
                                       STR(CHUNKED "0\r\nA: \0\r\n\r\n")};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct reading r;

        read_answer(texts[i], texts[i].n, false, true, &r);
        assert_int_equal(r.outcome, ANSWER_E_BAD);
        reading_done(&r);
    }
}

static void headers_are_told_in_order_with_small_names(void **state)
{
    struct reading r;

    read_answer(STR(OK_HEAD "X-Two:1\r\nx-TWO: \t2 \r\nEmpty:\r\nContent-Length: 0\r\n\r\n"), 1000, false,
                false, &r);
    assert_str(buf_str(&r.headers), "x-two=1|x-two=2|empty=|content-length=0|");
    reading_done(&r);
}

/* n times the text between a beginning and an end. */
static int outcome_of_many(const char *begin, const char *text, int n, const char *end)
{
    struct reading r;
    struct buf all;
    int outcome;

    buf_init(&all, MIB(1));
    buf_puts(&all, begin);
    for (int i = 0; i < n; i++)
        buf_puts(&all, text);
    buf_puts(&all, end);
    read_answer(buf_str(&all), all.n, false, false, &r);
    outcome = r.outcome;
    reading_done(&r);
    buf_done(&all);
    return outcome;
}

static void what_may_be_repeated_has_an_end(void **state)
{
    static const char interim[] = "HTTP/1.1 102 Wait\r\n\r\n";

    assert_int_equal(outcome_of_many(OK_HEAD, "A: b\r\n", ANSWER_HEADERS_MAX, "\r\n"), ANSWER_E_MORE);
    assert_int_equal(outcome_of_many(OK_HEAD, "A: b\r\n", ANSWER_HEADERS_MAX + 1, "\r\n"), ANSWER_E_BAD);
    assert_int_equal(outcome_of_many("", interim, ANSWER_INTERIM_MAX, ""), ANSWER_E_MORE);
    assert_int_equal(outcome_of_many("", interim, ANSWER_INTERIM_MAX + 1, ""), ANSWER_E_BAD);
    assert_int_equal(outcome_of_many(CHUNKED "1;", "x", 60000, "\r\na\r\n0\r\n\r\n"), ANSWER_OK);
    assert_int_equal(outcome_of_many(CHUNKED "1;", "x", 70000, "\r\na\r\n0\r\n\r\n"), ANSWER_E_BAD);
    assert_int_equal(outcome_of_many(CHUNKED "0\r\n", "a: b\r\n", 10000, "\r\n"), ANSWER_OK);
    assert_int_equal(outcome_of_many(CHUNKED "0\r\n", "a: b\r\n", 20000, "\r\n"), ANSWER_E_BAD);
}

/* Of two answers behind one another the first is taken, and what follows is not. */
static void an_answer_ends_where_it_ends(void **state)
{
    static const char *const texts[] = {OK_HEAD "Content-Length: 3\r\n\r\nabc", CHUNKED "3\r\nabc\r\n0\r\n\r\n"};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct reading r;
        struct buf two;

        buf_init(&two, KIB(4));
        buf_puts(&two, texts[i]);
        buf_puts(&two, texts[i]);
        read_answer(buf_str(&two), two.n, false, false, &r);
        assert_int_equal(r.outcome, ANSWER_OK);
        assert_int_equal(r.used, strlen(texts[i]));
        assert_str(buf_str(&r.body), "abc");
        reading_done(&r);
        buf_done(&two);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_read_strictly_and_whatever_the_cuts),
        cmocka_unit_test(nul_is_nowhere_in_a_head_or_between_chunks),
        cmocka_unit_test(headers_are_told_in_order_with_small_names),
        cmocka_unit_test(what_may_be_repeated_has_an_end),
        cmocka_unit_test(an_answer_ends_where_it_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
