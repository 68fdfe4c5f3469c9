/* Long bodies, which come around libmicrohttpd: whole, in pieces of any size, with what follows them, and not
 * at all. The body of a request says of each byte where it has to stand. */
#include "http/one_served.h"

#include "base/random.h"
#include "http/conn.h"

enum { POOL_BYTES = 16384 }; /* libmicrohttpd has read no more than that when the rest comes */

static uint64_t came_around(void)
{
    return server.listener->intakes.bytes;
}

static char byte_at(size_t seed, size_t i)
{
    return (char)('a' + (seed + i * 7 + i / 251 + i / 8191) % 26);
}

/* Answers with how many bytes have come and the first that is wrong. */
static void judge(struct request *r)
{
    struct response answer = {.status = 200};
    uint64_t seed;
    size_t i = 0;

    assert_int_equal(str_u64(request_query(r, "seed"), &seed), STR_OK);
    while (i < r->body.n && r->body.p[i] == byte_at((size_t)seed, i))
        i++;
    answer.body = arena_strf(r->arena, "[%zu bytes, %zu right]", r->body.n, i);
    request_reply(r, &answer);
}

static const struct route routes[] = {
    {HTTP_POST, "/judge", AUTH_NONE, 4 << 20, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, judge},
};

static void put_body(struct buf *b, size_t seed, size_t n)
{
    char *to = buf_reserve(b, n);

    assert_non_null(to);
    for (size_t i = 0; i < n; i++)
        to[i] = byte_at(seed, i);
    b->n += n;
}

/* A longer head leaves libmicrohttpd less room to read with. */
static void put_request_with(struct buf *b, size_t seed, size_t n, size_t padding)
{
    buf_printf(b, "POST /judge?seed=%zu HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\nX-Padding: ", seed, n);
    for (size_t i = 0; i < padding; i++)
        buf_putc(b, 'x');
    buf_puts(b, "\r\n\r\n");
    put_body(b, seed, n);
}

static void put_request(struct buf *b, size_t seed, size_t n)
{
    put_request_with(b, seed, n, 0);
}

static void expect(int fd, size_t n)
{
    char *text, wanted[100];
    bool closed;

    (void)snprintf(wanted, sizeof(wanted), "[%zu bytes, %zu right]", n, n);
    text = hear_until(fd, " right]", &closed);
    assert_has(text, wanted);
    assert_false(closed);
    free(text);
}

static void a_body_comes_whole(void **state)
{
    /* Around what libmicrohttpd reads at once, what is read here at once, and both several times. */
    static const size_t sizes[] = {1,     8000,  8191,  8192,  8193,   16383,  16384,   16385,  50000,
                                   65535, 65536, 65537, 73728, 131072, 139264, 1000000, 4 << 20};
    struct buf b;
    int fd;

    run();
    fd = dial(&server, 0);
    buf_init(&b, 8 << 20);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        uint64_t before = came_around();

        buf_reset(&b);
        put_request(&b, i, sizes[i]);
        assert_true(say_bytes(fd, buf_str(&b)));
        expect(fd, sizes[i]);
        assert_true(came_around() - before + POOL_BYTES >= sizes[i]);
    }
    buf_done(&b);
    close(fd);
}

static void heads_of_any_length_leave_any_room(void **state)
{
    struct buf b;
    int fd;

    run();
    fd = dial(&server, 0);
    buf_init(&b, 1 << 20);
    for (size_t padding = 1; padding < 6000; padding += 97) {
        buf_reset(&b);
        put_request_with(&b, padding, 130000, padding);
        assert_true(say_bytes(fd, buf_str(&b)));
        expect(fd, 130000);
    }
    buf_done(&b);
    close(fd);
}

static void pieces_have_any_size(void **state)
{
    const size_t n = 200000;
    struct buf b;
    int fd;

    run();
    fd = dial(&server, 0);
    buf_init(&b, 1 << 20);
    for (size_t seed = 0; seed < 20; seed++) {
        struct str rest;

        buf_reset(&b);
        put_request(&b, seed, n);
        rest = buf_str(&b);
        while (rest.n) {
            size_t most = seed % 4 == 0 ? 100000 : seed % 4 == 1 ? 9000 : 3000;
            size_t piece = MIN(rest.n, 1 + (size_t)random_below((uint32_t)most));

            assert_true(say_bytes(fd, str_n(rest.p, piece)));
            rest = str_n(rest.p + piece, rest.n - piece);
            if (seed % 2)
                served_turn(&server);
        }
        expect(fd, n);
    }
    buf_done(&b);
    close(fd);
}

