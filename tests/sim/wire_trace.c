/* wire_trace.c: what --trace says of messages. */
#include "wire_inside.h"
#include "world.h"

static const char *const names[WIRE_KINDS] = {"grant", "back", "open", "heartbeat",
                                              "close", "look", "reap", "settle"};

static void trace_lines(const struct world *w, const struct wire_message *m)
{
    for (size_t i = 0; m->kind == WIRE_GRANT && i < m->grant.n; i++) {
        const struct grant_line *l = &m->grant.line[i];

        world_trace(w, "    purse %lld need %lld want %lld seen %lld: granted %lld missed %lld%s%s",
                    (long long)l->cell->purse.v, (long long)l->need, (long long)l->want,
                    (long long)l->cell->seen_no, (long long)l->granted, (long long)l->missed,
                    l->shorted ? " short" : "", l->elsewhere ? " elsewhere" : "");
    }
    for (size_t i = 0; m->kind == WIRE_BACK && i < m->back.n; i++)
        world_trace(w, "    purse %lld no %lld: %lld", (long long)m->back.line[i].cell->purse.v,
                    (long long)m->back.line[i].no, (long long)m->back.line[i].amount);
    for (size_t i = 0; m->kind == WIRE_SETTLE && i < m->settle.n; i++) {
        const struct settle_entry *e = m->settle.entry[i];

        world_trace(w, "    call %zu charge %lld", books_call_number(e->call->call_id),
                    (long long)e->call->charge_nano.nano);
        for (size_t k = 0; k < e->n_draws; k++)
            world_trace(w, "      purse %lld taken %lld used %lld",
                        (long long)e->draws[k].purse.v, (long long)e->draws[k].taken,
                        (long long)e->draws[k].used);
    }
}

void wire_trace_done(const struct world *w, const struct wire_message *m)
{
    int64_t session = m->kind == WIRE_GRANT    ? m->grant.session
                      : m->kind == WIRE_BACK   ? m->back.session
                      : m->kind == WIRE_LOOK   ? m->look.session
                      : m->kind == WIRE_REAP   ? m->reap.session
                      : m->kind == WIRE_SETTLE ? m->settle.session
                                               : m->session.session;

    if (m->kind == WIRE_HEARTBEAT || (m->kind == WIRE_LOOK && !m->look.n_recalls))
        return;
    world_trace(w, "  %s of node %u, session %lld: %d%s", names[m->kind], m->from->index,
                (long long)session, m->outcome, m->silent ? " (nobody waits)" : "");
    trace_lines(w, m);
}

void wire_trace_told(const struct world *w, const struct wire_message *m)
{
    if (m->outcome != PORT_OK || (m->kind != WIRE_HEARTBEAT && m->kind != WIRE_LOOK))
        world_trace(w, "  %s of node %u answered: %d", names[m->kind], m->from->index, m->outcome);
}
