/* process.h: one replica: the real node, journal and settle, on a disk and a clock of its own.
 *
 * Its code is entered by process_enter() only. There it may be paused or killed at any place where it
 * asks the port for something: then it runs on a stack of its own, and process_enter() returns while
 * it stands still, or never goes on. */
#pragma once

#include <ucontext.h>

#include "books.h"
#include "disk.h"
#include "ledger/journal_core.h"
#include "lease/inside.h"

struct world;
struct event;
struct sim_call;

enum process_state {
    PROCESS_DOWN,
    PROCESS_UP,
    PROCESS_DRAINING, /* SIGTERM: no new calls; ends when the last is settled */
};

struct process {
    struct world *world;
    unsigned index;
    enum process_state state;
    uint32_t life; /* counts deaths: what was meant for an earlier one is void */
    bool gone;     /* does not come back */
    int64_t paused_until_us, paused_us; /* paused_us: when it last was */
    int64_t booted_us;
    int64_t mono_ms; /* its clock at virtual time 0 of this boot */
    int64_t wall_ahead_us;

    struct ledger_port port;
    struct node *node;
    struct journal *journal;
    struct settle settle;
    struct disk disk;
    int64_t disk_full_until_us;

    /* By what it heard: the last acknowledged heartbeat or opening, when it was sent. */
    int64_t acked_us, acked_session;
    unsigned nodes, nodes_before; /* that live, as the last two heartbeats told; 0: none told yet */
    int64_t entered_us; /* when its code was entered last */
    int64_t fast_until_us; /* until then it ticks every 50 ms, as the server does */
    uintptr_t tick_no;     /* which of the queued ticks counts */
    bool flush_queued;
    int64_t drain_until_us;
    struct session_call closing;
    unsigned calls; /* in flight */
    struct cell *cell[BOOK_PURSES]; /* what it knows of each purse; counted, or NULL */
    struct sim_call *writing;       /* whose record is on its way to the disk, */
    int writing_type;               /* enum entry_type, */
    int64_t writing_nano;           /* and what that charges */

    /* A step that may be interrupted. */
    struct {
        bool running;      /* on its own stack */
        bool standing;     /* paused within */
        unsigned points;   /* until it happens; 0: it does not */
        bool dies;
        ucontext_t here, main;
        void (*fn)(struct process *p, void *arg);
        void *arg;
        char *stack;
    } step;
};

void process_init(struct process *p, struct world *w, unsigned index);
void process_done(struct process *p);
/* Starts it; what its disk holds is replayed. */
void process_boot(struct process *p);
/* kill -9. */
void process_kill(struct process *p);
void process_drain(struct process *p);
/* For drain.c: it is no more: its memory, its calls and what it waited for. */
void process_end(struct process *p);
void process_pause(struct process *p, int64_t for_us);
bool process_paused(const struct process *p);
void process_wake(struct process *p);

/* Runs fn in the process: its memory, its clock. The last thing that the caller does for it. */
void process_enter(struct process *p, void (*fn)(struct process *p, void *arg), void *arg);
/* Within: here it may be paused or killed, if this step is one that is. */
void process_point(struct process *p);
/* Within a step on its own stack: here it dies. */
void process_die(struct process *p);
/* The event that lets a step go on which stood still. */
void process_resume(struct world *w, struct event *e);
int64_t process_now_ms(const struct process *p);

/* The flusher has something to do. */
void process_flush_soon(struct process *p, int64_t delay_us);
/* It ticks as often as the server does for so long. */
void process_tick_fast(struct process *p, int64_t for_us);
/* Puts base/clock into the hands of the world; NULL: back. */
void process_drive_clock(struct world *w);
