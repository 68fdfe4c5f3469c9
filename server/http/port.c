/* port.c: see port.h. */
#include "http/port.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

enum { BACKLOG = 4096 }; /* the kernel cuts it to net.core.somaxconn */

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool read_address(const char *text, uint16_t port, union address *ret, socklen_t *ret_n)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct net_address a;

    memset(ret, 0, sizeof(*ret));
    if (!net_address_parse(str_c(text), &a))
        return false;
    if (memcmp(a.ip, mapped, sizeof(mapped)) == 0) {
        ret->v4.sin_family = AF_INET;
        ret->v4.sin_port = htons(port);
        memcpy(&ret->v4.sin_addr, a.ip + 12, 4);
        *ret_n = sizeof(ret->v4);
    } else {
        ret->v6.sin6_family = AF_INET6;
        ret->v6.sin6_port = htons(port);
        memcpy(&ret->v6.sin6_addr, a.ip, 16);
        *ret_n = sizeof(ret->v6);
    }
    return true;
}

static int bind_outcome(void)
{
    if (errno == EADDRINUSE)
        return LISTENER_E_TAKEN;
    if (errno == EADDRNOTAVAIL || errno == EACCES || errno == EAFNOSUPPORT)
        return LISTENER_E_ADDRESS;
    return err_origin(-errno);
}

/* Binds and listens; *ret_fd is the caller's also on failure, -1 when there is none. */
static int bound_socket(const char *address, uint16_t port, bool shared, int *ret_fd)
{
    const int on = 1, off = 0;
    union address a;
    socklen_t n;
    int fd;

    if (!read_address(address, port, &a, &n))
        return LISTENER_E_ADDRESS;
    fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *ret_fd = fd;
    if (fd < 0)
        return bind_outcome();
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* inherited */
    if (a.any.sa_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0)
        return err_origin(-errno);
    if (bind(fd, &a.any, n) < 0 || listen(fd, BACKLOG) < 0)
        return bind_outcome();
    return LISTENER_OK;
}

int port_open(const char *address, uint16_t port, int *ret_fd, uint16_t *ret_port)
{
    union address a = {0};
    socklen_t n = sizeof(a);
    int fd = -1;
    int r = bound_socket(address, port, true, &fd);

    if (!r && getsockname(fd, &a.any, &n) < 0)
        r = err_origin(-errno);
    if (r) {
        if (fd >= 0)
            (void)close(fd);
        return r;
    }
    *ret_fd = fd;
    *ret_port = ntohs(a.any.sa_family == AF_INET ? a.v4.sin_port : a.v6.sin6_port);
    return LISTENER_OK;
}

int listener_probe(const char *address, uint16_t port)
{
    int fd = -1;
    int r = bound_socket(address, port, false, &fd);

    if (fd >= 0)
        (void)close(fd);
    return r;
}
