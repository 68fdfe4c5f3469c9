/* test_deadlines.c: heads, bodies and connections at rest that come too late are cut, a few at a time. */
#include "http/one_served.h"

static void plain(struct request *r)
{
    struct response answer = {.status = 200, .content_type = "text/plain", .body = STR("[here]")};

    request_reply(r, &answer);
}

static const struct route routes[] = {
    {HTTP_GET, "/echo", AUTH_NONE, 0, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, plain},
    {HTTP_POST, "/count", AUTH_NONE, 8 << 20, RUNS_ON_LOOP, PROBLEM_AS_ANTHROPIC, plain},
};

/* Says `text`, hears `answer` where there is one, and then `drip` time and again, until `ms` have passed
 * less a bit; it is not cut by then, and it is a bit later. */
static void expect_cut_after(int64_t ms, const char *text, const char *answer, const char *drip)
{
    enum { BIT_MS = 20, SWEEP_MS = 75 };
    int fd = dial(&server, 0);
    bool closed;

    wait_until(stats().connections == 1);
    assert_true(say(fd, text));
    if (answer)
        free(hear_until(fd, answer, &closed));
    served_turn(&server); /* the phase that is meant has begun */
    for (int64_t passed_ms = 0; passed_ms < ms - BIT_MS; passed_ms += BIT_MS) {
        if (drip)
            assert_true(say(fd, drip));
        served_step(&server, BIT_MS);
    }
    assert_int_equal(stats().connections, 1);
    served_step(&server, BIT_MS + SWEEP_MS);
    free(hear_all(fd));
    close(fd);
    wait_until(stats().connections == 0);
}

static void slow_heads_bodies_and_idlers_are_cut(void **state)
{
    server.config.head_timeout_ms = 300;
    server.config.body_timeout_ms = 500;
    server.config.idle_timeout_ms = 700;
    test_clock_stop();
    run();
    expect_cut_after(300, "", NULL, NULL);
    expect_cut_after(300, "GET /echo HTTP/1.1\r\n", NULL, "X: y\r\n");
    expect_cut_after(500,
                     "POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n"
                     "Expect: 100-continue\r\n\r\n",
                     "100 Continue", "x");
    expect_cut_after(700, "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n", "]", NULL);
    assert_int_equal(stats().timeouts, 3);
}

enum { LATE = 40, CUT_AT_ONCE = 4, TIMERS = 50 };

static struct loop_hook counting;
static uint64_t cut_before;
static atomic_uint_fast64_t most_cut_in_a_turn;

static void count_cuts(struct loop_hook *h, int *timeout_ms)
{
    uint64_t cut = stats().timeouts;

    most_cut_in_a_turn = MAX(most_cut_in_a_turn, cut - cut_before);
    cut_before = cut;
}

static void never(struct loop_timer *t)
{
    fail();
}

/* Calls that are under way have timers too: a turn fires as many as there are. */
static struct loop_timer timers[TIMERS];

static void begin_counting(struct loop_msg *m)
{
    counting = (struct loop_hook){.turn = count_cuts};
    loop_hook_add(server.loop, &counting);
    for (size_t i = 0; i < TIMERS; i++) {
        timers[i] = (struct loop_timer){.fired = never};
        assert_int_equal(loop_timer_set(server.loop, &timers[i], INT64_MAX), 0);
    }
}

static void end_counting(struct loop_msg *m)
{
    for (size_t i = 0; i < TIMERS; i++)
        loop_timer_clear(&timers[i]);
}

static void many_that_are_late_are_cut_a_few_at_a_time(void **state)
{
    struct loop_msg begin = {.fn = begin_counting}, end = {.fn = end_counting};
    int fds[LATE];

    server.config.head_timeout_ms = 300;
    test_clock_stop();
    run();
    cut_before = 0;
    most_cut_in_a_turn = 0;
    loop_post(server.loop, &begin);
    for (size_t i = 0; i < LATE; i++)
        fds[i] = dial(&server, 0);
    wait_until(stats().connections == LATE);
    served_step(&server, 400);
    for (size_t i = 1; i < LATE / CUT_AT_ONCE; i++)
        served_step(&server, 1);
    for (size_t i = 0; i < LATE; i++) { /* all of them, with no more time passing */
        free(hear_all(fds[i]));
        close(fds[i]);
    }
    wait_until(stats().connections == 0);
    loop_post(server.loop, &end);
    served_turn(&server);
    assert_int_equal(stats().timeouts, LATE);
    assert_int_equal(most_cut_in_a_turn, CUT_AT_ONCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_EACH(slow_heads_bodies_and_idlers_are_cut),
        IN_EACH(many_that_are_late_are_cut_a_few_at_a_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
