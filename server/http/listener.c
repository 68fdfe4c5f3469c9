/* listener.c: see listener.h.
 *
 * libmicrohttpd runs without threads: its epoll descriptor stands in the loop's epoll, and the
 * loop's hook runs it when that was ready or when something of ours resumed a connection. */
#include "http/listener.h"

#include <errno.h>
#include <limits.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/log.h"
#include "base/map.h"
#include "base/reserve.h"
#include "http/backlog.h"
#include "http/certificate.h"
#include "http/exchange.h"
#include "http/port.h"

enum {
    READ_MORE_BYTES = KIB(12), /* libmicrohttpd reads with all that its pool has, instead of half of it */
    ROUNDS_PER_TURN = 8,    /* of libmicrohttpd, before others get the loop */
    ROUNDS_UNSURE = 2,      /* then those that await answers are suspended, so that it is known */
    SWEEP_MIN_MS = 10,
    SWEEP_MAX_MS = 1000,
    SWEEP_REST_MS = 10000, /* with nobody connected */
    /* Thousands that are looked at, or fall due, together would hold up everybody else: a turn looks at some
     * of them, and cuts fewer, since a stream that is cut costs some 70 us with its upstream and its books. */
    CHECKS_AT_ONCE = 512,
    CUTS_AT_ONCE = 4,
    CHECKS_EVERY_MS = 1, /* while there are more of them: turns come faster than that */
    REFUSALS_LOGGED_EVERY_MS = 10000,
};

static struct http_conn *conn_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

/* Called when a request line has been read; the result is the request's context. */
static void *on_target(void *cls, const char *target, struct MHD_Connection *mhd)
{
    struct http_conn *c = conn_of(mhd);

    (void)cls;
    if (!c)
        return NULL;
    if (c->phase == CONN_IDLE)
        conn_enter(c, CONN_HEAD);
    if (!c->exchange)
        c->exchange = exchange_new(c, target);
    conn_reckon(c);
    c->listener->moved = true;
    return c->exchange;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **context)
{
    struct exchange *x = *context;
    struct str bytes = str_n(upload, *upload_size);
    bool ok = false;

    (void)cls, (void)mhd, (void)url;
    if (!x)
        return MHD_NO;
    if (x->state == EXCHANGE_HANDLING && conn_awaits(x->conn))
        return MHD_YES;
    x->request.listener->moved = true;
    if (x->state == EXCHANGE_HEAD) {
        ok = exchange_head(x, method, version);
    } else if (x->state == EXCHANGE_BODY && bytes.n) {
        *upload_size = 0;
        ok = exchange_body(x, bytes);
    } else if (x->state == EXCHANGE_BODY) {
        ok = exchange_dispatch(x);
    }
    return ok ? MHD_YES : MHD_NO; /* a request resumed without an answer: its client is gone */
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **context,
                         enum MHD_RequestTerminationCode how)
{
    struct listener *l = cls;
    struct exchange *x = *context;
    struct http_conn *c = conn_of(mhd);

    (void)how;
    *context = NULL;
    if (x)
        exchange_detach(x);
    l->moved = true;
    l->look_again = true;
    if (!c)
        return;
    conn_reckon(c);
    conn_enter(c, CONN_IDLE);
    if (l->draining)
        conn_cut(c);
}

static int64_t sweep_ms(const struct listener_config *c)
{
    int requests_ms = MIN(c->head_timeout_ms, c->body_timeout_ms);
    int answers_ms = MIN(c->idle_timeout_ms, c->write_timeout_ms);
    int least_ms = MIN(requests_ms, answers_ms) / 4;

    return least_ms < SWEEP_MIN_MS ? SWEEP_MIN_MS : MIN(least_ms, (int)SWEEP_MAX_MS);
}

static void sweep_at(struct listener *l, int64_t at_ms)
{
    if (loop_timer_set(l->config.loop, &l->sweep, at_ms) < 0)
        log_error("deadlines_lost", "port=%u", l->port);
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    const union MHD_ConnectionInfo *fd, *peer;
    struct listener *l = cls;

    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*context)
            conn_closed(*context);
        *context = NULL;
        return;
    }
    l->moved = true;
    fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (conn_turned_away(l, fd->connect_fd))
        return;
    if (!l->connections) /* the sweep rests */
        sweep_at(l, loop_now_ms(l->config.loop) + sweep_ms(&l->config));
    peer = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    *context = conn_new(l, mhd, fd->connect_fd, peer->client_addr);
}

/* The raw target is split and decoded by us. */
static size_t leave_escaped(void *cls, struct MHD_Connection *mhd, char *s)
{
    (void)cls, (void)mhd;
    return strlen(s);
}

static _printf_(2, 0) void on_log(void *cls, const char *fmt, va_list args)
{
    char text[200];

    (void)cls;
    if (!log_enabled(LOG_DEBUG))
        return;
    (void)vsnprintf(text, sizeof(text), fmt, args);
    log_debug("libmicrohttpd", "text=%s", log_str(str_trim(str_c(text))));
}

