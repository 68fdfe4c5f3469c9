/* test_gate.c: the framing rules one by one, and whom a forwarded request comes from. */
#include "unit.h"

#include <stdio.h>

#include "base/bounds.h"
#include "http/forwarded.h"
#include "http/gate.h"

static struct gate_header headers[BOUND_HEADER_COUNT + 2];
static enum http_method method;
static struct gate_body body;
static const char *reason;

/* line: "METHOD target version"; then name, value pairs up to NULL. */
static enum problem_code check(const char *line, ...)
{
    struct gate_head head = {.headers = headers};
    struct str rest = str_c(line);
    const char *name;
    va_list args;

    assert_true(str_split(&rest, ' ', &head.method));
    assert_true(str_split(&rest, ' ', &head.target));
    assert_true(str_split(&rest, ' ', &head.version));
    va_start(args, line);
    while ((name = va_arg(args, const char *))) {
        const char *value = va_arg(args, const char *);

        headers[head.header_count++] = (struct gate_header){str_c(name), str_c(value)};
    }
    va_end(args);
    body = (struct gate_body){0};
    return gate_check(&head, &method, &body, &reason);
}

#define GOOD PROBLEM_NONE
#define BAD PROBLEM_BAD_REQUEST
#define HOST "Host", "h"
#define POST_11 "POST /x HTTP/1.1"

static void plain_requests_pass(void **state)
{
    assert_int_equal(check("GET /x?a=b HTTP/1.1", HOST, NULL), GOOD);
    assert_int_equal(method, HTTP_GET);
    assert_int_equal(body.kind, GATE_NO_BODY);
    assert_int_equal(check("GET / HTTP/1.0", NULL), GOOD);
    assert_int_equal(check(POST_11, HOST, "Content-Length", "17", NULL), GOOD);
    assert_int_equal(body.kind, GATE_SIZED);
    assert_int_equal(body.length, 17);
    assert_int_equal(check(POST_11, HOST, "transfer-encoding", "Chunked", NULL), GOOD);
    assert_int_equal(body.kind, GATE_CHUNKED);
    assert_int_equal(check(POST_11, HOST, "Content-Length", "0", "Expect", "100-Continue", NULL),
                     GOOD);
    assert_int_equal(body.kind, GATE_NO_BODY);
    assert_true(body.expects_continue);
    assert_int_equal(check("GET /x HTTP/1.1", "Host", "[::1]:80", "X", "\xc3\xa9\t", NULL), GOOD);
}

static void lengths_must_be_plain_numbers_and_alone(void **state)
{
    static const char *const lengths[] = {
        "+3", "-3", "0x3", "3 ", "3, 3", "", "18446744073709551619", "3.0", "\t3", NULL};

    for (const char *const *l = lengths; *l; l++)
        if (check(POST_11, HOST, "Content-Length", *l, NULL) != BAD)
            fail_msg("accepted: %s", *l);
    assert_int_equal(check(POST_11, HOST, "Content-Length", "3", "content-length", "3", NULL), BAD);
    assert_int_equal(
        check(POST_11, HOST, "Content-Length", "3", "Transfer-Encoding", "chunked", NULL), BAD);
    assert_int_equal(
        check(POST_11, HOST, "Transfer-Encoding", "chunked", "Content-Length", "3", NULL), BAD);
}

static void transfer_encoding_is_chunked_or_nothing(void **state)
{
    static const char *const codings[] = {"xchunked",
                                          "gzip, chunked",
                                          "chunked, identity",
                                          "identity",
                                          "",
                                          "chunked,",
                                          "\x0b"
                                          "chunked",
                                          NULL};

    for (const char *const *c = codings; *c; c++)
        if (check(POST_11, HOST, "Transfer-Encoding", *c, NULL) != BAD)
            fail_msg("accepted: %s", *c);
    assert_int_equal(check("POST /x HTTP/1.0", HOST, "Transfer-Encoding", "chunked", NULL), BAD);
    assert_int_equal(
        check(POST_11, HOST, "Transfer-Encoding", "chunked", "Transfer-Encoding", "chunked", NULL),
        BAD);
    assert_int_equal(check(POST_11, HOST, "Transfer-Encoding ", "chunked", NULL), BAD);
    assert_int_equal(check(POST_11, HOST, "Transfer-Encodingchunked", "", NULL), BAD);
}

