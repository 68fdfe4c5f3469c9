/* test_admission.c: what is turned away before it breaks the node: bodies beyond memory, calls when the
 * loop is behind, clients when no descriptor is left, bodies without a length where they are unwanted. */
#include "http/talk.h"

#include <fcntl.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "http/admission.h"

static struct served server;
static struct memory_guard *guard;

static void ok(struct request *r)
{
    struct response answer = {.status = 200};

    answer.body = arena_strf(r->arena, "%zu bytes", r->body.n);
    request_reply(r, &answer);
}

/* A call that takes the loop 20 ms, by the stopped clock. */
static void busy(struct request *r)
{
    test_clock_step(20);
    ok(r);
}

static const struct route routes[] = {
    {HTTP_GET, "/vital", AUTH_NONE, 0, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, ok},
    {HTTP_POST, "/take", AUTH_NONE, 64 << 20, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, ok},
    {HTTP_POST, "/call", AUTH_KEY, 1 << 20, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, busy},
};

static int start(void **state)
{
    guard = NULL;
    served_init(&server);
    return 0;
}

static int stop(void **state)
{
    served_stop(&server);
    memory_guard_free(guard);
    return 0;
}

static void run(uint64_t limit_bytes)
{
    if (limit_bytes)
        assert_int_equal(memory_guard_new(limit_bytes, &guard), 0);
    server.config.memory = guard;
    served_start(&server, routes, ARRAY_LEN(routes));
}

static uint64_t used_bytes(void)
{
    struct memory_guard *g;
    struct memory_view v;

    assert_int_equal(memory_guard_new(0, &g), 0);
    memory_guard_read(g, &v);
    memory_guard_free(g);
    assert_true(v.used_bytes > 0);
    assert_true(v.limit_bytes > v.used_bytes);
    return v.used_bytes;
}

static uint64_t promised_bytes(void)
{
    struct memory_view v;

    memory_guard_read(guard, &v);
    return v.promised_bytes;
}

static struct listener_stats stats(void)
{
    struct listener_stats s;

    listener_read_stats(server.listener, &s);
    return s;
}

static void wait_until_none_is_promised(void)
{
    wait_until(promised_bytes() == 0);
}

static void long_bodies_are_promised_until_they_have_come(void **state)
{
    static const char head[] = "POST /take HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n"
                               "Connection: close\r\n\r\n";
    char *body = calloc(1, 1000001), *text;
    int fd;

    run(used_bytes() + ((uint64_t)1 << 32));
    fd = dial(&server, 0);
    assert_true(say(fd, head));
    wait_until(promised_bytes() == 3000000);
    memset(body, 'x', 1000000);
    assert_true(say(fd, body));
    text = hear_all(fd);
    assert_has(text, "1000000 bytes");
    wait_until_none_is_promised();
    close(fd);
    free(text);

    fd = dial(&server, 0); /* one that leaves in the middle */
    assert_true(say(fd, head));
    assert_true(say(fd, "some of it"));
    wait_until(promised_bytes());
    close(fd);
    wait_until_none_is_promised();
    free(body);
}

/* Room for one body of 20 MB and not for two. */
static void bodies_beyond_memory_are_503_before_they_are_sent(void **state)
{
    static const char head[] = "POST /take HTTP/1.1\r\nHost: h\r\nContent-Length: 20000000\r\n\r\n";
    uint64_t limit_bytes = (used_bytes() + 90000000) / 80 * 100;
    int fd;
    char *text;

    run(limit_bytes);
    fd = dial(&server, 0);
    assert_true(say(fd, head));
    wait_until(promised_bytes());
    text = ask(&server, head);
    assert_has(text, "HTTP/1.1 503 ");
    assert_has_not(text, "HTTP/1.1 100 ");
    assert_has(text, "\r\nretry-after: 1\r\n");
    assert_has(text, "\"code\":\"overloaded\"");
    free(text);
    text = ask(&server, "POST /take HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
                        "Connection: close\r\n\r\nabc");
    assert_has(text, "3 bytes"); /* short ones still come in */
    free(text);
    close(fd);
    wait_until_none_is_promised();
    text = ask(&server, "POST /take HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
                        "Connection: close\r\n\r\nabc");
    assert_has(text, "3 bytes");
    free(text);
    assert_int_equal(stats().refused_by_memory, 1);
}

