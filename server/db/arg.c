/* arg.c: arguments, made by the caller and encoded for the server.
 *
 * The type that the server inferred for the parameter decides the form: binary where our value and
 * its type are of one kind, else the text that its input function reads. Encoded bytes go to the
 * connection's scratch buffer; as that moves while it grows, offsets become pointers at the end. */
#include "db/conn.h"

#include <errno.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"

struct db_arg db_i64(int64_t v)
{
    return (struct db_arg){.type = DB_I64, .i = v};
}

struct db_arg db_i32(int32_t v)
{
    return (struct db_arg){.type = DB_I32, .i = v};
}

struct db_arg db_bool(bool v)
{
    return (struct db_arg){.type = DB_BOOL, .i = v};
}

struct db_arg db_text(struct str s)
{
    return (struct db_arg){.type = DB_TEXT, .null = !s.p, .p = s.p, .n = s.n};
}

struct db_arg db_cstr(const char *z)
{
    return db_text(str_c(z));
}

struct db_arg db_bytes(struct str s)
{
    return (struct db_arg){.type = DB_BYTES, .null = !s.p, .p = s.p, .n = s.n};
}

struct db_arg db_digest(const struct digest *d)
{
    return (struct db_arg){.type = DB_DIGEST, .null = !d, .p = d, .n = sizeof(d->b)};
}

struct db_arg db_money(struct money m)
{
    return (struct db_arg){.type = DB_MONEY, .i = m.nano};
}

struct db_arg db_uuid(struct call_id id)
{
    return (struct db_arg){.type = DB_UUID, .uuid = id};
}

struct db_arg db_time_us(int64_t unix_us)
{
    return (struct db_arg){.type = DB_TIME_US, .i = unix_us};
}

struct db_arg db_json(struct str text)
{
    return (struct db_arg){.type = DB_JSON, .null = !text.p, .p = text.p, .n = text.n};
}

struct db_arg db_null(enum db_type type)
{
    return (struct db_arg){.type = type, .null = true};
}

struct db_arg db_received(struct str s)
{
    return (struct db_arg){.type = DB_RECEIVED, .null = !s.p, .p = s.p, .n = s.n};
}

struct db_arg db_i64s(const int64_t *v, size_t n)
{
    return (struct db_arg){.type = DB_I64_ARRAY, .p = v, .n = n};
}

struct db_arg db_texts(const struct str *v, size_t n)
{
    return (struct db_arg){.type = DB_TEXT_ARRAY, .p = v, .n = n};
}

struct db_arg db_bytes_list(const struct str *v, size_t n)
{
    return (struct db_arg){.type = DB_BYTES_ARRAY, .p = v, .n = n};
}

struct db_arg db_uuids(const struct call_id *v, size_t n)
{
    return (struct db_arg){.type = DB_UUID_ARRAY, .p = v, .n = n};
}

struct db_arg db_bools(const bool *v, size_t n)
{
    return (struct db_arg){.type = DB_BOOL_ARRAY, .p = v, .n = n};
}

struct db_arg db_moneys(const struct money *v, size_t n)
{
    _Static_assert(sizeof(*v) == sizeof(int64_t), "an amount is its nano-dollars");
    return (struct db_arg){.type = DB_I64_ARRAY, .p = v, .n = n};
}

struct db_arg db_times_us(const int64_t *unix_us, size_t n)
{
    return (struct db_arg){.type = DB_TIME_US_ARRAY, .p = unix_us, .n = n};
}

/* One parameter being encoded. */
struct encoding {
    struct buf *out;
    Oid type;
    bool binary;
    struct str borrowed; /* p set: the value is the caller's own bytes */
};

static void put_u32(struct buf *out, uint32_t v)
{
    char b[4];

    put_be(b, v, 4);
    buf_put(out, b, sizeof(b));
}

static void put_u64(struct buf *out, uint64_t v)
{
    char b[8];

    put_be(b, v, 8);
    buf_put(out, b, sizeof(b));
}

/* 0: not an integer type. */
static unsigned integer_bytes(Oid type)
{
    switch (type) {
    case OID_INT8:
        return 8;
    case OID_INT4:
        return 4;
    case OID_INT2:
        return 2;
    default:
        return 0;
    }
}

static int encode_integer(struct encoding *e, const struct db_arg *arg)
{
    unsigned bytes = integer_bytes(e->type);
    char b[8];

    e->binary = bytes != 0;
    if (bytes == 0) {
        buf_put_i64(e->out, arg->i);
        return 0;
    }
    if (bytes < 8 && (arg->i < -(INT64_C(1) << (8 * bytes - 1)) ||
                      arg->i >= INT64_C(1) << (8 * bytes - 1)))
        return -ERANGE;
    put_be(b, (uint64_t)arg->i, bytes);
    buf_put(e->out, b, bytes);
    return 0;
}

