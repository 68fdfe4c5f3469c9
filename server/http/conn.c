/* conn.c: see conn.h. */
#include "http/conn.h"

#include <errno.h>
#include <linux/tcp.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/map.h"
#include "http/exchange.h"

/* libmicrohttpd looks at every connection that is suspended whenever one is resumed, which for thousands
 * that wait in the backlog was a sixth of the loop's work: then so many of them share one look. */
enum { SUSPENDED_PER_WAKE = 24 };

/* Asking costs some 200 instructions, being suspended two system calls more and an empty read: at
 * saturation an answer comes within three or four rounds. */
enum { ASKED_MAX = 8 };

/* Above the limit, to be told 503 in answer to what they ask. */
enum { CONNECTIONS_SPARE = 64 };

struct tally {
    unsigned n;
};

static struct str address_key(const struct net_address *a)
{
    return str_n((const char *)a->ip, sizeof(a->ip));
}

bool tally_take(struct listener *l, const struct net_address *a)
{
    struct tally *t = map_get(l->addresses, address_key(a));

    if (!t) {
        t = calloc(1, sizeof(*t));
        if (!t || map_put(l->addresses, address_key(a), t) < 0) {
            free(t);
            return false;
        }
    }
    if (t->n >= l->config.max_per_address)
        return false;
    t->n++;
    return true;
}

void tally_give(struct listener *l, const struct net_address *a)
{
    struct tally *t = map_get(l->addresses, address_key(a));

    assert(t);
    assert(t->n > 0);
    if (--t->n == 0)
        map_del(l->addresses, address_key(a));
}

static void read_peer(const struct sockaddr *from, struct net_address *ret)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)from;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;

    *ret = (struct net_address){.ip = {[10] = 0xff, [11] = 0xff}};
    if (from->sa_family == AF_INET) {
        memcpy(ret->ip + 12, &in->sin_addr, 4);
        ret->port = ntohs(in->sin_port);
    } else if (from->sa_family == AF_INET6) {
        memcpy(ret->ip, &in6->sin6_addr, 16);
        ret->port = ntohs(in6->sin6_port);
    }
}

static bool is_trusted(const struct listener *l, const struct net_address *a)
{
    for (size_t i = 0; i < l->config.trusted_count; i++)
        if (net_block_has(&l->config.trusted[i], a))
            return true;
    return false;
}

static void watched(struct loop_fd *w, uint32_t events)
{
    struct http_conn *c = container_of(w, struct http_conn, watch);

    if (!(events & ~(uint32_t)EPOLLOUT)) {
        if (c->exchange)
            exchange_writable(c->exchange);
        return;
    }
    c->hung_up = true;
    if (c->exchange)
        exchange_gone(c->exchange);
}

bool conn_turned_away(struct listener *l, int fd)
{
    if (l->connections < l->config.max_connections + CONNECTIONS_SPARE)
        return false;
    l->refused_by_limits++;
    if (!l->certificate)
        spare_answer(fd);
    (void)shutdown(fd, SHUT_RDWR);
    return true;
}

struct http_conn *conn_new(struct listener *l, struct MHD_Connection *mhd, int fd,
                           const struct sockaddr *peer)
{
    struct http_conn *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->listener = l;
    c->mhd = mhd;
    c->watch = (struct loop_fd){.fd = fd, .events = CONN_WATCHED, .ready = watched};
    if (loop_fd_add(l->config.loop, &c->watch) < 0) {
        free(c);
        return NULL;
    }
    read_peer(peer, &c->peer);
    c->over_limit = l->connections >= l->config.max_connections;
    if (!is_trusted(l, &c->peer)) {
        c->counted = tally_take(l, &c->peer);
        c->over_limit = c->over_limit || !c->counted;
    }
    list_add_tail(&l->conns, &c->link);
    l->connections++;
    conn_enter(c, CONN_HEAD);
    return c;
}

void conn_closed(struct http_conn *c)
{
    struct listener *l = c->listener;

    if (c->unread)
        linger_start(&l->lingers, l->config.loop, c->watch.fd);
    loop_fd_del(&c->watch);
    if (c->exchange)
        exchange_detach(c->exchange);
    list_del(&c->awake_link);
    conn_reckon(c);
    if (c->counted)
        tally_give(l, &c->peer);
    list_del(&c->link);
    l->connections--;
    loop_free_later(l->config.loop, free, c);
}

