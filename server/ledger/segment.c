/* segment.c: see segment.h.
 *
 * Two records a call through write() would be a tenth of what a call costs. Where the file system gives
 * the blocks beforehand the file is mapped instead, a window of it at a time, and a record is copied in:
 * pages of the file are the kernel's, and outlive the process as what was written does. A process that
 * dies while it copies leaves the beginning of a record and zeros behind it (replay.c). */
#include "ledger/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/failpoint.h"

#define WINDOW_BYTES KIB(256)
#define WINDOW_ALIGN KIB(64) /* a multiple of any page */
/* Of a record's head, so much in one store: its length is in it. */
#define FIRST_BYTES 16

_Static_assert(BOUND_JOURNAL_RECORD_BYTES + WINDOW_ALIGN <= WINDOW_BYTES, "any record fits a window");

struct journal_segment *segment_of_files(void)
{
    struct journal_segment *s = calloc(1, sizeof(*s));

    if (s) {
        atomic_store(&s->refs, 1);
        s->fd = -1;
    }
    return s;
}

int segment_add_path(struct journal_segment *s, const char *path)
{
    char(*paths)[PATH_MAX] = reallocarray(s->paths, s->n_paths + 1, sizeof(*paths));

    if (!paths)
        return err_origin(-ENOMEM);
    s->paths = paths;
    snprintf(s->paths[s->n_paths++], PATH_MAX, "%s", path);
    return 0;
}

int segment_add_session(struct journal_segment *s, int64_t session)
{
    int64_t *more;

    for (size_t i = 0; i < s->n_sessions; i++)
        if (s->sessions[i] == session)
            return 0;
    if (!session)
        return 0;
    more = reallocarray(s->sessions, s->n_sessions + 1, sizeof(*more));
    if (!more)
        return err_origin(-ENOMEM);
    s->sessions = more;
    s->sessions[s->n_sessions++] = session;
    return 0;
}

/* Some file systems cannot; theirs are written to. */
static int make_room(struct journal_segment *s, size_t room)
{
    size_t whole = (room + WINDOW_BYTES - 1) / WINDOW_ALIGN * WINDOW_ALIGN;

    s->roomy = fallocate(s->fd, 0, 0, (off_t)whole) == 0;
    if (s->roomy || errno != ENOSPC)
        return 0;
    (void)unlink(s->paths[0]);
    return err_origin(-ENOSPC);
}

int segment_create(const char *path, size_t room, struct journal_segment **ret)
{
    struct journal_segment *s = segment_of_files();
    int r;

    if (!s)
        return err_origin(-ENOMEM);
    r = failpoint_hit("journal.create");
    if (!r)
        r = segment_add_path(s, path);
    if (!r) {
        s->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        r = s->fd < 0 ? err_origin(-errno) : make_room(s, room);
    }
    if (r) {
        atomic_store(&s->keep, true);
        segment_unref(s);
        return r;
    }
    *ret = s;
    return 0;
}

static void unmap(struct journal_segment *s)
{
    if (s->window)
        (void)munmap(s->window, WINDOW_BYTES);
    s->window = NULL;
}

struct journal_segment *segment_ref(struct journal_segment *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void segment_unref(struct journal_segment *s)
{
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    unmap(s);
    if (s->roomy && atomic_load(&s->keep))
        (void)!ftruncate(s->fd, (off_t)s->size); /* the zeros would do no harm */
    if (s->fd >= 0)
        close(s->fd);
    if (!atomic_load(&s->keep)) {
        if (s->settled)
            s->settled(s, s->ctx);
        for (size_t i = 0; i < s->n_paths; i++)
            (void)unlink(s->paths[i]);
    }
    free(s->paths);
    free(s->sessions);
    free(s);
}

/* The window in which the next n bytes stand. */
static int map_window(struct journal_segment *s, size_t n)
{
    size_t at = s->size / WINDOW_ALIGN * WINDOW_ALIGN;
    void *p;

    if (s->window && s->size + n <= s->window_at + WINDOW_BYTES)
        return 0;
    unmap(s);
    p = mmap(NULL, WINDOW_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, (off_t)at);
    if (p == MAP_FAILED)
        return err_origin(-errno);
    s->window = p;
    s->window_at = at;
    return 0;
}

/* How many bytes are there now. */
static size_t store(struct journal_segment *s, const char *p, size_t n)
{
    char *to = s->window + (s->size - s->window_at);
    size_t first = n < FIRST_BYTES ? n : FIRST_BYTES;

    memcpy(to, p, first);
    atomic_signal_fence(memory_order_seq_cst); /* before anything behind it */
    memcpy(to + first, p + first, n - first);
    return n;
}

static ssize_t put(struct journal_segment *s, const void *p, size_t n, size_t wanted)
{
    if (!s->roomy)
        return pwrite(s->fd, p, n, (off_t)s->size);
    return map_window(s, wanted) ? -1 : (ssize_t)store(s, p, n);
}

static void undo(struct journal_segment *s, size_t n)
{
    if (s->roomy)
        memset(s->window + (s->size - s->window_at), 0, n);
    else if (ftruncate(s->fd, (off_t)s->size))
        atomic_store(&s->keep, true);
}

int segment_write(struct journal_segment *s, const void *p, size_t n)
{
    int r = failpoint_hit("journal.write");
    ssize_t written;

    assert(n <= BOUND_JOURNAL_RECORD_BYTES);
    written = r ? -1 : put(s, p, failpoint_size("journal.half", n), n);
    if (written == (ssize_t)n) {
        s->size += n;
        return 0;
    }
    r = r ? r : written < 0 ? -errno : -ENOSPC;
    (void)failpoint_hit("journal.undo");
    if (written > 0)
        undo(s, (size_t)written);
    return err_origin(r);
}
