/* test_fetch.c: answers, kept connections, pauses and cancels. */
#include "fetch/taker.h"

static void an_answer_comes_with_head_body_and_times(void **state)
{
    struct take t = get("/ok");

    assert_int_equal(t.fault, FETCH_DONE);
    assert_int_equal(t.heads, 1);
    assert_int_equal(t.status, 200);
    assert_str(buf_str(&t.body), "abc");
    assert_true(t.timing.start_mono_ns > 0);
    assert_true(t.timing.sent_mono_ns >= t.timing.start_mono_ns);
    assert_true(t.timing.first_byte_mono_ns >= t.timing.sent_mono_ns);
    assert_true(t.timing.end_mono_ns >= t.timing.first_byte_mono_ns);
    buf_done(&t.body);
}

static void heads_are_read_whatever_the_status(void **state)
{
    struct take t = get("/headers");

    assert_int_equal(t.status, 429);
    assert_string_equal(t.type, "Application/JSON ; a");
    assert_non_null(strstr(t.headers, "retry-after=7|"));
    assert_non_null(strstr(t.headers, "x-two=1|x-two=2|"));
    buf_done(&t.body);
    t = get("/early");
    assert_int_equal(t.status, 200);
    assert_int_equal(t.heads, 1);
    assert_null(strstr(t.headers, "link"));
    assert_str(buf_str(&t.body), "abc");
    buf_done(&t.body);
}

static void redirects_are_not_followed(void **state)
{
    struct take t;
    int before = requests;

    t = get("/redirect");
    assert_int_equal(t.status, 302);
    assert_int_equal(requests, before + 1);
    buf_done(&t.body);
}

static void compressed_bodies_are_left_alone(void **state)
{
    struct take t = get("/gzip");

    assert_int_equal(t.fault, FETCH_DONE);
    assert_str(buf_str(&t.body), "abc");
    assert_null(strstr(seen, "ccept-Encoding"));
    buf_done(&t.body);
}

static void a_post_carries_body_and_headers_and_nothing_else(void **state)
{
    const struct fetch_header headers[] = {{"Authorization", STR("Bearer k")},
                                           {"content-type", STR("application/json")},
                                           {"X-Empty", STR("")}};
    struct take t = {0};
    static char big[9000];

    memset(big, 'b', sizeof(big));
    make_loop();
    ask("/ok?q=%2F../x");
    request.method = "POST";
    request.headers = headers;
    request.header_count = 3;
    request.body = str_n(big, sizeof(big));
    start_take(&t);
    run_loop();
    end_loop();
    assert_int_equal(t.fault, FETCH_DONE);
    assert_non_null(strstr(seen, "POST /ok?q=%2F../x HTTP/1.1\r\n"));
    assert_non_null(strstr(seen, "\r\nAuthorization: Bearer k\r\n"));
    assert_non_null(strstr(seen, "\r\ncontent-type: application/json\r\n"));
    assert_non_null(strstr(seen, "\r\nX-Empty:\r\n"));
    assert_non_null(strstr(seen, "\r\nContent-Length: 9000\r\n"));
    assert_null(strstr(seen, "Expect"));
    assert_null(strstr(seen, "urlencoded"));
    assert_null(strstr(seen, "Cookie"));
    buf_done(&t.body);
}

static void a_body_in_pieces_arrives_whole(void **state)
{
    static char middle[9000];
    const struct str pieces[] = {STR("{\"model\":"), STR("\"x\""), str_n(middle, sizeof(middle)), STR("}")};
    struct take t = {0};
    const char *body;

    memset(middle, 'm', sizeof(middle));
    make_loop();
    ask("/ok");
    request.method = "POST";
    request.pieces = pieces;
    request.n_pieces = ARRAY_LEN(pieces);
    start_take(&t);
    run_loop();
    end_loop();
    assert_int_equal(t.fault, FETCH_DONE);
    assert_non_null(strstr(seen, "\r\nContent-Length: 9013\r\n"));
    body = strstr(seen, "\r\n\r\n") + 4;
    assert_memory_equal(body, "{\"model\":\"x\"", 12);
    assert_memory_equal(body + 12, middle, sizeof(middle));
    assert_string_equal(body + 12 + sizeof(middle), "}");
    buf_done(&t.body);
}

static void chunks_come_as_they_are_sent(void **state)
{
    struct take t = get("/turns");

    assert_int_equal(t.fault, FETCH_DONE);
    assert_int_equal(t.chunks, TURNS);
    assert_str(buf_str(&t.body), "turn\nturn\nturn\nturn\nturn\n");
    buf_done(&t.body);
}

