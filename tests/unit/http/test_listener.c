/* test_listener.c: requests over real sockets: framing, bodies, refusals, limits. */
#include "http/one_served.h"

static void echo(struct request *r)
{
    char from[NET_ADDRESS_TEXT];
    struct response answer = {.status = 200, .content_type = "text/plain"};
    struct str q = request_query(r, "q"), cookie = request_cookie(r, "sid");

    net_address_text(&r->peer, from);
    answer.body = arena_strf(r->arena, "[%.*s %.*s q=%.*s sid=%.*s body=%.*s peer=%s https=%d]",
                             STR_FMT(r->path), STR_FMT(r->params[0]), STR_FMT(q), STR_FMT(cookie),
                             STR_FMT(r->body), from, r->https);
    response_header(&answer, "x-seen", request_header(r, "X-Given"));
    request_reply(r, &answer);
}

static void count_body(struct request *r)
{
    struct response answer = {.status = 201};

    answer.body = arena_strf(r->arena, "%zu bytes", r->body.n);
    response_header(&answer, "cache-control", STR("max-age=60"));
    request_reply(r, &answer);
}

static const struct route routes[] = {
    {HTTP_GET, "/echo", AUTH_NONE, 0, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, echo},
    {HTTP_POST, "/echo", AUTH_NONE, 100, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, echo},
    {HTTP_GET, "/things/{id}", AUTH_NONE, 0, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, echo},
    {HTTP_POST, "/count", AUTH_NONE, 8 << 20, RUNS_ON_LOOP, PROBLEM_AS_ANTHROPIC, count_body},
};

static void answers_carry_what_every_answer_carries(void **state)
{
    char *text;

    run();
    text = ask(&server, "GET /echo?a=1&q=x%20y+z HTTP/1.1\r\nHost: h\r\nX-Given: seen\r\n"
                        "Cookie: a=b; sid=s1\r\nConnection: close\r\n\r\n");
    assert_has(text, "HTTP/1.1 200 OK\r\n");
    assert_has(text, "\r\nx-tollgate-request-id: call_");
    assert_has(text, "\r\nx-content-type-options: nosniff\r\n");
    assert_has(text, "\r\ncache-control: no-store\r\n");
    assert_has(text, "\r\nx-seen: seen\r\n");
    assert_has(text, "\r\n\r\n[/echo  q=x y z sid=s1 body= peer=127.0.0.1 https=0]");
    free(text);
    text = ask(&server, "POST /count HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc");
    assert_has(text, "201 Created\r\n");
    assert_has(text, "cache-control: max-age=60\r\n");
    assert_has_not(text, "no-store");
    free(text);
}

