/* replay_slot.c: the files of a slot, read whole. See replay.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "ledger/replay.h"
#include "ledger/store.h"
#include "lease/lease_sql.h"

static int read_all(int fd, char *bytes, size_t n)
{
    while (n) {
        ssize_t got = read(fd, bytes, n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : -EIO;
        bytes += got;
        n -= (size_t)got;
    }
    return 0;
}

static int read_file(struct replay *r, struct journal_segment *files, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), e = fd < 0 ? -errno : 0;
    struct stat st = {0};
    char *bytes = NULL;

    if (!e && fstat(fd, &st))
        e = -errno;
    if (!e) {
        bytes = malloc((size_t)st.st_size + 1);
        e = bytes ? read_all(fd, bytes, (size_t)st.st_size) : -ENOMEM;
    }
    if (!e)
        e = replay_feed(r, str_n(bytes, (size_t)st.st_size), files);
    free(bytes);
    if (fd >= 0)
        close(fd);
    if (e)
        log_error("journal_unread", "path=%s", log_str(str_c(path)));
    else
        e = segment_add_path(files, path);
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

static int is_session(const struct dirent *d)
{
    return str_ends(str_c(d->d_name), STR(STORE_SESSION));
}

/* Its node may have died before it wrote anything of a call, with slack or a hold in hand. */
static int read_session(struct replay *r, struct journal_segment *files, const char *path)
{
    struct str name = str_c(strrchr(path, '/') + 1), number;
    int64_t session;

    (void)r;
    if (!str_split(&name, '.', &number) || str_i64(number, &session) != STR_OK)
        return 0;
    if (segment_add_session(files, session))
        return err_origin(-ENOMEM);
    return segment_add_path(files, path);
}

static int read_files(struct replay *r, struct journal_segment *files, const char *slot,
                      int (*wanted)(const struct dirent *),
                      int (*read_one)(struct replay *, struct journal_segment *, const char *))
{
    struct dirent **names = NULL;
    int n = scandir(slot, &names, wanted, by_name), e = n < 0 ? err_origin(-errno) : 0;

    for (int i = 0; i < n; i++) {
        char path[PATH_MAX];

        if (!e && snprintf(path, sizeof(path), "%s/%s", slot, names[i]->d_name) < PATH_MAX)
            e = read_one(r, files, path);
        free(names[i]);
    }
    free(names);
    return e;
}

static int read_slot(struct replay *r, struct journal_segment *files, const char *slot)
{
    int e = failpoint_hit("replay.read");

    if (!e)
        e = read_files(r, files, slot, is_session, read_session);
    return e ? e : read_files(r, files, slot, is_journal, read_file);
}

/* The calls of these sessions are settled: nothing of their leases is needed any more. */
static void close_sessions(struct journal_segment *s, void *ctx)
{
    struct db *db = NULL;

    (void)failpoint_hit("replay.settled");
    if (db_open(ctx, "tollgate replay", &db))
        return; /* they are reaped like any other that is gone */
    for (size_t i = 0; i < s->n_sessions; i++) {
        struct session_call call = {.session = s->sessions[i]};

        if (lease_sql_close(db, &call) != PORT_OK)
            log_warn("session_not_closed", "session=%lld", (long long)s->sessions[i]);
    }
    db_close(db);
}

int replay_slot(const char *slot, const char *conninfo, struct settle *s, size_t *ret_calls)
{
    struct replay *r = replay_new();
    struct journal_segment *files = segment_of_files();
    int e = r && files ? read_slot(r, files, slot) : err_origin(-ENOMEM);

    if (!e) {
        files->settled = close_sessions;
        files->ctx = (void *)(uintptr_t)conninfo;
        e = replay_push(r, s, files, ret_calls);
        (void)failpoint_hit("replay.pushed");
    }
    if (e && files)
        atomic_store(&files->keep, true);
    segment_unref(files);
    replay_free(r);
    return e;
}
