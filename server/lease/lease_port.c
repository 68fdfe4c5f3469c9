/* lease_port.c: the server's port over PostgreSQL, and the node's thread. Every call is a blocking
 * statement on the connection of the thread that it is made on (a worker of the money lane, or the
 * node's own), and its `done` is called from within. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "lease/inside.h"
#include "lease/lease_sql.h"
#include "lease/till.h"

/* Of the node's own statements: that a heartbeat's answer does not come is noticed in time for another
 * to be acknowledged before the grace is over. */
#define STATEMENT_MS 15000
#define LOCK_MS 5000
/* How long the end of a node waits for what its lane still does. */
#define IDLE_WAIT_MS 5000

struct lease_port {
    struct ledger_port port;
    struct node_config config;
    struct db *db; /* of the node's thread */
    struct node *node;
    pthread_t thread;
    pthread_mutex_t lane_lock;
    bool lane_ended; /* under it; the lane may be gone */
    int wake;        /* eventfd */
    atomic_bool stop;
};

static int64_t port_now_ms(void *ctx)
{
    (void)ctx;
    return clock_mono_ms();
}

static void run_till(struct job *job, void *worker)
{
    till_run(container_of(job, struct till, job), worker);
}

static int port_soon(void *ctx, struct till *till)
{
    struct lease_port *p = ctx;
    int r;

    (void)pthread_mutex_lock(&p->lane_lock);
    till->job = (struct job){.work = run_till};
    r = p->lane_ended || jobs_submit(p->config.lane, &till->job) ? 1 : 0;
    (void)pthread_mutex_unlock(&p->lane_lock);
    return r;
}

void node_lane_ends(struct node *n)
{
    struct lease_port *p;

    if (!n)
        return;
    p = node_port(n)->ctx;
    (void)pthread_mutex_lock(&p->lane_lock);
    p->lane_ended = true;
    (void)pthread_mutex_unlock(&p->lane_lock);
}

static void port_stir(void *ctx)
{
    struct lease_port *p = ctx;
    uint64_t one = 1;

    (void)!write(p->wake, &one, sizeof(one));
}

static void port_grant(void *ctx, void *hand, struct grant_call *call)
{
    (void)ctx;
    call->done(call, hand ? lease_sql_grant(hand, call) : PORT_E_AWAY);
}

static void port_back(void *ctx, void *hand, struct back_call *call)
{
    (void)ctx;
    call->done(call, hand ? lease_sql_back(hand, call) : PORT_E_AWAY);
}

static bool connected(struct lease_port *p)
{
    if (p->db)
        return true;
    if (db_open(p->config.conninfo, "tollgate node", &p->db))
        return false;
    if (db_limit(p->db, STATEMENT_MS, LOCK_MS)) {
        db_close(p->db);
        p->db = NULL;
    }
    return p->db;
}

static void port_open(void *ctx, struct session_call *call)
{
    struct lease_port *p = ctx;

    call->done(call, connected(p) ? lease_sql_open(p->db, p->config.name, p->config.version, call)
                                  : PORT_E_AWAY);
}

static void port_heartbeat(void *ctx, struct session_call *call)
{
    struct lease_port *p = ctx;

    call->done(call, connected(p) ? lease_sql_heartbeat(p->db, call) : PORT_E_AWAY);
}

static void port_close(void *ctx, struct session_call *call)
{
    struct lease_port *p = ctx;

    call->done(call, connected(p) ? lease_sql_close(p->db, call) : PORT_E_AWAY);
}

static void port_look(void *ctx, struct look_call *call)
{
    struct lease_port *p = ctx;

    call->done(call, connected(p) ? lease_sql_look(p->db, call) : PORT_E_AWAY);
}

static void port_reap(void *ctx, struct reap_call *call)
{
    struct lease_port *p = ctx;

    call->done(call, connected(p) ? lease_sql_reap(p->db, call) : PORT_E_AWAY);
}

static void *run(void *arg)
{
    struct lease_port *p = arg;

    while (!atomic_load(&p->stop)) {
        struct pollfd wake = {.fd = p->wake, .events = POLLIN};
        uint64_t count;

        if (poll(&wake, 1, node_tick(p->node)) > 0)
            (void)!read(p->wake, &count, sizeof(count));
    }
    return NULL;
}

static void port_free(struct lease_port *p)
{
    if (p->node)
        node_core_free(p->node);
    db_close(p->db);
    if (p->wake >= 0)
        close(p->wake);
    (void)pthread_mutex_destroy(&p->lane_lock);
    free(p);
}

int node_new(const struct node_config *config, struct db *db, struct node **ret)
{
    struct lease_port *p = calloc(1, sizeof(*p));
    int r;

    (void)db;
    if (!p)
        return err_origin(-ENOMEM);
    (void)pthread_mutex_init(&p->lane_lock, NULL);
    p->config = *config;
    p->port = (struct ledger_port){.ctx = p,
                                   .now_ms = port_now_ms,
                                   .soon = port_soon,
                                   .grant = port_grant,
                                   .back = port_back,
                                   .stir = port_stir,
                                   .open = port_open,
                                   .heartbeat = port_heartbeat,
                                   .close = port_close,
                                   .look = port_look,
                                   .reap = port_reap};
    p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    p->node = node_core_new(&p->port);
    r = p->node && p->wake >= 0 ? 0 : err_origin(-ENOMEM);
    if (!r)
        (void)node_tick(p->node);
    if (!r && !node_session(p->node))
        r = err_origin(-ENOTCONN);
    if (!r)
        r = -pthread_create(&p->thread, NULL, run, p);
    if (r) {
        port_free(p);
        return r;
    }
    (void)pthread_setname_np(p->thread, "node");
    *ret = p->node;
    return 0;
}

static void closed(struct session_call *call, int outcome)
{
    if (outcome != PORT_OK)
        log_warn("session_not_closed", "session=%lld", (long long)call->session);
}

void node_free(struct node *n)
{
    struct lease_port *p;
    struct session_call call = {.done = closed};

    if (!n)
        return;
    p = node_port(n)->ctx;
    atomic_store(&p->stop, true);
    port_stir(p);
    (void)pthread_join(p->thread, NULL);
    for (int64_t until_ms = clock_mono_ms() + IDLE_WAIT_MS;
         !node_idle(n) && clock_mono_ms() < until_ms;)
        nanosleep(&(struct timespec){0, 1000000L}, NULL);
    node_lane_ends(n); /* whoever has handed the last till on is out of port_soon() then */
    call.session = node_session(n);
    if (call.session && !node_left_open(n))
        port_close(p, &call);
    port_free(p);
}
