/* test_streaming.c: answers that take their time: awaited and streamed; and clients that read
 * slowly or leave. */
#include "http/one_served.h"

#include <stdatomic.h>

#include "base/bounds.h"

static atomic_int waits, gone_calls, released, drains;
static atomic_size_t written;
static atomic_bool writer_done;

static void note_gone(struct request *r)
{
    gone_calls++;
}

/* A handler that waits for a timer, as one that waits for an upstream. */
struct waiter {
    struct loop_timer timer;
    struct request *request;
};

static struct waiter *last_waiter;

static void answer_late(struct loop_timer *t)
{
    struct waiter *w = container_of(t, struct waiter, timer);
    const struct response answer = {.status = 200, .body = STR("late]")};
    struct request *r = w->request;

    request_reply(r, &answer);
    request_release(r);
    free(w);
    released++;
}

static void wait_then_answer(struct request *r, int ms)
{
    struct waiter *w = calloc(1, sizeof(*w));

    last_waiter = w;
    w->request = r;
    w->timer.fired = answer_late;
    r->gone = note_gone;
    request_hold(r);
    assert_int_equal(loop_timer_set(r->loop, &w->timer, loop_now_ms(r->loop) + ms), 0);
    waits++;
}

static void after_50_ms(struct request *r)
{
    wait_then_answer(r, 50);
}

static void after_400_ms(struct request *r)
{
    wait_then_answer(r, 400);
}

/* "tick" now and after each 50 ms, five times; then the end, or an incomplete one. */
struct ticker {
    struct loop_timer timer;
    struct request *request;
    int ticks;
    bool complete;
};

static void tick(struct loop_timer *t)
{
    struct ticker *w = container_of(t, struct ticker, timer);
    struct request *r = w->request;

    if (w->ticks < 5 && request_stream_write(r, STR("tick\n")) != STREAM_E_GONE) {
        w->ticks++;
        assert_int_equal(loop_timer_set(r->loop, t, loop_now_ms(r->loop) + 50), 0);
        return;
    }
    if (w->complete)
        request_stream_end(r);
    else
        request_stream_abort(r);
    request_release(r);
    free(w);
    released++;
}

static void start_ticks(struct request *r, bool complete)
{
    const struct response head = {.status = 200, .content_type = "text/event-stream"};
    struct ticker *w = calloc(1, sizeof(*w));

    w->request = r;
    w->complete = complete;
    w->timer.fired = tick;
    r->gone = note_gone;
    request_hold(r);
    assert_int_equal(request_stream_begin(r, &head), STREAM_OK);
    tick(&w->timer);
}

static void ticks(struct request *r)
{
    start_ticks(r, true);
}

static void ticks_without_end(struct request *r)
{
    start_ticks(r, false);
}

/* Written as fast as the client takes it: several times what a socket may hold, so that the writer is let
 * on more than twice also where it is interrupted and the client catches up. */
enum { FLOOD_BYTES = 32 << 20 };

static void flood_on(struct request *r)
{
    static char part[10000];

    memset(part, 'f', sizeof(part));
    while (written < FLOOD_BYTES) {
        size_t n = MIN(sizeof(part), FLOOD_BYTES - written);
        int outcome = request_stream_write(r, str_n(part, n));

        if (outcome == STREAM_E_GONE)
            return;
        written += n;
        if (outcome == STREAM_E_FULL)
            return;
    }
    request_stream_end(r);
    writer_done = true;
}

static void drained(struct request *r)
{
    drains++;
    flood_on(r);
    if (writer_done)
        request_release(r);
}

static void flood_gone(struct request *r)
{
    note_gone(r);
    request_release(r);
}

static void flood(struct request *r)
{
    const struct response head = {.status = 200, .content_type = "text/plain"};

    r->gone = flood_gone;
    request_hold(r);
    assert_int_equal(request_stream_begin(r, &head), STREAM_OK);
    request_stream_on_drained(r, drained);
    flood_on(r);
    if (writer_done)
        request_release(r);
}

static const struct route routes[] = {
    {HTTP_GET, "/late", AUTH_NONE, 0, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, after_50_ms},
    {HTTP_POST, "/later", AUTH_NONE, 1000, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, after_400_ms},
    {HTTP_GET, "/ticks", AUTH_NONE, 0, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, ticks},
    {HTTP_GET, "/broken", AUTH_NONE, 0, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, ticks_without_end},
    {HTTP_GET, "/flood", AUTH_NONE, 0, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, flood},
};

static int start(void **state)
{
    waits = gone_calls = released = drains = 0;
    written = 0;
    writer_done = false;
    return server_setup(state);
}

static void wait_for(atomic_int *counter, int value)
{
    wait_until(*counter >= value);
    assert_int_equal(*counter, value);
}

/* Until nothing has been written for a while, which is far less than all. */
static void wait_until_full(void)
{
    wait_until(written >= BOUND_STREAM_QUEUE_BYTES);
    for (size_t before = 0; before != written; usleep(100000))
        before = written;
    assert_true(written < FLOOD_BYTES);
}

