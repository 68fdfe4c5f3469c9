/* settle.c: see settle.h. */
#include "ledger/settle.h"

#include <errno.h>

#include "base/err.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "lease/inside.h"

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 5000
/* Room that is kept for the batches of usual load. */
#define SETTLE_VIEWS 500
/* A record that is refused by itself is tried again a while: the reason may lie elsewhere. */
#define REFUSED_TRIES 4
#define REFUSED_PAUSE_MS 100

void settle_init(struct settle *s, const struct ledger_port *port, struct node *node)
{
    *s = (struct settle){.port = port, .node = node};
}

int settle_push(struct settle *s, struct str record, struct journal_segment *begun,
                struct journal_segment *ended)
{
    struct settle_item *item = malloc(sizeof(*item) + record.n);
    struct settle_item *head;

    if (!item)
        return err_origin(-ENOMEM);
    *item = (struct settle_item){.begun = begun, .ended = ended, .size = record.n};
    item->since_ms = s->port->now_ms(s->port->ctx);
    memcpy(item->bytes, record.p, record.n);
    item->entry = entry_known(str_n(item->bytes, record.n));
    atomic_fetch_add_explicit(&s->n_pushed, 1, memory_order_relaxed);
    head = atomic_load_explicit(&s->stack, memory_order_relaxed);
    do
        item->next = head;
    while (!atomic_compare_exchange_weak_explicit(&s->stack, &head, item, memory_order_release,
                                                  memory_order_relaxed));
    if (!head && s->arrived)
        s->arrived(s);
    return 0;
}

static void item_free(struct settle_item *item)
{
    segment_unref(item->begun);
    segment_unref(item->ended);
    free(item);
}

/* Moves what has arrived to the end of the list, in order of arrival. */
static void take_arrived(struct settle *s)
{
    struct settle_item *item = atomic_exchange_explicit(&s->stack, NULL, memory_order_acquire);
    struct settle_item *ordered = NULL, *tail = item;

    while (item) {
        struct settle_item *next = item->next;

        item->next = ordered;
        ordered = item;
        item = next;
    }
    if (!ordered)
        return;
    if (s->last)
        s->last->next = ordered;
    else
        s->first = ordered;
    s->last = tail;
}

static void drop_first(struct settle *s)
{
    struct settle_item *item = s->first;

    s->first = item->next;
    if (!s->first)
        s->last = NULL;
    item_free(item);
}

/* Room for the next items, at most max of them; false: out of memory. */
static bool make_room(struct settle *s, size_t max)
{
    size_t n = 0;

    for (const struct settle_item *i = s->first; i && n < max; i = i->next)
        n++;
    if (n <= s->views)
        return true;
    free(s->view);
    s->views = MAX(n, (size_t)SETTLE_VIEWS);
    s->view = malloc(s->views * sizeof(*s->view));
    if (!s->view)
        s->views = 0;
    return s->view;
}

/* After a large backlog its room is let go. */
static void give_room_back(struct settle *s)
{
    if (s->views <= SETTLE_VIEWS)
        return;
    free(s->view);
    s->view = NULL;
    s->views = 0;
}

/* The next items of one session, into the call; they stay on the list until settled. PORT_E_REFUSED:
 * the first cannot even be read. */
static int fill(struct settle *s, size_t max)
{
    size_t bytes = 0;

    s->call.n = 0;
    if (!make_room(s, max))
        return PORT_E_AWAY;
    for (struct settle_item *i = s->first; i && s->call.n < max; i = i->next) {
        struct entry_view *view = &s->view[s->call.n];

        bytes += i->size;
        if (s->call.n && (i->entry.session != s->call.session || bytes > SETTLE_BYTES))
            break;
        if (entry_view(&i->entry, view))
            break;
        s->call.session = i->entry.session;
        s->call.entry[s->call.n++] = &view->entry;
    }
    return s->call.n ? PORT_OK : PORT_E_REFUSED;
}

