/* metrics_money.c: see metrics_money.h. */
#include "gateway/metrics_money.h"

#include "ledger/journal.h"
#include "lease/node.h"

static void put(struct buf *out, const char *name, const char *kind, const char *help, uint64_t n)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", name, help, name, kind, name,
               (unsigned long long)n);
}

static void put_ms(struct buf *out, const char *name, const char *help, int64_t ms)
{
    uint64_t v = ms > 0 ? (uint64_t)ms : 0;

    buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %llu.%03llu\n", name, help, name, name,
               (unsigned long long)(v / 1000), (unsigned long long)(v % 1000));
}

static void print_node(struct node *node, struct buf *out)
{
    struct node_view v = {0};

    node_read(node, &v);
    put(out, "tollgate_nodes_live", "gauge", "Replicas that live, this one included.", v.nodes);
    put(out, "tollgate_session_admits", "gauge",
        "1: the heartbeat was acknowledged lately, so that calls are admitted.", node_admits(node));
    put_ms(out, "tollgate_heartbeat_age_seconds", "Since the last heartbeat that was acknowledged.",
           v.heartbeat_age_ms);
    put(out, "tollgate_database_away", "gauge",
        "1: the heartbeat is not answered; calls go on by what is leased.", v.away);
    put(out, "tollgate_rate_shares_total", "counter",
        "Shares of a minute's limit that this node gave itself with the database away.", v.shares);
    put(out, "tollgate_purses_held", "gauge", "Purses that this node keeps a cell of.", v.cells);
    put(out, "tollgate_lease_grants_total", "counter", "Leases asked for and got.", v.grants);
    put(out, "tollgate_lease_refusals_total", "counter", "Leases refused: the purse was short.",
        v.refusals);
    put(out, "tollgate_lease_returns_total", "counter", "Slack given back.", v.returns);
    put(out, "tollgate_nodes_reaped_total", "counter", "Dead nodes that this one took apart.",
        v.reaped_others);
    put(out, "tollgate_session_fenced_total", "counter",
        "How often this node lost its own session.", v.fenced);
}

static void print_journal(struct journal *journal, struct buf *out)
{
    struct journal_view v = {0};

    journal_read(journal, &v);
    put(out, "tollgate_journal_begun_total", "counter", "Calls written down before they were sent.",
        v.begun);
    put(out, "tollgate_journal_ended_total", "counter", "Calls written down as ended.", v.ended);
    put(out, "tollgate_journal_refuses", "gauge",
        "1: the disk takes no records, so that no calls are admitted.", v.failure != 0);
    put(out, "tollgate_settled_total", "counter", "Calls settled in the database.", v.settled);
    put(out, "tollgate_settle_batches_total", "counter", "Batches that settled them.", v.batches);
    put(out, "tollgate_settle_failures_total", "counter",
        "Batches that were not acknowledged and are sent again.", v.failed_batches);
    put(out, "tollgate_settle_refused_total", "counter",
        "Calls that the database will never take; they are kept in a file.", v.refused);
    put(out, "tollgate_settle_waiting", "gauge", "Calls that ended and are not settled yet.",
        v.waiting);
    put_ms(out, "tollgate_settle_lag_seconds", "How long the oldest of them waits.",
           v.waiting ? v.oldest_waiting_ms : 0);
    put(out, "tollgate_journal_replayed_total", "counter", "Calls found in the journal at the start.",
        v.replayed);
}

void metrics_print_money(const struct gateways *all, struct buf *out)
{
    if (all->services->node)
        print_node(all->services->node, out);
    if (all->services->journal)
        print_journal(all->services->journal, out);
    put_ms(out, "tollgate_oldest_call_seconds", "Age of the oldest call under way, to the second.",
           gateways_oldest_ms(all));
}
