/* bench.h: what the measuring programs share: a PostgreSQL with the settings that `./run` gives it,
 * the processor time of whom, and figures as lines that tests/bench/run makes a table of.
 *
 * A figure that is not what it has to be ends the program with a sentence; how long something took
 * never does. */
#pragma once

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

/* What is measured has to survive a crash, as in production. */
#define PG_FIXTURE_FLAGS 0
#include "pg_fixture.h"

#include "base/clock.h"
#include "db/tx.h"

_noreturn_ _printf_(1, 2) static inline void bench_fail(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}
#define bench_ok(expr) \
    do { \
        int r_ = (expr); \
        if (r_ != 0) \
            bench_fail("%s:%d: %s: outcome %d", __FILE__, __LINE__, #expr, r_); \
    } while (0)

/* One figure: GROUP, NAME, VALUE with so many digits, UNIT, and the goal in words or "". */
static inline void bench_say(const char *group, const char *name, int digits, double value,
                             const char *unit, const char *goal)
{
    printf("%s\t%s\t%.*f\t%s\t%s\n", group, name, digits, value, unit, goal);
    fflush(stdout);
}

/* Nanoseconds of processor time of the calling thread. */
static inline int64_t bench_own_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Nanoseconds of processor time that a task under /proc has had; its name and its parent. */
static inline int64_t bench_task_ns(const char *task, char name[64], pid_t *ret_parent)
{
    char path[320], line[1024] = "", *close;
    unsigned long user = 0, system = 0;
    int parent = 0;
    FILE *f;

    snprintf(path, sizeof(path), "%s/stat", task);
    f = fopen(path, "re");
    if (!f)
        return 0; /* ended meanwhile */
    (void)!fgets(line, sizeof(line), f);
    fclose(f);
    close = strrchr(line, ')');
    if (!close || !strchr(line, '(') ||
        sscanf(close + 2, "%*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &parent, &user,
               &system) != 3)
        return 0;
    *close = '\0';
    snprintf(name, 64, "%s", strchr(line, '(') + 1);
    *ret_parent = parent;
    return (int64_t)(user + system) * (1000000000 / sysconf(_SC_CLK_TCK));
}

static inline int64_t bench_sum_ns(const char *dir, const char *thread, pid_t postmaster)
{
    int64_t sum = 0;
    DIR *d = opendir(dir);

    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        char task[300], name[64] = "";
        pid_t parent = 0;
        int64_t ns;

        if (e->d_name[0] < '0' || e->d_name[0] > '9')
            continue;
        snprintf(task, sizeof(task), "%s/%s", dir, e->d_name);
        ns = bench_task_ns(task, name, &parent);
        if (postmaster ? parent == postmaster : strcmp(name, thread) == 0)
            sum += ns;
    }
    if (d)
        closedir(d);
    return sum;
}

/* Of this process's threads of that name. */
static inline int64_t bench_thread_ns(const char *thread)
{
    return bench_sum_ns("/proc/self/task", thread, 0);
}

/* Of the cluster's processes that live now. */
static inline int64_t bench_postgres_ns(const struct pg_fixture *pg)
{
    return bench_sum_ns("/proc", NULL, pg->postmaster);
}

static inline void bench_pause(int ms)
{
    nanosleep(&(struct timespec){ms / 1000, (ms % 1000) * 1000000L}, NULL);
}

/* One figure of the database, as its owner sees it. */
static inline int64_t bench_figure(struct db *owner, struct db_query *q)
{
    int64_t v = 0;

    bench_ok(db_begin(owner, DB_SYSTEM, false));
    bench_ok(db_one(owner, q, NULL, DB_NO_ARGS, DB_COLS(db_col_i64("v", &v))));
    bench_ok(db_commit(owner));
    return v;
}