/* libmicrohttpd says that it has something to do as long as an answer is awaited. That is all when no other
 * connection has a request on it. */
static bool only_awaits(const struct listener *l)
{
    return !list_empty(&l->awake) && !l->unsettled;
}

static bool has_work(struct listener *l)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms;

    if (l->runnable)
        return true;
    return !only_awaits(l) && MHD_get_timeout(l->daemon, &timeout_ms) == MHD_YES && timeout_ms == 0;
}

static void run_daemon(struct listener *l)
{
    certificate_show(l->certificate);
    for (int i = 0; i < ROUNDS_PER_TURN && has_work(l); i++) {
        bool heard = l->heard;

        if (i >= ROUNDS_UNSURE && l->unsettled)
            conn_suspend_awake(l);
        l->runnable = l->heard = l->moved = l->look_again = false;
        intake_run(l);
        (void)MHD_run(l->daemon);
        intake_run(NULL);
        if (heard && !l->moved) /* it may hold more of a long request line */
            conn_suspend_awake(l);
        conn_run_waking(l, false);
    }
}

/* A request has ended: has libmicrohttpd read all that its client sent behind it? */
static bool must_look(const struct listener *l)
{
    return l->look_again && !list_empty(&l->awake);
}

static void turn(struct loop_hook *h, int *timeout_ms)
{
    struct listener *l = container_of(h, struct listener, hook);

    l->runnable = l->runnable || must_look(l);
    conn_run_waking(l, false);
    if (has_work(l))
        run_daemon(l);
    exchange_run_drained(l);
    if (backlog_run(l) || has_work(l) || must_look(l) || !list_empty(&l->waking))
        *timeout_ms = 0;
}

static void daemon_ready(struct loop_fd *w, uint32_t events)
{
    struct listener *l = container_of(w, struct listener, ready);

    (void)events;
    l->runnable = l->heard = true;
}

static void log_refusals(struct listener *l, int64_t now_ms)
{
    uint64_t n = l->refused_by_gate - l->refused_logged;

    if (!n || now_ms - l->refused_logged_ms < REFUSALS_LOGGED_EVERY_MS)
        return;
    log_warn("refused_by_gate", "requests=%llu", (unsigned long long)n);
    l->refused_logged = l->refused_by_gate;
    l->refused_logged_ms = now_ms;
}

/* The next few connections, which go to the end of the list. False: this round has not seen all yet. */
static bool check_some(struct listener *l, int64_t now_ms)
{
    int cuts = 0;

    for (int i = 0; l->unchecked && i < CHECKS_AT_ONCE && cuts < CUTS_AT_ONCE; i++) {
        struct http_conn *c;

        if (list_empty(&l->conns)) { /* they have closed since the round began */
            l->unchecked = 0;
            break;
        }
        c = container_of(l->conns.next, struct http_conn, link);
        list_del(&c->link);
        list_add_tail(&l->conns, &c->link);
        l->unchecked--;
        cuts += conn_check(c, now_ms);
    }
    return !l->unchecked;
}

static void sweep(struct loop_timer *t)
{
    struct listener *l = container_of(t, struct listener, sweep);
    int64_t now_ms = loop_now_ms(l->config.loop), next_ms = now_ms + CHECKS_EVERY_MS;

    if (!l->unchecked)
        l->unchecked = l->connections;
    if (check_some(l, now_ms)) {
        lingers_check(&l->lingers, now_ms);
        next_ms += l->connections || l->lingers.n ? sweep_ms(&l->config) : SWEEP_REST_MS;
        reserve_keep();
        l->turned_away += spare_turn_away(&l->spare, l->listen_fd);
        log_refusals(l, now_ms);
    }
    sweep_at(l, next_ms);
}

static int start_daemon(struct listener *l)
{
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_LISTEN_SOCKET, l->listen_fd, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, INT_MAX, NULL}, /* it could not change: ours holds, see conn.h */
        {MHD_OPTION_CONNECTION_TIMEOUT, 0, NULL}, /* deadlines are ours */
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, BOUND_HEAD_BYTES, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_INCREMENT, READ_MORE_BYTES, NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_escaped, NULL},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_target, NULL},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, l},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, l},
        {l->certificate ? MHD_OPTION_HTTPS_CERT_CALLBACK : MHD_OPTION_END, 0,
         certificate_callback()},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)CERTIFICATE_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };

    if (l->certificate)
        flags |= MHD_USE_TLS;
    l->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, l, MHD_OPTION_EXTERNAL_LOGGER,
                                 on_log, l, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    if (l->daemon)
        return LISTENER_OK;
    return l->certificate ? LISTENER_E_TLS : err_origin(-EIO);
}