static int encode_bool(struct encoding *e, const struct db_arg *arg)
{
    e->binary = e->type == OID_BOOL;
    buf_putc(e->out, e->binary ? (char)(arg->i != 0) : arg->i != 0 ? 't' : 'f');
    return 0;
}

static int encode_text(struct encoding *e, const struct db_arg *arg)
{
    e->binary = e->type == OID_TEXT || e->type == OID_VARCHAR || e->type == OID_JSON;
    if (e->binary)
        e->borrowed = str_n(arg->p, arg->n);
    else
        buf_put(e->out, arg->p, arg->n);
    /* The text form is read up to its NUL; refuse what would be cut. */
    return !e->binary && memchr(arg->p, 0, arg->n) ? -EILSEQ : 0;
}

static int encode_bytes(struct encoding *e, const struct db_arg *arg)
{
    e->binary = true;
    e->borrowed = str_n(arg->p, arg->n);
    return e->type == OID_BYTEA ? 0 : -EINVAL;
}

static int encode_received(struct encoding *e, const struct db_arg *arg)
{
    e->binary = true;
    e->borrowed = str_n(arg->p, arg->n);
    return 0;
}

static int encode_uuid(struct encoding *e, const struct db_arg *arg)
{
    char text[UUID_TEXT];

    e->binary = e->type == OID_UUID;
    if (e->binary) {
        buf_put(e->out, arg->uuid.b, sizeof(arg->uuid.b));
    } else {
        call_id_uuid(arg->uuid, text);
        buf_puts(e->out, text);
    }
    return 0;
}

static int encode_time(struct encoding *e, const struct db_arg *arg)
{
    char text[CLOCK_RFC3339_SIZE];

    e->binary = e->type == OID_TIMESTAMPTZ || e->type == OID_TIMESTAMP;
    if (e->binary) {
        put_u64(e->out, (uint64_t)(arg->i - PG_EPOCH_US));
    } else {
        clock_rfc3339(arg->i, text);
        buf_puts(e->out, text);
    }
    return 0;
}

/* Binary arrays: one dimension, lower bound 1, each element with its length in front. */
static void array_head(struct encoding *e, Oid element, size_t n)
{
    put_u32(e->out, n == 0 ? 0 : 1);
    put_u32(e->out, 1); /* nulls may occur */
    put_u32(e->out, element);
    if (n == 0)
        return;
    put_u32(e->out, (uint32_t)n);
    put_u32(e->out, 1);
}

static int encode_i64s(struct encoding *e, const struct db_arg *arg)
{
    const int64_t *v = arg->p;
    unsigned bytes = e->type == OID_INT4_ARRAY ? 4 : 8;

    if (e->type != OID_INT8_ARRAY && e->type != OID_INT4_ARRAY)
        return -EINVAL;
    array_head(e, bytes == 4 ? OID_INT4 : OID_INT8, arg->n);
    for (size_t i = 0; i < arg->n; i++) {
        if (bytes == 4 && v[i] != (int32_t)v[i])
            return -ERANGE;
        put_u32(e->out, bytes);
        if (bytes == 4)
            put_u32(e->out, (uint32_t)v[i]);
        else
            put_u64(e->out, (uint64_t)v[i]);
    }
    return 0;
}

static int encode_times(struct encoding *e, const struct db_arg *arg)
{
    const int64_t *v = arg->p;

    if (e->type != OID_TIMESTAMPTZ_ARRAY)
        return -EINVAL;
    array_head(e, OID_TIMESTAMPTZ, arg->n);
    for (size_t i = 0; i < arg->n; i++) {
        if (v[i] == INT64_MIN) {
            put_u32(e->out, UINT32_MAX);
            continue;
        }
        put_u32(e->out, 8);
        put_u64(e->out, (uint64_t)(v[i] - PG_EPOCH_US));
    }
    return 0;
}

static void encode_strs(struct encoding *e, const struct db_arg *arg, Oid element)
{
    const struct str *v = arg->p;

    array_head(e, element, arg->n);
    for (size_t i = 0; i < arg->n; i++) {
        put_u32(e->out, v[i].p ? (uint32_t)v[i].n : UINT32_MAX);
        if (v[i].p)
            buf_put(e->out, v[i].p, v[i].n);
    }
}

/* Arrays of a type of their own (enums, jsonb, inet) are read from their text form, in which
 * quotes and backslashes are escaped (PostgreSQL, Arrays, 8.15.6). */