static void nothing_but_the_vital_is_answered_when_memory_is_out(void **state)
{
    char *text;

    run(1 << 20);
    text = ask(&server, "POST /take HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
                        "Connection: close\r\n\r\nabc");
    assert_has(text, "HTTP/1.1 503 ");
    free(text);
    text = ask(&server, "GET /vital HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert_has(text, "HTTP/1.1 200 ");
    free(text);
    assert_int_equal(stats().refused_by_memory, 1);
}

static void a_body_of_unknown_length_is_cut_off_when_memory_is_out(void **state)
{
    static char chunk[8 + (1 << 20) + 3];
    int fd;
    char *text;

    run((used_bytes() + 4000000) / 80 * 100);
    memcpy(chunk, "100000\r\n", 8);
    memset(chunk + 8, 'x', 1 << 20);
    memcpy(chunk + 8 + (1 << 20), "\r\n", 3);
    fd = dial(&server, 0);
    assert_true(say(fd, "POST /take HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"));
    for (int i = 0; i < 24; i++)
        if (!say(fd, chunk))
            break;
    (void)say(fd, "0\r\n\r\n");
    text = hear_all(fd);
    assert_has(text, "HTTP/1.1 503 ");
    free(text);
    close(fd);
    assert_int_equal(stats().refused_by_memory, 1);
}

enum { CALLERS = 60 };

static atomic_bool held, open_now;

static void hold_up(struct loop_msg *m)
{
    held = true;
    wait_until(open_now);
}

/* Sixty calls of 20 ms at once, of which the loop may take a tenth of a second's worth. */
static void a_loop_that_is_behind_sheds_calls_and_recovers(void **state)
{
    static const char call[] = "POST /call HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}";
    struct loop_msg holding = {.fn = hold_up};
    int fds[CALLERS], good = 0, shed = 0;
    bool closed;
    char *text;

    server.config.shed_after_ms = 100;
    test_clock_stop();
    run(0);
    for (int i = 0; i < CALLERS; i++)
        fds[i] = dial(&server, 0);
    wait_until(stats().connections == CALLERS);
    loop_post(server.loop, &holding);
    wait_until(held);
    for (int i = 0; i < CALLERS; i++)
        assert_true(say(fds[i], call));
    open_now = true;
    for (int i = 0; i < CALLERS; i++) {
        text = hear_until(fds[i], "\r\n\r\n", &closed);
        good += strstr(text, "HTTP/1.1 200 ") != NULL;
        if (strstr(text, "HTTP/1.1 503 ")) {
            shed++;
            assert_has(text, "\r\nretry-after: 1\r\n");
            assert_has_not(text, "Connection: close");
        }
        free(text);
    }
    assert_int_equal(good + shed, CALLERS);
    assert_true(good >= 5);
    assert_true(shed >= CALLERS / 3);
    assert_int_equal(stats().shed, shed);
    for (int i = 0; i < CALLERS; i++) { /* one after another they are all served, on the same ones */
        assert_true(say(fds[i], call));
        text = hear_until(fds[i], "2 bytes", &closed);
        assert_has(text, "HTTP/1.1 200 ");
        free(text);
        close(fds[i]);
    }
}

static void bodies_without_a_length_may_be_unwanted(void **state)
{
    char *text;

    server.config.refuse_chunked = true;
    run(0);
    text = ask(&server, "POST /take HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "3\r\nabc\r\n0\r\n\r\nGET /vital HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_has(text, "HTTP/1.1 411 ");
    assert_has(text, "\"code\":\"length_required\"");
    assert_int_equal(count_of(text, "HTTP/1.1 "), 1);
    free(text);
    text = ask(&server, "POST /take HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
                        "Connection: close\r\n\r\nabc");
    assert_has(text, "3 bytes");
    free(text);
}

/* Every descriptor of the process is taken, but for the client's own, which were made before. */
static void clients_are_told_when_no_descriptor_is_left(void **state)
{
    struct rlimit before, few;
    int clients[3], taken[256], n = 0, fd;
    bool closed;
    char *text;

    server.config.head_timeout_ms = 400; /* looked at every 100 ms */
    run(0);
    text = ask(&server, "GET /vital HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    free(text);
    wait_until(stats().connections == 0); /* its descriptor would be a free one later */
    for (size_t i = 0; i < ARRAY_LEN(clients); i++)
        clients[i] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = (rlim_t)clients[2] + 20;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    while (n < (int)ARRAY_LEN(taken) && (fd = open("/dev/null", O_RDONLY)) >= 0)
        taken[n++] = fd;
    assert_true(n > 0);
    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(server.port)};

        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        assert_int_equal(connect(clients[i], (struct sockaddr *)&to, sizeof(to)), 0);
        assert_true(say(clients[i], "GET /vital HTTP/1.1\r\nHost: h\r\n\r\n"));
    }
    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        text = hear_until(clients[i], "overloaded", &closed);
        assert_has(text, "HTTP/1.1 503 Service Unavailable\r\n");
        assert_has(text, "\r\nRetry-After: 1\r\n");
        free(text);
        close(clients[i]);
    }
    wait_until(stats().turned_away == 3);
    while (n > 0)
        close(taken[--n]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    text = ask(&server, "GET /vital HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert_has(text, "HTTP/1.1 200 ");
    free(text);
}

#define IN_EACH(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_EACH(long_bodies_are_promised_until_they_have_come),
        IN_EACH(bodies_beyond_memory_are_503_before_they_are_sent),
        IN_EACH(nothing_but_the_vital_is_answered_when_memory_is_out),
        IN_EACH(a_body_of_unknown_length_is_cut_off_when_memory_is_out),
        IN_EACH(a_loop_that_is_behind_sheds_calls_and_recovers),
        IN_EACH(bodies_without_a_length_may_be_unwanted),
        IN_EACH(clients_are_told_when_no_descriptor_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
