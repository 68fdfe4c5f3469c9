/* db.h: one blocking PostgreSQL connection, owned by one worker thread; sole home of libpq.
 *
 * SQL is written as DB_QUERY constants next to their use, prepared once per connection, with typed
 * arguments and columns. A test prepares every registered query and compares the types. */
#pragma once

#include "base/arena.h"
#include "base/digest.h"
#include "base/id.h"
#include "base/money.h"

struct db;

/* CONFLICT: unique or exclusion violation. REFUSED: check, foreign key, text that is not UTF-8, or
 * RAISE with SQLSTATE class TG. AWAY: the database is out of reach or busy beyond its limits. */
enum { DB_OK = 0, DB_E_NONE = 1, DB_E_CONFLICT = 2, DB_E_REFUSED = 3, DB_E_AWAY = 4 };

/* conninfo: libpq URI or key=value text. DB_E_AWAY: cannot connect now, or another connection of this process
 * was begun a moment ago and not answered. */
int db_open(const char *conninfo, const char *application_name, struct db **ret) _must_use_;
void db_close(struct db *db); /* NULL is fine */
bool db_alive(const struct db *db);
/* Reconnects if the connection is gone; after a failure not before 250 ms have passed. DB_OK or
 * DB_E_AWAY. The statements below call it themselves outside transactions. */
int db_ensure(struct db *db) _must_use_;
/* Time limits of this connection, also after reconnecting; 0 is none. A new connection has
 * 30 s for a statement and 5 s for a lock; the money lane has less, an export none. */
int db_limit(struct db *db, int statement_ms, int lock_ms) _must_use_;
/* Those of a new connection again; where they are not others the database is not asked. */
int db_limit_usual(struct db *db) _must_use_;
/* SQLSTATE and primary message of the last failure, for logs only. */
const char *db_last_error(const struct db *db);
/* Name of the constraint or the DETAIL-free message raised by a function (RAISE ... USING ERRCODE
 * 'TG001'), after DB_E_CONFLICT / DB_E_REFUSED. */
const char *db_last_constraint(const struct db *db);
const char *db_last_message(const struct db *db);

struct db_query {
    const char *name;
    const char *sql;
    const char *file;
    struct db_query *next_; /* registry, filled by constructor */
    unsigned index_;
};
void db_query_register(struct db_query *q);
const struct db_query *db_query_first(void); /* all registered queries, for the SQL test */

