/* conn.h: the inside of a connection, for the files of this room only.
 *
 * libpq's types stop here. */
#pragma once

#include <libpq-fe.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "db/db.h"

#define DB_STATEMENT_MS 30000
#define DB_LOCK_MS 5000
/* A page that dies between two statements must not keep its locks. */
#define DB_IDLE_IN_TRANSACTION_MS 15000
#define DB_RECONNECT_MS 250
/* BEGIN waits for nobody: a server that has not answered it by then does not answer, however long the
 * transaction's own statements may take. */
#define DB_BEGIN_MS 5000
/* A server that took a connection and said nothing is left alone for so long: else each of those who wait
 * for a worker would wait for it anew. */
#define DB_HUNG_MS 2000

/* What the server said when it prepared a query on this connection. */
struct db_prepared {
    bool ready;
    unsigned n_args;
    Oid *arg_types;
};

struct db {
    PGconn *conn;
    char *conninfo, *application;
    struct db_prepared *prepared; /* by db_query.index_ */
    unsigned n_prepared;
    struct buf scratch; /* encoded parameters of the running statement */
    int statement_ms, lock_ms;
    int64_t opened_ms; /* when it was begun to connect */
    int64_t failed_ms; /* when the last attempt to connect failed; 0: it did not */
    bool in_tx;        /* between db_begin and its end, also when the connection is gone by now */
    bool read_only;    /* that transaction has nothing to commit */
    bool retryable;    /* the transaction failed in a way that running it again may cure */
    bool stale;        /* prepared statements no longer fit: reconnect before the next one */
    bool streaming;
    bool beginning; /* BEGIN is under way */
    int position;  /* character of the text where the last failure stands, from 1; 0: unknown */
    char state[6]; /* SQLSTATE of the last failure */
    char error[384], constraint[80], message[256];
};

/* Reads the failure in res (NULL: of the connection) into db and returns its outcome: DB_E_*,
 * -EAGAIN when the transaction may be run again, or another value < 0, logged with `what`. */
int conn_failed(struct db *db, const char *what, const PGresult *res) _must_use_;
/* One round trip of trusted text; several statements separated by ';'. */
int conn_text(struct db *db, const char *what, const char *sql) _must_use_;
/* The last result of what was sent, and all of it taken off the connection. NULL: it could not be sent,
 * or the connection is gone, which it is too when the server has been silent for too long. */
PGresult *conn_answer(struct db *db) _must_use_;
/* One result; NULL: there are no more, or the connection was silent and is gone (db->conn NULL). */
PGresult *conn_next(struct db *db) _must_use_;
/* One round trip of text, as conn_answer() has it. */
PGresult *conn_exec(struct db *db, const char *sql) _must_use_;
/* Another connection was silent since this one was made: it is better made anew before its next use. */
bool conn_suspect(const struct db *db);
/* Cuts the connection; the next db_ensure makes a new one. */
void conn_drop(struct db *db);

/* The encoded arguments of one statement, pointing into db->scratch or at the caller's bytes. */
struct db_params {
    const char *values[BOUND_DB_ARGS];
    int lengths[BOUND_DB_ARGS];
    int formats[BOUND_DB_ARGS];
};
/* Writes each argument in the form that the parameter's type takes. */
int arg_encode(struct db *db, const struct db_query *q, const Oid *types,
               const struct db_arg *args, size_t n, struct db_params *ret) _must_use_;

/* Where a statement's columns stand in its result. */
int col_find(const struct db_query *q, const PGresult *res, const struct db_col *cols, size_t n,
             int *ret_at) _must_use_;
/* One row into the caller's variables. a NULL: text stays in res. */
int col_decode(const struct db_query *q, const PGresult *res, int row, struct arena *a,
               const struct db_col *cols, size_t n, const int *at) _must_use_;

/* Big-endian integers as PostgreSQL sends them. */
static inline void put_be(char *p, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (char)(v >> (8 * (bytes - 1 - i)));
}
static inline uint64_t get_be(const char *p, unsigned bytes)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < bytes; i++)
        v = v << 8 | (uint8_t)p[i];
    return v;
}

/* Types by their fixed numbers (pg_type.dat of PostgreSQL). */
enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_CHAR = 18,
    OID_NAME = 19,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_OID = 26,
    OID_JSON = 114,
    OID_UNKNOWN = 705,
    OID_BOOL_ARRAY = 1000,
    OID_BYTEA_ARRAY = 1001,
    OID_INT4_ARRAY = 1007,
    OID_TEXT_ARRAY = 1009,
    OID_VARCHAR_ARRAY = 1015,
    OID_INT8_ARRAY = 1016,
    OID_BPCHAR = 1042,
    OID_VARCHAR = 1043,
    OID_TIMESTAMP = 1114,
    OID_TIMESTAMPTZ = 1184,
    OID_TIMESTAMPTZ_ARRAY = 1185,
    OID_NUMERIC = 1700,
    OID_UUID = 2950,
    OID_UUID_ARRAY = 2951,
    OID_JSONB = 3802,
    OID_FIRST_USER = 16384, /* enums and whatever else the schema makes */
};
/* 2000-01-01 in Unix microseconds: where PostgreSQL's timestamps begin. */
#define PG_EPOCH_US INT64_C(946684800000000)
