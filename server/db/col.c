/* col.c: columns of a result, read from PostgreSQL's binary form into the caller's variables.
 *
 * A column that is missing, of another kind, or NULL without somebody to tell is a mistake in the
 * program or a migration it does not fit; it is logged with the query's name and fatal. */
#include "db/conn.h"

#include <errno.h>

#include "base/err.h"
#include "base/log.h"

struct db_col db_col_i64(const char *name, int64_t *ret)
{
    return (struct db_col){name, DB_I64, ret, NULL};
}

struct db_col db_col_i64_null(const char *name, int64_t *ret, bool *ret_null)
{
    return (struct db_col){name, DB_I64, ret, ret_null};
}

struct db_col db_col_i32(const char *name, int32_t *ret)
{
    return (struct db_col){name, DB_I32, ret, NULL};
}

struct db_col db_col_bool(const char *name, bool *ret)
{
    return (struct db_col){name, DB_BOOL, ret, NULL};
}

struct db_col db_col_text(const char *name, struct str *ret)
{
    return (struct db_col){name, DB_TEXT, ret, NULL};
}

struct db_col db_col_bytes(const char *name, struct str *ret)
{
    return (struct db_col){name, DB_BYTES, ret, NULL};
}

struct db_col db_col_digest(const char *name, struct digest *ret)
{
    return (struct db_col){name, DB_DIGEST, ret, NULL};
}

struct db_col db_col_money(const char *name, struct money *ret)
{
    return (struct db_col){name, DB_MONEY, ret, NULL};
}

struct db_col db_col_money_null(const char *name, struct money *ret, bool *ret_null)
{
    return (struct db_col){name, DB_MONEY, ret, ret_null};
}

struct db_col db_col_uuid(const char *name, struct call_id *ret)
{
    return (struct db_col){name, DB_UUID, ret, NULL};
}

struct db_col db_col_uuid_null(const char *name, struct call_id *ret, bool *ret_null)
{
    return (struct db_col){name, DB_UUID, ret, ret_null};
}

struct db_col db_col_time_us(const char *name, int64_t *ret)
{
    return (struct db_col){name, DB_TIME_US, ret, NULL};
}

static int col_refused(const struct db_query *q, const char *name, const char *reason)
{
    log_error("query_column", "query=%s column=%s reason=%s", q->name, name, reason);
    return err_origin(-EPROTO);
}

int col_find(const struct db_query *q, const PGresult *res, const struct db_col *cols, size_t n,
             int *ret_at)
{
    int fields = PQnfields(res);

    assert(n <= BOUND_DB_COLS);
    for (size_t i = 0; i < n; i++) {
        int at = 0;

        while (at < fields && strcmp(PQfname(res, at), cols[i].name) != 0)
            at++;
        if (at == fields)
            return col_refused(q, cols[i].name, "missing");
        ret_at[i] = at;
    }
    return 0;
}

/* The bytes of one field and the type they are of. */
struct field {
    Oid type;
    struct str bytes;
};

/* numeric: digits of base 10,000, the first one counting 10,000 ^ weight (numeric_send). */
static int read_numeric(struct str s, int64_t *ret)
{
    __int128 v = 0;

    if (s.n < 8)
        return -EPROTO;
    unsigned digits = (unsigned)get_be(s.p, 2);
    int weight = (int16_t)get_be(s.p + 2, 2);
    unsigned sign = (unsigned)get_be(s.p + 4, 2);

    if (s.n != 8 + 2 * (size_t)digits || sign > 0x4000 || weight > 5)
        return -EPROTO;
    for (int i = 0; i <= weight || i < (int)digits; i++) {
        int digit = i < (int)digits ? (int)get_be(s.p + 8 + 2 * i, 2) : 0;

        if (i > weight && digit != 0)
            return -EPROTO;
        if (i <= weight)
            v = v * 10000 + digit;
    }
    if (sign)
        v = -v;
    if (v < INT64_MIN || v > INT64_MAX)
        return -ERANGE;
    *ret = (int64_t)v;
    return 0;
}

static int read_integer(const struct field *f, int64_t *ret)
{
    switch (f->type) {
    case OID_INT8:
        *ret = (int64_t)get_be(f->bytes.p, 8);
        return 0;
    case OID_INT4:
        *ret = (int32_t)get_be(f->bytes.p, 4);
        return 0;
    case OID_INT2:
        *ret = (int16_t)get_be(f->bytes.p, 2);
        return 0;
    case OID_OID:
        *ret = (int64_t)get_be(f->bytes.p, 4);
        return 0;
    case OID_NUMERIC:
        return read_numeric(f->bytes, ret);
    default:
        return -EPROTO;
    }
}

