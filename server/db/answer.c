/* answer.c: waiting for what the server says, and no longer than it may take.
 *
 * A server that hangs without closing the connection (a machine that is stopped, a proxy that passes on
 * nothing) would hold a worker for ever: its own statement_timeout is of no use then, and the kernel's
 * limits only see connections that acknowledge nothing. So libpq never blocks here: what is sent and
 * what comes is waited for with poll, and after a silence that cannot be the statement's the connection
 * is given up. What the statement did is unknown then, as after any loss of a connection. */
#include "db/conn.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/log.h"

/* So much later than its statement_timeout the server has answered. */
#define ANSWER_MS 5000
/* A stream's statement has no timeout, and may look for its first row for long. */
#define STREAM_SILENCE_MS 300000

/* When a connection of this process was last given up for its silence: those that are older, and idle,
 * are likely to be as dead, and each would be waited for anew. */
static _Atomic int64_t silence_ms;

bool conn_suspect(const struct db *db)
{
    return db->opened_ms <= atomic_load_explicit(&silence_ms, memory_order_relaxed);
}

/* Milliseconds of silence after which no answer comes any more; below 0: there is no limit. */
static int silence_limit(const struct db *db)
{
    if (db->streaming)
        return STREAM_SILENCE_MS;
    if (db->beginning)
        return DB_BEGIN_MS;
    return db->statement_ms ? db->statement_ms + ANSWER_MS : -1;
}

/* Until the socket can be read, or written where that is wanted. False: the time is over. */
static bool wait_socket(const struct db *db, bool to_write)
{
    struct pollfd p = {.fd = PQsocket(db->conn), .events = POLLIN};
    int limit_ms = silence_limit(db), n;
    int64_t until_ms = clock_mono_ms() + limit_ms;

    if (to_write)
        p.events |= POLLOUT;
    do {
        int64_t left_ms = MAX(until_ms - clock_mono_ms(), 0);

        n = poll(&p, 1, limit_ms < 0 ? -1 : (int)left_ms);
    } while (n < 0 && errno == EINTR);
    return n != 0;
}

/* Until libpq has a result, or an error to tell of. False: the server is silent, and the connection gone. */
static bool wait_result(struct db *db)
{
    for (;;) {
        int unsent = PQflush(db->conn);

        if (unsent < 0 || (!unsent && !PQisBusy(db->conn)))
            return true;
        if (!wait_socket(db, unsent > 0)) {
            log_warn("database_silent", "limit_ms=%d", silence_limit(db));
            atomic_store_explicit(&silence_ms, clock_mono_ms(), memory_order_relaxed);
            conn_drop(db);
            return false;
        }
        if (PQconsumeInput(db->conn) == 0)
            return true;
    }
}

PGresult *conn_next(struct db *db)
{
    return wait_result(db) ? PQgetResult(db->conn) : NULL;
}

PGresult *conn_answer(struct db *db)
{
    PGresult *last = NULL;

    for (PGresult *res = conn_next(db); res; res = conn_next(db)) {
        PQclear(last);
        last = res;
        if (!db_alive(db))
            return last;
    }
    if (last && db->conn && PQtransactionStatus(db->conn) != PQTRANS_ACTIVE)
        return last;
    conn_drop(db); /* silent; or libpq ran out of memory, and what is still to come would be taken for
                      the next statement's */
    PQclear(last);
    return NULL;
}

PGresult *conn_exec(struct db *db, const char *sql)
{
    return PQsendQuery(db->conn, sql) ? conn_answer(db) : NULL;
}
