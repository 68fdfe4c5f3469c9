/* test_direct.c: what is particular to plain connections that are framed here. */
#include "fetch/taker.h"

/* An upstream that answers what it has read the beginning of, and hangs up. */
static const char early[] = "HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nlong";
static atomic_int early_connections;

static void *refuse_early(void *listening_fd)
{
    char some[1000];
    int fd;

    while ((fd = accept((int)(intptr_t)listening_fd, NULL, NULL)) >= 0) {
        early_connections++;
        (void)!recv(fd, some, sizeof(some), 0);
        (void)put(fd, early);
        close(fd);
    }
    return NULL;
}

/* A listening socket on a free port, and a thread that is given it. */
static void listen_with(void *(*serve)(void *), uint16_t *ret_port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    pthread_t thread;
    int fd;

    fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(fd, 10), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    *ret_port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd), 0);
    (void)pthread_detach(thread);
}

static void an_answer_before_all_was_sent_counts(void **state)
{
    struct take t = {0};
    uint16_t early_port;
    char *large = calloc(1, 8 << 20);

    listen_with(refuse_early, &early_port);
    make_loop();
    ask("/");
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", early_port);
    request.method = "POST";
    request.body = str_n(large, 8 << 20);
    start_take(&t);
    run_loop();
    assert_int_equal(fetcher->n_kept, 0); /* half a request is on that connection */
    end_loop();
    assert_int_equal(t.fault, FETCH_DONE);
    assert_int_equal(t.status, 413);
    assert_str(buf_str(&t.body), "long");
    assert_int_equal(early_connections, 1);
    buf_done(&t.body);
    free(large);
}

/* An upstream that reads little at a time, and says how much of the body was as it should be: byte N of it
 * is N modulo 251. */
static size_t right_bytes(int fd)
{
    static unsigned char some[30000];
    size_t right = 0, n = 0;
    ssize_t got = recv(fd, some, 1000, 0);
    const unsigned char *body = got > 0 ? memmem(some, (size_t)got, "\r\n\r\n", 4) : NULL;

    if (!body)
        return 0;
    memmove(some, body + 4, (size_t)(some + got - body - 4));
    got -= body + 4 - some;
    do
        for (ssize_t i = 0; i < got; i++)
            right += some[i] == n++ % 251;
    while (n < 8 << 20 && (got = recv(fd, some, sizeof(some), 0)) > 0);
    return right;
}

static void *read_slowly(void *listening_fd)
{
    char text[100];
    int fd = accept((int)(intptr_t)listening_fd, NULL, NULL);

    (void)snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n%zu", right_bytes(fd));
    (void)put(fd, text);
    close(fd);
    return NULL;
}

static void pieces_go_out_in_order_whatever_the_kernel_takes_at_a_time(void **state)
{
    static const size_t cuts[] = {0, 1, 5000, 70000, 70001, 4 << 20, (8 << 20) - 3, 8 << 20};
    struct str pieces[ARRAY_LEN(cuts) - 1];
    struct take t = {0};
    uint16_t slow_port;
    char *large = malloc(8 << 20);

    for (size_t i = 0; i < 8 << 20; i++)
        large[i] = (char)(i % 251);
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
        pieces[i] = str_n(large + cuts[i], cuts[i + 1] - cuts[i]);
    listen_with(read_slowly, &slow_port);
    make_loop();
    ask("/");
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", slow_port);
    request.method = "POST";
    request.pieces = pieces;
    request.n_pieces = ARRAY_LEN(pieces);
    request.first_byte_timeout_ms = request.total_timeout_ms = 60000;
    start_take(&t);
    run_loop();
    end_loop();
    assert_int_equal(t.fault, FETCH_DONE);
    assert_str(buf_str(&t.body), "8388608");
    buf_done(&t.body);
    free(large);
}

static void a_large_body_arrives_whole(void **state)
{
    struct take t = {0};
    char body[15000];

    for (size_t i = 0; i < sizeof(body); i++)
        body[i] = (char)('a' + i % 26);
    make_loop();
    ask("/ok?a=b");
    request.method = "POST";
    request.body = str_n(body, sizeof(body));
    start_take(&t);
    run_loop();
    end_loop();
    assert_int_equal(t.fault, FETCH_DONE);
    assert_true(str_starts(str_c(seen), STR("POST /ok?a=b HTTP/1.1\r\nHost: 127.0.0.1:")));
    assert_non_null(strstr(seen, "\r\nContent-Length: 15000\r\n\r\nabcdefghij"));
    assert_memory_equal(strstr(seen, "\r\n\r\n") + 4, body, sizeof(body));
    buf_done(&t.body);
}

static void a_line_is_kept_until_the_upstream_says_that_it_closes(void **state)
{
    struct take t = {0}, then = {0}, last = {0};
    int before = connections;

    make_loop();
    ask("/ok");
    start_take(&t);
    t.then = &then;
    t.then_path = "/ok";
    then.then = &last;
    then.then_path = "/close-after";
    run_loop();
    assert_int_equal(connections, before + 1);
    assert_int_equal(fetcher->n_kept, 0); /* the last said that it closes */
    end_loop();
    assert_int_equal(last.fault, FETCH_DONE);
    buf_done(&t.body);
    buf_done(&then.body);
    buf_done(&last.body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_before_all_was_sent_counts),
        cmocka_unit_test(pieces_go_out_in_order_whatever_the_kernel_takes_at_a_time),
        cmocka_unit_test(a_large_body_arrives_whole),
        cmocka_unit_test(a_line_is_kept_until_the_upstream_says_that_it_closes),
    };

    return cmocka_run_group_tests(tests, start_upstream, NULL);
}