static void an_awaited_answer_comes_and_the_connection_stays(void **state)
{
    bool closed;
    int fd;

    run();
    fd = dial(&server, 0);
    for (int i = 0; i < 3; i++) {
        char *text;

        assert_true(say(fd, "GET /late HTTP/1.1\r\nHost: h\r\n\r\n"));
        text = hear_until(fd, "]", &closed);
        assert_has(text, "200 OK");
        assert_has(text, "late]");
        free(text);
    }
    close(fd);
    assert_int_equal(gone_calls, 0);
}

static void a_client_that_leaves_while_waiting_is_noticed_at_once(void **state)
{
    int fd;

    test_clock_stop();
    run();
    fd = dial(&server, 0);
    assert_true(say(fd, "POST /later HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"));
    wait_for(&waits, 1);
    served_turn(&server);
    assert_int_equal(gone_calls, 0);
    close(fd);
    wait_for(&gone_calls, 1); /* though no time passes */
    assert_int_equal(released, 0);
    served_step(&server, 400);
    assert_int_equal(released, 1); /* the late answer goes nowhere, nothing breaks */
    assert_int_equal(gone_calls, 1);
}

static void chunks_go_out_as_they_are_written(void **state)
{
    bool closed;
    char *text;
    int fd;

    test_clock_stop();
    run();
    fd = dial(&server, 0);
    assert_true(say(fd, "GET /ticks HTTP/1.1\r\nHost: h\r\n\r\n"));
    text = hear_until(fd, "tick\n", &closed);
    assert_has(text, "ransfer-Encoding: chunked");
    assert_int_equal(count_of(text, "tick\n"), 1);
    free(text);
    for (int i = 0; i < 4; i++) { /* each in its time, and one only */
        served_step(&server, 50);
        text = hear_until(fd, "tick\n\r\n", &closed);
        assert_int_equal(count_of(text, "tick"), 1);
        free(text);
    }
    served_step(&server, 50);
    text = hear_until(fd, "0\r\n\r\n", &closed);
    assert_has_not(text, "tick");
    free(text);
    assert_true(say(fd, "GET /late HTTP/1.1\r\nHost: h\r\n\r\n"));
    wait_for(&waits, 1);
    served_step(&server, 50);
    text = hear_until(fd, "]", &closed);
    assert_has(text, "late]");
    free(text);
    close(fd);
    assert_int_equal(gone_calls, 0);
}

static void old_clients_get_the_stream_until_the_end(void **state)
{
    char *text;

    run();
    text = ask(&server, "GET /ticks HTTP/1.0\r\n\r\n");
    assert_has_not(text, "chunked");
    assert_has(text, "tick\ntick\ntick\ntick\ntick\n");
    free(text);
}

