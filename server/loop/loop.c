/* loop.c: see loop.h.
 *
 * The inbox is a lock-free stack: senders push, the loop takes the whole of it and turns it round.
 * Only the sender that finds it empty rings the eventfd. */
#include "loop/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "loop/timers.h"

enum {
    /* Per turn; epoll is level-triggered: what is left comes at the next. Few, so that what a turn
     * has touched is still in the processor's cache when its answers go out. */
    READY_MAX = 32,
    FREES_FIRST = 64,
};

struct later {
    void (*fn)(void *);
    void *p;
};

struct loop {
    char name[16]; /* what pthread_setname_np takes */
    int epoll;
    struct loop_fd wake;
    atomic_bool stopped;
    atomic_bool running;
    pthread_t owner; /* valid while running */
    int64_t now_ms;
    _Atomic(struct loop_msg *) inbox;
    struct timers timers;
    struct list hooks;
    struct list *next_hook; /* of the round under way */
    struct later *frees;
    size_t n_frees, cap_frees;
    int n_ready, at_ready;
    bool has_more;
    struct epoll_event ready[READY_MAX];
};

bool loop_is_mine(const struct loop *l)
{
    return !atomic_load_explicit(&l->running, memory_order_acquire) ||
           pthread_equal(l->owner, pthread_self());
}

static void run_inbox(struct loop *l)
{
    struct loop_msg *taken = atomic_exchange_explicit(&l->inbox, NULL, memory_order_acquire);
    struct loop_msg *first = NULL;

    while (taken) {
        struct loop_msg *m = taken;

        taken = m->next;
        m->next = first;
        first = m;
    }
    while (first) {
        struct loop_msg *m = first;

        first = m->next;
        m->fn(m); /* m may be gone now */
    }
}

static void woken(struct loop_fd *w, uint32_t events)
{
    struct loop *l = container_of(w, struct loop, wake);
    uint64_t count;
    ssize_t n = read(w->fd, &count, sizeof(count));

    assert(n == sizeof(count) || errno == EAGAIN || errno == EINTR);
    run_inbox(l);
}

static void ring(struct loop *l)
{
    const uint64_t one = 1;
    int saved = errno; /* loop_stop() may stand in a signal handler */
    ssize_t n = write(l->wake.fd, &one, sizeof(one));

    assert(n == sizeof(one) || errno == EAGAIN);
    errno = saved;
}

struct loop *loop_new(const char *name)
{
    struct loop *l = calloc(1, sizeof(*l));

    if (!l)
        return NULL;
    memcpy(l->name, name, MIN(strlen(name), sizeof(l->name) - 1));
    list_init(&l->hooks);
    l->now_ms = clock_mono_ms();
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->wake.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->wake.events = EPOLLIN;
    l->wake.ready = woken;
    if (l->epoll < 0 || l->wake.fd < 0 || loop_fd_add(l, &l->wake) < 0) {
        (void)err_origin(errno ? -errno : -EMFILE);
        loop_free(l);
        return NULL;
    }
    return l;
}

static void run_frees(struct loop *l)
{
    for (size_t i = 0; i < l->n_frees; i++) { /* fn may add to the list */
        struct later later = l->frees[i];

        later.fn(later.p);
    }
    l->n_frees = 0;
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    assert(!atomic_load(&l->running));
    while (atomic_load(&l->inbox) || l->n_frees) {
        run_inbox(l);
        run_frees(l);
    }
    if (l->wake.fd >= 0)
        (void)close(l->wake.fd);
    if (l->epoll >= 0)
        (void)close(l->epoll);
    timers_done(&l->timers);
    free(l->frees);
    free(l);
}

static int run_descriptors(struct loop *l, int timeout_ms)
{
    l->n_ready = epoll_wait(l->epoll, l->ready, READY_MAX, timeout_ms);
    l->now_ms = clock_mono_ms();
    l->has_more = l->n_ready == READY_MAX;
    if (l->n_ready < 0) {
        l->n_ready = 0;
        return errno == EINTR ? 0 : err_origin(-errno);
    }
    for (l->at_ready = 0; l->at_ready < l->n_ready; l->at_ready++) {
        struct loop_fd *w = l->ready[l->at_ready].data.ptr;

        if (w) /* else removed earlier in this turn */
            w->ready(w, l->ready[l->at_ready].events);
    }
    l->n_ready = 0;
    return 0;
}

static int run_hooks(struct loop *l, int timeout_ms)
{
    for (struct list *it = l->hooks.next; it != &l->hooks; it = l->next_hook) {
        struct loop_hook *h = container_of(it, struct loop_hook, link);

        l->next_hook = it->next;
        h->turn(h, &timeout_ms);
    }
    l->next_hook = NULL;
    return timeout_ms;
}