static void a_slow_taker_pauses_the_upstream(void **state)
{
    struct take t = {.how = TAKE_SLOWLY};

    make_loop();
    ask("/flood");
    request.idle_timeout_ms = 100; /* rests while paused */
    request.total_timeout_ms = 0;
    start_take(&t);
    run_loop();
    assert_int_equal(t.fault, FETCH_DONE);
    assert_int_equal(t.body.n, FLOOD_BYTES);
    assert_true(t.chunks >= FLOOD_BYTES / (2 * 16384));
    assert_true(t.done_ms - t.began_ms > t.chunks * 4);
    end_loop();
    buf_done(&t.body);
}

/* Looks each 100 ms whether the upstream still gets rid of bytes, and ends the loop when it has not for
 * three looks; or after 200, to hang no run. */
struct watch {
    struct loop_timer timer;
    const struct take *take;
    size_t sent;
    int looks, still;
};

static void look_whether_it_stands(struct loop_timer *timer)
{
    struct watch *w = container_of(timer, struct watch, timer);
    size_t now = sent;

    w->still = w->take->chunks && now == w->sent ? w->still + 1 : 0;
    w->sent = now;
    if (w->still == 3 || ++w->looks == 200)
        loop_stop(loop);
    else
        assert_int_equal(loop_timer_set(loop, timer, loop_now_ms(loop) + 100), 0);
}

static void a_stopped_taker_stops_the_upstream(void **state)
{
    struct take t = {.how = TAKE_NONE};
    struct watch w = {.timer.fired = look_whether_it_stands, .take = &t};

    sent = 0;
    make_loop();
    ask("/torrent");
    request.idle_timeout_ms = request.total_timeout_ms = 0;
    start_take(&t);
    look_whether_it_stands(&w.timer);
    run_loop();
    fetch_cancel(t.fetch);
    end_loop();
    assert_int_equal(t.chunks, 1);
    assert_int_equal(t.dones, 0);
    assert_int_equal(w.still, 3);
    assert_in_range(w.sent, 1, TORRENT_BYTES - 1); /* what the kernel's buffers take, no more */
    buf_done(&t.body);
}

static void wait_until_open(int n)
{
    for (int ms = 0; ms < 20000 && open_now != n; ms += 10)
        usleep(10000);
    assert_int_equal(open_now, n);
}

static void cancel_works_anywhere_and_closes_the_connection(void **state)
{
    struct take in_head = {.how = CANCEL_IN_HEAD}, in_chunk = {.how = CANCEL_IN_CHUNK};
    struct take at_once = {0}, whole = {0};

    wait_until_open(0);
    make_loop();
    ask("/drip");
    start_take(&in_head);
    start_take(&in_chunk);
    start_take(&at_once);
    start_take(&whole);
    fetch_cancel(at_once.fetch);
    over();
    run_loop();
    assert_int_equal(whole.fault, FETCH_DONE);
    assert_int_equal(in_head.dones + in_chunk.dones + at_once.dones, 0);
    assert_int_equal(in_head.chunks, 0);
    assert_int_equal(in_chunk.chunks, 1);
    wait_until_open(1); /* the whole one is kept alive */
    end_loop();
    wait_until_open(0);
    buf_done(&in_head.body);
    buf_done(&in_chunk.body);
    buf_done(&at_once.body);
    buf_done(&whole.body);
}

static void a_fetch_may_start_within_anothers_callback(void **state)
{
    struct take second = {0}, first = {.how = CHAIN_IN_HEAD, .next = &second};

    make_loop();
    buf_init(&second.body, 1000);
    ask("/ok");
    start_take(&first);
    run_loop();
    end_loop();
    assert_int_equal(first.dones, 0);
    assert_int_equal(second.dones, 1);
    assert_str(buf_str(&second.body), "abc");
    buf_done(&first.body);
    buf_done(&second.body);
}

/* Starts the next one when one is done. */
struct series {
    int left;
    const char *path;
    int faults;
};

static void next_of_series(struct fetch *f, enum fetch_fault fault, void *ctx);
static void ignore_head(struct fetch *f, const struct fetch_head *head, void *ctx)
{
}
static bool ignore_chunk(struct fetch *f, struct str bytes, void *ctx)
{
    return true;
}
static const struct fetch_callbacks series_callbacks = {ignore_head, ignore_chunk, next_of_series};

static void next_of_series(struct fetch *f, enum fetch_fault fault, void *ctx)
{
    struct series *s = ctx;

    s->faults += fault != FETCH_DONE;
    if (!s->left--) {
        loop_stop(loop);
        return;
    }
    assert_int_equal(fetch_start(fetcher, &request, &series_callbacks, s, &f), 0);
}

