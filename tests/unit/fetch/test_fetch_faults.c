/* test_fetch_faults.c: what does not start, and how each way of failing is told apart. */
#include "fetch/taker.h"
#include "patience.h"

static void bad_headers_and_urls_do_not_start(void **state)
{
    static const struct fetch_header bad[] = {{"X-A", STR("a\r\nX-Evil: 1")},
                                              {"X-A", STR("a\nb")},
                                              {"X-A", STR("a\0b")},
                                              {"X-A", STR("\xc3\xa9")},
                                              {"X A", STR("b")},
                                              {"X:A", STR("b")},
                                              {"", STR("b")},
                                              {"Host", STR("evil")},
                                              {"content-length", STR("3")},
                                              {"Transfer-Encoding", STR("chunked")},
                                              {"Expect", STR("100-continue")}};
    static const char *const urls[] = {"ftp://127.0.0.1/",    "http://u:p@127.0.0.1/",
                                       "127.0.0.1",           "http://127.0.0.1/a/../b",
                                       "http://127.0.0.1/#x", ""};
    struct take t = {0};

    make_loop();
    ask("/ok");
    request.header_count = 1;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        request.headers = &bad[i];
        assert_int_equal(fetch_start(fetcher, &request, &callbacks, &t, &t.fetch),
                         FETCH_START_E_HEADER);
    }
    request.header_count = 0;
    request.method = "GET /evil HTTP/1.1\r\nX:";
    assert_int_equal(fetch_start(fetcher, &request, &callbacks, &t, &t.fetch),
                     FETCH_START_E_HEADER);
    ask("/ok");
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        request.url = urls[i];
        assert_int_equal(fetch_start(fetcher, &request, &callbacks, &t, &t.fetch),
                         FETCH_START_E_URL);
    }
    end_loop();
}

static void addresses_are_guarded(void **state)
{
    static const char *const urls[] = {
        "https://127.0.0.1:8443/", "https://localhost:8443/",          "https://0x7f.1:8443/",
        "https://[::1]:8443/",     "https://[::ffff:127.0.0.1]:8443/", "https://0:8443/"};
    struct take t;

    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        t = (struct take){0};
        make_loop();
        ask("/ok");
        request.url = urls[i];
        request.network = GUARD_PUBLIC;
        start_take(&t);
        run_loop();
        end_loop();
        assert_int_equal(t.fault, FETCH_E_BLOCKED);
        buf_done(&t.body);
    }
}

static void certificates_are_checked(void **state)
{
    struct take t = {0};

    make_loop();
    ask("/");
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", port); /* speaks no TLS */
    start_take(&t);
    run_loop();
    end_loop();
    assert_true(t.fault == FETCH_E_TLS || t.fault == FETCH_E_TIMEOUT_CONNECT);
    buf_done(&t.body);
}

struct fault_case {
    const char *path;
    enum fetch_fault fault;
    const char *body;
};