static void connections_are_kept_alive(void **state)
{
    int fd;
    bool closed;
    char *text;

    run();
    fd = dial(&server, 0);
    for (int i = 0; i < 3; i++) {
        assert_true(say(fd, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"));
        text = hear_until(fd, "]", &closed);
        assert_has(text, "200 OK");
        assert_has(text, "body=abc ");
        assert_has_not(text, "onnection: close");
        assert_false(closed);
        free(text);
    }
    /* A 404 and a 405 without a body do not end it either. */
    assert_true(say(fd, "GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n"));
    text = hear_until(fd, "}}", &closed);
    assert_has(text, "404 Not Found");
    assert_has(text, "\"code\":\"unknown_url\"");
    free(text);
    assert_true(say(fd, "DELETE /echo HTTP/1.1\r\nHost: h\r\n\r\n"));
    text = hear_until(fd, "}}", &closed);
    assert_has(text, "405 Method Not Allowed");
    assert_has(text, "\r\nallow: GET, HEAD, POST\r\n");
    free(text);
    assert_true(say(fd, "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n"));
    text = hear_until(fd, "]", &closed);
    assert_has(text, "200 OK");
    free(text);
    close(fd);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    char *text;

    run();
    text = ask(&server, "GET /things/1 HTTP/1.1\r\nHost: h\r\n\r\n"
                        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"
                        "GET /things/a%2Fb HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert_int_equal(count_of(text, "200 OK"), 3);
    assert_true(strstr(text, "/things/1 1 ") < strstr(text, "body=hi"));
    assert_true(strstr(text, "body=hi") < strstr(text, "[/things/a%2Fb a/b "));
    free(text);
}

static void head_is_get_without_a_body(void **state)
{
    char *text;

    run();
    text = ask(&server, "HEAD /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert_has(text, "200 OK");
    assert_has_not(text, "[/echo");
    assert_has_not(text, "ontent-Length: 0");
    free(text);
}

static void broken_parameters_are_not_found(void **state)
{
    static const char *const paths[] = {"/things/%",   "/things/%zz", "/things/%00",
                                        "/things/%ff", "/things/",    "//things/1",
                                        "/echo/",      "/ECHO",       NULL};
    char request[200];

    run();
    for (const char *const *p = paths; *p; p++) {
        char *text;

        (void)snprintf(request, sizeof(request),
                       "GET %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", *p);
        text = ask(&server, request);
        assert_has(text, "404 Not Found");
        free(text);
    }
}

static void chunked_bodies_are_read(void **state)
{
    char *text;

    run();
    text = ask(&server, "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
                        "Connection: close\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
    assert_has(text, "body=abcdefg ");
    free(text);
}

/* Sends a head and n bytes of body, in chunks or not, whatever comes back meanwhile. Fails when the
 * server resets: elsewhere than on loopback the reset may overtake the answer. */
static char *ask_with_body(const char *head, size_t n, bool chunked)
{
    static char part[65536];
    int fd = dial(&server, 0);
    char size[20];
    char *text;

    memset(part, 'x', sizeof(part) - 1);
    (void)say(fd, head);
    (void)snprintf(size, sizeof(size), "%zx\r\n", sizeof(part) - 1);
    for (size_t sent = 0; sent < n; sent += sizeof(part) - 1)
        if ((chunked && !say(fd, size)) || !say(fd, part) || (chunked && !say(fd, "\r\n")))
            fail_msg("reset after %zu bytes", sent);
    if (chunked)
        (void)say(fd, "0\r\n\r\n");
    text = hear_all(fd);
    close(fd);
    return text;
}

static void large_bodies_arrive_whole(void **state)
{
    char head[200];
    char *text;
    size_t n = (size_t)65535 * 120;

    run();
    (void)snprintf(head, sizeof(head),
                   "POST /count HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                   "Content-Length: %zu\r\n\r\n",
                   n);
    text = ask_with_body(head, n, false);
    assert_has(text, "7864200 bytes");
    free(text);
    text = ask_with_body("POST /count HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                         "Transfer-Encoding: chunked\r\n\r\n",
                         n, true);
    assert_has(text, "7864200 bytes");
    free(text);
}

static void bodies_above_the_limit_are_413_and_the_answer_arrives(void **state)
{
    char *text;

    run();
    for (int i = 0; i < 5; i++) {
        text = ask_with_body("POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 16777216\r\n\r\n",
                             16 << 20, false);
        assert_has(text, "HTTP/1.1 413 ");
        assert_has(text, "\"type\":\"request_too_large\"");
        assert_has(text, "onnection: close");
        assert_has_not(text, "<reset>");
        free(text);
    }
    text = ask_with_body("POST /count HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
                         9 << 20, true);
    assert_has(text, "HTTP/1.1 413 ");
    free(text);
}

static void a_body_too_large_is_refused_before_it_is_sent(void **state)
{
    char *text;

    run();
    text = ask(&server, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n"
                        "Expect: 100-continue\r\n\r\n");
    assert_has(text, "HTTP/1.1 413 ");
    assert_has_not(text, "100 Continue");
    free(text);
}

static void expect_continue_is_answered(void **state)
{
    int fd;
    bool closed;
    char *text;

    run();
    fd = dial(&server, 0);
    assert_true(say(fd, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n"
                        "Expect: 100-continue\r\n\r\n"));
    text = hear_until(fd, "\r\n\r\n", &closed);
    assert_has(text, "HTTP/1.1 100 Continue");
    free(text);
    assert_true(say(fd, "ok"));
    text = hear_until(fd, "]", &closed);
    assert_has(text, "body=ok ");
    free(text);
    close(fd);
}

static void what_the_gate_refuses_closes_the_connection(void **state)
{
    static const char *const heads[] = {
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 35\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\n",
        "GET /echo HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n",
        "GET http://h/echo HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx",
        NULL};
    char request[400];

    run();
    for (const char *const *h = heads; *h; h++) {
        char *text;

        (void)snprintf(request, sizeof(request),
                       "%sGET /things/smuggled HTTP/1.1\r\nHost: h\r\n\r\n", *h);
        text = ask(&server, request);
        assert_has(text, "HTTP/1.1 400 ");
        assert_has(text, "x-tollgate-request-id: call_");
        assert_int_equal(count_of(text, "HTTP/1.1 "), 1);
        assert_has_not(text, "smuggled");
        free(text);
    }
}

static void only_trusted_peers_are_believed(void **state)
{
    static const char request[] = "GET /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                                  "X-Forwarded-For: 9.9.9.9, 203.0.113.7, 10.0.0.2\r\n"
                                  "X-Forwarded-Proto: https\r\n\r\n";
    struct net_block trusted[2];
    char *text;

    run();
    text = ask(&server, request);
    assert_has(text, "peer=127.0.0.1 https=0");
    free(text);
    served_stop(&server);
    assert_true(net_block_parse(STR("127.0.0.0/8"), &trusted[0]));
    assert_true(net_block_parse(STR("10.0.0.0/8"), &trusted[1]));
    served_init(&server);
    server.config.trusted = trusted;
    server.config.trusted_count = 2;
    run();
    text = ask(&server, request);
    assert_has(text, "peer=203.0.113.7 https=1");
    free(text);
}

static void too_many_connections_are_told_so(void **state)
{
    int fds[3];
    char *text;
    bool closed;

    server.config.max_per_address = 3;
    run();
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = dial(&server, 0);
    text = ask(&server, "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_has(text, "HTTP/1.1 503 ");
    assert_has(text, "\"code\":\"overloaded\"");
    free(text);
    assert_true(say(fds[2], "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n"));
    text = hear_until(fds[2], "]", &closed);
    assert_has(text, "200 OK");
    free(text);
    close(fds[0]);
    wait_until(stats().connections == 2);
    text = ask(&server, "GET /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert_has(text, "200 OK");
    free(text);
    close(fds[1]);
    close(fds[2]);
}

static void the_total_limit_counts_everyone(void **state)
{
    int fd;
    char *text;

    server.config.max_connections = 1;
    run();
    fd = dial(&server, 0);
    text = ask(&server, "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_has(text, "HTTP/1.1 503 ");
    free(text);
    close(fd);
}

/* Beyond those that are told when they ask. */
static void who_comes_when_far_too_many_are_there_is_told_unasked(void **state)
{
    int fds[65], fd;
    bool closed;
    char *text;

    server.config.max_connections = 1;
    run();
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = dial(&server, 0);
    wait_until(stats().connections == ARRAY_LEN(fds));
    fd = dial(&server, 0);
    text = hear_all(fd);
    assert_has(text, "HTTP/1.1 503 ");
    assert_has(text, "\"code\":\"overloaded\"");
    free(text);
    close(fd);
    assert_int_equal(stats().refused_by_limits, 1);
    assert_true(say(fds[0], "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n"));
    text = hear_until(fds[0], "]", &closed);
    assert_has(text, "200 OK");
    free(text);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
}

static void a_limit_that_is_raised_holds(void **state)
{
    struct listener_config more;
    int fds[100];
    char *text;

    server.config.max_connections = 1;
    server.config.max_per_address = 1000;
    run();
    more = server.config;
    more.max_connections = 200;
    assert_int_equal(listener_change(server.listener, &more), LISTENER_OK);
    served_turn(&server);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = dial(&server, 0);
    wait_until(stats().connections == ARRAY_LEN(fds));
    text = ask(&server, "GET /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert_has(text, "HTTP/1.1 200 OK");
    free(text);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
}

static void a_taken_port_is_noticed(void **state)
{
    run();
    assert_int_equal(listener_probe("127.0.0.1", server.port), LISTENER_E_TAKEN);
    assert_int_equal(listener_probe("127.0.0.1", 0), LISTENER_OK);
    assert_int_equal(listener_probe("203.0.113.1", 0), LISTENER_E_ADDRESS);
    assert_int_equal(listener_probe("localhost", 0), LISTENER_E_ADDRESS);
}

static void two_listeners_share_a_port(void **state)
{
    struct listener *second;
    struct listener_config config;
    struct loop *loop;

    run();
    loop = loop_new("second");
    config = server.config;
    config.loop = loop;
    config.port = server.port;
    assert_int_equal(listener_new(&config, &second), LISTENER_OK);
    listener_free(second);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_EACH(answers_carry_what_every_answer_carries),
        IN_EACH(connections_are_kept_alive),
        IN_EACH(pipelined_requests_are_answered_in_order),
        IN_EACH(head_is_get_without_a_body),
        IN_EACH(broken_parameters_are_not_found),
        IN_EACH(chunked_bodies_are_read),
        IN_EACH(large_bodies_arrive_whole),
        IN_EACH(bodies_above_the_limit_are_413_and_the_answer_arrives),
        IN_EACH(a_body_too_large_is_refused_before_it_is_sent),
        IN_EACH(expect_continue_is_answered),
        IN_EACH(what_the_gate_refuses_closes_the_connection),
        IN_EACH(only_trusted_peers_are_believed),
        IN_EACH(too_many_connections_are_told_so),
        IN_EACH(the_total_limit_counts_everyone),
        IN_EACH(who_comes_when_far_too_many_are_there_is_told_unasked),
        IN_EACH(a_limit_that_is_raised_holds),
        IN_EACH(a_taken_port_is_noticed),
        IN_EACH(two_listeners_share_a_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
