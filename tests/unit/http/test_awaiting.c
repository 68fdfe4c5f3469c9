/* test_awaiting.c: connections whose handlers take their time stay with libmicrohttpd, which says then that
 * it has something to do: nothing is lost behind that, and the loop sleeps. */
#include "http/one_served.h"

#include "base/bounds.h"
#include "http/conn.h"

enum {
    OTHERS = 12,         /* more than an awaited answer is asked for */
    LONG_LINE = 12000,   /* more than libmicrohttpd reads of a request line at once */
    LARGE_HEAD = 9000,   /* two of them are more than a connection has memory for */
    TURNS_FEW = 50,      /* of a loop in 100 ms; one that does not sleep makes thousands */
};

static struct request *awaited;
static atomic_int came, gone, gone_within, outcome;
static atomic_uint turns, awake, suspended;
static struct loop_hook counter;
static char large[LARGE_HEAD + 1];

static void on_gone(struct request *r)
{
    gone++;
    request_release(r);
}

static void later(struct request *r)
{
    r->gone = on_gone;
    request_hold(r);
    awaited = r;
    came++;
}

static void now(struct request *r)
{
    const struct response answer = {.status = 200, .body = STR("now")};

    request_reply(r, &answer);
}

static void end(struct request *r)
{
    const struct response answer = {.status = 200, .body = STR("end")};

    request_reply(r, &answer);
}

static const struct route routes[] = {
    {HTTP_POST, "/later", AUTH_NONE, 1 << 20, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, later},
    {HTTP_GET, "/now", AUTH_NONE, 0, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, now},
    {HTTP_GET, "/end", AUTH_NONE, 0, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, end},
};

#define LATER "POST /later HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody"
#define NOW "GET /now HTTP/1.1\r\nHost: h\r\n\r\n"
#define END "GET /end HTTP/1.1\r\nHost: h\r\n\r\n"

static void count_turn(struct loop_hook *h, int *timeout_ms)
{
    (void)h, (void)timeout_ms;
    turns++;
}

static int start(void **state)
{
    came = gone = 0;
    turns = 0;
    outcome = -1;
    memset(large, 'a', LARGE_HEAD);
    return server_setup(state);
}

/* Runs fn on the loop, and a turn after it. */
static void on_loop(void (*fn)(struct loop_msg *))
{
    static struct loop_msg message;

    message.fn = fn;
    loop_post(server.loop, &message);
    served_turn(&server);
}

static void answer(struct loop_msg *m)
{
    const struct response response = {.status = 200, .body = STR("at last")};

    (void)m;
    request_reply(awaited, &response);
    request_release(awaited);
}

static void stream(struct loop_msg *m)
{
    struct response response = {.status = 200};

    (void)m;
    response_header(&response, "x-large", str_c(large));
    outcome = request_stream_begin(awaited, &response);
    gone_within = gone;
}

static void look(struct loop_msg *m)
{
    (void)m;
    awake = 0;
    list_for_each (&server.listener->awake, it)
        awake++;
    suspended = server.listener->suspended;
}

static void hook_in(struct loop_msg *m)
{
    (void)m;
    counter = (struct loop_hook){.turn = count_turn};
    loop_hook_add(server.loop, &counter);
}

static int ask_later(void)
{
    int fd = dial(&server, 0), before = came;

    assert_true(say(fd, LATER));
    wait_until(came > before);
    return fd;
}

static void expect(int fd, const char *what)
{
    bool closed;
    char *text = hear_until(fd, what, &closed);

    assert_has(text, "200 OK");
    assert_has(text, what);
    assert_false(closed);
    free(text);
}

static void a_connection_is_awake_until_it_was_asked_often(void **state)
{
    int fd, other;

    run();
    fd = ask_later();
    on_loop(look);
    assert_int_equal(awake, 1);
    assert_int_equal(suspended, 0);
    other = dial(&server, 0);
    for (int i = 0; i < OTHERS; i++) {
        assert_true(say(other, NOW));
        expect(other, "now");
    }
    on_loop(look);
    assert_int_equal(awake, 0);
    assert_int_equal(suspended, 1);
    on_loop(answer);
    expect(fd, "at last");
    assert_true(say(fd, NOW));
    expect(fd, "now");
    close(other);
    close(fd);
}

