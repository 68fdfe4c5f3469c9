/* test_chunks.c: how a streamed body leaves: whole, in order, and in as few packets as can be, by each of
 * the ways that libmicrohttpd and we share out. */
#include "http/talk.h"

#include <linux/tcp.h>
#include <stdatomic.h>

#include "base/bounds.h"

static struct served server;
static atomic_int released;
static atomic_bool begun, has_reset;

static void release(struct request *r)
{
    request_release(r);
    released++;
}

static void begin(struct request *r)
{
    const struct response head = {.status = 200, .content_type = "text/event-stream"};

    request_hold(r);
    r->gone = release;
    assert_int_equal(request_stream_begin(r, &head), STREAM_OK);
}

/* All of it in one turn. */
static void at_once(struct request *r)
{
    begin(r);
    assert_int_equal(request_stream_write(r, STR("first\n")), STREAM_OK);
    request_stream_end_with(r, STR("last\n"));
    release(r);
}

/* The beginning, and when the loop has slept the end. */
struct later {
    struct loop_timer timer;
    struct request *request;
};

static void end_it(struct loop_timer *t)
{
    struct later *l = container_of(t, struct later, timer);

    request_stream_end_with(l->request, STR("last\n"));
    release(l->request);
    free(l);
}

static void in_two(struct request *r)
{
    struct later *l = calloc(1, sizeof(*l));

    begin(r);
    assert_int_equal(request_stream_write(r, STR("first\n")), STREAM_OK);
    l->request = r;
    l->timer.fired = end_it;
    assert_int_equal(loop_timer_set(r->loop, &l->timer, loop_now_ms(r->loop) + 30), 0);
}

static void empty(struct request *r)
{
    begin(r);
    request_stream_end_with(r, STR(""));
    release(r);
}

/* Numbered lines in chunks of all sizes, more than any socket takes. */
enum { LINES = 300000, LINE_BYTES = 8, PARTS_MAX = 4001 };

static size_t line_at;

static void lines_on(struct request *r)
{
    static char part[PARTS_MAX * LINE_BYTES + 1];
    int outcome = STREAM_OK;

    while (outcome == STREAM_OK && line_at < LINES) {
        size_t n = MIN(line_at % PARTS_MAX + 1, LINES - line_at);

        for (size_t i = 0; i < n; i++)
            (void)snprintf(part + i * LINE_BYTES, LINE_BYTES + 1, "%7zu\n", line_at + i);
        line_at += n;
        outcome = request_stream_write(r, str_n(part, n * LINE_BYTES));
    }
    if (outcome == STREAM_E_GONE || line_at < LINES)
        return;
    request_stream_end(r);
    release(r);
}

static void lines(struct request *r)
{
    line_at = 0;
    begin(r);
    request_stream_on_drained(r, lines_on);
    lines_on(r);
}

/* Writes to a client whose end the loop has not heard of yet. */
static void into_the_void(struct request *r)
{
    static char part[65536];

    begin(r);
    begun = true;
    wait_until(has_reset);
    for (int i = 0; i < 64; i++)
        if (request_stream_write(r, str_n(part, sizeof(part))) != STREAM_OK)
            break;
}

static const struct route routes[] = {
    {HTTP_GET, "/at-once", AUTH_NONE, 0, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, at_once},
    {HTTP_GET, "/in-two", AUTH_NONE, 0, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, in_two},
    {HTTP_GET, "/empty", AUTH_NONE, 0, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, empty},
    {HTTP_GET, "/lines", AUTH_NONE, 0, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, lines},
    {HTTP_GET, "/void", AUTH_NONE, 0, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, into_the_void},
};

static int start(void **state)
{
    released = 0;
    begun = has_reset = false;
    served_init(&server);
    served_start(&server, routes, ARRAY_LEN(routes));
    return 0;
}

static int stop(void **state)
{
    served_stop(&server);
    return 0;
}

static unsigned packets_of(int fd)
{
    struct tcp_info info = {0};
    socklen_t n = sizeof(info);

    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n), 0);
    return info.tcpi_data_segs_in;
}

/* libmicrohttpd sets TCP_NODELAY once it has sent on a connection, which makes a packet more of its first
 * answer; what is counted here are the packets of those that follow. */
static int dial_and_warm(void)
{
    bool closed;
    int fd = dial(&server, 0);

    assert_true(say(fd, "GET /empty HTTP/1.1\r\nHost: h\r\n\r\n"));
    free(hear_until(fd, "\r\n\r\n0\r\n\r\n", &closed));
    assert_false(closed);
    return fd;
}

static void a_short_stream_is_one_packet(void **state)
{
    bool closed;
    char *text;
    int fd = dial_and_warm();
    unsigned before = packets_of(fd);

    for (unsigned i = 1; i <= 3; i++) {
        assert_true(say(fd, "GET /at-once HTTP/1.1\r\nHost: h\r\n\r\n"));
        text = hear_until(fd, "\r\n0\r\n\r\n", &closed);
        assert_int_equal(count_of(text, "HTTP/1.1 200"), 1);
        assert_has(text, "\r\n\r\n6\r\nfirst\n\r\n5\r\nlast\n\r\n0\r\n\r\n");
        assert_int_equal(packets_of(fd) - before, i);
        free(text);
    }
    close(fd);
}