static bool is_text(Oid type)
{
    static const Oid known[] = {OID_TEXT,   OID_VARCHAR, OID_BPCHAR, OID_NAME,
                                OID_CHAR,   OID_JSON,    OID_JSONB,  OID_UNKNOWN};

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (known[i] == type)
            return true;
    }
    return type >= OID_FIRST_USER;
}

static int read_str(const struct field *f, struct arena *a, bool text, struct str *ret)
{
    struct str s = f->bytes;

    if (text ? !is_text(f->type) : f->type != OID_BYTEA)
        return -EPROTO;
    if (f->type == OID_JSONB) { /* a version byte stands in front */
        s.p++;
        s.n--;
    }
    if (a) {
        s = arena_str(a, s);
        if (!s.p)
            return -ENOMEM;
    }
    *ret = s;
    return 0;
}

static int read_fixed(const struct field *f, Oid want, void *ret, size_t n)
{
    if (f->type != want || f->bytes.n != n)
        return -EPROTO;
    memcpy(ret, f->bytes.p, n);
    return 0;
}

static int read_i32(const struct field *f, int32_t *ret)
{
    int64_t v = 0;
    int r = read_integer(f, &v);

    if (r == 0 && v != (int32_t)v)
        r = -ERANGE;
    if (r == 0)
        *ret = (int32_t)v;
    return r;
}

static int read_bool(const struct field *f, bool *ret)
{
    if (f->type != OID_BOOL || f->bytes.n != 1)
        return -EPROTO;
    *ret = f->bytes.p[0] != 0;
    return 0;
}

static int read_time(const struct field *f, int64_t *ret)
{
    if ((f->type != OID_TIMESTAMPTZ && f->type != OID_TIMESTAMP) || f->bytes.n != 8)
        return -EPROTO;
    int64_t v = (int64_t)get_be(f->bytes.p, 8);

    /* infinity stays the end of all times instead of wrapping */
    if (__builtin_add_overflow(v, PG_EPOCH_US, ret))
        *ret = INT64_MAX;
    return 0;
}

static int read_value(const struct field *f, struct arena *a, const struct db_col *col)
{
    switch (col->type) {
    case DB_I64:
        return read_integer(f, col->ret);
    case DB_MONEY: {
        struct money *m = col->ret;
        return read_integer(f, &m->nano);
    }
    case DB_I32:
        return read_i32(f, col->ret);
    case DB_BOOL:
        return read_bool(f, col->ret);
    case DB_TEXT:
    case DB_JSON:
        return read_str(f, a, true, col->ret);
    case DB_BYTES:
        return read_str(f, a, false, col->ret);
    case DB_DIGEST:
        return read_fixed(f, OID_BYTEA, col->ret, sizeof(struct digest));
    case DB_UUID:
        return read_fixed(f, OID_UUID, col->ret, sizeof(struct call_id));
    case DB_TIME_US:
        return read_time(f, col->ret);
    case DB_I64_ARRAY:
    case DB_TEXT_ARRAY:
    case DB_BYTES_ARRAY:
    case DB_UUID_ARRAY:
    case DB_BOOL_ARRAY:
    case DB_TIME_US_ARRAY:
    case DB_RECEIVED:
        return -EINVAL; /* arrays are arguments only: unnest them */
    }
    return -EINVAL;
}

/* Text says NULL by its pointer, times and ids of calls by 0, the others by their ret_null. */
static int read_null(const struct db_col *col)
{
    if (col->ret_null)
        *col->ret_null = true;
    else if (col->type == DB_TEXT || col->type == DB_BYTES || col->type == DB_JSON)
        *(struct str *)col->ret = STR_NONE;
    else if (col->type == DB_TIME_US)
        *(int64_t *)col->ret = 0;
    else if (col->type == DB_UUID)
        *(struct call_id *)col->ret = (struct call_id){{0}};
    else
        return -EPROTO;
    return 0;
}

int col_decode(const struct db_query *q, const PGresult *res, int row, struct arena *a,
               const struct db_col *cols, size_t n, const int *at)
{
    for (size_t i = 0; i < n; i++) {
        struct field f = {PQftype(res, at[i]),
                          str_n(PQgetvalue(res, row, at[i]), (size_t)PQgetlength(res, row, at[i]))};
        int r;

        if (PQgetisnull(res, row, at[i])) {
            r = read_null(&cols[i]);
            if (r < 0)
                return col_refused(q, cols[i].name, "null");
            continue;
        }
        r = read_value(&f, a, &cols[i]);
        if (r == -ENOMEM)
            return err_origin(r);
        if (r < 0)
            return col_refused(q, cols[i].name, r == -ERANGE ? "range" : "type");
        if (cols[i].ret_null)
            *cols[i].ret_null = false;
    }
    return 0;
}
