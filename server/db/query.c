/* query.c: preparing and running statements.
 *
 * Each query is prepared once per connection, under its registry number, and described once, so
 * that arguments are encoded for the types the server really wants. Results come in binary. */
#include "db/conn.h"

#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "base/log.h"

static void query_name(const struct db_query *q, char out[16])
{
    snprintf(out, 16, "q%u", q->index_);
}

static void clear_result(PGresult **res)
{
    PQclear(*res);
}

static int query_describe(struct db *db, const struct db_query *q, PGresult **ret)
{
    char name[16];

    query_name(q, name);
    PGresult *res = PQsendDescribePrepared(db->conn, name) ? conn_answer(db) : NULL;

    if (PQresultStatus(res) != PGRES_COMMAND_OK) {
        int r = conn_failed(db, q->name, res);
        PQclear(res);
        return r;
    }
    *ret = res;
    return 0;
}

static int query_prepare(struct db *db, const struct db_query *q)
{
    struct db_prepared *p = &db->prepared[q->index_];
    char name[16];

    assert(q->index_ < db->n_prepared);
    if (p->ready)
        return 0;
    query_name(q, name);
    _cleanup_(clear_result) PGresult *made =
        PQsendPrepare(db->conn, name, q->sql, 0, NULL) ? conn_answer(db) : NULL;

    if (PQresultStatus(made) != PGRES_COMMAND_OK)
        return conn_failed(db, q->name, made);
    _cleanup_(clear_result) PGresult *shape = NULL;
    int r = query_describe(db, q, &shape);

    if (r != 0)
        return r;
    p->n_args = (unsigned)PQnparams(shape);
    p->arg_types = calloc(p->n_args + 1, sizeof(*p->arg_types));
    if (!p->arg_types)
        return err_origin(-ENOMEM);
    for (unsigned i = 0; i < p->n_args; i++)
        p->arg_types[i] = PQparamtype(shape, (int)i);
    p->ready = true;
    return 0;
}

int db_describe(struct db *db, const struct db_query *q, struct arena *a, struct db_shape *ret)
{
    _cleanup_(clear_result) PGresult *res = NULL;
    int r = query_prepare(db, q);

    if (r == 0)
        r = query_describe(db, q, &res);
    if (r != 0)
        return r;
    unsigned n = (unsigned)PQnfields(res);
    const char **names = arena_array(a, const char *, n + 1);

    if (!names)
        return err_origin(-ENOMEM);
    for (unsigned i = 0; i < n; i++) {
        names[i] = arena_cstr(a, str_c(PQfname(res, (int)i)));
        if (!names[i])
            return err_origin(-ENOMEM);
    }
    *ret = (struct db_shape){(unsigned)PQnparams(res), n, names};
    return 0;
}

/* Everything up to the moment of sending. */
static int query_ready(struct db *db, const struct db_query *q, const struct db_arg *args,
                       size_t n_args, struct db_params *ret)
{
    int r = 0;

    assert(!db->streaming);
    if (!db->in_tx)
        r = db_ensure(db);
    else if (!db_alive(db))
        r = DB_E_AWAY;
    if (r == 0)
        r = query_prepare(db, q);
    if (r != 0)
        return r;
    const struct db_prepared *p = &db->prepared[q->index_];

    if (n_args != p->n_args) {
        log_error("query_arguments", "query=%s given=%zu wanted=%u", q->name, n_args, p->n_args);
        return err_origin(-EINVAL);
    }
    return arg_encode(db, q, p->arg_types, args, n_args, ret);
}

static int query_run(struct db *db, const struct db_query *q, const struct db_arg *args,
                     size_t n_args, PGresult **ret)
{
    struct db_params params;
    char name[16];
    int r = query_ready(db, q, args, n_args, &params);

    if (r != 0)
        return r;
    query_name(q, name);
    PGresult *res = PQsendQueryPrepared(db->conn, name, (int)n_args, params.values, params.lengths,
                                        params.formats, 1)
                        ? conn_answer(db)
                        : NULL;
    ExecStatusType status = PQresultStatus(res);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        r = conn_failed(db, q->name, res);
        PQclear(res);
        return r;
    }
    *ret = res;
    return 0;
}

int db_exec(struct db *db, struct db_query *q, const struct db_arg *args, size_t n_args,
            int64_t *ret_rows)
{
    _cleanup_(clear_result) PGresult *res = NULL;
    int r = query_run(db, q, args, n_args, &res);

    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    int64_t rows = 0;
    struct str count = str_c(PQcmdTuples(res));

    if (count.n != 0 && str_i64(count, &rows) != STR_OK)
        return err_origin(-EPROTO);
    if (ret_rows)
        *ret_rows = rows;
    return 0;
}

/* Text that nobody copies would be gone with the result. */
static bool copies(const struct arena *a, const struct db_col *cols, size_t n)
{
    for (size_t i = 0; i < n && !a; i++) {
        if (cols[i].type == DB_TEXT || cols[i].type == DB_BYTES || cols[i].type == DB_JSON)
            return false;
    }
    return true;
}

