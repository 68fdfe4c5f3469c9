/* journal.c: see journal.h. The directory holds numbered slots; a process locks the first free one
 * for itself and replays every other that nobody holds. */
#include "ledger/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "ledger/flush.h"
#include "ledger/replay.h"

#define SLOTS_MAX 64
/* A writer begins a new file beyond this, so that settled ones can leave. */
#define SEGMENT_BYTES MIB(8)

struct writer {
    struct journal_segment *segment;
    struct buf out;
    unsigned serial;
};

struct journal {
    struct journal_config config;
    char slot[PATH_MAX];
    int lock_fd, others[SLOTS_MAX];
    size_t n_others;
    struct flush *flush;
    struct writer *writers;
    atomic_ullong begun, ended;
    uint64_t replayed;
};

/* --- slots --- */

/* The descriptor that holds the slot's lock; -1: somebody else has it, or there is none. */
static int lock_slot(const char *dir, unsigned k, bool make, char out[PATH_MAX])
{
    char path[PATH_MAX];
    int fd;

    if ((size_t)snprintf(out, PATH_MAX, "%s/%u", dir, k) >= PATH_MAX - 8)
        return -1;
    if (make && mkdir(out, 0700) && errno != EEXIST)
        return -1;
    if (snprintf(path, PATH_MAX, "%s/lock", out) >= PATH_MAX)
        return -1;
    fd = open(path, O_RDWR | O_CLOEXEC | (make ? O_CREAT : 0), 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static int claim(struct journal *j)
{
    if (mkdir(j->config.dir, 0700) && errno != EEXIST)
        return JOURNAL_E_DIR;
    for (unsigned k = 0; k < SLOTS_MAX; k++) {
        j->lock_fd = lock_slot(j->config.dir, k, true, j->slot);
        if (j->lock_fd >= 0)
            return 0;
    }
    return JOURNAL_E_DIR;
}

/* Own slot and those that nobody holds any more; their locks are kept until this process ends. */
static int replay_slots(struct journal *j)
{
    char slot[PATH_MAX];
    size_t found = 0;
    int r = replay_slot(j->slot, j->config.conninfo, j->flush, &found);

    for (unsigned k = 0; r == 0 && k < SLOTS_MAX; k++) {
        int fd = lock_slot(j->config.dir, k, false, slot);

        if (fd < 0)
            continue;
        j->others[j->n_others++] = fd;
        r = replay_slot(slot, j->config.conninfo, j->flush, &found);
    }
    j->replayed = found;
    if (found)
        log_info("journal_replayed", "calls=%zu", found);
    return r > 0 ? JOURNAL_E_BROKEN : r;
}

int journal_new(const struct journal_config *config, struct journal **ret)
{
    struct journal *j = calloc(1, sizeof(*j));
    int r;

    if (!j)
        return err_origin(-ENOMEM);
    j->config = *config;
    j->lock_fd = -1;
    j->writers = calloc(config->writers, sizeof(*j->writers));
    r = j->writers ? claim(j) : err_origin(-ENOMEM);
    for (unsigned i = 0; !r && i < config->writers; i++)
        buf_init(&j->writers[i].out, BOUND_JOURNAL_RECORD_BYTES);
    if (!r)
        r = flush_start(config->conninfo, config->dir, config->node, &j->flush);
    if (!r)
        r = replay_slots(j);
    if (r) {
        journal_free(j, 0);
        return r;
    }
    *ret = j;
    return JOURNAL_OK;
}

void journal_free(struct journal *j, int limit_ms)
{
    if (!j)
        return;
    if (j->flush)
        flush_stop(j->flush, limit_ms);
    for (unsigned i = 0; j->writers && i < j->config.writers; i++) {
        segment_unref(j->writers[i].segment);
        buf_done(&j->writers[i].out);
    }
    for (size_t i = 0; i < j->n_others; i++)
        close(j->others[i]);
    if (j->lock_fd >= 0)
        close(j->lock_fd);
    free(j->writers);
    free(j);
}

/* --- writing --- */

static int fresh_segment(struct journal *j, unsigned index)
{
    struct writer *w = &j->writers[index];
    char path[PATH_MAX];
    struct journal_segment *next;
    int r;

    if (w->segment && w->segment->size < SEGMENT_BYTES)
        return 0;
    snprintf(path, sizeof(path), "%.*s/%lld-%u-%u.journal", PATH_MAX - 64, j->slot,
             (long long)clock_wall_us(), index, w->serial++);
    r = segment_create(path, &next);
    if (r)
        return err_trace(r);
    segment_unref(w->segment);
    w->segment = next;
    return 0;
}

static int write_record(struct journal *j, unsigned index, enum entry_type type,
                        const struct call_record *record, const struct hold *hold,
                        const int64_t *used)
{
    struct writer *w = &j->writers[index];
    int64_t session = hold && hold->n ? (int64_t)hold->epoch : node_session(j->config.node);
    int r = fresh_segment(j, index);

    if (r)
        return r;
    buf_reset(&w->out);
    entry_put(&w->out, type, session, record, hold, used);
    r = buf_finish(&w->out);
    return r ? err_origin(r) : segment_write(w->segment, w->out.p, w->out.n);
}

int journal_begin(struct journal *j, unsigned writer, struct journal_mark *mark,
                  const struct call_record *record, const struct hold *hold)
{
    int r = write_record(j, writer, ENTRY_BEGIN, record, hold, NULL);

    if (r)
        return r;
    mark->segment = segment_ref(j->writers[writer].segment);
    atomic_fetch_add_explicit(&j->begun, 1, memory_order_relaxed);
    (void)failpoint_hit("journal.begun");
    return 0;
}

int journal_progress(struct journal *j, unsigned writer, struct journal_mark *mark,
                     const struct call_record *record, const struct hold *hold,
                     const int64_t *used)
{
    int r = write_record(j, writer, ENTRY_PROGRESS, record, hold, used);

    if (r)
        return r;
    if (mark->segment != j->writers[writer].segment) {
        segment_unref(mark->segment);
        mark->segment = segment_ref(j->writers[writer].segment);
    }
    return 0;
}

int journal_end(struct journal *j, unsigned writer, struct journal_mark *mark,
                const struct call_record *record, const struct hold *hold, const int64_t *used)
{
    struct writer *w = &j->writers[writer];
    struct journal_segment *begun = mark ? mark->segment : NULL;
    int r = write_record(j, writer, ENTRY_END, record, hold, used);

    /* A disk that refuses must not lose the call: it is settled from memory all the same. */
    if (buf_finish(&w->out))
        return r;
    if (flush_push(j->flush, buf_str(&w->out), begun, r ? NULL : segment_ref(w->segment)))
        return err_origin(-ENOMEM);
    if (mark)
        mark->segment = NULL;
    atomic_fetch_add_explicit(&j->ended, 1, memory_order_relaxed);
    (void)failpoint_hit("journal.ended");
    return r;
}

void journal_read(struct journal *j, struct journal_view *ret)
{
    *ret = (struct journal_view){.begun = atomic_load(&j->begun),
                                 .ended = atomic_load(&j->ended),
                                 .replayed = j->replayed};
    flush_read(j->flush, ret);
}
