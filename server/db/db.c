/* db.c: opening, losing and restoring a connection, and what a failure means.
 *
 * A connection is set up the same way each time: UTC, UTF-8, time limits, so that a worker that
 * reconnects is not another worker. libpq's socket is looked at before each use outside a
 * transaction, because a server that went away is otherwise noticed by the statement that fails. */
#include "db/conn.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/log.h"

/* Messages that may wait on an idle connection before it is used all the same. */
#define QUIET_READS 8

static struct db_query *registry;
static unsigned registered;

void db_query_register(struct db_query *q)
{
    q->index_ = registered++;
    q->next_ = registry;
    registry = q;
}

const struct db_query *db_query_first(void)
{
    return registry;
}

static void forget_prepared(struct db *db)
{
    for (unsigned i = 0; i < db->n_prepared; i++)
        free(db->prepared[i].arg_types);
    memset(db->prepared, 0, db->n_prepared * sizeof(*db->prepared));
}

void conn_drop(struct db *db)
{
    PQfinish(db->conn);
    db->conn = NULL;
    db->stale = db->streaming = false;
    forget_prepared(db);
}

static void quiet(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

/* Until when nobody of this process tries to connect, neither anew nor again, since the last who did was left
 * waiting. */
static _Atomic int64_t hung_until_ms;

/* A refusal comes at once; this is longer than one, and shorter than the time to connect. */
#define HUNG_LEAST_MS 1000

static void note_failed(struct db *db)
{
    db->failed_ms = clock_mono_ms();
    if (db->failed_ms - db->opened_ms >= HUNG_LEAST_MS)
        atomic_store_explicit(&hung_until_ms, db->failed_ms + DB_HUNG_MS, memory_order_relaxed);
}

/* What the conninfo says wins over the values before it and loses to those behind it. */
static PGconn *conn_connect(const struct db *db)
{
    const char *const keys[] = {"connect_timeout", "keepalives_idle", "keepalives_interval",
                                "keepalives_count", "tcp_user_timeout", "target_session_attrs",
                                "dbname", "application_name", "client_encoding", NULL};
    const char *const values[] = {"5", "15", "5", "3", "5000", "read-write",
                                  db->conninfo, db->application, "UTF8", NULL};

    return PQconnectdbParams(keys, values, 1);
}

static int conn_limits(struct db *db)
{
    char sql[512];

    snprintf(sql, sizeof(sql),
             "SET statement_timeout = %d; SET lock_timeout = %d;"
             " SET idle_in_transaction_session_timeout = %d",
             db->statement_ms, db->lock_ms, DB_IDLE_IN_TRANSACTION_MS);
    return conn_text(db, "limits", sql);
}

static int conn_open(struct db *db)
{
    int r;

    if (clock_mono_ms() < atomic_load_explicit(&hung_until_ms, memory_order_relaxed))
        return DB_E_AWAY;
    conn_drop(db);
    db->opened_ms = clock_mono_ms();
    if (failpoint_hit("db.connect")) {
        db->failed_ms = db->opened_ms;
        return DB_E_AWAY;
    }
    db->conn = conn_connect(db);
    if (!db->conn)
        return err_origin(-ENOMEM);
    if (PQstatus(db->conn) != CONNECTION_OK) {
        struct str said = str_trim(str_c(PQerrorMessage(db->conn)));
        snprintf(db->error, sizeof(db->error), "%.*s", STR_FMT(said));
        r = DB_E_AWAY;
    } else if (PQsetnonblocking(db->conn, 1) != 0) {
        r = err_origin(-ENOMEM);
    } else {
        PQsetNoticeProcessor(db->conn, quiet, NULL);
        r = conn_text(db, "session",
                      "SET timezone = 'UTC'; SET datestyle = 'ISO'; SET search_path = public;"
                      " SET standard_conforming_strings = on");
        if (r == 0)
            r = conn_limits(db);
    }
    if (r != 0) {
        conn_drop(db);
        note_failed(db);
        return r < 0 ? err_trace(r) : DB_E_AWAY;
    }
    db->failed_ms = 0;
    return 0;
}

int db_open(const char *conninfo, const char *application_name, struct db **ret)
{
    struct db *db = calloc(1, sizeof(*db));
    int r;

    if (!db)
        return err_origin(-ENOMEM);
    buf_init(&db->scratch, BOUND_DB_PARAMETER_BYTES);
    db->statement_ms = DB_STATEMENT_MS;
    db->lock_ms = DB_LOCK_MS;
    db->n_prepared = registered;
    db->conninfo = strdup(conninfo);
    db->application = strdup(application_name);
    db->prepared = calloc(registered + 1, sizeof(*db->prepared));
    if (!db->conninfo || !db->application || !db->prepared)
        r = err_origin(-ENOMEM);
    else
        r = conn_open(db);
    if (r != 0) {
        if (r > 0 && db->opened_ms) /* it was tried: whoever is left out for another's sake says nothing */
            log_warn("database_away", "reason=%s", log_str(str_c(db->error)));
        db_close(db);
        return r;
    }
    *ret = db;
    return 0;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    if (db->prepared)
        conn_drop(db);
    free(db->prepared);
    free(db->conninfo);
    free(db->application);
    buf_done(&db->scratch);
    free(db);
}

bool db_alive(const struct db *db)
{
    return db->conn && PQstatus(db->conn) == CONNECTION_OK;
}

/* Between statements the server has nothing to say but a notification, or goodbye: its last words
 * first, then the end of the connection. */
static bool conn_quiet(struct db *db)
{
    struct pollfd p = {.fd = PQsocket(db->conn), .events = POLLIN};

    for (int i = 0; i < QUIET_READS; i++) {
        if (poll(&p, 1, 0) == 0)
            return true;
        if (PQconsumeInput(db->conn) == 0 || PQstatus(db->conn) != CONNECTION_OK)
            return false;
    }
    return true;
}

int db_ensure(struct db *db)
{
    assert(!db->in_tx);
    if (db_alive(db) && !db->stale && !conn_suspect(db) && conn_quiet(db))
        return 0;
    if (db->failed_ms != 0 && clock_mono_ms() - db->failed_ms < DB_RECONNECT_MS)
        return DB_E_AWAY;
    int r = conn_open(db);

    return r < 0 ? err_trace(r) : r;
}

int db_limit(struct db *db, int statement_ms, int lock_ms)
{
    db->statement_ms = statement_ms;
    db->lock_ms = lock_ms;
    int r = db_ensure(db);

    if (r == 0)
        r = conn_limits(db);
    return r < 0 ? err_trace(r) : r;
}

int db_limit_usual(struct db *db)
{
    if (db->statement_ms == DB_STATEMENT_MS && db->lock_ms == DB_LOCK_MS)
        return 0;
    return db_limit(db, DB_STATEMENT_MS, DB_LOCK_MS);
}

const char *db_last_error(const struct db *db)
{
    return db->error;
}

const char *db_last_constraint(const struct db *db)
{
    return db->constraint;
}

const char *db_last_message(const struct db *db)
{
    return db->message;
}

/* SQLSTATEs, or their first characters, and what they mean here; the first that fits holds. */
static const struct {
    const char *state;
    int outcome;
} outcomes[] = {
    {"23505", DB_E_CONFLICT}, /* unique */
    {"23P01", DB_E_CONFLICT}, /* exclusion */
    {"23514", DB_E_REFUSED},  /* check */
    {"23503", DB_E_REFUSED},  /* foreign key */
    {"22021", DB_E_REFUSED},  /* bytes that are not UTF-8, or a NUL, in text */
    {"TG", DB_E_REFUSED},     /* raised by our functions */
    {"40001", -EAGAIN},       /* serialization failure */
    {"40P01", -EAGAIN},       /* deadlock */
    {"55P03", -EAGAIN},       /* lock_timeout */
    {"08", DB_E_AWAY},
    {"57P", DB_E_AWAY}, /* shutdown, crash, starting up */
    {"53", DB_E_AWAY},  /* connections, memory, disk */
    {"25006", DB_E_AWAY}, /* read only: a standby after a failover */
    {"57014", -ETIMEDOUT}, /* statement_timeout */
};

static int state_outcome(const char *state)
{
    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
        if (strncmp(state, outcomes[i].state, strlen(outcomes[i].state)) == 0)
            return outcomes[i].outcome;
    }
    return -EPROTO;
}

