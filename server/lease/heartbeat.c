/* heartbeat.c: see heartbeat.h. The acknowledgement is written before the session is named, so that
 * nobody meets a new session with an old deadline. */
#include "lease/heartbeat.h"

#include "base/log.h"
#include "lease/node.h"

#define OPEN_AGAIN_MS 500
/* After one that failed, so that it is soon known when the database is back. */
#define BEAT_AGAIN_MS 1000

void heartbeat_init(struct heartbeat *h, const struct ledger_port *port)
{
    *h = (struct heartbeat){.port = port};
    atomic_store(&h->nodes, 1);
}

bool heartbeat_admits(const struct heartbeat *h, int64_t now_ms)
{
    return atomic_load_explicit(&h->session, memory_order_acquire) &&
           now_ms < atomic_load_explicit(&h->acked_ms, memory_order_relaxed) + NODE_GRACE_MS;
}

bool heartbeat_away(const struct heartbeat *h, int64_t now_ms)
{
    return atomic_load_explicit(&h->failed, memory_order_relaxed) ||
           now_ms - atomic_load_explicit(&h->acked_ms, memory_order_relaxed) >= NODE_AWAY_MS;
}

static void opened(struct session_call *call, int outcome)
{
    struct heartbeat *h = container_of(call, struct heartbeat, call);

    h->out = false;
    if (outcome != PORT_OK)
        return;
    atomic_store(&h->acked_ms, h->sent_ms);
    atomic_store(&h->counted, false);
    atomic_store(&h->failed, false);
    atomic_store(&h->session, call->session);
    h->due_ms = h->sent_ms; /* it tells how many nodes live */
    log_info("session_opened", "session=%lld", (long long)call->session);
}

static void beaten(struct session_call *call, int outcome)
{
    struct heartbeat *h = container_of(call, struct heartbeat, call);

    h->out = false;
    atomic_store(&h->failed, outcome == PORT_E_AWAY);
    if (outcome == PORT_OK) {
        atomic_store(&h->acked_ms, h->sent_ms);
        atomic_store(&h->nodes, call->nodes);
        atomic_store(&h->counted, true);
    }
    if (outcome == PORT_E_AWAY)
        h->due_ms = h->sent_ms + BEAT_AGAIN_MS;
    if (outcome == PORT_E_FENCED)
        atomic_store(&h->fenced, call->session);
}

static void drop_fenced(struct heartbeat *h)
{
    int64_t session = atomic_load(&h->session);

    if (!session || atomic_load(&h->fenced) != session)
        return;
    log_warn("session_fenced", "session=%lld", (long long)session);
    atomic_fetch_add(&h->fences, 1);
    atomic_store(&h->session, 0);
    h->due_ms = 0;
}

void heartbeat_tick(struct heartbeat *h, int64_t now_ms)
{
    if (h->out)
        return;
    drop_fenced(h);
    if (now_ms < h->due_ms)
        return;
    h->call.session = atomic_load(&h->session);
    h->sent_ms = now_ms;
    h->out = true;
    if (h->call.session) {
        h->due_ms = now_ms + NODE_HEARTBEAT_MS;
        h->call.done = beaten;
        h->port->heartbeat(h->port->ctx, &h->call);
    } else {
        h->due_ms = now_ms + OPEN_AGAIN_MS;
        h->call.done = opened;
        h->port->open(h->port->ctx, &h->call);
    }
}