/* What stands behind a body was read with it or not: it is answered, though its client says no more. */
static void what_follows_a_body_is_the_next_request(void **state)
{
    struct buf b;

    run();
    buf_init(&b, 1 << 20);
    for (size_t n = 40000; n < 90000; n += 1237) {
        int fd = dial(&server, 0);

        buf_reset(&b);
        put_request(&b, 1, n);
        put_request(&b, 2, 20000);
        put_request(&b, 3, 5);
        put_request(&b, 4, n);
        assert_true(say_bytes(fd, buf_str(&b)));
        for (int left = 4; left > 0;) {
            bool closed;
            char *text = hear_until(fd, " right]", &closed);

            assert_false(closed);
            left -= (int)count_of(text, " right]");
            assert_int_equal(count_of(text, "200 OK"), count_of(text, " right]"));
            free(text);
        }
        close(fd);
    }
    buf_done(&b);
}

static void many_come_at_once(void **state)
{
    enum { MANY = 40 };
    const size_t n = 150000;
    struct buf b[MANY];
    int fds[MANY];

    run();
    for (int i = 0; i < MANY; i++) {
        buf_init(&b[i], 1 << 20);
        put_request(&b[i], (size_t)i, n);
        fds[i] = dial(&server, 0);
    }
    for (size_t at = 0; at < b[MANY - 1].n; at += 7001)
        for (int i = 0; i < MANY; i++)
            if (at < b[i].n)
                assert_true(say_bytes(fds[i], str_n(b[i].p + at, MIN(b[i].n - at, (size_t)7001))));
    for (int i = 0; i < MANY; i++) {
        expect(fds[i], n);
        close(fds[i]);
        buf_done(&b[i]);
    }
}

/* Its descriptor is the next client's, who has nothing of it. */
static void who_leaves_in_the_middle_leaves_nothing(void **state)
{
    struct buf b;

    run();
    buf_init(&b, 1 << 20);
    put_request(&b, 5, 300000);
    for (size_t n = 10000; n < 300000; n += 29000) {
        int fd = dial(&server, 0);

        assert_true(say_bytes(fd, str_n(b.p, n)));
        served_turn(&server);
        close(fd);
        wait_until(stats().connections == 0);
        fd = dial(&server, 0);
        assert_true(say_bytes(fd, buf_str(&b)));
        expect(fd, 300000);
        close(fd);
        wait_until(stats().connections == 0);
    }
    buf_done(&b);
}

static void half_a_body_is_no_request(void **state)
{
    struct buf b;
    char *text;
    int fd;

    run();
    buf_init(&b, 1 << 20);
    put_request(&b, 6, 300000);
    fd = dial(&server, 0);
    assert_true(say_bytes(fd, str_n(b.p, 200000)));
    served_turn(&server);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    text = hear_all(fd);
    assert_has_not(text, "200 OK");
    free(text);
    close(fd);
    buf_done(&b);
}

static void chunks_come_through_libmicrohttpd(void **state)
{
    struct buf b, body;
    int fd;

    run();
    buf_init(&b, 1 << 20);
    buf_init(&body, 1 << 20);
    put_body(&body, 7, 300000);
    buf_puts(&b, "POST /judge?seed=7 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (size_t at = 0; at < body.n; at += 30000) {
        buf_puts(&b, "7530\r\n");
        buf_put(&b, body.p + at, 30000);
        buf_puts(&b, "\r\n");
    }
    buf_puts(&b, "0\r\n\r\n");
    fd = dial(&server, 0);
    assert_true(say_bytes(fd, buf_str(&b)));
    expect(fd, 300000);
    assert_int_equal(came_around(), 0);
    close(fd);
    buf_done(&b);
    buf_done(&body);
}

static void who_waits_to_be_asked_is_asked(void **state)
{
    struct buf body;
    bool closed;
    char *text;
    int fd;

    run();
    buf_init(&body, 1 << 20);
    put_body(&body, 8, 100000);
    fd = dial(&server, 0);
    assert_true(say(fd, "POST /judge?seed=8 HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n"
                        "Expect: 100-continue\r\n\r\n"));
    text = hear_until(fd, "\r\n\r\n", &closed);
    assert_has(text, "100 Continue");
    free(text);
    assert_true(say_bytes(fd, buf_str(&body)));
    expect(fd, 100000);
    close(fd);
    buf_done(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_EACH(a_body_comes_whole),
        IN_EACH(heads_of_any_length_leave_any_room),
        IN_EACH(pieces_have_any_size),
        IN_EACH(what_follows_a_body_is_the_next_request),
        IN_EACH(many_come_at_once),
        IN_EACH(who_leaves_in_the_middle_leaves_nothing),
        IN_EACH(half_a_body_is_no_request),
        IN_EACH(chunks_come_through_libmicrohttpd),
        IN_EACH(who_waits_to_be_asked_is_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
