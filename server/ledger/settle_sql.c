/* settle_sql.c: see settle_sql.h. The batch goes out as three JSON arrays; fields by record.def. */
#include "ledger/settle_sql.h"

#include "base/clock.h"
#include "base/failpoint.h"
#include "db/tx.h"
#include "json/write.h"
#include "model/record.h"

DB_QUERY(settle_all, "SELECT settle_batch($1, $2, $3, $4) AS live")

#define PART_BYTES (SETTLE_CALLS * 4 * BOUND_JOURNAL_RECORD_BYTES)

struct parts {
    struct buf calls, attempts, draws;
};

static void put_uuid(struct json_writer *w, struct call_id id)
{
    char text[UUID_TEXT];

    call_id_uuid(id, text);
    json_cstr(w, text);
}

static void put_id(struct json_writer *w, int64_t v)
{
    if (v)
        json_int(w, v);
    else
        json_null(w);
}

static void put_time(struct json_writer *w, int64_t us)
{
    char text[CLOCK_RFC3339_SIZE];

    if (!us) {
        json_null(w);
        return;
    }
    clock_rfc3339(us, text);
    json_cstr(w, text);
}

static void put_text(struct json_writer *w, struct str s)
{
    if (s.p)
        json_str(w, s);
    else
        json_null(w);
}

static void put_json(struct json_writer *w, struct str s)
{
    if (s.p && s.n)
        json_raw(w, s);
    else
        json_null(w);
}

static void put_money(struct json_writer *w, struct money m)
{
    json_int(w, m.nano);
}

#define PUT_UUID put_uuid
#define PUT_ID put_id
#define PUT_TIME put_time
#define PUT_I64 json_int
#define PUT_I32 json_int
#define PUT_BOOL json_bool
#define PUT_MONEY put_money
#define PUT_TEXT put_text
#define PUT_JSON put_json
#define PUT(name, kind, bound, label) \
    json_key(&w, #name);              \
    PUT_##kind(&w, of->name);

/* A further object of an array. */
static struct json_writer object_of(struct buf *out, const struct call_record *r)
{
    struct json_writer w;

    buf_putc(out, out->n ? ',' : '[');
    json_begin(&w, out);
    json_open_object(&w);
    if (r) {
        json_key(&w, "team_id");
        json_int(&w, r->team_id);
        json_key(&w, "call_id");
        put_uuid(&w, r->call_id);
    }
    return w;
}

static void put_call(struct buf *out, const struct call_record *of)
{
    struct json_writer w = object_of(out, NULL);

    RECORD_CALL(PUT)
    json_close_object(&w);
}

static void put_attempt(struct buf *out, const struct call_record *r,
                        const struct attempt_record *of)
{
    struct json_writer w = object_of(out, r);

    RECORD_ATTEMPT(PUT)
    json_close_object(&w);
}

static void put_draw(struct buf *out, const struct call_record *r, const struct settle_draw *d)
{
    struct json_writer w = object_of(out, r);

    json_key(&w, "purse_id");
    json_int(&w, d->purse.v);
    json_key(&w, "window_start");
    if (d->window_us == INT64_MIN)
        json_cstr(&w, "-infinity");
    else
        put_time(&w, d->window_us);
    json_key(&w, "taken");
    json_int(&w, d->taken);
    json_key(&w, "used");
    json_int(&w, d->used);
    json_close_object(&w);
}

/* The database's text holds any character but NUL, which a request may well contain: it becomes
 * U+FFFD, as what is not UTF-8 became already. */
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

static struct str close_array(struct buf *out)
{
    if (!out->n)
        buf_putc(out, '[');
    buf_putc(out, ']');
    replace_nuls(out->p, out->n);
    return buf_str(out);
}

static int put_all(struct parts *parts, const struct settle_call *call, struct str ret[3])
{
    for (size_t i = 0; i < call->n; i++) {
        const struct settle_entry *e = call->entry[i];

        put_call(&parts->calls, e->call);
        for (int32_t k = 0; k < MIN(e->call->attempts, (int32_t)BOUND_ATTEMPTS); k++)
            put_attempt(&parts->attempts, e->call, &e->call->attempt[k]);
        for (size_t k = 0; k < e->n_draws; k++)
            put_draw(&parts->draws, e->call, &e->draws[k]);
    }
    ret[0] = close_array(&parts->calls);
    ret[1] = close_array(&parts->attempts);
    ret[2] = close_array(&parts->draws);
    return buf_finish(&parts->calls) || buf_finish(&parts->attempts) || buf_finish(&parts->draws);
}

/* Data exceptions and integrity violations: SQLSTATE classes 22 and 23. */
static bool about_the_records(const struct db *db)
{
    struct str state = str_c(db_last_error(db));

    return str_starts(state, STR("22")) || str_starts(state, STR("23"));
}

static int settle_parts(struct db *db, struct settle_call *call, const struct str parts[3])
{
    int r = failpoint_hit("settle.send");

    if (!r)
        r = db_begin(db, DB_SYSTEM, false);
    if (r)
        return PORT_E_AWAY;
    r = db_one(db, &settle_all, NULL,
               DB_ARGS(db_i64(call->session), db_json(parts[0]), db_json(parts[1]),
                       db_json(parts[2])),
               DB_COLS(db_col_bool("live", &call->live)));
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
    return db_alive(db) && about_the_records(db) ? PORT_E_REFUSED : PORT_E_AWAY;
}

int settle_sql(struct db *db, struct settle_call *call)
{
    struct parts parts;
    struct str text[3];
    int r = PORT_E_AWAY;

    buf_init(&parts.calls, PART_BYTES);
    buf_init(&parts.attempts, PART_BYTES);
    buf_init(&parts.draws, PART_BYTES);
    if (put_all(&parts, call, text) == 0)
        r = settle_parts(db, call, text);
    buf_done(&parts.calls);
    buf_done(&parts.attempts);
    buf_done(&parts.draws);
    return r;
}
