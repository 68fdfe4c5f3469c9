/* replay.c: see replay.h. A call without END is booked as its last BEGIN or PROGRESS says. */
#include "ledger/replay.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/log.h"
#include "base/map.h"
#include "lease/lease_sql.h"

struct replay {
    struct map *calls; /* call id -> struct last */
    struct journal_segment *files;
    struct flush *flush;
    const char *conninfo;
    size_t n;
    int failed;
};

struct last {
    enum entry_type type;
    size_t size;
    char bytes[];
};

static int remember(struct replay *r, const struct entry *e, struct str record)
{
    struct str key = str_n((const char *)e->call.b, sizeof(e->call.b));
    struct last *old = map_get(r->calls, key), *last;

    if (old && old->type == ENTRY_END)
        return 0;
    last = malloc(sizeof(*last) + record.n);
    if (!last)
        return err_origin(-ENOMEM);
    last->type = e->type;
    last->size = record.n;
    memcpy(last->bytes, record.p, record.n);
    if (map_put(r->calls, key, last)) {
        free(last);
        return err_origin(-ENOMEM);
    }
    return 0;
}

static int note_session(struct journal_segment *s, int64_t session)
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

static int read_records(struct replay *r, struct str bytes, const char *path)
{
    while (bytes.n) {
        struct entry e;
        size_t size = 0;
        int got = entry_get(bytes, &e, &size), failed;

        if (got == ENTRY_E_TORN) {
            log_warn("journal_torn", "path=%s bytes=%zu", log_str(str_c(path)), bytes.n);
            return 0; /* the last write before the end; its call has no answer either */
        }
        if (got == ENTRY_E_BROKEN) {
            log_error("journal_broken", "path=%s left=%zu", log_str(str_c(path)), bytes.n);
            return REPLAY_E_BROKEN;
        }
        failed = remember(r, &e, str_n(bytes.p, size));
        if (!failed)
            failed = note_session(r->files, e.session);
        if (failed)
            return failed;
        bytes = str_n(bytes.p + size, bytes.n - size);
    }
    return 0;
}

static int read_file(struct replay *r, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), e = fd < 0 ? -errno : 0;
    struct stat st = {0};
    char *bytes = NULL;
    ssize_t n = 0;

    if (!e && fstat(fd, &st))
        e = -errno;
    if (!e) {
        bytes = malloc((size_t)st.st_size + 1);
        n = bytes ? read(fd, bytes, (size_t)st.st_size) : -1;
        e = n < 0 ? -EIO : read_records(r, str_n(bytes, (size_t)n), path);
    }
    free(bytes);
    if (fd >= 0)
        close(fd);
    if (!e)
        e = segment_add_path(r->files, path);
    return e < 0 ? err_origin(e) : e;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_journal(const struct dirent *d)
{
    return str_ends(str_c(d->d_name), STR(".journal"));
}

static int read_slot(struct replay *r, const char *slot)
{
    struct dirent **names = NULL;
    int n = scandir(slot, &names, is_journal, by_name), e = n < 0 ? err_origin(-errno) : 0;

    for (int i = 0; i < n; i++) {
        char path[PATH_MAX];

        if (!e && snprintf(path, sizeof(path), "%s/%s", slot, names[i]->d_name) < PATH_MAX)
            e = read_file(r, path);
        free(names[i]);
    }
    free(names);
    return e;
}

/* The calls of these sessions are settled: nothing of their leases is needed any more. */
static void close_sessions(struct journal_segment *s, void *ctx)
{
    struct db *db = NULL;

    if (!db_open(ctx, "tollgate replay", &db))
        for (size_t i = 0; i < s->n_sessions; i++) {
            struct session_call call = {.session = s->sessions[i]};

            if (lease_sql_close(db, &call) != PORT_OK)
                log_warn("session_not_closed", "session=%lld", (long long)s->sessions[i]);
        }
    db_close(db);
}

static bool push_call(struct str key, void *value, void *ctx)
{
    struct replay *r = ctx;
    struct last *last = value;

    (void)key;
    if (!r->failed)
        r->failed = flush_push(r->flush, str_n(last->bytes, last->size), segment_ref(r->files), NULL);
    r->n++;
    return true;
}

int replay_slot(const char *slot, const char *conninfo, struct flush *flush, size_t *ret_calls)
{
    struct replay r = {.flush = flush, .conninfo = conninfo};
    int e;

    r.calls = map_new(0, free);
    r.files = segment_of_files();
    e = r.calls && r.files ? read_slot(&r, slot) : err_origin(-ENOMEM);
    if (!e) {
        r.files->settled = close_sessions;
        r.files->ctx = (void *)(uintptr_t)conninfo;
        map_filter(r.calls, push_call, &r);
        e = r.failed;
    }
    if (e && r.files)
        atomic_store(&r.files->keep, true);
    segment_unref(r.files);
    map_free(r.calls);
    *ret_calls += r.n;
    return e;
}
