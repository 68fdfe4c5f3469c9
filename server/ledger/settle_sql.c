/* settle_sql.c: see settle_sql.h. A batch goes out as two arrays of rows in PostgreSQL's binary
 * form, which costs both sides less than half of what JSON did. Most of a call's numbers are 0, and
 * those are left out: reading in a value costs the database more than what stands in for it. Nor does the
 * try that served repeat what its call says.
 *
 * The row types are made from the tables (make_settlement() in migrations/0004_ledger.sql); their
 * columns are asked for once and filled by name from record.def. */
#include "ledger/settle_sql.h"

#include <endian.h>
#include <errno.h>

#include "base/err.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "db/tx.h"
#include "ledger/draw_sums.h"
#include "model/record.h"

DB_QUERY(settle_shape,
         "SELECT t.oid::bigint AS row_type, a.attname::text AS field, a.atttypid::bigint AS type"
         "  FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid"
         " WHERE t.oid = to_regtype($1) AND a.attnum > 0 AND NOT a.attisdropped"
         " ORDER BY a.attnum")
DB_QUERY(settle_all,
         "SELECT coalesce(b.live, false) AS live, b.live IS NULL AS some_known"
         "  FROM settle_batch($1, $2, $3) AS b(live)")

/* 2000-01-01 in Unix microseconds: where PostgreSQL's timestamps begin. */
#define PG_EPOCH_US INT64_C(946684800000000)
#define ROWS_BYTES MIB(64)
#define SHAPE_BYTES KIB(64)

/* --- what there is to send: by name, in the rows' own structs --- */

enum kind { UUID, ID, TIME, I64, I32, BOOL, MONEY, TEXT, JSON, WINDOW, TRIES };

struct field {
    const char *name;
    enum kind kind;
    size_t offset;
};

struct draw_row {
    int64_t team_id;
    struct call_id call_id; /* all zero: of all calls of the batch */
    struct settle_draw draw;
};

#define CALL_FIELD(name, kind, bound, label) {#name, kind, offsetof(struct call_record, name)},
#define ATTEMPT_FIELD(name, kind, bound, label) \
    {#name, kind, offsetof(struct attempt_record, name)},

static const struct field call_fields[] = {
    RECORD_CALL(CALL_FIELD)
    {"tries", TRIES, 0}}; /* of the whole record */
static const struct field attempt_fields[] = {RECORD_ATTEMPT(ATTEMPT_FIELD)};
static const struct field draw_fields[] = {
    {"team_id", ID, offsetof(struct draw_row, team_id)},
    {"call_id", UUID, offsetof(struct draw_row, call_id)},
    {"purse_id", ID, offsetof(struct draw_row, draw.purse)},
    {"window_start", WINDOW, offsetof(struct draw_row, draw.window_us)},
    {"taken", I64, offsetof(struct draw_row, draw.taken)},
    {"used", I64, offsetof(struct draw_row, draw.used)}};

/* Attempts are sent within their call. */
enum { ROW_CALL, ROW_DRAW, ARRAYS, ROW_ATTEMPT = ARRAYS, ROWS };

static const struct row_kind {
    const char *type;
    const struct field *fields;
    size_t n_fields;
} row_kinds[ROWS] = {
    [ROW_CALL] = {"settled_call", call_fields, ARRAY_LEN(call_fields)},
    [ROW_ATTEMPT] = {"call_attempt", attempt_fields, ARRAY_LEN(attempt_fields)},
    [ROW_DRAW] = {"settled_draw", draw_fields, ARRAY_LEN(draw_fields)},
};

/* --- what the database takes --- */

struct column {
    uint32_t type;
    const struct field *field; /* NULL: the database knows more than we; sent as absent */
    const struct field *of_call; /* of a try: the call's field of that name; NULL: it has none */
};
struct shape {
    uint32_t row_type;
    size_t n;
    struct column column[BOUND_DB_COLS];
};

struct settle_sql {
    bool known;
    struct shape shape[ROWS];
    struct buf rows[ARRAYS];
    uint32_t n_rows[ARRAYS];
    struct draw_sums sums;
};

struct settle_sql *settle_sql_new(void)
{
    struct settle_sql *s = calloc(1, sizeof(*s));

    for (size_t i = 0; s && i < ARRAYS; i++)
        buf_init(&s->rows[i], ROWS_BYTES);
    return s;
}

void settle_sql_free(struct settle_sql *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < ARRAYS; i++)
        buf_done(&s->rows[i]);
    draw_sums_done(&s->sums);
    free(s);
}

