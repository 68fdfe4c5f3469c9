/* pg_fixture.h: one private, migrated PostgreSQL for a test executable.
 *
 *     static struct pg_fixture pg;
 *     static int setup(void **state) { pg_fixture_start(&pg); return 0; }
 *     static int teardown(void **state) { pg_fixture_stop(&pg); return 0; }
 *     ... db_open(pg.app_conninfo, "test", &db) ...
 *     return cmocka_run_group_tests(tests, setup, teardown);
 *
 * PostgreSQL refuses to run as root, so a helper process owns it, as `nobody` when we are root. The
 * helper stops it and removes its files when this process ends, however it ends. Start it once per
 * executable (about two seconds). The working directory is the source tree (meson sees to that).
 *
 * PG_FIXTURE_KEEP=DIR: the cluster lies in DIR, which is made, and stays there for the next time. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/embedded.h"
#include "db/migrate.h"

struct pg_fixture {
    char app_conninfo[256];   /* tollgate_app: what serve is */
    char owner_conninfo[256]; /* tollgate_owner: what migrate is */
    pid_t postmaster;         /* to kill, for tests of that */
    char dir[64];
    bool kept;                /* PG_FIXTURE_KEEP */
    pid_t helper_;
    int control_; /* the helper stops when this closes */
};

#define PG_FIXTURE_NOBODY 65534
#ifndef PG_FIXTURE_FLAGS
#define PG_FIXTURE_FLAGS EMBEDDED_THROWAWAY
#endif

_noreturn_ static inline void pg_fixture_fail(const char *what)
{
    fprintf(stderr, "pg_fixture: %s (errno %d)\n", what, errno);
    abort();
}

static inline int pg_fixture_remove(const char *path, const struct stat *st, int kind,
                                    struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

_noreturn_ static inline void pg_fixture_helper(struct pg_fixture *pg, int answer, int control)
{
    struct embedded *e = NULL;
    char byte;

    setsid(); /* a Ctrl-C ends the test, and that ends us */
    if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setgid(PG_FIXTURE_NOBODY) < 0 ||
                           setuid(PG_FIXTURE_NOBODY) < 0))
        pg_fixture_fail("cannot become nobody");
    if (embedded_start(pg->dir, PG_FIXTURE_FLAGS, &e) != 0)
        pg_fixture_fail("PostgreSQL does not start");
    snprintf(pg->app_conninfo, sizeof(pg->app_conninfo), "%s", embedded_app_conninfo(e));
    snprintf(pg->owner_conninfo, sizeof(pg->owner_conninfo), "%s", embedded_owner_conninfo(e));
    pg->postmaster = embedded_pid(e);
    if (write(answer, pg, sizeof(*pg)) != (ssize_t)sizeof(*pg))
        pg_fixture_fail("cannot answer");
    close(answer);
    while (read(control, &byte, 1) < 0 && errno == EINTR)
        continue;
    embedded_stop(e);
    if (!pg->kept)
        nftw(pg->dir, pg_fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
    _exit(0);
}

static inline void pg_fixture_directory(struct pg_fixture *pg)
{
    const char *keep = getenv("PG_FIXTURE_KEEP");

    pg->kept = keep != NULL;
    snprintf(pg->dir, sizeof(pg->dir), "%s", keep ? keep : "/tmp/tg-test-XXXXXX");
    if (keep ? strlen(keep) >= sizeof(pg->dir) || (mkdir(keep, 0700) < 0 && errno != EEXIST)
             : !mkdtemp(pg->dir))
        pg_fixture_fail("cannot prepare");
    if (geteuid() == 0 && chown(pg->dir, PG_FIXTURE_NOBODY, PG_FIXTURE_NOBODY) < 0)
        pg_fixture_fail("cannot give the directory away");
}

/* A running server with an empty database. */
static inline void pg_fixture_start_empty(struct pg_fixture *pg)
{
    int answer[2], control[2];

    memset(pg, 0, sizeof(*pg));
    pg_fixture_directory(pg);
    if (pipe2(answer, O_CLOEXEC) < 0 || pipe2(control, O_CLOEXEC) < 0)
        pg_fixture_fail("cannot prepare");
    fflush(NULL);
    pid_t helper = fork();

    if (helper < 0)
        pg_fixture_fail("cannot fork");
    if (helper == 0) {
        close(answer[0]);
        close(control[1]);
        pg_fixture_helper(pg, answer[1], control[0]);
    }
    close(answer[1]);
    close(control[0]);
    if (read(answer[0], pg, sizeof(*pg)) != (ssize_t)sizeof(*pg))
        pg_fixture_fail("PostgreSQL did not come up");
    close(answer[0]);
    pg->helper_ = helper;
    pg->control_ = control[1];
}

/* The same, with every migration applied. */
static inline void pg_fixture_start(struct pg_fixture *pg)
{
    unsigned applied = 0;

    pg_fixture_start_empty(pg);
    if (migrate_run(pg->owner_conninfo, "migrations", &applied) != MIGRATE_OK)
        pg_fixture_fail("the migrations do not apply");
}

static inline void pg_fixture_stop(struct pg_fixture *pg)
{
    close(pg->control_);
    waitpid(pg->helper_, NULL, 0);
}