static void encode_array_text(struct encoding *e, const struct db_arg *arg)
{
    const struct str *v = arg->p;

    e->binary = false;
    buf_putc(e->out, '{');
    for (size_t i = 0; i < arg->n; i++) {
        if (i > 0)
            buf_putc(e->out, ',');
        if (!v[i].p) {
            buf_puts(e->out, "NULL");
            continue;
        }
        buf_putc(e->out, '"');
        for (size_t k = 0; k < v[i].n; k++) {
            if (v[i].p[k] == '"' || v[i].p[k] == '\\')
                buf_putc(e->out, '\\');
            buf_putc(e->out, v[i].p[k]);
        }
        buf_putc(e->out, '"');
    }
    buf_putc(e->out, '}');
}

static int encode_texts(struct encoding *e, const struct db_arg *arg)
{
    if (e->type == OID_TEXT_ARRAY)
        encode_strs(e, arg, OID_TEXT);
    else if (e->type == OID_VARCHAR_ARRAY)
        encode_strs(e, arg, OID_VARCHAR);
    else
        encode_array_text(e, arg);
    return 0;
}

static int encode_bytes_list(struct encoding *e, const struct db_arg *arg)
{
    encode_strs(e, arg, OID_BYTEA);
    return e->type == OID_BYTEA_ARRAY ? 0 : -EINVAL;
}

static int encode_uuids(struct encoding *e, const struct db_arg *arg)
{
    const struct call_id *v = arg->p;

    array_head(e, OID_UUID, arg->n);
    for (size_t i = 0; i < arg->n; i++) {
        put_u32(e->out, sizeof(v[i].b));
        buf_put(e->out, v[i].b, sizeof(v[i].b));
    }
    return e->type == OID_UUID_ARRAY ? 0 : -EINVAL;
}

static int encode_bools(struct encoding *e, const struct db_arg *arg)
{
    const bool *v = arg->p;

    array_head(e, OID_BOOL, arg->n);
    for (size_t i = 0; i < arg->n; i++) {
        put_u32(e->out, 1);
        buf_putc(e->out, (char)v[i]);
    }
    return e->type == OID_BOOL_ARRAY ? 0 : -EINVAL;
}

static int (*const encoders[])(struct encoding *, const struct db_arg *) = {
    [DB_I64] = encode_integer,
    [DB_I32] = encode_integer,
    [DB_BOOL] = encode_bool,
    [DB_TEXT] = encode_text,
    [DB_BYTES] = encode_bytes,
    [DB_DIGEST] = encode_bytes,
    [DB_MONEY] = encode_integer,
    [DB_UUID] = encode_uuid,
    [DB_TIME_US] = encode_time,
    [DB_JSON] = encode_text,
    [DB_I64_ARRAY] = encode_i64s,
    [DB_TEXT_ARRAY] = encode_texts,
    [DB_BYTES_ARRAY] = encode_bytes_list,
    [DB_UUID_ARRAY] = encode_uuids,
    [DB_BOOL_ARRAY] = encode_bools,
    [DB_TIME_US_ARRAY] = encode_times,
    [DB_RECEIVED] = encode_received,
};

static int arg_refused(const struct db_query *q, size_t at, Oid type, int r)
{
    log_error("query_argument", "query=%s argument=%zu type=%u", q->name, at + 1, type);
    return err_origin(r);
}

int arg_encode(struct db *db, const struct db_query *q, const Oid *types,
               const struct db_arg *args, size_t n, struct db_params *ret)
{
    size_t starts[BOUND_DB_ARGS];

    assert(n <= BOUND_DB_ARGS);
    buf_reset(&db->scratch);
    for (size_t i = 0; i < n; i++) {
        struct encoding e = {&db->scratch, types[i], true, STR_NONE};
        int r = 0;

        starts[i] = db->scratch.n;
        if (!args[i].null)
            r = encoders[args[i].type](&e, &args[i]);
        if (r == -EILSEQ)
            return DB_E_REFUSED;
        if (r < 0)
            return arg_refused(q, i, types[i], r);
        ret->formats[i] = e.binary;
        ret->values[i] = e.borrowed.p;
        ret->lengths[i] = (int)(e.borrowed.p ? e.borrowed.n : db->scratch.n - starts[i]);
        buf_putc(&db->scratch, '\0');
    }
    if (buf_finish(&db->scratch) < 0)
        return err_origin(buf_finish(&db->scratch));
    for (size_t i = 0; i < n; i++) {
        if (!args[i].null && !ret->values[i])
            ret->values[i] = db->scratch.p + starts[i];
    }
    return 0;
}