struct shape_row {
    struct shape *shape;
    const struct row_kind *kind;
    int64_t row_type, type;
    struct str field;
    size_t found;
};

static const struct field *find_field(const struct row_kind *kind, struct str name)
{
    for (size_t i = 0; i < kind->n_fields; i++)
        if (str_eq_c(name, kind->fields[i].name))
            return &kind->fields[i];
    return NULL;
}

static int shape_column(void *ctx)
{
    struct shape_row *row = ctx;
    struct shape *shape = row->shape;
    struct column column = {.type = (uint32_t)row->type};

    if (shape->n == ARRAY_LEN(shape->column))
        return err_origin(-E2BIG);
    column.field = find_field(row->kind, row->field);
    if (row->kind == &row_kinds[ROW_ATTEMPT])
        column.of_call = find_field(&row_kinds[ROW_CALL], row->field);
    row->found += column.field != NULL;
    shape->row_type = (uint32_t)row->row_type;
    shape->column[shape->n++] = column;
    return 0;
}

/* 0; a field that the database does not take would be lost in silence, so that is a failure. */
static int learn_shape(struct db *db, struct arena *a, struct shape *shape,
                       const struct row_kind *kind)
{
    struct shape_row row = {.shape = shape, .kind = kind};
    int r;

    shape->n = 0;
    r = db_each(db, &settle_shape, a, DB_ARGS(db_cstr(kind->type)),
                DB_COLS(db_col_i64("row_type", &row.row_type), db_col_text("field", &row.field),
                        db_col_i64("type", &row.type)),
                shape_column, &row);
    if (r == 0 && row.found != kind->n_fields) {
        log_error("settlement_lacks_fields", "type=%s has=%zu wanted=%zu", kind->type, row.found,
                  kind->n_fields);
        r = err_origin(-EPROTO);
    }
    return r;
}

static int learn(struct settle_sql *s, struct db *db)
{
    struct arena *a;
    int r = 0;

    if (s->known)
        return 0;
    a = arena_new(SHAPE_BYTES);
    if (!a)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < ROWS && r == 0; i++)
        r = learn_shape(db, a, &s->shape[i], &row_kinds[i]);
    arena_free(a);
    s->known = r == 0;
    return r;
}

/* --- putting rows: each value with its length in front, absent ones with -1 --- */

static void put_u32(struct buf *out, uint32_t v)
{
    v = htobe32(v);
    buf_put(out, &v, sizeof(v));
}

static void put_number(struct buf *out, int64_t v)
{
    struct {
        uint32_t size;
        uint64_t v;
    } __attribute__((packed)) p = {htobe32(8), htobe64((uint64_t)v)};

    buf_put(out, &p, sizeof(p));
}

static void put_absent(struct buf *out)
{
    put_u32(out, UINT32_MAX);
}

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* The database's text holds any character but NUL: that and what is not UTF-8 becomes U+FFFD. */
static void put_clean(struct buf *out, struct str s)
{
    while (s.n) {
        size_t n = *s.p ? str_utf8_length(s.p, s.n) : 0;

        if (n)
            buf_put(out, s.p, n);
        else
            buf_puts(out, REPLACEMENT);
        n = MAX(n, (size_t)1);
        s = str_n(s.p + n, s.n - n);
    }
}

/* Sets the length in front of what was put since. */
static void close_value(struct buf *out, size_t at)
{
    uint32_t size = htobe32((uint32_t)(out->n - at - sizeof(size)));

    if (!buf_finish(out))
        memcpy(out->p + at, &size, sizeof(size));
}

static void put_text(struct buf *out, struct str s)
{
    size_t at = out->n;

    put_u32(out, (uint32_t)s.n);
    if (!s.n || (str_utf8(s) && !memchr(s.p, 0, s.n))) {
        buf_put_str(out, s);
        return;
    }
    put_clean(out, s);
    close_value(out, at);
}

/* An escaped NUL is as little text as a bare one. */
static void replace_nuls(char *p, size_t n)
{
    for (size_t i = 0; i + 6 <= n; i++) {
        if (p[i] != '\\')
            continue;
        if (memcmp(p + i, "\\u0000", 6) == 0)
            memcpy(p + i + 2, "fffd", 4);
        i++; /* what follows a backslash is no backslash of its own */
    }
}

static void put_json(struct buf *out, struct str s)
{
    size_t at = out->n;

    put_u32(out, 0);
    put_clean(out, s);
    close_value(out, at);
    if (!buf_finish(out))
        replace_nuls(out->p + at, out->n - at);
}