static void names_and_values_hold_no_odd_bytes(void **state)
{
    assert_int_equal(check("GET /x HTTP/1.1", HOST, "Foo Bar", "1", NULL), BAD);
    assert_int_equal(check("GET /x HTTP/1.1", HOST, "", "1", NULL), BAD);
    assert_int_equal(check("GET /x HTTP/1.1", HOST, "X\x7f", "1", NULL), BAD);
    assert_int_equal(check("GET /x HTTP/1.1", HOST, "X", "a\rb", NULL), BAD);
    assert_int_equal(check("GET /x HTTP/1.1", HOST, "X", "a\nb", NULL), BAD);
    assert_int_equal(check("GET /x HTTP/1.1", HOST, "X", "a\x01", NULL), BAD);
}

static void what_says_who_asks_stands_once(void **state)
{
    assert_int_equal(check("GET /x HTTP/1.1", HOST, HOST, NULL), BAD);
    assert_int_equal(
        check("GET /x HTTP/1.1", HOST, "Authorization", "a", "authorization", "b", NULL), BAD);
    assert_int_equal(check("GET /x HTTP/1.1", HOST, "x-api-key", "a", "X-Api-Key", "a", NULL), BAD);
    assert_int_equal(check("GET /x HTTP/1.1", HOST, "X", "a", "X", "b", NULL), GOOD);
}

static void hosts_are_there_and_look_like_hosts(void **state)
{
    assert_int_equal(check("GET /x HTTP/1.1", NULL), BAD);
    assert_int_equal(check("GET /x HTTP/1.1", "Host", "", NULL), BAD);
    assert_int_equal(check("GET /x HTTP/1.1", "Host", "a/b", NULL), BAD);
    assert_int_equal(check("GET /x HTTP/1.1", "Host", "a@b", NULL), BAD);
    assert_int_equal(check("GET /x HTTP/1.0", "Host", "a b", NULL), BAD);
}

static void request_lines_are_plain(void **state)
{
    static const char *const lines[] = {"GET http://b/x HTTP/1.1",
                                        "GET x HTTP/1.1",
                                        "GET /x HTTP/1.9",
                                        "GET /x HTTP/2.0",
                                        "GET /x http/1.1",
                                        "GET /x#f HTTP/1.1",
                                        "GET /x\\y HTTP/1.1",
                                        "GET /\xc3\xa9 HTTP/1.1",
                                        "OPTIONS * HTTP/1.1",
                                        "GET /\x01 HTTP/1.1",
                                        NULL};

    for (const char *const *l = lines; *l; l++)
        if (check(*l, HOST, NULL) != BAD)
            fail_msg("accepted: %s", *l);
    assert_int_equal(check("TRACE /x HTTP/1.1", HOST, NULL), PROBLEM_BAD_METHOD);
    assert_int_equal(check("CONNECT /x HTTP/1.1", HOST, NULL), PROBLEM_BAD_METHOD);
    assert_int_equal(check("get /x HTTP/1.1", HOST, NULL), PROBLEM_BAD_METHOD);
}

static void get_has_no_body_and_expect_one_word(void **state)
{
    assert_int_equal(check("GET /x HTTP/1.1", HOST, "Content-Length", "3", NULL), BAD);
    assert_int_equal(check("GET /x HTTP/1.1", HOST, "Content-Length", "0", NULL), GOOD);
    assert_int_equal(check("HEAD /x HTTP/1.1", HOST, "Transfer-Encoding", "chunked", NULL), BAD);
    assert_int_equal(check(POST_11, HOST, "Expect", "foo", "Content-Length", "3", NULL), BAD);
}

