/* line.c: see line.h. */
#include "fetch/line.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/err.h"
#include "fetch/direct.h"

/* Whatever the upstream says when it was asked nothing is nobody's answer. */
static void ready(struct loop_fd *w, uint32_t events)
{
    struct line *l = container_of(w, struct line, fd);

    if (l->fetch)
        direct_ready(l->fetch, events);
    else
        line_close(l);
}

void line_close(struct line *l)
{
    loop_fd_del(&l->fd);
    (void)close(l->fd.fd);
    if (l->fetch)
        l->fetch->line = NULL;
    else
        l->fetcher->n_kept--;
    list_del(&l->link);
    loop_free_later(l->fetcher->loop, free, l);
}

static void give(struct line *l, struct fetch *f)
{
    list_del(&l->link);
    l->fetcher->n_kept--;
    l->fetch = f;
    f->line = l;
}

static bool is_quiet(const struct line *l)
{
    char one;

    return recv(l->fd.fd, &one, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static bool take_from(struct list *lines, struct fetch *f, const char *origin, bool told)
{
    int64_t since_ms = loop_now_ms(f->fetcher->loop) - TRANSFER_KEPT_S * 1000;

    list_for_each (lines, it) {
        struct line *l = container_of(it, struct line, link);

        if (l->kept_since_ms < since_ms) {
            line_close(l); /* and so with all that follow */
        } else if (strcmp(l->origin, origin) == 0) {
            if (guard_address(f->network, &l->peer.any) && (told || is_quiet(l))) {
                give(l, f);
                return true;
            }
            line_close(l);
        }
    }
    return false;
}

/* Of a line that was kept before this turn epoll has told already what it had to say, unless more was ready
 * than one turn takes. The others are asked. */
bool line_take(struct fetch *f, const char *origin)
{
    struct fetcher *fetcher = f->fetcher;

    return take_from(&fetcher->kept, f, origin, !loop_has_more(fetcher->loop)) ||
           take_from(&fetcher->just_kept, f, origin, false);
}

void lines_turn_over(struct fetcher *f)
{
    while (!list_empty(&f->just_kept)) {
        struct list *last = f->just_kept.prev;

        list_del(last);
        list_add(&f->kept, last);
    }
}

static struct line *longest_kept(struct fetcher *f)
{
    return container_of(list_empty(&f->kept) ? f->just_kept.prev : f->kept.prev, struct line, link);
}

void line_keep(struct line *l)
{
    struct fetcher *f = l->fetcher;

    l->fetch->line = NULL;
    l->fetch = NULL;
    l->used = true;
    l->kept_since_ms = loop_now_ms(f->loop);
    list_add(&f->just_kept, &l->link);
    if (++f->n_kept > f->kept_max)
        line_close(longest_kept(f));
    else if (loop_fd_mod(&l->fd, EPOLLIN) < 0)
        line_close(l);
}

int line_connect(struct fetch *f)
{
    int r = transfer_connect_only(f, direct_origin(f));

    if (r < 0)
        return err_trace(r);
    return curl_multi_add_handle(f->fetcher->multi, f->easy) == CURLM_OK ? 0 : err_origin(-ENOMEM);
}

int line_made(struct fetch *f)
{
    const char *origin = direct_origin(f);
    size_t n = strlen(origin) + 1;
    struct line *l = calloc(1, sizeof(*l) + n);
    socklen_t peer_n = sizeof(l->peer);

    if (!l)
        return err_origin(-ENOMEM);
    l->fetcher = f->fetcher;
    l->fd.ready = ready;
    l->fd.events = EPOLLIN;
    memcpy(l->origin, origin, n);
    l->fd.fd = watch_take_over(f);
    if (l->fd.fd < 0 || getpeername(l->fd.fd, &l->peer.any, &peer_n) < 0 ||
        !guard_address(f->network, &l->peer.any) || loop_fd_add(f->fetcher->loop, &l->fd) < 0) {
        if (l->fd.fd >= 0)
            (void)close(l->fd.fd);
        free(l);
        return err_origin(-ENOTCONN);
    }
    l->fetch = f;
    f->line = l;
    return 0;
}

void lines_done(struct fetcher *f)
{
    lines_turn_over(f);
    list_for_each (&f->kept, it)
        line_close(container_of(it, struct line, link));
}