static void put_time(struct buf *out, int64_t us)
{
    put_number(out, us == INT64_MIN ? us : us - PG_EPOCH_US); /* which is -infinity on both sides */
}

static bool is_absent(enum kind kind, const void *p)
{
    static const struct call_id none;

    switch (kind) {
    case UUID:
        return call_id_eq(*(const struct call_id *)p, none);
    case TEXT:
        return !((const struct str *)p)->p;
    case JSON:
        return !((const struct str *)p)->n;
    case ID:
    case TIME:
    case I64:
    case MONEY: /* what is absent is 0 to whoever reads it; the sums take no notice */
        return *(const int64_t *)p == 0;
    case I32:
        return *(const int32_t *)p == 0;
    case BOOL:
        return !*(const bool *)p;
    case TRIES:
        return ((const struct call_record *)p)->attempts <= 0;
    case WINDOW:
        break;
    }
    return false;
}

/* Of kinds that a call and a try have under one name. */
static bool is_same(enum kind kind, const void *a, const void *b)
{
    switch (kind) {
    case TEXT:
        return str_eq(*(const struct str *)a, *(const struct str *)b);
    case I32:
        return *(const int32_t *)a == *(const int32_t *)b;
    case ID:
    case I64:
    case MONEY:
        return *(const int64_t *)a == *(const int64_t *)b;
    case UUID:
    case TIME:
    case BOOL:
    case JSON:
    case WINDOW:
    case TRIES:
        break;
    }
    return false;
}

static void put_value(struct buf *out, enum kind kind, const void *p)
{
    switch (kind) {
    case UUID:
        put_u32(out, sizeof(struct call_id));
        buf_put(out, p, sizeof(struct call_id));
        break;
    case I32:
        put_u32(out, 4);
        put_u32(out, *(const uint32_t *)p);
        break;
    case BOOL:
        put_u32(out, 1);
        buf_putc(out, *(const bool *)p);
        break;
    case TEXT:
        put_text(out, *(const struct str *)p);
        break;
    case JSON:
        put_json(out, *(const struct str *)p);
        break;
    case TIME:
    case WINDOW:
        put_time(out, *(const int64_t *)p);
        break;
    case ID:
    case I64:
    case MONEY: /* one int64_t */
        put_number(out, *(const int64_t *)p);
        break;
    case TRIES: /* put_tries() */
        break;
    }
}

/* The head of an array of rows: one dimension, no absent elements, counted from 1. */
#define HEAD_COUNT_AT 12
static void put_head(struct buf *out, const struct shape *shape, uint32_t n)
{
    put_u32(out, 1);
    put_u32(out, 0);
    put_u32(out, shape->row_type);
    put_u32(out, n);
    put_u32(out, 1);
}

static void put_try(const struct shape *shape, struct buf *out, const struct call_record *call,
                    const struct attempt_record *try)
{
    size_t at = out->n;

    put_u32(out, 0);
    put_u32(out, (uint32_t)shape->n);
    for (size_t i = 0; i < shape->n; i++) {
        const struct field *f = shape->column[i].field;
        const struct field *of_call = try->served ? shape->column[i].of_call : NULL;
        const char *p = f ? (const char *)try + f->offset : NULL;
        const char *said = of_call ? (const char *)call + of_call->offset : NULL;

        put_u32(out, shape->column[i].type);
        if (!f || (said ? is_same(f->kind, p, said) : is_absent(f->kind, p)))
            put_absent(out);
        else
            put_value(out, f->kind, p);
    }
    close_value(out, at);
}

static void put_tries(const struct settle_sql *s, struct buf *out, const struct call_record *r)
{
    uint32_t n = (uint32_t)MIN(r->attempts, (int32_t)BOUND_ATTEMPTS);
    size_t at = out->n;

    put_u32(out, 0);
    put_head(out, &s->shape[ROW_ATTEMPT], n);
    for (uint32_t i = 0; i < n; i++)
        put_try(&s->shape[ROW_ATTEMPT], out, r, &r->attempt[i]);
    close_value(out, at);
}

static void put_columns(const struct settle_sql *s, size_t kind, struct buf *out, const void *row)
{
    const struct shape *shape = &s->shape[kind];
    size_t at = out->n;

    put_u32(out, 0);
    put_u32(out, (uint32_t)shape->n);
    for (size_t i = 0; i < shape->n; i++) {
        const struct field *f = shape->column[i].field;
        const char *p = f ? (const char *)row + f->offset : NULL;

        put_u32(out, shape->column[i].type);
        if (!f || is_absent(f->kind, p))
            put_absent(out);
        else if (f->kind == TRIES)
            put_tries(s, out, (const struct call_record *)row);
        else
            put_value(out, f->kind, p);
    }
    close_value(out, at);
}