/* So many of the suspects are settled or put aside. What is left may be tried in larger pieces. */
static void cleared(struct settle *s, size_t n)
{
    s->suspects -= MIN(s->suspects, n);
    s->piece = s->suspects ? MIN(s->piece * 2, s->suspects) : 0;
    s->tries = 0;
    s->due_ms = 0;
}

static void booked(struct settle *s)
{
    if (!s->call.live && s->node)
        node_fenced_session(s->node, s->call.session);
    for (size_t i = 0; i < s->call.n; i++)
        drop_first(s);
    (void)failpoint_hit("settle.booked");
    atomic_fetch_add(&s->n_settled, s->call.n);
    atomic_fetch_add(&s->n_batches, 1);
    s->backoff_ms = 0;
    cleared(s, s->call.n);
}

static void batch_refused(struct settle *s, int64_t now_ms)
{
    if (s->call.n > 1) {
        log_warn("batch_refused", "calls=%zu", s->call.n);
        s->suspects = MAX(s->suspects, s->call.n);
        s->piece = s->call.n / 2;
        s->due_ms = 0;
        return;
    }
    s->suspects = MAX(s->suspects, (size_t)1);
    s->piece = 1;
    s->due_ms = now_ms + (REFUSED_PAUSE_MS << s->tries);
    if (++s->tries < REFUSED_TRIES)
        return;
    s->refused(s, s->first);
    drop_first(s);
    atomic_fetch_add(&s->n_refused, 1);
    cleared(s, 1);
}

static void answered(struct settle_call *call, int outcome)
{
    struct settle *s = container_of(call, struct settle, call);
    int64_t now_ms = s->port->now_ms(s->port->ctx);

    s->out = false;
    if (outcome == PORT_OK) {
        booked(s);
        return;
    }
    atomic_fetch_add(&s->n_failed, 1);
    if (outcome == PORT_E_REFUSED) {
        batch_refused(s, now_ms);
        return;
    }
    s->backoff_ms = MIN(MAX(s->backoff_ms * 2, BACKOFF_MIN_MS), BACKOFF_MAX_MS);
    s->due_ms = now_ms + s->backoff_ms;
    log_warn("settling_waits", "retry_ms=%d", s->backoff_ms);
}

static int64_t next_due_ms(const struct settle *s, int64_t now_ms, bool now)
{
    int64_t waiting;

    if (now || s->due_ms || s->suspects)
        return s->due_ms;
    waiting = (int64_t)(atomic_load(&s->n_pushed) - atomic_load(&s->n_settled) - atomic_load(&s->n_refused));
    if (waiting >= SETTLE_CALLS)
        return now_ms;
    return s->first->since_ms +
           MIN(SETTLE_GATHER_MS + waiting / SETTLE_GATHER_CALLS, SETTLE_GATHER_MOST_MS);
}

int settle_tick(struct settle *s, int64_t now_ms, bool now)
{
    int64_t due_ms;
    int r;

    for (;;) {
        take_arrived(s);
        atomic_store(&s->oldest_ms, s->first ? s->first->since_ms : 0);
        if (!s->first && !s->out)
            give_room_back(s);
        if (!s->first || s->out)
            return -1;
        due_ms = next_due_ms(s, now_ms, now);
        if (due_ms > now_ms)
            return (int)(due_ms - now_ms);
        s->call.live = true;
        s->call.done = answered;
        s->out = true;
        r = fill(s, s->piece ? s->piece : SETTLE_CALLS);
        if (r)
            answered(&s->call, r);
        else
            s->port->settle(s->port->ctx, &s->call);
        if (s->out)
            return -1;
        now_ms = s->port->now_ms(s->port->ctx);
    }
}

bool settle_idle(const struct settle *s)
{
    return !s->first && !atomic_load(&s->stack);
}

void settle_done(struct settle *s)
{
    size_t left = 0;

    take_arrived(s);
    for (; s->first; left++) {
        if (s->first->begun)
            atomic_store(&s->first->begun->keep, true);
        if (s->first->ended)
            atomic_store(&s->first->ended->keep, true);
        drop_first(s);
    }
    if (left)
        log_warn("calls_left_in_journal", "calls=%zu", left);
    free(s->view);
}
