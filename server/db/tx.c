/* tx.c: the transaction runner.
 *
 * BEGIN and who is asking go in one round trip, as one text made of our own words and integers
 * only. What fails because of others (40001, 40P01, lock_timeout) is run again after a pause that
 * doubles and jitters, so that two that met do not meet again. */
#include "db/tx.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/err.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/random.h"
#include "db/conn.h"

#define TX_TRIES 5
#define TX_PAUSE_MS 10

static const char *const scope_words[] = {
    [DB_AS_TEAM] = "team",
    [DB_AS_OPERATOR] = "operator",
    [DB_AS_SYSTEM] = "system",
    [DB_AS_USER] = "user",
};

/* An id as set_config takes it; 0 is none, which app_team() reads as NULL. */
static void scope_id(char out[24], int64_t id)
{
    if (id != 0)
        snprintf(out, 24, "%" PRId64, id);
    else
        out[0] = '\0';
}

static int scope_send(struct db *db, const char *begin, struct db_scope scope)
{
    char team[24], user[24], sql[320];
    int r;

    scope_id(team, scope.team.v);
    scope_id(user, scope.user.v);
    snprintf(sql, sizeof(sql),
             "%sSELECT set_config('app.scope', '%s', true), set_config('app.team', '%s', true),"
             " set_config('app.user', '%s', true)",
             begin, scope_words[scope.kind], team, user);
    db->beginning = begin[0] != '\0';
    r = conn_text(db, "begin", sql);
    db->beginning = false;
    return r;
}

/* One text may be done in part: BEGIN was, and what is behind it failed. That transaction would stay open. */
static int begin_send(struct db *db, const char *begin, struct db_scope scope)
{
    int r = scope_send(db, begin, scope);

    if (r != 0)
        conn_drop(db);
    return r;
}

int db_begin(struct db *db, struct db_scope scope, bool read_only)
{
    const char *begin = read_only ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
                                  : "BEGIN ISOLATION LEVEL READ COMMITTED; ";

    assert(!db->in_tx);
    int r = db_ensure(db);

    if (r == 0) {
        r = begin_send(db, begin, scope);
        /* The server went away since it was last looked at: nothing has happened yet. */
        if (r == DB_E_AWAY && db_ensure(db) == 0)
            r = begin_send(db, begin, scope);
    }
    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    db->in_tx = true;
    db->read_only = read_only;
    db->retryable = false;
    return 0;
}

int db_rescope(struct db *db, struct db_scope scope)
{
    assert(db->in_tx);
    if (!db_alive(db))
        return DB_E_AWAY;
    int r = scope_send(db, "", scope);

    return r < 0 ? err_trace(r) : r;
}

/* The server's answer to COMMIT, or that there was none. */
static int commit_outcome(struct db *db, const PGresult *res)
{
    if (PQresultStatus(res) == PGRES_COMMAND_OK) {
        if (strcmp(PQcmdStatus((PGresult *)res), "COMMIT") == 0)
            return 0;
        /* A statement failed, and the body went on to commit all the same. */
        return db->retryable ? -EAGAIN : err_origin(-ECANCELED);
    }
    int r = conn_failed(db, "commit", res);

    return r == DB_E_AWAY ? -ECONNRESET : r;
}

int db_commit(struct db *db)
{
    assert(db->in_tx);
    db->in_tx = false;
    if (failpoint_hit("db.commit"))
        conn_drop(db); /* the server never hears of it */
    if (!db_alive(db))
        return db->read_only ? 0 : DB_E_AWAY;
    PGresult *res = conn_exec(db, "COMMIT");
    int r = commit_outcome(db, res);

    PQclear(res);
    if (r == 0 && !db->read_only && failpoint_hit("db.committed")) {
        conn_drop(db); /* committed, and nobody was told */
        r = -ECONNRESET;
    }
    return r < 0 ? err_trace(r) : r;
}

void db_rollback(struct db *db)
{
    if (!db->in_tx)
        return;
    db->in_tx = false;
    if (db_alive(db) && conn_text(db, "rollback", "ROLLBACK") != 0)
        conn_drop(db);
}

static void pause_before(unsigned attempt)
{
    unsigned ms = (TX_PAUSE_MS << attempt) / 2 + random_below(TX_PAUSE_MS << attempt);
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    nanosleep(&t, NULL);
}

/* Once through. A failed body keeps db->retryable for the runner. */
static int tx_once(struct db *db, struct db_scope scope, bool read_only,
                   int (*fn)(struct db *, void *), void *ctx)
{
    int r = db_begin(db, scope, read_only);

    if (r != 0)
        return r;
    r = fn(db, ctx);
    if (r == 0)
        r = db_commit(db);
    db_rollback(db);
    return r;
}

static int tx_run(struct db *db, struct db_scope scope, bool read_only, const char *name,
                  int (*fn)(struct db *, void *), void *ctx)
{
    for (unsigned attempt = 0;; attempt++) {
        int r = tx_once(db, scope, read_only, fn, ctx);

        if (r != -EAGAIN || !db->retryable)
            return r < 0 ? err_trace(r) : r;
        if (attempt + 1 == TX_TRIES) {
            log_warn("tx_gave_up", "tx=%s error=%s", name, log_str(str_c(db->error)));
            return DB_E_AWAY;
        }
        log_debug("tx_again", "tx=%s attempt=%u error=%s", name, attempt + 1,
                  log_str(str_c(db->error)));
        pause_before(attempt);
    }
}

int db_tx(struct db *db, struct db_scope scope, const char *name, int (*fn)(struct db *, void *),
          void *ctx)
{
    return tx_run(db, scope, false, name, fn, ctx);
}

int db_read(struct db *db, struct db_scope scope, const char *name, int (*fn)(struct db *, void *),
            void *ctx)
{
    return tx_run(db, scope, true, name, fn, ctx);
}
