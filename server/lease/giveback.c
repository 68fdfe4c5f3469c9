/* giveback.c: see giveback.h. */
#include "lease/giveback.h"

#include "lease/cell.h"
#include "lease/inside.h"

bool giveback_pending(const struct cell *c)
{
    return atomic_load(&c->back_amount) > 0;
}

/* What lay idle may be in use again by now: were it given back all the same, a database that goes away before
 * there is a new lease would leave its calls with nothing. */
static bool still_wanted(struct cell *c)
{
    unsigned why = atomic_exchange(&c->wanted, 0);

    return why & CELL_WANTED_ELSEWHERE || (why && cell_idle(c, node_now_ms(c->till->node)));
}

/* Takes the slack out of a cell, under a new number. The till is closed. */
static bool gather(struct cell *c, uint64_t epoch)
{
    int64_t slack;

    if (giveback_pending(c) && c->back_epoch != epoch)
        atomic_store(&c->back_amount, 0); /* that session is gone, and all it had went back */
    if (giveback_pending(c))
        return true;
    if (!still_wanted(c) || atomic_load(&c->epoch) != epoch ||
        cell_window_shared(atomic_load(&c->window_us)))
        return false; /* a share is nobody's to have back */
    slack = atomic_exchange(&c->free, 0);
    if (slack <= 0)
        return false;
    c->granted -= slack;
    c->back_no = node_number(c->till->node);
    atomic_store(&c->back_amount, slack);
    c->back_window_us = atomic_load(&c->window_us);
    c->back_epoch = epoch;
    return true;
}

static void arrived(struct back_call *call, int outcome)
{
    struct till *t = container_of(call, struct till, backs);

    for (size_t i = 0; i < call->n; i++) {
        if (outcome == PORT_OK)
            atomic_store(&call->line[i].cell->back_amount, 0);
        cell_unref(call->line[i].cell);
    }
    if (outcome == PORT_OK)
        node_count_back(t->node, call->n);
    if (outcome == PORT_E_FENCED)
        node_fenced_session(t->node, call->session);
    till_next(t);
}

void giveback_begin(struct till *t)
{
    const struct ledger_port *port = node_port(t->node);
    uint64_t epoch = node_epoch(t->node);
    struct back_call *call = &t->backs;

    call->n = 0;
    call->session = node_session(t->node);
    call->done = arrived;
    till_close(t);
    pthread_mutex_lock(&t->lock);
    for (struct cell *c = t->cells; c && call->n < BACK_LINES; c = c->next)
        if (gather(c, epoch))
            call->line[call->n++] = (struct back_line){.cell = cell_ref(c),
                                                       .no = c->back_no,
                                                       .amount = atomic_load(&c->back_amount),
                                                       .window_us = c->back_window_us};
    pthread_mutex_unlock(&t->lock);
    till_open(t);
    if (call->n && call->session)
        port->back(port->ctx, t->hand, call);
    else
        arrived(call, PORT_E_AWAY);
}