int loop_run(struct loop *l)
{
    int timeout_ms = 0;
    int r = 0;

    assert(!atomic_load(&l->running));
    l->owner = pthread_self();
    atomic_store_explicit(&l->running, true, memory_order_release);
    (void)pthread_setname_np(l->owner, l->name);
    (void)arena_keep_chunks(true);
    while (!atomic_load(&l->stopped)) {
        int hooks_ms;

        r = run_descriptors(l, timeout_ms);
        if (r < 0)
            break;
        timers_fire(&l->timers, l->now_ms);
        hooks_ms = run_hooks(l, timers_wait_ms(&l->timers, l->now_ms));
        run_frees(l);
        timeout_ms = timers_wait_ms(&l->timers, l->now_ms); /* hooks and frees may have set some */
        if (hooks_ms >= 0 && (timeout_ms < 0 || hooks_ms < timeout_ms))
            timeout_ms = hooks_ms;
    }
    (void)arena_keep_chunks(false);
    atomic_store(&l->running, false);
    return r < 0 ? err_trace(r) : 0;
}

void loop_stop(struct loop *l)
{
    atomic_store(&l->stopped, true);
    ring(l);
}

bool loop_has_more(const struct loop *l)
{
    return l->has_more;
}

int64_t loop_now_ms(const struct loop *l)
{
    return l->now_ms;
}

int loop_fd_add(struct loop *l, struct loop_fd *w)
{
    struct epoll_event event = {.events = w->events, .data.ptr = w};

    assert(loop_is_mine(l));
    assert(!w->loop);
    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, w->fd, &event) < 0)
        return err_origin(-errno);
    w->loop = l;
    return 0;
}

int loop_fd_mod(struct loop_fd *w, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = w};

    assert(w->loop);
    assert(loop_is_mine(w->loop));
    if (w->events == events)
        return 0;
    if (epoll_ctl(w->loop->epoll, EPOLL_CTL_MOD, w->fd, &event) < 0)
        return err_origin(-errno);
    w->events = events;
    return 0;
}

void loop_fd_del(struct loop_fd *w)
{
    struct loop *l = w->loop;

    if (!l)
        return;
    assert(loop_is_mine(l));
    /* Fails when the descriptor was closed first, as libcurl does: the kernel let go of it. */
    (void)epoll_ctl(l->epoll, EPOLL_CTL_DEL, w->fd, NULL);
    for (int i = l->at_ready + 1; i < l->n_ready; i++)
        if (l->ready[i].data.ptr == w)
            l->ready[i].data.ptr = NULL;
    w->loop = NULL;
}

int loop_timer_set(struct loop *l, struct loop_timer *t, int64_t at_ms)
{
    int r;

    assert(loop_is_mine(l));
    assert(!t->loop || t->loop == l);
    r = timers_set(&l->timers, t, at_ms, t->loop != NULL);
    if (r < 0)
        return err_trace(r);
    t->loop = l;
    return 0;
}

void loop_timer_clear(struct loop_timer *t)
{
    if (!t->loop)
        return;
    assert(loop_is_mine(t->loop));
    timers_clear(&t->loop->timers, t);
}

void loop_hook_add(struct loop *l, struct loop_hook *h)
{
    assert(loop_is_mine(l));
    assert(!h->loop);
    list_add_tail(&l->hooks, &h->link);
    h->loop = l;
}

void loop_hook_del(struct loop_hook *h)
{
    struct loop *l = h->loop;

    if (!l)
        return;
    assert(loop_is_mine(l));
    if (l->next_hook == &h->link)
        l->next_hook = h->link.next;
    list_del(&h->link);
    h->loop = NULL;
}

void loop_post(struct loop *l, struct loop_msg *m)
{
    struct loop_msg *head = atomic_load_explicit(&l->inbox, memory_order_relaxed);

    do
        m->next = head;
    while (!atomic_compare_exchange_weak_explicit(&l->inbox, &head, m, memory_order_release,
                                                  memory_order_relaxed));
    if (!head)
        ring(l);
}

void loop_free_later(struct loop *l, void (*fn)(void *), void *p)
{
    assert(loop_is_mine(l));
    if (l->n_frees == l->cap_frees) {
        size_t cap = l->cap_frees ? l->cap_frees * 2 : FREES_FIRST;
        struct later *more = reallocarray(l->frees, cap, sizeof(*more));

        if (!more) { /* now would be too early: the caller still stands on it */
            log_error("leaked", "loop=%s", l->name);
            return;
        }
        l->frees = more;
        l->cap_frees = cap;
    }
    l->frees[l->n_frees++] = (struct later){fn, p};
}