static int attach(struct listener *l)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    struct loop *loop = l->config.loop;
    int r;

    l->ready = (struct loop_fd){.fd = info->epoll_fd, .events = EPOLLIN, .ready = daemon_ready};
    r = loop_fd_add(loop, &l->ready);
    if (r < 0)
        return err_trace(r);
    l->sweep.fired = sweep;
    r = loop_timer_set(loop, &l->sweep, loop_now_ms(loop) + sweep_ms(&l->config));
    if (r < 0)
        return err_trace(r);
    l->hook.turn = turn;
    loop_hook_add(loop, &l->hook);
    return 0;
}

static int open_port(struct listener *l)
{
    int r = certificate_read(&l->config, &l->certificate);

    if (!r)
        r = port_open(l->config.address, l->config.port, &l->listen_fd, &l->port);
    if (!r)
        r = start_daemon(l);
    return r;
}

int listener_new(const struct listener_config *config, struct listener **ret)
{
    struct listener *l = calloc(1, sizeof(*l));
    int r;

    if (!l)
        return err_origin(-ENOMEM);
    l->config = *config;
    l->listen_fd = -1;
    list_init(&l->conns);
    list_init(&l->exchanges);
    list_init(&l->drained);
    list_init(&l->waking);
    list_init(&l->awake);
    backlog_init(l);
    lingers_init(&l->lingers);
    spare_init(&l->spare);
    l->addresses = map_new(0, free);
    r = l->addresses ? open_port(l) : err_origin(-ENOMEM);
    if (!r)
        r = attach(l);
    if (r) {
        listener_free(l);
        return r < 0 ? err_trace(r) : r;
    }
    *ret = l;
    return LISTENER_OK;
}

void *listener_ctx(const struct listener *l)
{
    return l->config.ctx;
}

uint16_t listener_port(const struct listener *l)
{
    return l->port;
}

size_t listener_active(const struct listener *l)
{
    return l->active;
}

void listener_read_stats(const struct listener *l, struct listener_stats *ret)
{
    *ret = (struct listener_stats){
        .requests = l->requests,
        .refused_by_gate = l->refused_by_gate,
        .refused_by_limits = l->refused_by_limits,
        .refused_by_memory = l->refused_by_memory,
        .shed = l->shed,
        .turned_away = l->turned_away,
        .timeouts = l->timeouts,
        .gone = l->gone,
        .connections = l->connections,
    };
}

struct change {
    struct loop_msg msg;
    struct listener *listener;
    struct listener_config to;
    struct certificate *certificate; /* NULL: as it is */
};

static void change(struct loop_msg *m)
{
    struct change *c = container_of(m, struct change, msg);
    struct listener_config *config = &c->listener->config;

    config->max_connections = c->to.max_connections;
    config->max_per_address = c->to.max_per_address;
    config->head_timeout_ms = c->to.head_timeout_ms;
    config->body_timeout_ms = c->to.body_timeout_ms;
    config->idle_timeout_ms = c->to.idle_timeout_ms;
    config->write_timeout_ms = c->to.write_timeout_ms;
    config->shed_after_ms = c->to.shed_after_ms;
    config->refuse_chunked = c->to.refuse_chunked;
    certificate_replace(&c->listener->certificate, c->certificate);
    free(c);
}

int listener_change(struct listener *l, const struct listener_config *to)
{
    struct change *c = calloc(1, sizeof(*c));
    int r;

    if (!c)
        return err_origin(-ENOMEM);
    *c = (struct change){.msg.fn = change, .listener = l, .to = *to};
    r = certificate_read(to, &c->certificate);
    loop_post(l->config.loop, &c->msg);
    return r < 0 ? err_trace(r) : r;
}

void listener_drain(struct listener *l)
{
    if (l->draining)
        return;
    l->draining = true;
    (void)MHD_quiesce_daemon(l->daemon);
    (void)close(l->listen_fd);
    l->listen_fd = -1;
    list_for_each (&l->conns, it) {
        struct http_conn *c = container_of(it, struct http_conn, link);

        if (!c->exchange)
            conn_cut(c);
    }
}

/* libmicrohttpd must not be stopped with suspended connections. */
static void cut_all(struct listener *l)
{
    list_for_each (&l->conns, it) {
        struct http_conn *c = container_of(it, struct http_conn, link);

        if (c->exchange)
            exchange_gone(c->exchange);
        conn_cut(c);
    }
    conn_run_waking(l, true);
    run_daemon(l);
    exchange_run_drained(l);
}

void listener_free(struct listener *l)
{
    if (!l)
        return;
    loop_hook_del(&l->hook);
    loop_timer_clear(&l->sweep);
    loop_fd_del(&l->ready);
    if (l->daemon) {
        listener_drain(l);
        cut_all(l);
        MHD_stop_daemon(l->daemon);
        certificate_show(NULL);
    } else if (l->listen_fd >= 0) {
        (void)close(l->listen_fd);
    }
    lingers_done(&l->lingers);
    spare_done(&l->spare);
    list_for_each (&l->exchanges, it) {
        struct exchange *x = container_of(it, struct exchange, link);

        list_del(&x->link);
        x->request.listener = NULL;
    }
    certificate_free(l->certificate);
    map_free(l->addresses);
    free(l->intakes.v);
    free(l);
}
