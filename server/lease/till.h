/* till.h: all that a node has of one team, and the order in which it speaks to the database about
 * it.
 *
 * Calls take from the team's cells from inside the till: any number of threads at once, without a
 * lock, each all or none. Whoever decides that something is short closes it for the moment of
 * looking, so that what another call took in vain and is about to put back refuses nobody. Who comes
 * meanwhile waits for that moment rather than in the queue, where a database that says nothing would hold
 * up calls that the node has enough for. Asks
 * (hold.h) and the giving back of slack stand in one queue, served one after another: two asks
 * never hold a part each of what would be enough for one, and no ask is refused because of slack
 * that was just on its way back. For this room only. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "lease/port.h"
#include "loop/jobs.h"

struct node;
struct hold_ask;
struct lease;

struct till {
    struct job job; /* the server's port queues it by this */
    atomic_uint refs;
    struct node *node;
    struct team_id team;
    atomic_uint inside;   /* how many take; TILL_CLOSED */
    pthread_mutex_t lock; /* of the four below */
    struct hold_ask *first, **end;
    bool running;
    struct cell *cells;
    atomic_bool back;         /* cells have slack that is wanted back */
    atomic_bool fill;         /* cells have little left */
    atomic_llong fill_due_ms; /* not before: the last time was in vain */
    /* Below: of whoever runs the till. */
    void *hand;
    bool waiting, within; /* a port call is out; till_run() is on the stack */
    struct lease *lease;
    struct back_call backs;
};

struct till *till_new(struct node *n, struct team_id team) _must_use_;
struct till *till_ref(struct till *t);
void till_unref(struct till *t);
/* The cell is the till's from now on. */
void till_add(struct till *t, struct cell *c);
/* Takes the cell out again, unless somebody besides the node's map knows it, or it is not known what
 * of it arrived. The node's thread, under the node's lock. */
bool till_let_go(struct till *t, struct cell *c);

void till_enter(struct till *t); /* where it is closed, once it is open: a microsecond later */
void till_leave(struct till *t);
/* Alone inside, for microseconds: whoever else wants to be waits. Any thread that is not inside. */
void till_close(struct till *t);
void till_open(struct till *t);

/* Puts an ask at the end of the queue. False: there is too much to do. Any thread. */
bool till_ask(struct till *t, struct hold_ask *ask) _must_use_;
/* The slack of cells that are marked `wanted` shall go back. Any thread. */
void till_want_back(struct till *t);
/* A call has left little in a cell. Any thread, outside. */
void till_fill(struct till *t);
bool till_running(struct till *t);
/* Serves the queue; the port calls it after soon(). */
void till_run(struct till *t, void *hand);
/* What till_run began is over; it goes on. From within till_run, or later on the same thread. */
void till_next(struct till *t);