static void an_aborted_stream_is_seen_as_incomplete(void **state)
{
    char *text;

    run();
    text = ask(&server, "GET /broken HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(count_of(text, "5\r\ntick\n\r\n"), 5);
    assert_has_not(text, "\r\n0\r\n");
    free(text);
}

static void a_client_that_leaves_mid_stream_is_noticed_at_once(void **state)
{
    bool closed;
    char *text;
    int fd;

    test_clock_stop();
    run();
    fd = dial(&server, 0);
    assert_true(say(fd, "GET /ticks HTTP/1.1\r\nHost: h\r\n\r\n"));
    text = hear_until(fd, "tick\n", &closed);
    free(text);
    close(fd);
    wait_for(&gone_calls, 1); /* before the next tick, whose time has not come */
    assert_int_equal(released, 0);
    served_step(&server, 50);
    assert_int_equal(released, 1);
    assert_int_equal(gone_calls, 1);
}

static void a_slow_client_pauses_the_writer(void **state)
{
    size_t total = 0;
    char part[65536];
    ssize_t n;
    int fd;

    run();
    fd = dial(&server, 8192);
    assert_true(say(fd, "GET /flood HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    wait_until_full(); /* the queue and the kernel's buffers */
    while ((n = recv(fd, part, sizeof(part), 0)) > 0)
        for (ssize_t i = 0; i < n; i++)
            total += part[i] == 'f' ? 1 : 0;
    close(fd);
    assert_in_range(total, FLOOD_BYTES, FLOOD_BYTES + 20000); /* chunk sizes hold an f at times */
    assert_true(writer_done);
    assert_true(drains > 2);
    assert_int_equal(gone_calls, 0);
}

static void a_stuck_reader_is_cut(void **state)
{
    int fd;

    server.config.write_timeout_ms = 400;
    test_clock_stop();
    run();
    fd = dial(&server, 8192);
    assert_true(say(fd, "GET /flood HTTP/1.1\r\nHost: h\r\n\r\n"));
    wait_until_full();
    for (int ms = 0; ms < 300; ms += 100)
        served_step(&server, 100);
    assert_int_equal(gone_calls, 0);
    for (int ms = 300; ms < 2000 && !gone_calls; ms += 100)
        served_step(&server, 100);
    assert_int_equal(gone_calls, 1);
    close(fd);
    assert_false(writer_done);
}

static void a_slow_but_steady_reader_is_not_cut(void **state)
{
    static char part[131072]; /* more than the client's kernel keeps: some of it is acknowledged anew */
    int fd;

    server.config.write_timeout_ms = 300;
    test_clock_stop();
    run();
    fd = dial(&server, 65536);
    assert_true(say(fd, "GET /flood HTTP/1.1\r\nHost: h\r\n\r\n"));
    wait_until_full();
    for (int ms = 0; ms < 1500; ms += 100) {
        assert_int_equal(recv(fd, part, sizeof(part), MSG_WAITALL), sizeof(part));
        served_step(&server, 100);
    }
    assert_int_equal(gone_calls, 0);
    close(fd);
    wait_for(&gone_calls, 1);
}

static void a_waiting_stream_is_not_cut(void **state)
{
    char *text;
    bool closed;
    int fd;

    server.config.write_timeout_ms = 60;
    server.config.head_timeout_ms = 60;
    server.config.idle_timeout_ms = 60;
    test_clock_stop();
    run();
    fd = dial(&server, 0);
    assert_true(say(fd, "GET /ticks HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    for (int i = 0; i < 5; i++) {
        free(hear_until(fd, "tick\n\r\n", &closed));
        assert_false(closed);
        for (int ms = 0; ms < 50; ms += 10) /* the deadlines are looked at in between */
            served_step(&server, 10);
    }
    text = hear_all(fd);
    assert_string_equal(text, "0\r\n\r\n");
    free(text);
    close(fd);
}

static void drain_on_loop(struct loop_msg *m)
{
    listener_drain(server.listener);
}

static void draining_finishes_what_runs_and_takes_nothing_new(void **state)
{
    struct loop_msg message = {.fn = drain_on_loop};
    struct sockaddr_in to = {.sin_family = AF_INET};
    int busy, idle, late;
    char *text;
    bool closed;

    test_clock_stop();
    run();
    idle = dial(&server, 0);
    busy = dial(&server, 0);
    assert_true(say(idle, "GET /late HTTP/1.1\r\nHost: h\r\n\r\n"));
    wait_for(&waits, 1);
    served_step(&server, 50);
    free(hear_until(idle, "]", &closed));
    assert_true(say(busy, "POST /later HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"));
    wait_for(&waits, 2);
    loop_post(server.loop, &message);
    text = hear_all(idle);
    assert_string_equal(text, "");
    free(text);
    served_step(&server, 400);
    text = hear_all(busy);
    assert_has(text, "late]");
    assert_has(text, "onnection: close");
    free(text);
    to.sin_port = htons(server.port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    late = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(late, (struct sockaddr *)&to, sizeof(to)), -1);
    assert_int_equal(listener_active(server.listener), 0);
    close(late);
    close(idle);
    close(busy);
}

static void stopping_cuts_what_still_runs(void **state)
{
    int waiting, streaming;
    bool closed;

    run();
    waiting = dial(&server, 0);
    streaming = dial(&server, 0);
    assert_true(say(waiting, "POST /later HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"));
    assert_true(say(streaming, "GET /flood HTTP/1.1\r\nHost: h\r\n\r\n"));
    wait_for(&waits, 1);
    wait_until(written > 0);
    loop_stop(server.loop);
    (void)pthread_join(server.thread, NULL);
    listener_free(server.listener);
    server.listener = NULL;
    assert_int_equal(gone_calls, 2);
    free(hear_until(waiting, NULL, &closed));
    assert_true(closed);
    close(waiting);
    close(streaming);
    /* A held request stays, and a late answer to it goes nowhere. */
    assert_str(last_waiter->request->body, "hi");
    loop_timer_clear(&last_waiter->timer);
    answer_late(&last_waiter->timer);
    router_free(server.router);
    loop_free(server.loop);
    run();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_EACH_WITH(start, an_awaited_answer_comes_and_the_connection_stays),
        IN_EACH_WITH(start, a_client_that_leaves_while_waiting_is_noticed_at_once),
        IN_EACH_WITH(start, chunks_go_out_as_they_are_written),
        IN_EACH_WITH(start, old_clients_get_the_stream_until_the_end),
        IN_EACH_WITH(start, an_aborted_stream_is_seen_as_incomplete),
        IN_EACH_WITH(start, a_client_that_leaves_mid_stream_is_noticed_at_once),
        IN_EACH_WITH(start, a_slow_client_pauses_the_writer),
        IN_EACH_WITH(start, a_stuck_reader_is_cut),
        IN_EACH_WITH(start, a_slow_but_steady_reader_is_not_cut),
        IN_EACH_WITH(start, a_waiting_stream_is_not_cut),
        IN_EACH_WITH(start, draining_finishes_what_runs_and_takes_nothing_new),
        IN_EACH_WITH(start, stopping_cuts_what_still_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