static void run_series(struct series *s)
{
    struct fetch *f;

    make_loop();
    ask(s->path);
    assert_int_equal(fetch_start(fetcher, &request, &series_callbacks, s, &f), 0);
    run_loop();
}

static void connections_are_kept_alive(void **state)
{
    struct series s = {.left = 99, .path = "/ok"};
    struct fetcher_stats stats;
    int before = connections;

    run_series(&s);
    fetcher_read_stats(fetcher, &stats);
    end_loop();
    assert_int_equal(s.faults, 0);
    assert_int_equal(connections, before + 1);
    assert_int_equal(stats.started, 100);
    assert_int_equal(stats.reused, 99);
    assert_int_equal(stats.running, 0);
}

static void a_kept_connection_that_was_closed_is_replaced(void **state)
{
    struct series s = {.left = 19, .path = "/ok-then-close"};

    run_series(&s);
    end_loop();
    assert_int_equal(s.faults, 0);
}

/* The next fetch is begun when the first is done and the upstream has said more than it was asked for, a
 * turn later: then epoll has told of it. */
struct after {
    struct loop_timer timer;
    const struct take *first;
    struct take *next;
    int wanted;
    bool said;
};

static void begin_after(struct loop_timer *t)
{
    struct after *a = container_of(t, struct after, timer);

    if (!a->said) {
        a->said = a->first->dones && said_more >= a->wanted;
        assert_int_equal(loop_timer_set(loop, t, loop_now_ms(loop) + 5), 0);
        return;
    }
    start_take(a->next);
    waiting_for--;
}

/* Both of one path. */
static void fetch_one_after_the_other(const char *path, int wanted, struct take *first,
                                      struct take *second)
{
    struct after after = {.first = first, .next = second, .wanted = wanted};

    make_loop();
    ask(path);
    start_take(first);
    waiting_for++; /* the timer */
    after.timer.fired = begin_after;
    assert_int_equal(loop_timer_set(loop, &after.timer, loop_now_ms(loop) + 50), 0);
    run_loop();
    end_loop();
    assert_int_equal(first->fault, FETCH_DONE);
}

static void an_answer_that_nobody_asked_for_is_nobodys(void **state)
{
    static const char *const paths[] = {"/excess", "/excess-later"};

    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct take first = {0}, second = {0};

        fetch_one_after_the_other(paths[i], said_more + (int)i, &first, &second);
        assert_str(buf_str(&first.body), "abc");
        if (second.fault != FETCH_DONE)
            fail_msg("%s: %s", paths[i], fetch_fault_name(second.fault));
        assert_str(buf_str(&second.body), "abc");
        buf_done(&first.body);
        buf_done(&second.body);
    }
}

static void a_connection_is_taken_again_in_a_later_turn(void **state)
{
    struct take first = {0}, second = {0};
    int before = connections;

    fetch_one_after_the_other("/ok", 0, &first, &second);
    assert_int_equal(second.fault, FETCH_DONE);
    assert_int_equal(connections, before + 1);
    buf_done(&first.body);
    buf_done(&second.body);
}

static void many_run_at_once(void **state)
{
    static struct take takes[60];

    make_loop();
    ask("/drip");
    for (size_t i = 0; i < ARRAY_LEN(takes); i++)
        start_take(&takes[i]);
    run_loop();
    end_loop();
    for (size_t i = 0; i < ARRAY_LEN(takes); i++) {
        assert_int_equal(takes[i].fault, FETCH_DONE);
        assert_int_equal(takes[i].body.n, 25);
        buf_done(&takes[i].body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_comes_with_head_body_and_times),
        cmocka_unit_test(heads_are_read_whatever_the_status),
        cmocka_unit_test(redirects_are_not_followed),
        cmocka_unit_test(compressed_bodies_are_left_alone),
        cmocka_unit_test(a_post_carries_body_and_headers_and_nothing_else),
        cmocka_unit_test(a_body_in_pieces_arrives_whole),
        cmocka_unit_test(chunks_come_as_they_are_sent),
        cmocka_unit_test(a_slow_taker_pauses_the_upstream),
        cmocka_unit_test(a_stopped_taker_stops_the_upstream),
        cmocka_unit_test(cancel_works_anywhere_and_closes_the_connection),
        cmocka_unit_test(a_fetch_may_start_within_anothers_callback),
        cmocka_unit_test(connections_are_kept_alive),
        cmocka_unit_test(a_kept_connection_that_was_closed_is_replaced),
        cmocka_unit_test(an_answer_that_nobody_asked_for_is_nobodys),
        cmocka_unit_test(a_connection_is_taken_again_in_a_later_turn),
        cmocka_unit_test(many_run_at_once),
    };

    return cmocka_run_group_tests(tests, start_upstream, NULL);
}
