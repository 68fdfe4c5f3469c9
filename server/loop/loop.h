/* loop.h: one thread's event loop: descriptors, timers, and messages from other threads.
 *
 * Each loop thread owns one. Everything but loop_post() and loop_stop() belongs to that thread; a
 * call from another thread asserts. While it does not run (setting up, tearing down) it belongs to
 * whoever holds it. Level-triggered epoll. Objects are freed at the end of the turn with
 * loop_free_later(), never inside their own callback.
 *
 * One turn: descriptors and messages, timers that are due, hooks, frees, sleep. */
#pragma once

#include "base/base.h"
#include "base/list.h"

struct loop;

/* NULL when descriptors or memory are out. */
struct loop *loop_new(const char *name) _must_use_;
/* Runs the messages and frees that wait, so that no sender's struct is lost; nothing may be posted
 * any more. NULL is fine. */
void loop_free(struct loop *l);
/* Binds the loop to the calling thread and runs until loop_stop(). */
int loop_run(struct loop *l) _must_use_;
void loop_stop(struct loop *l); /* any thread, also a signal handler; ends after the current turn */
bool loop_is_mine(const struct loop *l); /* true also while it does not run */
/* Is more ready than one turn takes? */
bool loop_has_more(const struct loop *l);
/* Monotonic milliseconds, read once per turn. */
int64_t loop_now_ms(const struct loop *l);

/* Embedded in the watcher's own struct; zeroed before first use. */
struct loop_fd {
    int fd;
    uint32_t events; /* EPOLLIN, EPOLLOUT, EPOLLRDHUP, ... */
    void (*ready)(struct loop_fd *, uint32_t events);
    struct loop *loop; /* NULL when not added */
};
int loop_fd_add(struct loop *l, struct loop_fd *w) _must_use_;
int loop_fd_mod(struct loop_fd *w, uint32_t events) _must_use_;
void loop_fd_del(struct loop_fd *w); /* safe twice; pending events of this turn are dropped */

struct loop_timer {
    void (*fired)(struct loop_timer *);
    int64_t at_ms;
    struct loop *loop; /* NULL when not armed */
    size_t heap_index;
    uint64_t turn; /* that it was armed in, as timers.h counts them */
};
int loop_timer_set(struct loop *l, struct loop_timer *t, int64_t at_ms) _must_use_; /* re-arms */
void loop_timer_clear(struct loop_timer *t);                                        /* safe twice */

/* Called at each turn after descriptors and timers, before sleeping: e.g. MHD_run. The hook may
 * lower *timeout_ms (-1: no bound yet; 0: do not sleep). Owned by the caller. A hook may remove
 * any hook. */
struct loop_hook {
    struct list link;
    void (*turn)(struct loop_hook *, int *timeout_ms);
    struct loop *loop; /* NULL when not added */
};
void loop_hook_add(struct loop *l, struct loop_hook *h);
void loop_hook_del(struct loop_hook *h); /* safe twice */

/* A message to the loop's thread, from any thread. The struct is the sender's until fn has run. */
struct loop_msg {
    struct loop_msg *next;
    void (*fn)(struct loop_msg *);
};
void loop_post(struct loop *l, struct loop_msg *m);

/* fn(p) at the end of this turn, in the order of the calls. */
void loop_free_later(struct loop *l, void (*fn)(void *), void *p);
