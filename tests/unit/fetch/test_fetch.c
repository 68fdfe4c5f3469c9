/* test_fetch.c: fetches against an upstream that speaks raw bytes, well or badly. */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "fetch/fetch.h"

/* The upstream: a thread per connection; what it does is said by the path. */
static int listening = -1;
static uint16_t port;
static atomic_int connections, requests, open_now;
static atomic_size_t sent;
static char seen[20000]; /* the last request */

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool put(int fd, const char *text)
{
    return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

#define OK_3 "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"

static void reset(int fd)
{
    const struct linger now = {1, 0};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void flood(int fd)
{
    static char block[16384];

    memset(block, 'f', sizeof(block));
    if (!put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 4194304\r\n\r\n"))
        return;
    for (sent = 0; sent < 4194304; sent += sizeof(block))
        if (send(fd, block, sizeof(block), MSG_NOSIGNAL) != sizeof(block))
            return;
}

static void drip(int fd)
{
    (void)put(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 5; i++) {
        if (!put(fd, "5\r\ndrip\n\r\n"))
            return;
        usleep(60000);
    }
    (void)put(fd, "0\r\n\r\n");
}

/* True: the connection stays. */
static bool answer(int fd, const char *path)
{
    struct pollfd gone = {.fd = fd, .events = POLLIN};

#define IS(name) (strncmp(path, name " ", sizeof(name)) == 0)
    if (IS("/ok"))
        return put(fd, OK_3);
    if (IS("/early"))
        return put(fd, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK_3);
    if (IS("/headers"))
        return put(fd, "HTTP/1.1 429 Slow\r\nContent-Type: Application/JSON ; a\r\nRetry-AFTER:7\r\n"
                       "X-Two: 1\r\nX-Two: 2\r\nContent-Length: 0\r\n\r\n");
    if (IS("/redirect"))
        return put(fd, "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n");
    if (IS("/drip"))
        return drip(fd), true;
    if (IS("/flood"))
        return flood(fd), true;
    if (IS("/ok-then-close"))
        return put(fd, OK_3), false;
    if (IS("/silent") || IS("/half"))
        return (path[1] == 's' || put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")) &&
               poll(&gone, 1, 5000) > 0 && false;
    if (IS("/close"))
        return false;
    if (IS("/reset"))
        return reset(fd), false;
    if (IS("/truncated"))
        return put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc") && false;
    if (IS("/cut-chunk"))
        return put(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc") && false;
    if (IS("/reset-later"))
        return put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), usleep(50000), reset(fd),
               false;
    if (IS("/rubbish"))
        return put(fd, "SSH-2.0-OpenSSH\r\n\r\n") && false;
    if (IS("/gzip"))
        return put(fd, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc");
    return put(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
#undef IS
}

static bool serve_one(int fd)
{
    char head[sizeof(seen)] = "";
    size_t n = 0, body = 0;
    const char *end, *length;

    while (!(end = strstr(head, "\r\n\r\n")) || n < (size_t)(end - head) + 4 + body) {
        ssize_t got = recv(fd, head + n, sizeof(head) - 1 - n, 0);

        if (got <= 0)
            return false;
        n += (size_t)got;
        head[n] = '\0';
        length = strstr(head, "Content-Length: ");
        body = length ? strtoul(length + 16, NULL, 10) : 0;
    }
    memcpy(seen, head, n + 1);
    requests++;
    return answer(fd, strchr(head, ' ') + 1);
}

static void *serve_connection(void *p)
{
    int fd = (int)(intptr_t)p;

    while (serve_one(fd))
        ;
    close(fd);
    open_now--;
    return NULL;
}

static void *accept_all(void *p)
{
    int fd;

    while ((fd = accept(listening, NULL, NULL)) >= 0) {
        pthread_t thread;

        connections++;
        open_now++;
        if (pthread_create(&thread, NULL, serve_connection, (void *)(intptr_t)fd) == 0)
            (void)pthread_detach(thread);
    }
    return NULL;
}

static int start_upstream(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    pthread_t thread;

    (void)signal(SIGPIPE, SIG_IGN);
    listening = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listening, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(listening, 50) < 0)
        return -1;
    (void)getsockname(listening, (struct sockaddr *)&at, &n);
    port = ntohs(at.sin_port);
    if (pthread_create(&thread, NULL, accept_all, NULL) != 0)
        return -1;
    return pthread_detach(thread);
}

/* The taker. */
static struct loop *loop;
static struct fetcher *fetcher;

struct take {
    struct fetch *fetch;
    int status, heads, dones, chunks;
    struct buf body;
    char headers[500];
    char type[50];
    enum fetch_fault fault;
    struct fetch_timing timing;
    int64_t began_ms, done_ms, first_chunk_ms;
    enum { TAKE_ALL, TAKE_SLOWLY, TAKE_NONE, CANCEL_IN_HEAD, CANCEL_IN_CHUNK, CHAIN_IN_HEAD } how;
    struct loop_timer timer;
    struct take *next;
};

static struct fetch_request request;
static char url[200];
static int waiting_for;

static void on_head(struct fetch *f, const struct fetch_head *head, void *ctx);
static bool on_chunk(struct fetch *f, struct str bytes, void *ctx);
static void on_done(struct fetch *f, enum fetch_fault fault, void *ctx);
static const struct fetch_callbacks callbacks = {on_head, on_chunk, on_done};

static void over(void)
{
    if (--waiting_for == 0)
        loop_stop(loop);
}

static void on_head(struct fetch *f, const struct fetch_head *head, void *ctx)
{
    struct take *t = ctx;

    t->heads++;
    t->status = head->status;
    (void)snprintf(t->type, sizeof(t->type), "%.*s", STR_FMT(head->content_type));
    for (size_t i = 0; i < head->header_count; i++) {
        size_t n = strlen(t->headers);

        (void)snprintf(t->headers + n, sizeof(t->headers) - n, "%s=%.*s|", head->headers[i].name,
                       STR_FMT(head->headers[i].value));
    }
    if (t->how == CHAIN_IN_HEAD) {
        assert_int_equal(fetch_start(fetcher, &request, &callbacks, t->next, &t->next->fetch), 0);
        waiting_for++;
    }
    if (t->how == CANCEL_IN_HEAD || t->how == CHAIN_IN_HEAD) {
        fetch_cancel(f);
        over();
    }
}

static void resume(struct loop_timer *timer)
{
    fetch_resume(container_of(timer, struct take, timer)->fetch);
}

static bool on_chunk(struct fetch *f, struct str bytes, void *ctx)
{
    struct take *t = ctx;

    if (!t->chunks++)
        t->first_chunk_ms = now_ms();
    buf_put_str(&t->body, bytes);
    if (t->how == CANCEL_IN_CHUNK) {
        fetch_cancel(f);
        over();
    }
    if (t->how != TAKE_SLOWLY)
        return t->how != TAKE_NONE;
    t->timer.fired = resume;
    assert_int_equal(loop_timer_set(loop, &t->timer, loop_now_ms(loop) + 5), 0);
    return false;
}

static void on_done(struct fetch *f, enum fetch_fault fault, void *ctx)
{
    struct take *t = ctx;

    t->dones++;
    t->fault = fault;
    t->done_ms = now_ms();
    fetch_read_timing(f, &t->timing);
    loop_timer_clear(&t->timer);
    over();
}

static void make_loop(void)
{
    loop = loop_new("test");
    assert_non_null(loop);
    assert_int_equal(fetcher_new(loop, &fetcher), 0);
}

static void ask(const char *path)
{
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", port, path);
    request = (struct fetch_request){.method = "GET",
                                     .url = url,
                                     .network = GUARD_PRIVATE,
                                     .connect_timeout_ms = 2000,
                                     .first_byte_timeout_ms = 2000,
                                     .idle_timeout_ms = 2000,
                                     .total_timeout_ms = 4000,
                                     .reply_max = 8 << 20};
}

static void start_take(struct take *t)
{
    buf_init(&t->body, 16 << 20);
    t->began_ms = now_ms();
    assert_int_equal(fetch_start(fetcher, &request, &callbacks, t, &t->fetch), FETCH_START_OK);
    waiting_for++;
}

/* loop_run() ends for good, so each round has a loop and a pool of its own. */
static void run_loop(void)
{
    assert_int_equal(loop_run(loop), 0);
}

static void end_loop(void)
{
    fetcher_free(fetcher);
    loop_free(loop);
    waiting_for = 0;
}

static struct take get(const char *path)
{
    struct take t = {0};

    make_loop();
    ask(path);
    start_take(&t);
    run_loop();
    end_loop();
    assert_int_equal(t.dones, 1);
    return t;
}

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

static void bad_headers_and_urls_do_not_start(void **state)
{
    static const struct fetch_header bad[] = {
        {"X-A", STR("a\r\nX-Evil: 1")}, {"X-A", STR("a\nb")}, {"X-A", STR("a\0b")},
        {"X-A", STR("\xc3\xa9")},       {"X A", STR("b")},    {"X:A", STR("b")},
        {"", STR("b")},                 {"Host", STR("evil")}, {"content-length", STR("3")},
        {"Transfer-Encoding", STR("chunked")}, {"Expect", STR("100-continue")}};
    static const char *const urls[] = {"ftp://127.0.0.1/", "http://u:p@127.0.0.1/", "127.0.0.1",
                                       "http://127.0.0.1/a/../b", "http://127.0.0.1/#x", ""};
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
    static const char *const urls[] = {"https://127.0.0.1:8443/", "https://localhost:8443/",
                                       "https://0x7f.1:8443/", "https://[::1]:8443/",
                                       "https://[::ffff:127.0.0.1]:8443/", "https://0:8443/"};
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
        {"/close", FETCH_E_RESET, ""},
        {"/reset", FETCH_E_RESET, ""},
        {"/reset-later", FETCH_E_RESET, "abc"},
        {"/truncated", FETCH_E_PROTOCOL, "abc"},
        {"/cut-chunk", FETCH_E_PROTOCOL, "abc"},
        {"/rubbish", FETCH_E_PROTOCOL, ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct take t = get(cases[i].path);

        if (t.fault != cases[i].fault)
            fail_msg("%s: %s", cases[i].path, fetch_fault_name(t.fault));
        assert_str(buf_str(&t.body), cases[i].body);
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

static void expect_fault_after(struct take t, enum fetch_fault fault, int64_t ms)
{
    if (t.fault != fault)
        fail_msg("%s", fetch_fault_name(t.fault));
    assert_in_range(t.done_ms - t.began_ms, ms - 10, ms + 150);
    buf_done(&t.body);
}

static void each_timeout_has_its_name(void **state)
{
    expect_fault_after(get_with("/silent", 200, 50, 2000), FETCH_E_TIMEOUT_FIRST_BYTE, 200);
    expect_fault_after(get_with("/half", 200, 300, 2000), FETCH_E_TIMEOUT_IDLE, 300);
    expect_fault_after(get_with("/drip", 200, 100, 150), FETCH_E_TIMEOUT_TOTAL, 150);
    expect_fault_after(get_with("/silent", 0, 0, 250), FETCH_E_TIMEOUT_TOTAL, 250);
    expect_fault_after(get_with("/drip", 200, 100, 0), FETCH_DONE, 300);
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

static void chunks_come_as_they_are_sent(void **state)
{
    struct take t = get("/drip");

    assert_int_equal(t.fault, FETCH_DONE);
    assert_int_equal(t.chunks, 5);
    assert_in_range(t.first_chunk_ms - t.began_ms, 0, 50);
    assert_str(buf_str(&t.body), "drip\ndrip\ndrip\ndrip\ndrip\n");
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
    assert_int_equal(t.body.n, 4194304);
    assert_true(t.chunks >= 4194304 / (2 * 16384));
    assert_true(t.done_ms - t.began_ms > t.chunks * 4);
    end_loop();
    buf_done(&t.body);
}

static void stop_loop(struct loop_timer *timer)
{
    loop_stop(loop);
}

static void a_stopped_taker_stops_the_upstream(void **state)
{
    struct take t = {.how = TAKE_NONE};
    struct loop_timer stop = {.fired = stop_loop};

    make_loop();
    ask("/flood");
    start_take(&t);
    assert_int_equal(loop_timer_set(loop, &stop, loop_now_ms(loop) + 300), 0);
    run_loop();
    assert_int_equal(t.chunks, 1);
    assert_int_equal(t.dones, 0);
    assert_in_range(sent, 16384, 4194303); /* the kernel's buffers, no more */
    fetch_cancel(t.fetch);
    end_loop();
    buf_done(&t.body);
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

static void wait_until_none_is_open(void)
{
    for (int i = 0; i < 100 && open_now; i++)
        usleep(10000);
    assert_int_equal(open_now, 0);
}

static void cancel_works_anywhere_and_closes_the_connection(void **state)
{
    struct take in_head = {.how = CANCEL_IN_HEAD}, in_chunk = {.how = CANCEL_IN_CHUNK};
    struct take at_once = {0}, whole = {0};

    wait_until_none_is_open();
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
    assert_int_equal(open_now, 1); /* the whole one is kept alive */
    end_loop();
    wait_until_none_is_open();
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
        cmocka_unit_test(an_answer_comes_with_head_body_and_times),
        cmocka_unit_test(heads_are_read_whatever_the_status),
        cmocka_unit_test(redirects_are_not_followed),
        cmocka_unit_test(compressed_bodies_are_left_alone),
        cmocka_unit_test(a_post_carries_body_and_headers_and_nothing_else),
        cmocka_unit_test(bad_headers_and_urls_do_not_start),
        cmocka_unit_test(addresses_are_guarded),
        cmocka_unit_test(certificates_are_checked),
        cmocka_unit_test(faults_are_told_apart),
        cmocka_unit_test(a_closed_port_is_a_connect_fault),
        cmocka_unit_test(each_timeout_has_its_name),
        cmocka_unit_test(a_dropped_syn_is_a_connect_timeout),
        cmocka_unit_test(chunks_come_as_they_are_sent),
        cmocka_unit_test(a_slow_taker_pauses_the_upstream),
        cmocka_unit_test(a_stopped_taker_stops_the_upstream),
        cmocka_unit_test(too_large_an_answer_is_cut),
        cmocka_unit_test(cancel_works_anywhere_and_closes_the_connection),
        cmocka_unit_test(a_fetch_may_start_within_anothers_callback),
        cmocka_unit_test(connections_are_kept_alive),
        cmocka_unit_test(a_kept_connection_that_was_closed_is_replaced),
        cmocka_unit_test(many_run_at_once),
        cmocka_unit_test(workers_may_fetch_and_wait),
    };

    return cmocka_run_group_tests(tests, start_upstream, NULL);
}
