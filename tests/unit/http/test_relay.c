/* test_relay.c: listener and fetcher on one loop, as the gateway has them: what the client does
 * reaches the upstream. */
#include "http/talk.h"

#include <stdatomic.h>

#include "base/bounds.h"
#include "fetch/fetch.h"

static struct served front, back;
static struct fetcher *fetcher;
static char url[64];

/* The upstream streams 16 MiB as fast as they are taken, or a tick each 20 ms. */
enum { FLOOD_BYTES = 16 << 20 };
static atomic_size_t written;
static atomic_int upstream_gone;

static void flood_on(struct request *r)
{
    static const char part[16384] = "";
    int outcome = STREAM_OK;

    while (outcome == STREAM_OK && written < FLOOD_BYTES) {
        outcome = request_stream_write(r, str_n(part, sizeof(part)));
        if (outcome != STREAM_E_GONE)
            written += sizeof(part);
    }
    if (written < FLOOD_BYTES || outcome == STREAM_E_GONE)
        return;
    request_stream_end(r);
    request_release(r);
}

static void note_gone(struct request *r)
{
    upstream_gone++;
    request_release(r);
}

static void begin(struct request *r)
{
    const struct response head = {.status = 200, .content_type = "text/event-stream"};

    r->gone = note_gone;
    request_hold(r);
    assert_int_equal(request_stream_begin(r, &head), STREAM_OK);
}

static void flood(struct request *r)
{
    begin(r);
    request_stream_on_drained(r, flood_on);
    flood_on(r);
}

static void one_tick(struct request *r)
{
    begin(r);
    assert_int_equal(request_stream_write(r, STR("tick\n")), STREAM_OK);
}

static void echo(struct request *r)
{
    const struct response answer = {.status = 203, .body = r->body};

    request_reply(r, &answer);
}

static const struct route back_routes[] = {
    {HTTP_POST, "/flood", AUTH_NONE, 100, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, flood},
    {HTTP_POST, "/tick", AUTH_NONE, 100, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, one_tick},
    {HTTP_POST, "/echo", AUTH_NONE, 1 << 20, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, echo},
};

/* The relay: a call in its smallest form. */
static void on_head(struct fetch *f, const struct fetch_head *head, void *ctx)
{
    const struct response answer = {.status = head->status, .content_type = "text/plain"};

    assert_int_equal(request_stream_begin(ctx, &answer), STREAM_OK);
}

static bool on_chunk(struct fetch *f, struct str bytes, void *ctx)
{
    return request_stream_write(ctx, bytes) == STREAM_OK;
}

static void on_done(struct fetch *f, enum fetch_fault fault, void *ctx)
{
    struct request *r = ctx;

    if (fault == FETCH_DONE)
        request_stream_end(r);
    else
        request_stream_abort(r);
    request_release(r);
}

static void on_drained(struct request *r)
{
    fetch_resume(r->user);
}

static void on_gone(struct request *r)
{
    fetch_cancel(r->user);
    request_release(r);
}

static void relay(struct request *r)
{
    const struct fetch_callbacks callbacks = {on_head, on_chunk, on_done};
    const struct fetch_request request = {
        .method = "POST",
        .url = arena_strf(r->arena, "%s%.*s", url, STR_FMT(r->path)).p,
        .body = r->body,
        .network = GUARD_PRIVATE,
        .connect_timeout_ms = TEST_PATIENCE_MS,
        .first_byte_timeout_ms = TEST_PATIENCE_MS,
        .idle_timeout_ms = TEST_PATIENCE_MS,
        .reply_max = SIZE_MAX};
    struct fetch *f;

    r->gone = on_gone;
    request_hold(r);
    request_stream_on_drained(r, on_drained);
    assert_int_equal(fetch_start(fetcher, &request, &callbacks, r, &f), FETCH_START_OK);
    r->user = f;
}

static const struct route front_routes[] = {
    {HTTP_POST, "/{what}", AUTH_NONE, 1 << 20, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, relay},
};

static void make_fetcher(struct loop_msg *m)
{
    assert_int_equal(fetcher_new(front.loop, &fetcher), 0);
}

static struct loop_msg message;

static int start(void **state)
{
    written = 0;
    upstream_gone = 0;
    served_init(&back);
    served_start(&back, back_routes, ARRAY_LEN(back_routes));
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u", back.port);
    served_init(&front);
    served_start(&front, front_routes, ARRAY_LEN(front_routes));
    message.fn = make_fetcher;
    loop_post(front.loop, &message);
    return 0;
}

static int stop(void **state)
{
    loop_stop(front.loop);
    (void)pthread_join(front.thread, NULL);
    listener_free(front.listener);
    fetcher_free(fetcher);
    router_free(front.router);
    loop_free(front.loop);
    /* That one lets the clock go on, too. */
    served_stop(&back);
    return 0;
}

static void answers_pass_through_and_connections_stay(void **state)
{
    int fd = dial(&front, 0);
    bool closed;

    for (int i = 0; i < 20; i++) {
        char *text;

        assert_true(say(fd, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nwhole"));
        text = hear_until(fd, "\r\n0\r\n\r\n", &closed);
        assert_has(text, "HTTP/1.1 203 ");
        assert_has(text, "whole");
        free(text);
    }
    close(fd);
}

/* Until nothing has been written for a while, which is far less than all. */
static void wait_until_full(void)
{
    wait_until(written >= BOUND_STREAM_QUEUE_BYTES);
    for (size_t before = 0; before != written; usleep(100000))
        before = written;
    assert_true(written < FLOOD_BYTES);
}

static void a_slow_client_slows_the_upstream(void **state)
{
    size_t total = 0;
    char part[65536];
    ssize_t n;
    int fd = dial(&front, 8192);

    assert_true(say(fd, "POST /flood HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    wait_until_full();
    while ((n = recv(fd, part, sizeof(part), 0)) > 0)
        total += (size_t)n;
    close(fd);
    assert_in_range(total, FLOOD_BYTES, FLOOD_BYTES + 100000);
    assert_int_equal(upstream_gone, 0);
}

static void a_client_that_leaves_ends_the_upstream_at_once(void **state)
{
    int fd = dial(&front, 0);
    bool closed;

    assert_true(say(fd, "POST /tick HTTP/1.1\r\nHost: h\r\n\r\n"));
    free(hear_until(fd, "tick\n", &closed));
    test_clock_stop();
    close(fd);
    wait_until(upstream_gone == 1); /* though no time passes */
}

static void a_client_that_leaves_while_paused_ends_the_upstream(void **state)
{
    int fd = dial(&front, 8192);

    assert_true(say(fd, "POST /flood HTTP/1.1\r\nHost: h\r\n\r\n"));
    wait_until_full();
    close(fd);
    wait_until(upstream_gone == 1);
}

#define IN_EACH(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_EACH(answers_pass_through_and_connections_stay),
        IN_EACH(a_slow_client_slows_the_upstream),
        IN_EACH(a_client_that_leaves_ends_the_upstream_at_once),
        IN_EACH(a_client_that_leaves_while_paused_ends_the_upstream),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