#define DB_QUERY(ident, text)                                                      \
    static struct db_query ident = {#ident, text, __FILE__, NULL, 0};                 \
    __attribute__((constructor)) static void ident##_register(void)                \
    {                                                                              \
        db_query_register(&ident);                                                 \
    }

enum db_type {
    DB_I64, DB_I32, DB_BOOL, DB_TEXT, DB_BYTES, DB_DIGEST, DB_MONEY, DB_UUID, DB_TIME_US, DB_JSON,
    DB_I64_ARRAY, DB_TEXT_ARRAY, DB_BYTES_ARRAY, DB_UUID_ARRAY, DB_BOOL_ARRAY, DB_TIME_US_ARRAY, DB_RECEIVED,
};

struct db_arg {
    enum db_type type;
    bool null;
    const void *p; /* value, or first element */
    size_t n;      /* elements of arrays, bytes of text */
    int64_t i;     /* scalars */
    struct call_id uuid;
};
struct db_col {
    const char *name;
    enum db_type type;
    void *ret;      /* int64_t, int32_t, bool, struct str, struct money, struct call_id ... */
    bool *ret_null; /* NULL: a NULL in the column is a programmer error */
};

/* Arguments. The server's type of the parameter decides the encoding, so db_text() also fills an
 * inet, a date or an enum, and db_i64() a smaller integer (a value that does not fit is fatal). */
struct db_arg db_i64(int64_t v);
struct db_arg db_i32(int32_t v);
struct db_arg db_bool(bool v);
struct db_arg db_text(struct str s); /* p NULL: SQL NULL */
struct db_arg db_cstr(const char *z);
struct db_arg db_bytes(struct str s);
struct db_arg db_digest(const struct digest *d);
struct db_arg db_money(struct money m);
struct db_arg db_uuid(struct call_id id);
struct db_arg db_time_us(int64_t unix_us); /* timestamptz */
struct db_arg db_json(struct str text);    /* jsonb */
struct db_arg db_null(enum db_type type);
struct db_arg db_received(struct str s); /* in the parameter's own binary form: arrays of rows */
struct db_arg db_i64s(const int64_t *v, size_t n);
struct db_arg db_texts(const struct str *v, size_t n);       /* element p NULL: NULL */
struct db_arg db_bytes_list(const struct str *v, size_t n);
struct db_arg db_uuids(const struct call_id *v, size_t n);
struct db_arg db_bools(const bool *v, size_t n);
struct db_arg db_moneys(const struct money *v, size_t n);
struct db_arg db_times_us(const int64_t *unix_us, size_t n); /* INT64_MIN: NULL */
#define DB_ARGS(...) ((struct db_arg[]){__VA_ARGS__}), ARRAY_LEN(((struct db_arg[]){__VA_ARGS__}))
#define DB_NO_ARGS NULL, 0

/* Columns; text and bytes are copied into the arena, with a NUL behind them. One-field id structs
 * are read as int64. Integers may come from any integer type and from numeric without a fraction
 * (sum(bigint)); text from text, json and enums: cast everything else (::text). */
struct db_col db_col_i64(const char *name, int64_t *ret);
struct db_col db_col_i64_null(const char *name, int64_t *ret, bool *ret_null);
struct db_col db_col_i32(const char *name, int32_t *ret);
struct db_col db_col_bool(const char *name, bool *ret);
struct db_col db_col_text(const char *name, struct str *ret); /* NULL gives p NULL */
struct db_col db_col_bytes(const char *name, struct str *ret);
struct db_col db_col_digest(const char *name, struct digest *ret);
struct db_col db_col_money(const char *name, struct money *ret);
struct db_col db_col_money_null(const char *name, struct money *ret, bool *ret_null);
struct db_col db_col_uuid(const char *name, struct call_id *ret); /* NULL gives all zero */
struct db_col db_col_uuid_null(const char *name, struct call_id *ret, bool *ret_null);
struct db_col db_col_time_us(const char *name, int64_t *ret); /* NULL gives 0 */
#define DB_COLS(...) ((struct db_col[]){__VA_ARGS__}), ARRAY_LEN(((struct db_col[]){__VA_ARGS__}))

/* Statements. All may return DB_E_CONFLICT, DB_E_REFUSED or DB_E_AWAY. */

/* No result wanted; *ret_rows (may be NULL) is the count of rows touched. */
int db_exec(struct db *db, struct db_query *q, const struct db_arg *args, size_t n_args,
            int64_t *ret_rows) _must_use_;
/* Exactly one row into the columns; DB_E_NONE without a row. */
int db_one(struct db *db, struct db_query *q, struct arena *a, const struct db_arg *args,
           size_t n_args, const struct db_col *cols, size_t n_cols) _must_use_;
/* Each row in turn into the columns, then fn; fn < 0 stops and is returned, > 0 stops with DB_OK.
 * Rows are fetched whole; bound them with LIMIT. */
int db_each(struct db *db, struct db_query *q, struct arena *a, const struct db_arg *args,
            size_t n_args, const struct db_col *cols, size_t n_cols, int (*fn)(void *ctx),
            void *ctx) _must_use_;
/* As db_each, but rows arrive one at a time from the server (single-row mode), for exports. Inside
 * a transaction, whose statements have no time limit from here on; fn must not use db. Text points
 * into the row and is gone when fn returns. When fn stops early the connection is dropped, which
 * ends the transaction. */
int db_stream(struct db *db, struct db_query *q, const struct db_arg *args, size_t n_args,
              const struct db_col *cols, size_t n_cols, int (*fn)(void *ctx), void *ctx)
    _must_use_;
/* For callers to whom every outcome but success is fatal: 0 stays 0, negative stays, DB_E_AWAY
 * becomes -ENOTCONN (the edge answers 503), any other outcome -EIO. */
int db_fatal(int r) _must_use_;
/* Trusted text without parameters (migrations, LISTEN). */
int db_script(struct db *db, const char *sql) _must_use_;

/* What the server makes of a query; the SQL test compares it with the C at its call sites. */
struct db_shape {
    unsigned n_args, n_cols;
    const char *const *col_names; /* in the arena */
};
int db_describe(struct db *db, const struct db_query *q, struct arena *a, struct db_shape *ret)
    _must_use_;
