/* journal.c: see journal.h and journal_core.h. A record is put together in the writer's own buffer
 * and appended by one call of the port. */
#include "ledger/journal_core.h"

#include <errno.h>

#include "base/err.h"
#include "base/failpoint.h"

struct journal {
    const struct ledger_port *port;
    struct node *node;
    struct settle *settle;
    unsigned n_writers;
    struct buf *out; /* per writer */
    atomic_ullong begun, ended;
};

struct journal *journal_core_new(const struct ledger_port *port, struct node *node,
                                 struct settle *settle, unsigned writers)
{
    struct journal *j = calloc(1, sizeof(*j));

    if (!j)
        return NULL;
    j->port = port;
    j->node = node;
    j->settle = settle;
    j->n_writers = writers;
    j->out = calloc(writers, sizeof(*j->out));
    if (!j->out) {
        free(j);
        return NULL;
    }
    for (unsigned i = 0; i < writers; i++)
        buf_init(&j->out[i], BOUND_JOURNAL_RECORD_BYTES);
    return j;
}

void journal_core_free(struct journal *j)
{
    for (unsigned i = 0; i < j->n_writers; i++)
        buf_done(&j->out[i]);
    free(j->out);
    free(j);
}

void journal_core_read(const struct journal *j, struct journal_view *ret)
{
    ret->begun = atomic_load(&j->begun);
    ret->ended = atomic_load(&j->ended);
}

const struct ledger_port *journal_port(const struct journal *j)
{
    return j->port;
}

/* The record stays in the writer's buffer. */
static int write_record(struct journal *j, unsigned writer, enum entry_type type,
                        const struct call_record *record, const struct hold *hold,
                        const int64_t *used, struct journal_segment **ret)
{
    int64_t session = hold && hold->n ? (int64_t)hold->epoch : node_session(j->node);
    struct buf *out = &j->out[writer];
    int r;

    buf_reset(out);
    entry_put(out, type, session, record, hold, used);
    r = buf_finish(out);
    return r ? err_origin(r) : j->port->append(j->port->ctx, writer, buf_str(out), ret);
}

static void move_mark(struct journal_mark *mark, struct journal_segment *segment)
{
    if (mark->segment == segment)
        return;
    segment_unref(mark->segment);
    mark->segment = segment_ref(segment);
}

int journal_begin(struct journal *j, unsigned writer, struct journal_mark *mark,
                  const struct call_record *record, const struct hold *hold)
{
    struct journal_segment *segment;
    int r = write_record(j, writer, ENTRY_BEGIN, record, hold, NULL, &segment);

    if (r)
        return r;
    move_mark(mark, segment);
    atomic_fetch_add_explicit(&j->begun, 1, memory_order_relaxed);
    (void)failpoint_hit("journal.begun");
    return 0;
}

int journal_progress(struct journal *j, unsigned writer, struct journal_mark *mark,
                     const struct call_record *record, const struct hold *hold, const int64_t *used)
{
    struct journal_segment *segment;
    int r = write_record(j, writer, ENTRY_PROGRESS, record, hold, used, &segment);

    if (r)
        return r;
    move_mark(mark, segment);
    (void)failpoint_hit("journal.noted");
    return 0;
}

int journal_end(struct journal *j, unsigned writer, struct journal_mark *mark,
                const struct call_record *record, const struct hold *hold, const int64_t *used)
{
    struct journal_segment *begun = mark ? mark->segment : NULL, *segment = NULL;
    int r = write_record(j, writer, ENTRY_END, record, hold, used, &segment);

    /* A disk that refuses must not lose the call: it is settled from memory all the same. */
    if (buf_finish(&j->out[writer]))
        return r;
    if (settle_push(j->settle, buf_str(&j->out[writer]), begun, r ? NULL : segment_ref(segment)))
        return err_origin(-ENOMEM);
    if (mark)
        mark->segment = NULL;
    atomic_fetch_add_explicit(&j->ended, 1, memory_order_relaxed);
    (void)failpoint_hit("journal.ended");
    return r;
}