static void copy_field(char *out, size_t size, const PGresult *res, int field)
{
    const char *z = res ? PQresultErrorField(res, field) : NULL;

    snprintf(out, size, "%s", z ? z : "");
}

/* "cached plan must not change result type", "prepared statement does not exist", "already exists": a
 * migration or a pooler changed what this connection had prepared, or it was prepared and we could not
 * take in that it was. */
static bool state_stale(const char *state)
{
    return strcmp(state, "0A000") == 0 || strcmp(state, "26000") == 0 || strcmp(state, "42P05") == 0;
}

int conn_failed(struct db *db, const char *what, const PGresult *res)
{
    copy_field(db->state, sizeof(db->state), res, PG_DIAG_SQLSTATE);
    copy_field(db->message, sizeof(db->message), res, PG_DIAG_MESSAGE_PRIMARY);
    copy_field(db->constraint, sizeof(db->constraint), res, PG_DIAG_CONSTRAINT_NAME);
    const char *position = res ? PQresultErrorField(res, PG_DIAG_STATEMENT_POSITION) : NULL;

    db->position = position ? (int)strtol(position, NULL, 10) : 0;
    if (!db->message[0])
        snprintf(db->message, sizeof(db->message), "%s",
                 db->conn ? PQerrorMessage(db->conn) : "no answer");
    snprintf(db->error, sizeof(db->error), "%s %s", db->state, db->message);
    if (PQstatus(db->conn) != CONNECTION_OK) {
        log_warn("database_lost", "query=%s reason=%s", what, log_str(str_c(db->error)));
        return DB_E_AWAY;
    }
    int r = state_outcome(db->state);

    if (state_stale(db->state)) {
        db->stale = true;
        r = -EAGAIN;
    }
    if (r == -EAGAIN)
        db->retryable = true;
    else if (r < 0)
        log_error("query_failed", "query=%s error=%s", what, log_str(str_c(db->error)));
    return r;
}

int conn_text(struct db *db, const char *what, const char *sql)
{
    PGresult *res = conn_exec(db, sql);
    ExecStatusType status = PQresultStatus(res);
    int r = 0;

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY)
        r = conn_failed(db, what, res);
    PQclear(res);
    return r;
}