static void faults_are_told_apart(void **state)
{
    static const struct fault_case cases[] = {
        {"/close", FETCH_E_RESET, ""},           {"/reset", FETCH_E_RESET, ""},
        {"/reset-later", FETCH_E_RESET, "abc"},  {"/truncated", FETCH_E_PROTOCOL, "abc"},
        {"/cut-chunk", FETCH_E_PROTOCOL, "abc"}, {"/rubbish", FETCH_E_PROTOCOL, ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct take t = get(cases[i].path);

        if (t.fault != cases[i].fault)
            fail_msg("%s: %s", cases[i].path, fetch_fault_name(t.fault));
        assert_str(buf_str(&t.body), cases[i].body);
        buf_done(&t.body);
    }
}

/* The first on a new connection, the second on the same, kept. */
static struct take second_of_two(const char *first_path, const char *second_path)
{
    struct take first = {0}, second = {0};

    make_loop();
    ask(first_path);
    first.how = TAKE_ALL;
    start_take(&first);
    first.then = &second;
    first.then_path = second_path;
    run_loop();
    end_loop();
    assert_int_equal(first.fault, FETCH_DONE);
    buf_done(&first.body);
    return second;
}

static void a_request_goes_out_again_only_when_nothing_came(void **state)
{
    static const struct {
        const char *path;
        int sent;
    } cases[] = {{"/close", 2}, {"/reset", 2}, {"/reset-later", 1}, {"/truncated", 1}, {"/rubbish", 1}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int before = requests;
        struct take t = second_of_two("/ok", cases[i].path);

        assert_int_not_equal(t.fault, FETCH_DONE);
        if (requests - before != 1 + cases[i].sent)
            fail_msg("%s was sent %d times", cases[i].path, requests - before - 1);
        buf_done(&t.body);
    }
}

static void a_closed_port_is_a_connect_fault(void **state)
{
    struct take t = {0};

    make_loop();
    ask("/");
    request.url = "http://127.0.0.1:1/";
    start_take(&t);
    run_loop();
    end_loop();
    assert_int_equal(t.fault, FETCH_E_CONNECT);
    assert_int_equal(t.timing.sent_mono_ns, 0);
    buf_done(&t.body);
    t = (struct take){0};
    make_loop();
    ask("/");
    request.url = "http://no-such-host.invalid/";
    start_take(&t);
    run_loop();
    end_loop();
    assert_int_equal(t.fault, FETCH_E_CONNECT);
    buf_done(&t.body);
}

enum { FAR_MS = 60000 };

static struct take get_with(const char *path, int first_byte_ms, int idle_ms, int total_ms)
{
    struct take t = {0};

    make_loop();
    ask(path);
    request.first_byte_timeout_ms = first_byte_ms;
    request.idle_timeout_ms = idle_ms;
    request.total_timeout_ms = total_ms;
    start_take(&t);
    run_loop();
    end_loop();
    return t;
}

/* Not before its time; that the others are far away tells that it was not much later either. */
static void expect_fault_after(struct take t, enum fetch_fault fault, int64_t ms)
{
    if (t.fault != fault)
        fail_msg("%s", fetch_fault_name(t.fault));
    assert_true(t.done_ms - t.began_ms >= ms - 10);
    buf_done(&t.body);
}

/* A clock of which 60 ms pass with every chunk that is taken, and none otherwise. */
static int64_t chunk_clock_ns(void *ctx)
{
    return *(const int64_t *)ctx + (int64_t)taken * 60 * 1000000;
}

static enum fetch_fault by_turns_with(int idle_ms, int total_ms)
{
    int64_t from_ns = clock_mono_ns();
    const struct clock_source source = {chunk_clock_ns, running_wall_us, &from_ns};
    struct take t;

    taken = 0;
    clock_drive(&source);
    t = get_with("/turns", FAR_MS, idle_ms, total_ms);
    clock_drive(NULL);
    buf_done(&t.body);
    return t.fault;
}

static void each_timeout_has_its_name(void **state)
{
    expect_fault_after(get_with("/silent", 200, 50, FAR_MS), FETCH_E_TIMEOUT_FIRST_BYTE, 200);
    expect_fault_after(get_with("/half", FAR_MS, 300, FAR_MS), FETCH_E_TIMEOUT_IDLE, 300);
    expect_fault_after(get_with("/half", FAR_MS, FAR_MS, 150), FETCH_E_TIMEOUT_TOTAL, 150);
    expect_fault_after(get_with("/silent", 0, 0, 250), FETCH_E_TIMEOUT_TOTAL, 250);
}

static void only_silence_is_idle(void **state)
{
    assert_int_equal(by_turns_with(100, 0), FETCH_DONE);
    assert_int_equal(by_turns_with(100, 150), FETCH_E_TIMEOUT_TOTAL);
}

static void a_dropped_syn_is_a_connect_timeout(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    int deaf = socket(AF_INET, SOCK_STREAM, 0), fillers[4];
    struct take t = {0};

    /* A full accept queue drops what else comes. */
    assert_int_equal(bind(deaf, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(deaf, 0), 0);
    (void)getsockname(deaf, (struct sockaddr *)&at, &n);
    for (size_t i = 0; i < ARRAY_LEN(fillers); i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fillers[i], (struct sockaddr *)&at, sizeof(at));
    }
    make_loop();
    ask("/");
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", ntohs(at.sin_port));
    request.connect_timeout_ms = 200;
    start_take(&t);
    run_loop();
    end_loop();
    expect_fault_after(t, FETCH_E_TIMEOUT_CONNECT, 200);
    for (size_t i = 0; i < ARRAY_LEN(fillers); i++)
        close(fillers[i]);
    close(deaf);
}

static void too_large_an_answer_is_cut(void **state)
{
    struct take t = {0};

    make_loop();
    ask("/flood");
    request.reply_max = 100000;
    start_take(&t);
    run_loop();
    end_loop();
    assert_int_equal(t.fault, FETCH_E_TOO_LARGE);
    assert_true(t.body.n <= 100000);
    buf_done(&t.body);
}

static void workers_may_fetch_and_wait(void **state)
{
    enum fetch_fault fault = FETCH_E_RESET;
    struct buf out;
    int status = 0;

    buf_init(&out, 1000);
    ask("/ok");
    assert_int_equal(fetch_blocking(&request, &status, &out, &fault), 0);
    assert_int_equal(status, 200);
    assert_int_equal(fault, FETCH_DONE);
    assert_str(buf_str(&out), "abc");
    buf_reset(&out);
    ask("/flood");
    assert_int_equal(fetch_blocking(&request, &status, &out, &fault), 0);
    assert_int_equal(fault, FETCH_E_TOO_LARGE);
    buf_done(&out);
    buf_init(&out, 1000);
    ask("/silent");
    request.total_timeout_ms = 100;
    assert_int_equal(fetch_blocking(&request, &status, &out, &fault), 0);
    assert_int_equal(fault, FETCH_E_TIMEOUT_TOTAL);
    assert_int_equal(status, 0);
    request.url = "nonsense";
    assert_int_equal(fetch_blocking(&request, &status, &out, &fault), FETCH_START_E_URL);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_headers_and_urls_do_not_start),
        cmocka_unit_test(addresses_are_guarded),
        cmocka_unit_test(certificates_are_checked),
        cmocka_unit_test(faults_are_told_apart),
        cmocka_unit_test(a_request_goes_out_again_only_when_nothing_came),
        cmocka_unit_test(a_closed_port_is_a_connect_fault),
        cmocka_unit_test(each_timeout_has_its_name),
        cmocka_unit_test(only_silence_is_idle),
        cmocka_unit_test(a_dropped_syn_is_a_connect_timeout),
        cmocka_unit_test(too_large_an_answer_is_cut),
        cmocka_unit_test(workers_may_fetch_and_wait),
    };

    return cmocka_run_group_tests(tests, start_upstream, NULL);
}
