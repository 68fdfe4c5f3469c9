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
#include "ledger/row_value.h"
#include "model/record.h"

DB_QUERY(settle_shape,
         "SELECT t.oid::bigint AS row_type, a.attname::text AS field, a.atttypid::bigint AS type"
         "  FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid"
         " WHERE t.oid = to_regtype($1) AND a.attnum > 0 AND NOT a.attisdropped"
         " ORDER BY a.attnum")
DB_QUERY(settle_all,
         "SELECT coalesce(b.live, false) AS live, b.live IS NULL AS some_known"
         "  FROM settle_batch($1, $2, $3) AS b(live)")
DB_QUERY(settle_all_shadows, "SELECT settle_shadows($1)")
DB_QUERY(settle_all_videos, "SELECT settle_videos($1)")

#define ROWS_BYTES MIB(64)
#define SHAPE_BYTES KIB(64)

/* --- what there is to send: by name, in the rows' own structs --- */

struct field {
    const char *name;
    enum row_value kind;
    size_t offset;
};

struct draw_row {
    int64_t team_id;
    struct call_id call_id; /* all zero: of all calls of the batch */
    struct settle_draw draw;
};

#define CALL_FIELD(name, kind, bound, label) {#name, VALUE_##kind, offsetof(struct call_record, name)},
#define ATTEMPT_FIELD(name, kind, bound, label) \
    {#name, VALUE_##kind, offsetof(struct attempt_record, name)},

static const struct field call_fields[] = {
    RECORD_CALL(CALL_FIELD)
    {"tries", VALUE_ROWS, 0}}; /* of the whole record */
static const struct field shadow_fields[] = {
    RECORD_CALL(CALL_FIELD)
    RECORD_SHADOW(CALL_FIELD)
    {"tries", VALUE_ROWS, 0}};
#define VIDEO_FIELD(name, kind, bound, label) {#name, VALUE_##kind, offsetof(struct video_record, name)},
static const struct field video_fields[] = {RECORD_VIDEO(VIDEO_FIELD)};
static const struct field attempt_fields[] = {RECORD_ATTEMPT(ATTEMPT_FIELD)};
static const struct field draw_fields[] = {
    {"team_id", VALUE_ID, offsetof(struct draw_row, team_id)},
    {"call_id", VALUE_UUID, offsetof(struct draw_row, call_id)},
    {"purse_id", VALUE_ID, offsetof(struct draw_row, draw.purse)},
    {"window_start", VALUE_WINDOW, offsetof(struct draw_row, draw.window_us)},
    {"taken", VALUE_I64, offsetof(struct draw_row, draw.taken)},
    {"used", VALUE_I64, offsetof(struct draw_row, draw.used)}};

/* Attempts are sent within their call, shadows by themselves: they are none of their teams' calls. */
enum { ROW_CALL, ROW_SHADOW, ROW_VIDEO, ROW_DRAW, ARRAYS, ROW_ATTEMPT = ARRAYS, ROWS };

static const struct row_kind {
    const char *type;
    const struct field *fields;
    size_t n_fields;
} row_kinds[ROWS] = {
    [ROW_CALL] = {"settled_call", call_fields, ARRAY_LEN(call_fields)},
    [ROW_SHADOW] = {"shadow_call", shadow_fields, ARRAY_LEN(shadow_fields)},
    [ROW_VIDEO] = {"settled_video", video_fields, ARRAY_LEN(video_fields)},
    [ROW_ATTEMPT] = {"call_attempt", attempt_fields, ARRAY_LEN(attempt_fields)},
    [ROW_DRAW] = {"settled_draw", draw_fields, ARRAY_LEN(draw_fields)},
};

/* --- what the database takes --- */

struct column {
    uint32_t type;
    const struct field *field; /* NULL: the database knows more than we; sent as absent */
    const struct field *of_call; /* of a try: the call's field that says the same; NULL: none does */
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

/* What a call says under another name of the try that served it; make_settlement() has the same list. */
static const struct field *find_said(struct str name)
{
    static const char *const said[][2] = {{"ordinal", "attempts"},
                                          {"reason", "outcome"},
                                          {"upstream_model", "served_model"},
                                          {"prompt_tokens", "input_tokens"},
                                          {"completion_tokens", "output_tokens"}};

    for (size_t i = 0; i < ARRAY_LEN(said); i++)
        if (str_eq_c(name, said[i][0]))
            name = str_c(said[i][1]);
    return find_field(&row_kinds[ROW_CALL], name);
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
        column.of_call = find_said(row->field);
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

/* --- putting rows --- */

/* The head of an array of rows: one dimension, no absent elements, counted from 1. */
#define HEAD_COUNT_AT 12
static void put_head(struct buf *out, const struct shape *shape, uint32_t n)
{
    row_put_u32(out, 1);
    row_put_u32(out, 0);
    row_put_u32(out, shape->row_type);
    row_put_u32(out, n);
    row_put_u32(out, 1);
}

static void put_try(const struct shape *shape, struct buf *out, const struct call_record *call,
                    const struct attempt_record *try)
{
    size_t at = out->n;

    row_put_u32(out, 0);
    row_put_u32(out, (uint32_t)shape->n);
    for (size_t i = 0; i < shape->n; i++) {
        const struct field *f = shape->column[i].field;
        const struct field *of_call = try->served ? shape->column[i].of_call : NULL;
        const char *p = f ? (const char *)try + f->offset : NULL;
        const char *said = of_call ? (const char *)call + of_call->offset : NULL;

        row_put_u32(out, shape->column[i].type);
        if (!f || (said ? row_value_same(f->kind, p, said) : row_value_absent(f->kind, p)))
            row_put_absent(out);
        else
            row_put_value(out, f->kind, p);
    }
    row_close(out, at);
}

static void put_tries(const struct settle_sql *s, struct buf *out, const struct call_record *r)
{
    uint32_t n = (uint32_t)MIN(r->attempts, (int32_t)BOUND_ATTEMPTS);
    size_t at = out->n;

    if (r->attempts <= 0) {
        row_put_absent(out);
        return;
    }
    row_put_u32(out, 0);
    put_head(out, &s->shape[ROW_ATTEMPT], n);
    for (uint32_t i = 0; i < n; i++)
        put_try(&s->shape[ROW_ATTEMPT], out, r, &r->attempt[i]);
    row_close(out, at);
}

static void put_columns(const struct settle_sql *s, size_t kind, struct buf *out, const void *row)
{
    const struct shape *shape = &s->shape[kind];
    size_t at = out->n;

    row_put_u32(out, 0);
    row_put_u32(out, (uint32_t)shape->n);
    for (size_t i = 0; i < shape->n; i++) {
        const struct field *f = shape->column[i].field;
        const char *p = f ? (const char *)row + f->offset : NULL;

        row_put_u32(out, shape->column[i].type);
        if (f && f->kind == VALUE_ROWS)
            put_tries(s, out, row);
        else if (!f || row_value_absent(f->kind, p))
            row_put_absent(out);
        else
            row_put_value(out, f->kind, p);
    }
    row_close(out, at);
}

static void put_row(struct settle_sql *s, size_t kind, const void *row)
{
    put_columns(s, kind, &s->rows[kind], row);
    s->n_rows[kind]++;
}

static void put_call(struct settle_sql *s, const struct call_record *call)
{
    put_row(s, call_record_is_shadow(call) ? ROW_SHADOW : ROW_CALL, call);
    if (call->video)
        put_row(s, ROW_VIDEO, call->video);
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
        put_call(s, call->entry[i]->call);
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
static int book_calls(struct settle_sql *s, struct db *db, struct settle_call *call)
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

static int book_apart(struct settle_sql *s, struct db *db, size_t kind, struct db_query *query)
{
    return s->n_rows[kind] ? db_exec(db, query, DB_ARGS(db_received(buf_str(&s->rows[kind]))), NULL) : 0;
}

/* Jobs come before the books are locked, as video_return() has it. Shadows say nothing of the session:
 * they draw on nothing. */
static int book(struct settle_sql *s, struct db *db, struct settle_call *call)
{
    int r = book_apart(s, db, ROW_VIDEO, &settle_all_videos);

    if (r == 0 && s->n_rows[ROW_CALL])
        r = book_calls(s, db, call);
    return r ? r : book_apart(s, db, ROW_SHADOW, &settle_all_shadows);
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
