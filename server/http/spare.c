/* spare.c: see spare.h. */
#include "http/spare.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TURNED_AWAY_AT_ONCE = 256 };

#define BODY                                                               \
    "{\"error\":{\"message\":\"The server is too busy. Try again shortly.\"," \
    "\"type\":\"server_error\",\"param\":null,\"code\":\"overloaded\"}}"
_Static_assert(sizeof(BODY) - 1 == 121, "the length that is announced below");

static const char answer[] = "HTTP/1.1 503 Service Unavailable\r\n"
                             "Content-Type: application/json\r\n"
                             "Retry-After: 1\r\n"
                             "Connection: close\r\n"
                             "Content-Length: 121\r\n"
                             "\r\n" BODY;

static void take(struct spare *s)
{
    s->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void spare_init(struct spare *s)
{
    take(s);
}

void spare_done(struct spare *s)
{
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = -1;
}

static bool descriptors_are_out(int any_fd)
{
    int fd = fcntl(any_fd, F_DUPFD_CLOEXEC, 0);

    if (fd >= 0)
        (void)close(fd);
    return fd < 0 && (errno == EMFILE || errno == ENFILE);
}

void spare_answer(int fd)
{
    char request[4096];

    /* What is read is not reset when the socket closes. */
    (void)recv(fd, request, sizeof(request), MSG_DONTWAIT);
    (void)send(fd, answer, sizeof(answer) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)shutdown(fd, SHUT_WR);
}

unsigned spare_turn_away(struct spare *s, int listen_fd)
{
    unsigned n = 0;

    if (s->fd < 0)
        take(s);
    if (listen_fd < 0 || s->fd < 0 || !descriptors_are_out(listen_fd))
        return 0;
    spare_done(s);
    while (n < TURNED_AWAY_AT_ONCE) {
        int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0)
            break;
        spare_answer(fd);
        (void)close(fd);
        n++;
    }
    take(s);
    return n;
}
