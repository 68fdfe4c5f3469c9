/* till.c: see till.h. */
#include "lease/till.h"

#include <errno.h>
#include <sched.h>

#include "base/err.h"
#include "lease/cell.h"
#include "lease/giveback.h"
#include "lease/inside.h"
#include "lease/lease.h"

#define TILL_CLOSED (1u << 30)
/* Asks served in a row before other teams get a turn of the thread. */
#define TILL_ROW 8

struct till *till_new(struct node *n, struct team_id team)
{
    struct till *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->lease = lease_new(t);
    if (!t->lease) {
        free(t);
        return NULL;
    }
    atomic_store(&t->refs, 1);
    t->node = n;
    t->team = team;
    t->end = &t->first;
    pthread_mutex_init(&t->lock, NULL);
    return t;
}

struct till *till_ref(struct till *t)
{
    atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void till_unref(struct till *t)
{
    if (!t || atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1)
        return;
    pthread_mutex_destroy(&t->lock);
    free(t->lease);
    free(t);
}

void till_add(struct till *t, struct cell *c)
{
    pthread_mutex_lock(&t->lock);
    c->next = t->cells;
    t->cells = c;
    pthread_mutex_unlock(&t->lock);
}

bool till_let_go(struct till *t, struct cell *c)
{
    struct cell **at = &t->cells;
    bool lonely;

    pthread_mutex_lock(&t->lock);
    lonely = atomic_load(&c->refs) == 1 && !giveback_pending(c) && !atomic_load(&c->in_doubt);
    if (lonely) {
        while (*at != c)
            at = &(*at)->next;
        *at = c->next;
    }
    pthread_mutex_unlock(&t->lock);
    return lonely;
}

/* --- inside --- */

static bool try_enter(struct till *t)
{
    if (!(atomic_fetch_add_explicit(&t->inside, 1, memory_order_acq_rel) & TILL_CLOSED))
        return true;
    till_leave(t);
    return false;
}

void till_enter(struct till *t)
{
    while (!try_enter(t))
        sched_yield();
}

void till_leave(struct till *t)
{
    atomic_fetch_sub_explicit(&t->inside, 1, memory_order_acq_rel);
}

void till_close(struct till *t)
{
    while (atomic_fetch_or_explicit(&t->inside, TILL_CLOSED, memory_order_acq_rel) & TILL_CLOSED)
        sched_yield();
    while (atomic_load_explicit(&t->inside, memory_order_acquire) != TILL_CLOSED)
        sched_yield();
}

void till_open(struct till *t)
{
    atomic_fetch_and_explicit(&t->inside, ~TILL_CLOSED, memory_order_acq_rel);
}

/* --- the queue --- */

/* Under the lock: makes sure that somebody will run it. */
static bool wake(struct till *t)
{
    const struct ledger_port *port = node_port(t->node);

    if (t->running)
        return true;
    t->running = true;
    till_ref(t); /* whoever runs it has one */
    if (port->soon(port->ctx, t) == 0)
        return true;
    t->running = false;
    atomic_fetch_sub(&t->refs, 1); /* never the last: the caller has one */
    return false;
}

bool till_ask(struct till *t, struct hold_ask *ask)
{
    bool ok;

    pthread_mutex_lock(&t->lock);
    ok = wake(t);
    if (ok) {
        ask->next_ = NULL;
        *t->end = ask;
        t->end = &ask->next_;
    }
    pthread_mutex_unlock(&t->lock);
    return ok;
}

void till_want_back(struct till *t)
{
    atomic_store(&t->back, true);
    pthread_mutex_lock(&t->lock);
    (void)wake(t); /* else the node's next look brings it up again */
    pthread_mutex_unlock(&t->lock);
}

void till_fill(struct till *t)
{
    if (node_now_ms(t->node) < atomic_load_explicit(&t->fill_due_ms, memory_order_relaxed) ||
        atomic_exchange(&t->fill, true))
        return;
    pthread_mutex_lock(&t->lock);
    if (!wake(t))
        atomic_store(&t->fill, false); /* the next call sees it too */
    pthread_mutex_unlock(&t->lock);
}

bool till_running(struct till *t)
{
    bool running;

    pthread_mutex_lock(&t->lock);
    running = t->running;
    pthread_mutex_unlock(&t->lock);
    return running;
}

enum step { STEP_ASK, STEP_BACK, STEP_FILL, STEP_STOP };

/* What is to be done next. With STEP_STOP the till is somebody else's from that moment on. */
static enum step next_step(struct till *t, struct hold_ask **ret_ask)
{
    enum step step = STEP_STOP;

    pthread_mutex_lock(&t->lock);
    if (atomic_exchange(&t->back, false)) {
        step = STEP_BACK;
    } else if (t->first) {
        step = STEP_ASK;
        *ret_ask = t->first;
        t->first = t->first->next_;
        if (!t->first)
            t->end = &t->first;
    } else if (atomic_exchange(&t->fill, false)) {
        step = STEP_FILL;
    } else {
        t->within = false;
        t->running = false;
    }
    pthread_mutex_unlock(&t->lock);
    return step;
}

/* False: there is nothing to do. */
static bool begin_next(struct till *t)
{
    struct hold_ask *ask = NULL;
    enum step step = next_step(t, &ask);

    if (step == STEP_STOP)
        return false;
    t->waiting = true;
    if (step == STEP_ASK)
        lease_begin(t->lease, ask);
    else if (step == STEP_FILL)
        lease_fill(t->lease);
    else if (!lease_ask_after(t->lease))
        giveback_begin(t);
    return true;
}

void till_run(struct till *t, void *hand)
{
    const struct ledger_port *port = node_port(t->node);

    t->hand = hand;
    t->within = true;
    for (unsigned served = 1; begin_next(t); served++) {
        if (t->waiting) {
            t->within = false;
            return; /* till_next() goes on */
        }
        if (served % TILL_ROW == 0 && port->soon(port->ctx, t) == 0)
            return;
    }
    till_unref(t);
}

void till_next(struct till *t)
{
    t->waiting = false;
    if (!t->within)
        till_run(t, t->hand);
}
