/* linger.c: see linger.h. */
#include "http/linger.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bounds.h"

enum {
    LINGER_MS = 2000,
    LINGERS_MAX = 64, /* descriptors that refused clients may hold on to */
    READS_PER_TURN = 16,
};

struct lingering {
    struct lingers *all;
    struct list link;
    struct loop_fd watch;
    int64_t until_ms;
    size_t bytes;
};

void lingers_init(struct lingers *ls)
{
    list_init(&ls->list);
    ls->n = 0;
}

static void linger_end(struct lingering *g)
{
    struct loop *loop = g->watch.loop;

    loop_fd_del(&g->watch);
    (void)close(g->watch.fd);
    list_del(&g->link);
    g->all->n--;
    loop_free_later(loop, free, g);
}

static void readable(struct loop_fd *w, uint32_t events)
{
    char discarded[16384];
    struct lingering *g = container_of(w, struct lingering, watch);

    for (int i = 0; i < READS_PER_TURN; i++) {
        ssize_t n = recv(w->fd, discarded, sizeof(discarded), MSG_DONTWAIT);

        if (n > 0)
            g->bytes += (size_t)n;
        else if (n == 0 || !(events & EPOLLIN) || errno != EAGAIN)
            return linger_end(g);
        else
            return;
        if (g->bytes > BOUND_LINGER_BYTES)
            return linger_end(g);
    }
}

void linger_start(struct lingers *ls, struct loop *loop, int fd)
{
    struct lingering *g = ls->n < LINGERS_MAX ? calloc(1, sizeof(*g)) : NULL;

    if (!g)
        return;
    g->all = ls;
    g->until_ms = loop_now_ms(loop) + LINGER_MS;
    g->watch = (struct loop_fd){
        .fd = fcntl(fd, F_DUPFD_CLOEXEC, 0), .events = EPOLLIN | EPOLLRDHUP, .ready = readable};
    if (g->watch.fd < 0 || loop_fd_add(loop, &g->watch) < 0) {
        if (g->watch.fd >= 0)
            (void)close(g->watch.fd);
        free(g);
        return;
    }
    (void)shutdown(g->watch.fd, SHUT_WR);
    list_add_tail(&ls->list, &g->link);
    ls->n++;
}

void lingers_check(struct lingers *ls, int64_t now_ms)
{
    list_for_each (&ls->list, it) {
        struct lingering *g = container_of(it, struct lingering, link);

        if (now_ms >= g->until_ms)
            linger_end(g);
    }
}

void lingers_done(struct lingers *ls)
{
    lingers_check(ls, INT64_MAX);
}
