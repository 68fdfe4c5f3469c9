/* talk.h: raw clients of a served listener, for tests.
 *
 * Requests are written byte by byte as the test wants them, so nothing is hidden by a library. */
#pragma once

#include "http/serve.h"

/* A connection to the server; receive_buffer > 0 makes it small. */
static inline int dial(const struct served *s, int receive_buffer)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(s->port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (receive_buffer)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

/* False when the other side has closed. */
static inline bool say_bytes(int fd, struct str s)
{
    while (s.n > 0) {
        ssize_t sent = send(fd, s.p, s.n, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        s = str_n(s.p + sent, s.n - (size_t)sent);
    }
    return true;
}

static inline bool say(int fd, const char *text)
{
    return say_bytes(fd, str_c(text));
}

/* Reads until `until` has come, the peer closed, or timeout_ms passed. The text is the caller's to
 * free; *ret_closed tells about the end. */
static inline char *hear_for(int fd, const char *until, int timeout_ms, bool *ret_closed)
{
    int64_t end_ms = test_now_ms() + timeout_ms;
    struct buf b;

    buf_init(&b, (size_t)64 << 20);
    *ret_closed = false;
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left_ms = end_ms - test_now_ms();
        char part[65536];
        ssize_t n;

        if (until && b.n && memmem(b.p, b.n, until, strlen(until)))
            break;
        if (left_ms <= 0 || poll(&p, 1, (int)left_ms) <= 0)
            break;
        n = recv(fd, part, sizeof(part), 0);
        if (n <= 0) {
            if (n < 0)
                buf_puts(&b, "<reset>");
            *ret_closed = true;
            break;
        }
        buf_put(&b, part, (size_t)n);
    }
    buf_putc(&b, '\0');
    return b.p;
}

/* The same for what has to come, however long it takes. */
static inline char *hear_until(int fd, const char *until, bool *ret_closed)
{
    return hear_for(fd, until, TEST_PATIENCE_MS, ret_closed);
}

static inline char *hear_all(int fd)
{
    bool closed;
    char *text = hear_until(fd, NULL, &closed);

    if (!closed)
        fail_msg("never closed: %s", text);
    return text;
}

/* Asks on a connection of its own, which is closed; the whole answer as text. */
static inline char *ask(const struct served *s, const char *text)
{
    int fd = dial(s, 0);
    char *answer;

    (void)say(fd, text);
    answer = hear_all(fd);
    close(fd);
    return answer;
}

#define assert_has(text, part)                               \
    do {                                                     \
        if (!strstr((text), (part)))                         \
            fail_msg("no '%s' in: %.2000s", (part), (text)); \
    } while (0)
#define assert_has_not(text, part)                        \
    do {                                                  \
        if (strstr((text), (part)))                       \
            fail_msg("'%s' in: %.2000s", (part), (text)); \
    } while (0)

static inline size_t count_of(const char *text, const char *part)
{
    size_t n = 0;

    for (const char *p = strstr(text, part); p; p = strstr(p + 1, part))
        n++;
    return n;
}
