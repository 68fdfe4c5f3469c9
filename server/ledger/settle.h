/* settle.h: finished calls on their way to the database, in batches, once each.
 *
 * Items come from any thread on a lock-free stack; everything else belongs to the flusher's thread.
 * A batch is of one session and goes out through the port; the further it is behind, the larger it is,
 * up to SETTLE_CALLS. Unknown outcome: the same is sent again for as long as it takes, which is harmless
 * because settling is idempotent by call id. Refused: its items are tried in halves of halves, and what
 * is refused by itself goes to `refused`, so that it holds up no other. For this room and the
 * simulator. */
#pragma once

#include <stdatomic.h>

#include "ledger/entry.h"
#include "ledger/segment.h"
#include "lease/port.h"

struct node;

/* Calls gather for so long before a batch goes: what a person sees in the log is this old. The more
 * there are the longer it is, by a millisecond for each SETTLE_GATHER_CALLS, since what a batch costs
 * beside its rows is shared by them. */
#define SETTLE_GATHER_MS 30
#define SETTLE_GATHER_MOST_MS 250
#define SETTLE_GATHER_CALLS 4
/* Of records in a batch: the database keeps what it is sent in memory (32 MB, see settle_batch()), where
 * a record takes up to four times as much. */
#define SETTLE_BYTES MIB(5)

/* A finished call. */
struct settle_item {
    struct settle_item *next;
    struct journal_segment *begun, *ended; /* released when settled; may be NULL */
    int64_t since_ms;
    struct entry entry; /* points into bytes */
    size_t size;
    char bytes[];
};

struct settle {
    const struct ledger_port *port;
    struct node *node;
    /* The database will never take this one; called on the flusher's thread. */
    void (*refused)(struct settle *s, struct settle_item *item);
    /* Something arrived where nothing was; any thread. May be NULL. */
    void (*arrived)(struct settle *s);

    _Atomic(struct settle_item *) stack;
    atomic_ullong n_pushed, n_settled, n_refused, n_batches, n_failed;
    atomic_llong oldest_ms; /* since when the oldest waits; 0: none */

    struct settle_item *first, *last; /* taken off the stack, in order */
    struct settle_call call;
    struct entry_view *view; /* what the call's entries point to; or NULL */
    size_t views;            /* there is room for so many */
    bool out;        /* a batch is */
    size_t suspects; /* so many items were refused together, one of them for a reason of its own */
    size_t piece;    /* so many of them are tried at a time; 0: there are none */
    unsigned tries;  /* of the first of them, alone */
    int backoff_ms;
    int64_t due_ms;
};

void settle_init(struct settle *s, const struct ledger_port *port, struct node *node);
/* Forgets what is left; its segments are kept. */
void settle_done(struct settle *s);
/* A copy of one whole record (entry.h); takes the two references over. */
int settle_push(struct settle *s, struct str record, struct journal_segment *begun,
                struct journal_segment *ended) _must_use_;
/* Sends what is due. Milliseconds until there may be more to do; -1: when something arrives. now:
 * do not wait for more to gather. */
int settle_tick(struct settle *s, int64_t now_ms, bool now);
/* Nothing is left. */
bool settle_idle(const struct settle *s);