static void the_loop_sleeps_while_an_answer_is_awaited(void **state)
{
    unsigned before;
    int fd;

    run();
    on_loop(hook_in);
    fd = ask_later();
    served_turn(&server);
    before = turns;
    usleep(100000);
    assert_true(turns - before < TURNS_FEW);
    on_loop(look);
    assert_int_equal(awake, 1);
    on_loop(answer);
    expect(fd, "at last");
    close(fd);
}

static void what_comes_behind_an_awaited_answer_is_read(void **state)
{
    int fd, other;
    bool closed;
    char *text;

    run();
    other = ask_later();
    on_loop(answer);
    expect(other, "at last");
    fd = dial(&server, 0);
    assert_true(say(fd, LATER NOW END));
    wait_until(came == 2);
    on_loop(answer);
    text = hear_until(fd, "\r\n\r\nend", &closed);
    assert_has(text, "\r\n\r\nat last");
    assert_has(text, "\r\n\r\nnow");
    assert_has(text, "\r\n\r\nend");
    free(text);
    close(fd);
    close(other);
}

/* It comes in several reads, of which libmicrohttpd tells nothing. */
static void a_long_request_line_is_read_to_its_end(void **state)
{
    char line[LONG_LINE + 1] = "", all[LONG_LINE + 100];
    int fd, other;
    bool closed;
    char *text;

    run();
    memset(line, 'q', LONG_LINE);
    (void)snprintf(all, sizeof(all), "GET /now?%s HTTP/1.1\r\nHost: h\r\n\r\n", line);
    other = ask_later();
    fd = dial(&server, 0);
    assert_true(say(fd, all));
    text = hear_until(fd, "\r\n\r\n", &closed);
    assert_has(text, "HTTP/1.1 ");
    free(text);
    on_loop(answer);
    expect(other, "at last");
    close(fd);
    close(other);
}

static void who_hangs_up_while_awaiting_is_told_of(void **state)
{
    int fd;

    run();
    fd = ask_later();
    close(fd);
    wait_until(gone == 1);
    on_loop(look);
    assert_int_equal(awake, 0);
    assert_int_equal(listener_active(server.listener), 0);
}

/* libmicrohttpd gives up when it is handed the answer: the handler learns of it twice, but not in the middle. */
static void an_answer_whose_head_has_no_room_ends_the_connection(void **state)
{
    char all[LARGE_HEAD + 200];
    char *text;
    int fd;

    run();
    (void)snprintf(all, sizeof(all), "POST /later HTTP/1.1\r\nHost: h\r\nX-Large: %s\r\nContent-Length: 0\r\n\r\n", large);
    fd = dial(&server, 0);
    assert_true(say(fd, all));
    wait_until(came == 1);
    on_loop(look);
    assert_int_equal(awake, 1);
    on_loop(stream);
    assert_int_equal(outcome, STREAM_E_GONE);
    assert_int_equal(gone_within, 0);
    assert_int_equal(gone, 1);
    text = hear_all(fd);
    assert_string_equal(text, "");
    free(text);
    close(fd);
    fd = dial(&server, 0);
    assert_true(say(fd, NOW));
    expect(fd, "now");
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_EACH_WITH(start, a_connection_is_awake_until_it_was_asked_often),
        IN_EACH_WITH(start, the_loop_sleeps_while_an_answer_is_awaited),
        IN_EACH_WITH(start, what_comes_behind_an_awaited_answer_is_read),
        IN_EACH_WITH(start, a_long_request_line_is_read_to_its_end),
        IN_EACH_WITH(start, who_hangs_up_while_awaiting_is_told_of),
        IN_EACH_WITH(start, an_answer_whose_head_has_no_room_ends_the_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