int db_one(struct db *db, struct db_query *q, struct arena *a, const struct db_arg *args,
           size_t n_args, const struct db_col *cols, size_t n_cols)
{
    _cleanup_(clear_result) PGresult *res = NULL;
    int at[BOUND_DB_COLS];

    assert(copies(a, cols, n_cols));
    int r = query_run(db, q, args, n_args, &res);

    if (r == 0)
        r = col_find(q, res, cols, n_cols, at);
    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    if (PQntuples(res) == 0)
        return DB_E_NONE;
    if (PQntuples(res) > 1) {
        log_error("query_rows", "query=%s rows=%d wanted=1", q->name, PQntuples(res));
        return err_origin(-EPROTO);
    }
    r = col_decode(q, res, 0, a, cols, n_cols, at);
    return r < 0 ? err_trace(r) : 0;
}

int db_each(struct db *db, struct db_query *q, struct arena *a, const struct db_arg *args,
            size_t n_args, const struct db_col *cols, size_t n_cols, int (*fn)(void *ctx),
            void *ctx)
{
    _cleanup_(clear_result) PGresult *res = NULL;
    int at[BOUND_DB_COLS];

    assert(copies(a, cols, n_cols));
    int r = query_run(db, q, args, n_args, &res);

    if (r == 0)
        r = col_find(q, res, cols, n_cols, at);
    for (int row = 0; r == 0 && row < PQntuples(res); row++) {
        r = col_decode(q, res, row, a, cols, n_cols, at);
        if (r == 0) {
            r = fn(ctx);
            if (r > 0)
                return 0;
        }
    }
    return r < 0 ? err_trace(r) : r;
}

/* One message of a running stream, into the columns if it is a row. */
static int stream_row(struct db *db, const struct db_query *q, const PGresult *res,
                      const struct db_col *cols, size_t n_cols, int at[BOUND_DB_COLS],
                      bool *found)
{
    ExecStatusType status = PQresultStatus(res);

    if (status == PGRES_TUPLES_OK)
        return 0;
    if (status != PGRES_SINGLE_TUPLE)
        return conn_failed(db, q->name, res);
    if (!*found) {
        int r = col_find(q, res, cols, n_cols, at);
        if (r < 0)
            return err_trace(r);
        *found = true;
    }
    return col_decode(q, res, 0, NULL, cols, n_cols, at);
}

/* Nothing more came, nor word that this was all: as when libpq is out of memory. */
static int stream_lost(struct db *db, const struct db_query *q)
{
    log_warn("database_lost", "query=%s reason=%s", q->name, "rows without their end");
    conn_drop(db);
    return DB_E_AWAY;
}

/* Rows until the end, a failure, or fn's wish. *ret_stopped: rows are left in the connection. */
static int stream_rows(struct db *db, const struct db_query *q, const struct db_col *cols,
                       size_t n_cols, int (*fn)(void *ctx), void *ctx, bool *ret_stopped)
{
    int at[BOUND_DB_COLS];
    bool found = false;

    for (bool whole = false;;) {
        _cleanup_(clear_result) PGresult *res = conn_next(db);
        if (!res)
            return whole ? 0 : stream_lost(db, q);
        whole = PQresultStatus(res) == PGRES_TUPLES_OK;
        bool row = PQresultStatus(res) == PGRES_SINGLE_TUPLE;
        int r = stream_row(db, q, res, cols, n_cols, at, &found);

        if (r == 0 && row)
            r = fn(ctx);
        *ret_stopped = row && r != 0;
        if (r != 0)
            return r;
    }
}

/* Takes what is left of a failed statement off the connection, so that it can be rolled back. */
static void stream_drain(struct db *db)
{
    for (PGresult *res = conn_next(db); res; res = conn_next(db))
        PQclear(res);
}

int db_stream(struct db *db, struct db_query *q, const struct db_arg *args, size_t n_args,
              const struct db_col *cols, size_t n_cols, int (*fn)(void *ctx), void *ctx)
{
    struct db_params params;
    bool stopped = false;
    char name[16];

    assert(db->in_tx);
    int r = db_alive(db) ? conn_text(db, q->name, "SET LOCAL statement_timeout = 0") : DB_E_AWAY;

    if (r == 0)
        r = query_ready(db, q, args, n_args, &params);
    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    query_name(q, name);
    if (!PQsendQueryPrepared(db->conn, name, (int)n_args, params.values, params.lengths,
                             params.formats, 1))
        return conn_failed(db, q->name, NULL);
    if (!PQsetSingleRowMode(db->conn))
        return err_origin(-EPROTO);
    db->streaming = true;
    r = stream_rows(db, q, cols, n_cols, fn, ctx, &stopped);
    db->streaming = false;
    if (stopped)
        conn_drop(db);
    else
        stream_drain(db);
    if (stopped && r > 0)
        return 0;
    return r < 0 ? err_trace(r) : r;
}

int db_script(struct db *db, const char *sql)
{
    int r = 0;

    assert(!db->streaming);
    if (!db->in_tx)
        r = db_ensure(db);
    else if (!db_alive(db))
        r = DB_E_AWAY;
    if (r == 0)
        r = conn_text(db, "script", sql);
    return r < 0 ? err_trace(r) : r;
}

int db_fatal(int r)
{
    if (r <= 0)
        return r;
    return err_origin(r == DB_E_AWAY ? -ENOTCONN : -EIO);
}
