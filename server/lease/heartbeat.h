/* heartbeat.h: the node's session: opened, kept alive, replaced when the others have given it up.
 *
 * It is used until NODE_GRACE_MS after the last acknowledged heartbeat was sent, by this node's own
 * monotonic clock; the others take it apart NODE_REAP_MS after they saw it last.
 *
 * The heartbeat also says whether the database is away: it writes, as a grant does, so a database that
 * cannot be written is away too, and what fails for a reason of its own is not taken for an outage.
 * The node's thread; the atomics any. For this room only. */
#pragma once

#include <stdatomic.h>

#include "lease/port.h"

#define NODE_AWAY_MS INT64_C(10000)

struct heartbeat {
    const struct ledger_port *port;
    atomic_llong session;  /* 0: none */
    atomic_llong acked_ms; /* when the last acknowledged heartbeat, or the opening, was sent */
    atomic_llong fenced;   /* a session that is known to be dead */
    atomic_uint nodes;
    atomic_bool counted;  /* nodes was told to this session */
    atomic_bool failed;   /* the last one */
    atomic_ullong fences;
    struct session_call call;
    bool out; /* the call is */
    int64_t sent_ms, due_ms;
};

void heartbeat_init(struct heartbeat *h, const struct ledger_port *port);
/* Opens, beats or replaces, whatever is due. */
void heartbeat_tick(struct heartbeat *h, int64_t now_ms);
bool heartbeat_admits(const struct heartbeat *h, int64_t now_ms);
/* The last one failed, or none that was sent in the last NODE_AWAY_MS has been answered: one is out and
 * the next is due, or the node's thread waits for something else that the database does not answer.
 * Any thread. */
bool heartbeat_away(const struct heartbeat *h, int64_t now_ms);
