/* embedded.c: starting, adopting and stopping the private PostgreSQL.
 *
 * It is a child in a session of its own and does not die with us: after a kill -9 it goes on, keeps
 * what was committed, and is found again by its pid file. A server whose postmaster was killed
 * leaves backends that need a moment to notice; a start in that moment fails and is tried again. */
#include "db/embedded.h"

#include <errno.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "db/cluster.h"

/* Crash recovery replays at most max_wal_size (1 GB): minutes on a slow disk. */
#define READY_MS (10 * 60 * 1000)
#define READY_POLL_MS 20
#define READY_NOTE_MS 10000
/* How often a start that ends at once is repeated, and the pause: backends left behind by a killed
 * postmaster are gone within seconds. */
#define START_TRIES 20
#define START_PAUSE_MS 500
#define STOP_FAST_MS 60000
#define STOP_IMMEDIATE_MS 15000
#define CONNINFO_SIZE (2 * PATH_MAX + 128)

struct embedded {
    struct cluster cluster;
    pid_t pid;
    bool adopted;   /* not our child: cannot be waited for */
    bool reaped;
    char app[CONNINFO_SIZE], owner[CONNINFO_SIZE], super[CONNINFO_SIZE];
};

static const char *const outcome_texts[] = {
    [EMBEDDED_OK] = "PostgreSQL is running",
    [EMBEDDED_E_NO_POSTGRES] = "no PostgreSQL server is installed; install the package "
                               "postgresql, or set DATABASE_URL to a server of your own",
    [EMBEDDED_E_VERSION] = "the data directory was made by another PostgreSQL version than is "
                           "installed; install that version, or move the data with pg_upgrade",
    [EMBEDDED_E_BUSY] = "another user's PostgreSQL runs in this data directory; stop it first",
    [EMBEDDED_E_START] = "PostgreSQL did not start; its own words are above and in postgres.log "
                         "in the data directory",
};

const char *embedded_outcome_text(int outcome)
{
    if (outcome < 0 || (size_t)outcome >= ARRAY_LEN(outcome_texts))
        return "PostgreSQL could not be started; see the lines above";
    return outcome_texts[outcome];
}

static void sleep_ms(int ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    nanosleep(&t, NULL);
}

/* In a conninfo value, quotes and backslashes are escaped (libpq, 34.1.1.1). */
static void make_conninfo(const struct cluster *c, const char *user, const char *database,
                          char out[CONNINFO_SIZE])
{
    size_t n = (size_t)snprintf(out, CONNINFO_SIZE, "host='");

    for (const char *p = c->socket_dir; *p; p++) {
        if (*p == '\'' || *p == '\\')
            out[n++] = '\\';
        out[n++] = *p;
    }
    snprintf(out + n, CONNINFO_SIZE - n, "' port=5432 user=%s dbname=%s", user, database);
}

bool embedded_alive(struct embedded *e)
{
    if (e->adopted)
        return cluster_is_postmaster(&e->cluster, e->pid);
    if (!e->reaped && waitpid(e->pid, NULL, WNOHANG) != 0)
        e->reaped = true;
    return !e->reaped;
}

/* Until it answers; EMBEDDED_E_START when it ends before. */
static int wait_ready(struct embedded *e)
{
    int64_t begin = clock_mono_ms(), note = begin + READY_NOTE_MS;

    while (embedded_alive(e)) {
        int64_t now = clock_mono_ms();
        if (PQping(e->super) == PQPING_OK)
            return 0;
        if (now - begin > READY_MS)
            break;
        if (now > note) {
            log_info("postgres_starting", "seconds=%d", (int)((now - begin) / 1000));
            note = now + READY_NOTE_MS;
        }
        sleep_ms(READY_POLL_MS);
    }
    return EMBEDDED_E_START;
}

static void name_connections(struct embedded *e)
{
    make_conninfo(&e->cluster, "tollgate_app", "tollgate", e->app);
    make_conninfo(&e->cluster, "tollgate_owner", "tollgate", e->owner);
    make_conninfo(&e->cluster, "postgres", "postgres", e->super);
}

/* The server left by a kill -9, unless it is on its way out. */
static int adopt(struct embedded *e)
{
    int r = cluster_running(&e->cluster, &e->pid);

    if (r != 0 || e->pid == 0)
        return r;
    e->adopted = true;
    name_connections(e);
    if (wait_ready(e) == 0) {
        log_info("postgres_adopted", "pid=%d", (int)e->pid);
        return 0;
    }
    e->adopted = false;
    e->pid = 0;
    return 0;
}

