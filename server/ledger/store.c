/* store.c: see store.h. */
#include "ledger/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/bounds.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/log.h"

/* A writer begins a new file beyond this, so that settled ones can leave. */
#define SEGMENT_BYTES MIB(8)
#define SEGMENT_ROOM (SEGMENT_BYTES + BOUND_JOURNAL_RECORD_BYTES)

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

int store_open(struct store *s, const char *dir, unsigned writers)
{
    *s = (struct store){.lock = -1, .n_writers = writers};
    s->writers = calloc(writers, sizeof(*s->writers));
    if (!s->writers)
        return err_origin(-ENOMEM);
    if (mkdir(dir, 0700) && errno != EEXIST)
        return STORE_E_DIR;
    for (unsigned k = failpoint_hit("journal.slot") ? STORE_SLOTS : 0;
         k < STORE_SLOTS && s->lock < 0; k++)
        s->lock = lock_slot(dir, k, true, s->slot);
    return s->lock < 0 ? STORE_E_DIR : STORE_OK;
}

void store_close(struct store *s)
{
    if (store_sync(s))
        log_error("journal_not_synced", "slot=%s", log_str(str_c(s->slot)));
    for (unsigned i = 0; s->writers && i < s->n_writers; i++)
        segment_unref(s->writers[i].segment);
    for (size_t i = 0; i < s->n_others; i++)
        close(s->others[i]);
    if (s->lock >= 0)
        close(s->lock);
    free(s->writers);
}

bool store_abandoned(struct store *s, const char *dir, unsigned *k, char ret_slot[PATH_MAX])
{
    if (*k == 0) {
        ++*k;
        memcpy(ret_slot, s->slot, PATH_MAX);
        return true;
    }
    while (*k <= STORE_SLOTS) {
        int fd = lock_slot(dir, (*k)++ - 1, false, ret_slot);

        if (fd < 0)
            continue;
        s->others[s->n_others++] = fd;
        return true;
    }
    return false;
}

int store_note_session(struct store *s, int64_t session)
{
    char path[PATH_MAX];
    int fd;

    snprintf(path, sizeof(path), "%.*s/%lld" STORE_SESSION, PATH_MAX - 64, s->slot,
             (long long)session);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_origin(-errno);
    close(fd);
    return 0;
}

static int make_segment(const struct store *s, unsigned writer, unsigned serial, struct journal_segment **ret)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%.*s/%lld-%u-%u.journal", PATH_MAX - 64, s->slot,
             (long long)clock_wall_us(), writer, serial);
    return segment_create(path, SEGMENT_ROOM, ret);
}

static int fresh_segment(struct store *s, unsigned writer)
{
    struct store_writer *w = &s->writers[writer];
    struct journal_segment *next;
    int r;

    if (w->segment && w->segment->size < SEGMENT_BYTES)
        return 0;
    r = make_segment(s, writer, w->serial++, &next);
    if (r)
        return err_trace(r);
    segment_unref(w->segment);
    w->segment = next;
    return 0;
}

/* True when the list was empty. */
static bool note_dirty(struct store *s, struct journal_segment *segment)
{
    struct journal_segment *head = atomic_load_explicit(&s->dirty, memory_order_relaxed);

    if (atomic_exchange_explicit(&segment->dirty, true, memory_order_acq_rel))
        return false;
    segment_ref(segment);
    do
        segment->next_dirty = head;
    while (!atomic_compare_exchange_weak_explicit(&s->dirty, &head, segment, memory_order_release,
                                                  memory_order_relaxed));
    return !head;
}

/* Written where it changes only: it lies beside what other loops write. */
static void note_failure(struct store_writer *w, int failure)
{
    if (atomic_load_explicit(&w->failure, memory_order_relaxed) != failure)
        atomic_store_explicit(&w->failure, failure, memory_order_relaxed);
}

int store_append(struct store *s, unsigned writer, struct str bytes, struct journal_segment **ret,
                 bool *ret_first)
{
    int r = atomic_load_explicit(&s->broken, memory_order_relaxed) ? err_origin(-EIO)
                                                                   : fresh_segment(s, writer);

    if (!r)
        r = segment_write(s->writers[writer].segment, bytes.p, bytes.n);
    note_failure(&s->writers[writer], -r);
    if (r)
        return r;
    *ret = s->writers[writer].segment;
    *ret_first = note_dirty(s, *ret);
    return 0;
}

int store_failure(const struct store *s)
{
    int failure = atomic_load_explicit(&s->broken, memory_order_relaxed) ? EIO : 0;

    for (unsigned i = 0; !failure && i < s->n_writers; i++)
        failure = atomic_load_explicit(&s->writers[i].failure, memory_order_relaxed);
    return failure;
}

/* A file of its own, as writers begin one, with the shortest record in it: a zero, which replaying passes over. */
void store_try(struct store *s)
{
    struct journal_segment *segment = NULL;
    int r;

    if (!store_failure(s) || atomic_load(&s->broken))
        return;
    r = make_segment(s, s->n_writers, 0, &segment);
    if (!r)
        r = segment_write(segment, "", 1);
    segment_unref(segment);
    for (unsigned i = 0; !r && i < s->n_writers; i++)
        note_failure(&s->writers[i], 0);
}

/* A failed sync may have lost the pages, and trying again may then report success: never again. */
int store_sync(struct store *s)
{
    struct journal_segment *segment = atomic_exchange(&s->dirty, NULL);
    int r = 0;

    while (segment) {
        struct journal_segment *next = segment->next_dirty;

        atomic_store(&segment->dirty, false);
        int failed = failpoint_hit("journal.sync");

        if (failed || (fdatasync(segment->fd) && errno != EINVAL))
            r = failed ? failed : -errno;
        segment_unref(segment);
        segment = next;
    }
    if (!r)
        return 0;
    atomic_store(&s->broken, true);
    return err_origin(r);
}