static void put_row(struct settle_sql *s, size_t kind, const void *row)
{
    put_columns(s, kind, &s->rows[kind], row);
    s->n_rows[kind]++;
}

static void put_draws(struct settle_sql *s, const struct settle_call *call)
{
    for (size_t i = 0; i < call->n; i++) {
        const struct settle_entry *e = call->entry[i];

        for (size_t k = 0; k < e->n_draws; k++)
            put_row(s, ROW_DRAW, &(struct draw_row){e->call->team_id, e->call->call_id, e->draws[k]});
    }
}

/* One row for each purse. An outcome of draw_sums_add(), with nothing put then. */
static int put_draw_sums(struct settle_sql *s, const struct settle_call *call)
{
    static const struct call_id of_all;
    int r = 0;

    draw_sums_reset(&s->sums);
    for (size_t i = 0; i < call->n && r == 0; i++) {
        const struct settle_entry *e = call->entry[i];

        for (size_t k = 0; k < e->n_draws && r == 0; k++)
            r = draw_sums_add(&s->sums, e->call->team_id, &e->draws[k]);
    }
    for (size_t i = 0; i < s->sums.n && r == 0; i++)
        put_row(s, ROW_DRAW, &(struct draw_row){s->sums.sum[i].team_id, of_all, s->sums.sum[i].draw});
    return r;
}

/* each: every call's draws by themselves, rather than their sums. */
static int put_all(struct settle_sql *s, const struct settle_call *call, bool each)
{
    int r;

    for (size_t i = 0; i < ARRAYS; i++) {
        buf_reset(&s->rows[i]);
        s->n_rows[i] = 0;
        put_head(&s->rows[i], &s->shape[i], 0); /* they are counted below */
    }
    for (size_t i = 0; i < call->n; i++)
        put_row(s, ROW_CALL, call->entry[i]->call);
    r = each ? DRAW_SUMS_E_LARGE : put_draw_sums(s, call);
    if (r == DRAW_SUMS_E_LARGE) {
        put_draws(s, call);
        r = 0;
    }
    for (size_t i = 0; i < ARRAYS; i++) {
        uint32_t n = htobe32(s->n_rows[i]);

        r = r ? r : buf_finish(&s->rows[i]);
        if (!r)
            memcpy(s->rows[i].p + HEAD_COUNT_AT, &n, sizeof(n));
    }
    return r;
}

/* --- the statement --- */

/* Data exceptions and integrity violations: SQLSTATE classes 22 and 23. */
static bool about_the_records(const struct db *db)
{
    struct str state = str_c(db_last_error(db));

    return str_starts(state, STR("22")) || str_starts(state, STR("23"));
}

/* some_known: calls of the batch are booked already or are in it twice, so that nothing was done and
 * every call's draws are wanted by themselves. */
static int send(struct settle_sql *s, struct db *db, struct settle_call *call, bool *ret_some_known)
{
    return db_one(db, &settle_all, NULL,
                  DB_ARGS(db_i64(call->session), db_received(buf_str(&s->rows[ROW_CALL])),
                          db_received(buf_str(&s->rows[ROW_DRAW]))),
                  DB_COLS(db_col_bool("live", &call->live),
                          db_col_bool("some_known", ret_some_known)));
}

/* Again in the same transaction, whose locks keep the answer true. */
static int book(struct settle_sql *s, struct db *db, struct settle_call *call)
{
    bool some_known = false;
    int r = send(s, db, call, &some_known);

    if (r || !some_known)
        return r;
    r = put_all(s, call, true);
    r = r ? r : send(s, db, call, &some_known);
    assert(r || !some_known);
    return r;
}

int settle_sql(struct settle_sql *s, struct db *db, struct settle_call *call)
{
    int r = failpoint_hit("settle.send");

    if (!r)
        r = learn(s, db);
    if (!r)
        r = put_all(s, call, false);
    if (!r)
        r = db_begin(db, DB_SYSTEM, false);
    if (r)
        return PORT_E_AWAY;
    r = book(s, db, call);
    if (r == 0)
        r = failpoint_hit("settle.sent");
    if (r == 0)
        r = db_commit(db);
    else
        db_rollback(db);
    if (r == 0)
        r = failpoint_hit("settle.committed");
    if (r == 0)
        return PORT_OK;
    s->known = false; /* a migration may have changed what is taken */
    return db_alive(db) && about_the_records(db) ? PORT_E_REFUSED : PORT_E_AWAY;
}
