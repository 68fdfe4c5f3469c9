/* test_direct.c: what is particular to plain connections that are framed here. */
#include "fetch/taker.h"

/* An upstream that answers what it has read the beginning of, and hangs up. */
static const char early[] = "HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nlong";
static int early_listening;
static atomic_int early_connections;

static void *refuse_early(void *unused)
{
    char some[1000];
    int fd;

    (void)unused;
    while ((fd = accept(early_listening, NULL, NULL)) >= 0) {
        early_connections++;
        (void)!recv(fd, some, sizeof(some), 0);
        (void)put(fd, early);
        close(fd);
    }
    return NULL;
}

static void listen_early(uint16_t *ret_port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    pthread_t thread;

    early_listening = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(early_listening, (struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(early_listening, 10), 0);
    assert_int_equal(getsockname(early_listening, (struct sockaddr *)&at, &n), 0);
    *ret_port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&thread, NULL, refuse_early, NULL), 0);
    (void)pthread_detach(thread);
}

static void an_answer_before_all_was_sent_counts(void **state)
{
    struct take t = {0};
    uint16_t early_port;
    char *large = calloc(1, 8 << 20);

    listen_early(&early_port);
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
        cmocka_unit_test(a_large_body_arrives_whole),
        cmocka_unit_test(a_line_is_kept_until_the_upstream_says_that_it_closes),
    };

    return cmocka_run_group_tests(tests, start_upstream, NULL);
}