/* What the peer's kernel has acknowledged since the connection was made. */
static uint64_t acked_bytes(const struct http_conn *c)
{
    struct tcp_info info = {0};
    socklen_t n = sizeof(info);

    if (getsockopt(c->watch.fd, IPPROTO_TCP, TCP_INFO, &info, &n) < 0)
        return 0;
    return info.tcpi_bytes_acked;
}

void conn_enter(struct http_conn *c, enum conn_phase phase)
{
    c->phase = phase;
    c->phase_began_ms = loop_now_ms(c->listener->config.loop);
    c->body_bytes = 0;
    c->acked_bytes = 0;
}

void conn_reckon(struct http_conn *c)
{
    bool unsettled = c->exchange && !c->suspended && !list_linked(&c->awake_link);

    if (unsettled == c->unsettled)
        return;
    c->unsettled = unsettled;
    c->listener->unsettled += unsettled ? 1 : -1U;
}

void conn_suspend(struct http_conn *c)
{
    assert(!c->suspended);
    list_del(&c->awake_link);
    c->suspended = true;
    c->listener->suspended++;
    conn_reckon(c);
    MHD_suspend_connection(c->mhd);
}

void conn_await(struct http_conn *c)
{
    if (c->listener->certificate) {
        conn_suspend(c);
        return;
    }
    c->asked = 0;
    list_add_tail(&c->listener->awake, &c->awake_link);
    conn_reckon(c);
}

bool conn_awaits(struct http_conn *c)
{
    if (!list_linked(&c->awake_link))
        return false;
    if (++c->asked == ASKED_MAX)
        conn_suspend(c);
    return true;
}

void conn_suspend_awake(struct listener *l)
{
    while (!list_empty(&l->awake))
        conn_suspend(container_of(l->awake.next, struct http_conn, awake_link));
}

static void resume(struct http_conn *c)
{
    c->listener->runnable = true;
    MHD_resume_connection(c->mhd);
}

void conn_wake(struct http_conn *c)
{
    struct listener *l = c->listener;

    if (list_linked(&c->awake_link)) {
        list_del(&c->awake_link);
        l->runnable = true;
        conn_reckon(c);
        return;
    }
    if (!c->suspended)
        return;
    c->suspended = false;
    l->suspended--;
    conn_reckon(c);
    if (list_empty(&l->backlog)) {
        resume(c);
        return;
    }
    list_add_tail(&l->waking, &c->wake_link);
    l->n_waking++;
}

void conn_run_waking(struct listener *l, bool all)
{
    if (!all && !list_empty(&l->backlog) && l->n_waking < l->suspended / SUSPENDED_PER_WAKE)
        return;
    while (!list_empty(&l->waking)) {
        struct http_conn *c = container_of(l->waking.next, struct http_conn, wake_link);

        list_del(&c->wake_link);
        resume(c);
    }
    l->n_waking = 0;
}

void conn_cut(struct http_conn *c)
{
    (void)shutdown(c->watch.fd, SHUT_RDWR);
    conn_wake(c);
}

/* A reader that takes anything at all within the time-out is slow, not stuck. */
static bool is_stuck(struct http_conn *c, int64_t now_ms)
{
    int64_t age_ms = now_ms - c->phase_began_ms;
    uint64_t acked;

    if (c->acked_bytes && age_ms < c->listener->config.write_timeout_ms)
        return false;
    acked = acked_bytes(c);
    if (acked == c->acked_bytes)
        return age_ms >= c->listener->config.write_timeout_ms;
    if (c->acked_bytes)
        c->phase_began_ms = now_ms;
    c->acked_bytes = acked;
    return false;
}

static bool has_expired(struct http_conn *c, int64_t now_ms)
{
    const struct listener_config *config = &c->listener->config;
    int64_t age_ms = now_ms - c->phase_began_ms;

    switch (c->phase) {
    case CONN_HEAD:
        return age_ms >= config->head_timeout_ms;
    case CONN_BODY:
        return age_ms >=
               config->body_timeout_ms + (int64_t)(c->body_bytes * 1000 / BOUND_BODY_BYTES_PER_S);
    case CONN_WORKING:
        return false;
    case CONN_IDLE:
        return age_ms >= config->idle_timeout_ms;
    case CONN_WRITING:
        return is_stuck(c, now_ms);
    }
    return false;
}

bool conn_check(struct http_conn *c, int64_t now_ms)
{
    if (!has_expired(c, now_ms))
        return false;
    if (c->phase != CONN_IDLE)
        c->listener->timeouts++;
    if (c->exchange)
        exchange_gone(c->exchange);
    conn_cut(c);
    c->phase_began_ms = now_ms; /* it is counted once, though it goes a turn later */
    return true;
}
