/* test_backlog.c: more requests at once than a turn begins: those beyond wait, all are answered, and
 * who hangs up while waiting costs its handler nothing. */
#include "http/talk.h"

#include <stdatomic.h>

enum { CALLERS = 80, LEAVING = 20, A_TURN = 32 };

static struct served server;
static atomic_bool held, open_now;
static atomic_int handled;
static int in_turn, most_in_turn;

static void turn_over(void *p)
{
    in_turn = 0;
}

static void call(struct request *r)
{
    struct response answer = {.status = 200, .body = STR("served")};

    if (!in_turn)
        loop_free_later(r->loop, turn_over, NULL);
    in_turn++;
    most_in_turn = MAX(most_in_turn, in_turn);
    handled++;
    request_reply(r, &answer);
}

/* Holds the loop up until everybody has said what they want. */
static void hold_up(struct request *r)
{
    struct response answer = {.status = 200, .body = STR("held up")};

    held = true;
    while (!atomic_load(&open_now))
        usleep(1000);
    request_reply(r, &answer);
}

static const struct route routes[] = {
    {HTTP_POST, "/call", AUTH_KEY, 1 << 20, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, call},
    {HTTP_GET, "/hold-up", AUTH_NONE, 0, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, hold_up},
};

static int start(void **state)
{
    served_init(&server);
    server.config.shed_after_ms = 0;
    served_start(&server, routes, ARRAY_LEN(routes));
    held = open_now = false;
    handled = most_in_turn = 0;
    return 0;
}

static int stop(void **state)
{
    served_stop(&server);
    return 0;
}

/* Everybody's request is there before the loop looks at the first. */
static void ask_all(int *ret_holding, int fds[CALLERS])
{
    *ret_holding = dial(&server, 0);
    for (int i = 0; i < CALLERS; i++) {
        fds[i] = dial(&server, 0);
        assert_true(say(fds[i], "GET /none HTTP/1.1\r\nHost: h\r\n\r\n"));
    }
    for (int i = 0; i < CALLERS; i++) { /* all are connected, and known to the loop */
        bool closed;

        free(hear_until(fds[i], "\r\n\r\n", &closed));
        assert_false(closed);
    }
    assert_true(say(*ret_holding, "GET /hold-up HTTP/1.1\r\nHost: h\r\n\r\n"));
    while (!atomic_load(&held))
        usleep(1000);
    for (int i = 0; i < CALLERS; i++)
        assert_true(say(fds[i], "POST /call HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"));
}

static void what_a_turn_does_not_begin_waits_and_is_answered(void **state)
{
    int holding, fds[CALLERS];
    bool closed;

    ask_all(&holding, fds);
    open_now = true;
    for (int i = 0; i < CALLERS; i++) {
        char *text = hear_until(fds[i], "served", &closed);

        assert_has(text, "HTTP/1.1 200 ");
        free(text);
        close(fds[i]);
    }
    close(holding);
    assert_int_equal(handled, CALLERS);
    assert_true(most_in_turn <= A_TURN);
}

static void who_leaves_while_waiting_is_not_handled(void **state)
{
    int holding, fds[CALLERS];
    bool closed;

    ask_all(&holding, fds);
    for (int i = CALLERS - LEAVING; i < CALLERS; i++)
        close(fds[i]);
    open_now = true;
    for (int i = 0; i < CALLERS - LEAVING; i++) {
        free(hear_until(fds[i], "served", &closed));
        assert_false(closed);
        close(fds[i]);
    }
    close(holding);
    assert_int_equal(handled, CALLERS - LEAVING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_a_turn_does_not_begin_waits_and_is_answered, start, stop),
        cmocka_unit_test_setup_teardown(who_leaves_while_waiting_is_not_handled, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