static void sizes_are_bounded(void **state)
{
    static char line[BOUND_URL_BYTES + 100];
    struct gate_head head = {STR("GET"), STR("/x"), STR("HTTP/1.1"), headers, 0};

    memset(line, 'a', sizeof(line));
    memcpy(line, "GET /", 5);
    (void)snprintf(line + BOUND_URL_BYTES + 10, 20, " HTTP/1.1");
    assert_int_equal(check(line, HOST, NULL), PROBLEM_URL_TOO_LONG);
    for (size_t i = 0; i <= BOUND_HEADER_COUNT; i++)
        headers[i] = (struct gate_header){STR("X"), STR("y")};
    headers[0] = (struct gate_header){STR("Host"), STR("h")};
    head.header_count = BOUND_HEADER_COUNT;
    assert_int_equal(gate_check(&head, &method, &body, &reason), GOOD);
    head.header_count++;
    assert_int_equal(gate_check(&head, &method, &body, &reason), PROBLEM_HEADERS_TOO_LARGE);
}

static const char *client_of(const char *peer, const char *first, const char *second)
{
    static char text[NET_ADDRESS_TEXT];
    struct gate_header lines[] = {{STR("X-Forwarded-For"), str_c(first)},
                                  {STR("x-forwarded-for"), str_c(second)}};
    struct net_block trusted[2];
    struct net_address from;
    struct forwarded f;

    assert_true(net_block_parse(STR("10.0.0.0/8"), &trusted[0]));
    assert_true(net_block_parse(STR("::1"), &trusted[1]));
    assert_true(net_address_parse(str_c(peer), &from));
    forwarded_read(&from, lines, (first ? 1u : 0u) + (second ? 1u : 0u), trusted, 2, &f);
    net_address_text(&f.client, text);
    return text;
}

static void forwarded_is_read_from_the_right_through_trusted_hops(void **state)
{
    assert_string_equal(client_of("1.1.1.1", "9.9.9.9", NULL), "1.1.1.1");
    assert_string_equal(client_of("10.0.0.1", NULL, NULL), "10.0.0.1");
    assert_string_equal(client_of("10.0.0.1", "9.9.9.9", NULL), "9.9.9.9");
    assert_string_equal(client_of("10.0.0.1", "6.6.6.6, 9.9.9.9", NULL), "9.9.9.9");
    assert_string_equal(client_of("10.0.0.1", "6.6.6.6, 9.9.9.9 , 10.0.0.2", NULL), "9.9.9.9");
    assert_string_equal(client_of("10.0.0.1", "6.6.6.6, 9.9.9.9", "10.0.0.3, 10.0.0.2"), "9.9.9.9");
    assert_string_equal(client_of("::1", "2001:db8::5", NULL), "2001:db8::5");
    assert_string_equal(client_of("10.0.0.1", "6.6.6.6, rubbish, 10.0.0.2", NULL), "10.0.0.2");
    assert_string_equal(client_of("10.0.0.1", "", NULL), "10.0.0.1");
    assert_string_equal(client_of("10.0.0.1", "10.0.0.9", NULL), "10.0.0.9");
    assert_string_equal(client_of("10.0.0.1", "8.8.8.8:1234", NULL), "8.8.8.8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_requests_pass),
        cmocka_unit_test(lengths_must_be_plain_numbers_and_alone),
        cmocka_unit_test(transfer_encoding_is_chunked_or_nothing),
        cmocka_unit_test(names_and_values_hold_no_odd_bytes),
        cmocka_unit_test(what_says_who_asks_stands_once),
        cmocka_unit_test(hosts_are_there_and_look_like_hosts),
        cmocka_unit_test(request_lines_are_plain),
        cmocka_unit_test(get_has_no_body_and_expect_one_word),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(forwarded_is_read_from_the_right_through_trusted_hops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