static void the_beginning_and_the_end_are_a_packet_each(void **state)
{
    bool closed;
    char *text;
    int fd = dial_and_warm();
    unsigned before = packets_of(fd);

    assert_true(say(fd, "GET /in-two HTTP/1.1\r\nHost: h\r\n\r\n"));
    text = hear_until(fd, "first\n\r\n", &closed);
    assert_has(text, "ransfer-Encoding: chunked");
    assert_int_equal(packets_of(fd) - before, 1);
    free(text);
    text = hear_until(fd, "\r\n0\r\n\r\n", &closed);
    assert_string_equal(text, "5\r\nlast\n\r\n0\r\n\r\n");
    assert_int_equal(packets_of(fd) - before, 2);
    free(text);
    close(fd);
}

static void an_empty_stream_ends(void **state)
{
    bool closed;
    char *text;
    int fd = dial(&server, 0);

    for (int i = 0; i < 2; i++) {
        assert_true(say(fd, "GET /empty HTTP/1.1\r\nHost: h\r\n\r\n"));
        text = hear_until(fd, "\r\n\r\n0\r\n\r\n", &closed);
        assert_has(text, "\r\n\r\n0\r\n\r\n");
        free(text);
    }
    close(fd);
}

static void a_head_has_no_body(void **state)
{
    char *text = ask(&server, "HEAD /at-once HTTP/1.1\r\nHost: h\r\n\r\n");
    const char *end = strstr(text, "\r\n\r\n");

    assert_has(text, "HTTP/1.1 200");
    assert_non_null(end);
    assert_string_equal(end, "\r\n\r\n");
    free(text);
}

static void a_connection_that_ends_has_chunks_too(void **state)
{
    char *text = ask(&server, "GET /in-two HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");

    assert_has(text, "ransfer-Encoding: chunked");
    assert_has(text, "\r\n\r\n6\r\nfirst\n\r\n5\r\nlast\n\r\n0\r\n\r\n");
    free(text);
    text = ask(&server, "GET /in-two HTTP/1.0\r\n\r\n");
    assert_has_not(text, "chunked");
    assert_has(text, "\r\n\r\nfirst\nlast\n");
    free(text);
}

/* The text behind the head with its chunks taken away, in place. */
static size_t unchunk(char *text)
{
    char *at = strstr(text, "\r\n\r\n"), *out = text;

    assert_non_null(at);
    for (at += 4;;) {
        char *end;
        size_t n = strtoul(at, &end, 16);

        assert_memory_equal(end, "\r\n", 2);
        if (!n)
            break;
        memmove(out, end + 2, n);
        out += n;
        at = end + 2 + n;
        assert_memory_equal(at, "\r\n", 2);
        at += 2;
    }
    return (size_t)(out - text);
}

static void what_the_socket_does_not_take_follows_in_order(void **state)
{
    bool closed;
    char *text;
    int fd = dial(&server, 16384);

    assert_true(say(fd, "GET /lines HTTP/1.1\r\nHost: h\r\n\r\n"));
    usleep(100000); /* the socket is full, and the queue, as a rule; else it is the case of a quick reader */
    text = hear_until(fd, "\r\n0\r\n\r\n", &closed);
    assert_false(closed);
    assert_int_equal(unchunk(text), LINES * LINE_BYTES);
    for (size_t i = 0; i < LINES; i++)
        assert_int_equal(strtoul(text + i * LINE_BYTES, NULL, 10), i);
    free(text);
    assert_true(say(fd, "GET /at-once HTTP/1.1\r\nHost: h\r\n\r\n"));
    text = hear_until(fd, "\r\n0\r\n\r\n", &closed);
    assert_has(text, "\r\n\r\n6\r\nfirst\n\r\n5\r\nlast\n\r\n0\r\n\r\n");
    free(text);
    close(fd);
}

static void a_client_that_has_reset_is_heard_of_once(void **state)
{
    const struct linger now = {.l_onoff = 1};
    int fd = dial(&server, 0);

    assert_true(say(fd, "GET /void HTTP/1.1\r\nHost: h\r\n\r\n"));
    wait_until(begun);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
    close(fd);
    has_reset = true;
    wait_until(released > 0);
    wait_until(listener_active(server.listener) == 0);
    served_turn(&server);
    assert_int_equal(released, 1);
}

#define IN_EACH(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_EACH(a_short_stream_is_one_packet),
        IN_EACH(the_beginning_and_the_end_are_a_packet_each),
        IN_EACH(an_empty_stream_ends),
        IN_EACH(a_head_has_no_body),
        IN_EACH(a_connection_that_ends_has_chunks_too),
        IN_EACH(what_the_socket_does_not_take_follows_in_order),
        IN_EACH(a_client_that_has_reset_is_heard_of_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
