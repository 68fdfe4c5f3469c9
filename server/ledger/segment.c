/* segment.c: see segment.h. */
#include "ledger/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/err.h"
#include "base/failpoint.h"

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

int segment_create(const char *path, struct journal_segment **ret)
{
    struct journal_segment *s = segment_of_files();
    int r;

    if (!s)
        return err_origin(-ENOMEM);
    r = failpoint_hit("journal.create");
    if (!r)
        r = segment_add_path(s, path);
    if (!r) {
        s->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
        r = s->fd < 0 ? err_origin(-errno) : 0;
    }
    if (r) {
        atomic_store(&s->keep, true);
        segment_unref(s);
        return r;
    }
    *ret = s;
    return 0;
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

int segment_write(struct journal_segment *s, const void *p, size_t n)
{
    int r = failpoint_hit("journal.write");
    ssize_t written = r ? -1 : write(s->fd, p, failpoint_size("journal.half", n));

    if (written == (ssize_t)n) {
        s->size += n;
        return 0;
    }
    r = r ? r : written < 0 ? -errno : -ENOSPC;
    (void)failpoint_hit("journal.undo");
    if (ftruncate(s->fd, (off_t)s->size))
        atomic_store(&s->keep, true);
    return err_origin(r);
}
