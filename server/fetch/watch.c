/* watch.c: libcurl's sockets in the loop's epoll.
 *
 * libcurl asks for a socket to be watched and unwatched around each request. As most come back on
 * the same connection, a socket stays registered when libcurl lets go of it, and is only taken out
 * when it speaks while nobody listens or when it is closed. So a request on a kept connection costs
 * no epoll_ctl. A kept connection that speaks is at its end: what it says was not asked for, and
 * libcurl (7.88) would take it for the answer to its next request, which may be anybody's. Descriptors that libcurl opens behind our back (its
 * resolver's) are taken out at once, as we do not learn of their closing. */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/err.h"
#include "fetch/transfer.h"

struct watch {
    struct fetcher *fetcher;
    struct loop_fd fd;
    bool opened_by_us;
    bool wanted; /* by libcurl */
    bool paused; /* not wanted, but in the middle of an answer */
    bool taken;  /* it is a line's now */
};

enum { JUNK_READS = 256 }; /* of a socket's buffer at its largest, 6 MiB */

/* Throws away what a kept connection has said, so that libcurl sees it closed. */
static void spoil(int fd)
{
    char junk[KIB(32)];

    for (int i = 0; i < JUNK_READS; i++)
        if (recv(fd, junk, sizeof(junk), MSG_DONTWAIT) <= 0)
            break;
    (void)shutdown(fd, SHUT_RDWR);
}

/* Has the upstream said more than its answer, or left? */
static bool has_spoken(int fd)
{
    char one;
    ssize_t n = recv(fd, &one, 1, MSG_PEEK | MSG_DONTWAIT);

    return n >= 0;
}

static void ready(struct loop_fd *w, uint32_t events)
{
    struct watch *watch = container_of(w, struct watch, fd);
    struct fetcher *f = watch->fetcher;
    int mask = 0, running;

    if (!watch->wanted) {
        loop_fd_del(w);
        if (!watch->paused)
            spoil(w->fd);
        return;
    }
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        mask |= CURL_CSELECT_IN;
    if (events & EPOLLOUT)
        mask |= CURL_CSELECT_OUT;
    if (events & EPOLLERR)
        mask |= CURL_CSELECT_ERR;
    f->acted = true;
    (void)curl_multi_socket_action(f->multi, w->fd, mask, &running);
    transfers_read_done(f); /* now, so that the answer goes out in this turn's hooks */
}

static struct watch *find(struct fetcher *f, int fd)
{
    return fd >= 0 && (size_t)fd < f->n_watches ? f->watches[fd] : NULL;
}

static struct watch *find_or_make(struct fetcher *f, int fd)
{
    struct watch *w = find(f, fd);

    if (w || fd < 0)
        return w;
    if ((size_t)fd >= f->n_watches) {
        size_t n = (size_t)fd + 64;
        struct watch **more = reallocarray(f->watches, n, sizeof(struct watch *));

        if (!more)
            return NULL;
        memset(more + f->n_watches, 0, (n - f->n_watches) * sizeof(struct watch *));
        f->watches = more;
        f->n_watches = n;
    }
    w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    w->fetcher = f;
    w->fd.fd = fd;
    w->fd.ready = ready;
    f->watches[fd] = w;
    return w;
}

static void forget(struct fetcher *f, int fd)
{
    struct watch *w = find(f, fd);

    if (!w)
        return;
    loop_fd_del(&w->fd);
    f->watches[fd] = NULL;
    loop_free_later(f->loop, free, w);
}

static int want(struct fetcher *f, struct watch *w, uint32_t events)
{
    w->wanted = true;
    if (w->fd.loop)
        return loop_fd_mod(&w->fd, events);
    w->fd.events = events;
    return loop_fd_add(f->loop, &w->fd);
}

static bool is_paused(CURL *easy)
{
    struct fetch *fetch = NULL;

    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&fetch);
    return fetch && fetch->paused;
}

int watch_socket(CURL *easy, curl_socket_t fd, int what, void *fetcher, void *unused)
{
    struct fetcher *f = fetcher;
    struct watch *w;
    uint32_t events = 0;

    (void)unused;
    if (what == CURL_POLL_REMOVE) {
        w = find(f, fd);
        if (!w || !w->opened_by_us) {
            forget(f, fd);
            return 0;
        }
        w->wanted = false;
        w->paused = is_paused(easy);
        if (!w->paused && has_spoken(fd))
            spoil(fd);
        return 0;
    }
    if (what & CURL_POLL_IN)
        events |= EPOLLIN;
    if (what & CURL_POLL_OUT)
        events |= EPOLLOUT;
    w = find_or_make(f, fd);
    return w && want(f, w, events) == 0 ? 0 : -1;
}

curl_socket_t watch_open(void *fetch, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct fetch *f = fetch;
    struct watch *w;
    int fd;

    (void)purpose;
    if (!guard_address(f->network, &address->addr)) {
        f->fault = FETCH_E_BLOCKED;
        return CURL_SOCKET_BAD;
    }
    fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    w = find_or_make(f->fetcher, fd);
    if (!w) {
        (void)close(fd);
        return CURL_SOCKET_BAD;
    }
    w->opened_by_us = true;
    return fd;
}

int watch_close(void *fetcher, curl_socket_t fd)
{
    const struct watch *w = find(fetcher, fd);
    bool taken = w && w->taken;

    forget(fetcher, fd);
    return taken ? 0 : close(fd);
}

/* libcurl closes the connection of a handle that only connects when the handle leaves. */
int watch_take_over(struct fetch *f)
{
    struct fetcher *fetcher = f->fetcher;
    curl_socket_t fd = CURL_SOCKET_BAD;
    struct watch *w;

    (void)curl_easy_getinfo(f->easy, CURLINFO_ACTIVESOCKET, &fd);
    w = find(fetcher, fd);
    if (!w || !w->opened_by_us)
        return -1;
    w->taken = true;
    (void)curl_multi_remove_handle(fetcher->multi, f->easy);
    transfer_give_easy(fetcher, steal(&f->easy), true);
    return find(fetcher, fd) ? -1 : fd; /* libcurl has it still */
}

void watches_done(struct fetcher *f)
{
    for (size_t fd = 0; fd < f->n_watches; fd++)
        forget(f, (int)fd);
    free(f->watches);
    f->watches = NULL;
    f->n_watches = 0;
}