static int start_own(struct embedded *e, unsigned flags)
{
    int r = cluster_socket_dir(&e->cluster);

    if (r < 0)
        return err_trace(r);
    name_connections(e);
    for (int attempt = 0; attempt < START_TRIES; attempt++) {
        if (attempt > 0)
            sleep_ms(START_PAUSE_MS);
        e->reaped = false;
        r = cluster_spawn(&e->cluster, flags, &e->pid);
        if (r < 0)
            return err_trace(r);
        r = wait_ready(e);
        if (r == 0 || embedded_alive(e))
            return r;
    }
    cluster_log_tail(&e->cluster);
    return r;
}

static bool run_sql(PGconn *conn, const char *sql)
{
    PGresult *res = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(res);
    bool ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;

    if (!ok)
        log_error("postgres_setup", "error=%s", log_str(str_c(PQresultErrorMessage(res))));
    PQclear(res);
    return ok;
}

static bool database_missing(PGconn *conn)
{
    PGresult *res = PQexec(conn, "SELECT FROM pg_database WHERE datname = 'tollgate'");
    bool missing = PQresultStatus(res) == PGRES_TUPLES_OK && PQntuples(res) == 0;

    PQclear(res);
    return missing;
}

/* Roles and the database, whatever of them an interrupted first start left out. */
static int set_up(struct embedded *e)
{
    PGconn *conn = PQconnectdb(e->super);
    bool ok = PQstatus(conn) == CONNECTION_OK;

    if (!ok)
        log_error("postgres_setup", "error=%s", log_str(str_c(PQerrorMessage(conn))));
    ok = ok &&
         run_sql(conn, "DO $$ BEGIN"
                       " IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tollgate_owner') THEN"
                       "  CREATE ROLE tollgate_owner LOGIN CREATEROLE; END IF;"
                       " IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tollgate_app') THEN"
                       "  CREATE ROLE tollgate_app LOGIN; END IF; END $$");
    if (ok && database_missing(conn))
        ok = run_sql(conn, "CREATE DATABASE tollgate OWNER tollgate_owner");
    PQfinish(conn);
    return ok ? 0 : EMBEDDED_E_START;
}

static int bring_up(struct embedded *e, const char *data_dir, unsigned flags)
{
    int r = cluster_paths(data_dir, &e->cluster);

    if (r == 0)
        r = cluster_find_programs(&e->cluster);
    if (r == 0)
        r = adopt(e);
    if (r == 0 && e->pid == 0) {
        r = cluster_make(&e->cluster, flags);
        if (r == 0)
            r = start_own(e, flags);
    }
    if (r == 0)
        r = set_up(e);
    return r < 0 ? err_trace(r) : r;
}

int embedded_start(const char *data_dir, unsigned flags, struct embedded **ret)
{
    if (geteuid() == 0)
        return err_origin(-EPERM);
    struct embedded *e = calloc(1, sizeof(*e));

    if (!e)
        return err_origin(-ENOMEM);
    int r = bring_up(e, data_dir, flags);

    if (r != 0) {
        embedded_stop(e);
        return r < 0 ? err_trace(r) : r;
    }
    *ret = e;
    return 0;
}

static bool stop_with(struct embedded *e, int sig, int wait_ms)
{
    int64_t end = clock_mono_ms() + wait_ms;

    kill(e->pid, sig);
    while (embedded_alive(e)) {
        if (clock_mono_ms() > end)
            return false;
        sleep_ms(READY_POLL_MS);
    }
    return true;
}

void embedded_stop(struct embedded *e)
{
    if (!e)
        return;
    if (e->pid != 0 && embedded_alive(e) && !stop_with(e, SIGINT, STOP_FAST_MS)) {
        log_warn("postgres_slow_stop", "pid=%d", (int)e->pid);
        if (!stop_with(e, SIGQUIT, STOP_IMMEDIATE_MS))
            log_error("postgres_does_not_stop", "pid=%d", (int)e->pid);
    }
    if (e->cluster.socket_dir[0])
        rmdir(e->cluster.socket_dir); /* unless a server that does not stop still has it */
    free(e);
}

const char *embedded_app_conninfo(const struct embedded *e)
{
    return e->app;
}

const char *embedded_owner_conninfo(const struct embedded *e)
{
    return e->owner;
}

pid_t embedded_pid(const struct embedded *e)
{
    return e->pid;
}

void embedded_leave(struct embedded *e)
{
    if (e && e->adopted)
        free(e);
    else
        embedded_stop(e);
}
