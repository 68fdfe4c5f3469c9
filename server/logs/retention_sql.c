/* retention_sql.c: see retention.h. A span is written in one transaction, so that there is a whole one
 * or none; nothing is added to it meanwhile, because it is invoiced. */
#include "logs/retention.h"

#include "base/bounds.h"
#include "base/buf.h"
#include "base/err.h"
#include "db/rows.h"
#include "db/tx.h"
#include "logs/export.h"
#include "logs/shadows.h"

#include <errno.h>

#define PAGE_ROWS 500
#define PAGE_ARENA MIB(64)
#define PART_BYTES KIB(256)
/* Rows are a KiB at most, in rare cases some. */
#define PART_MAX_BYTES MIB(2)
#define SPAN_LIMIT_MS (3600 * 1000)
#define LOCK_LIMIT_MS 5000

DB_QUERY(retention_span_rows,
         "SELECT team_id, nullif(from_at, '-infinity') AS from_at, until_at,"
         "       coalesce(invoice_id, 0) AS invoice_id FROM retention_spans()")
DB_QUERY(retention_week_rows, "SELECT week::text AS week FROM retention_weeks() LIMIT 100")
DB_QUERY(retention_drop_week, "SELECT retention_drop($1::text::date) AS dropped")
DB_QUERY(archive_add_part,
         "INSERT INTO call_archive_part (team_id, until_at, ordinal, bytes) VALUES ($1, $2, $3, $4)")
/* Nothing is added unless what was written is what the calls say. */
DB_QUERY(archive_add,
         "INSERT INTO call_archive (team_id, from_at, until_at, invoice_id, calls, charge_nano, parts)"
         " SELECT $1, coalesce($2::timestamptz, '-infinity'), $3, nullif($4::bigint, 0), count(*),"
         "        coalesce(sum(c.charge_nano), 0), $5"
         "   FROM call c"
         "  WHERE c.team_id = $1 AND c.posted_at >= coalesce($2::timestamptz, '-infinity') AND c.posted_at < $3"
         " HAVING count(*) = $6::bigint AND coalesce(sum(c.charge_nano), 0) = $7::bigint")
DB_QUERY(archive_of_invoice,
         "SELECT until_at FROM call_archive WHERE team_id = $1 AND invoice_id = $2")
DB_QUERY(archive_parts,
         "SELECT bytes FROM call_archive_part WHERE team_id = $1 AND until_at = $2 ORDER BY ordinal")
DB_QUERY(retention_state,
         "SELECT coalesce(i.call_retention_months, 0) AS months, retention_cutoff() AS cutoff_at,"
         "       (SELECT (max(week) + 7)::timestamp AT TIME ZONE 'UTC' FROM call_dropped)"
         "           AS dropped_until_at,"
         "       (SELECT coalesce(sum(calls), 0)::bigint FROM call_dropped) AS dropped_calls,"
         "       (SELECT count(*) FROM call_archive WHERE calls > 0) AS archives"
         "  FROM installation i")

struct span {
    struct team_id team;
    int64_t from_us, until_us, invoice; /* from 0: from the beginning; invoice 0: none */
};

struct writing {
    const struct span *span;
    struct db *db;
    struct buf part;
    int32_t parts;
    int64_t calls, charge_nano;
};

static int end_part(struct writing *w)
{
    int r = buf_finish(&w->part);

    if (r == 0 && w->part.n)
        r = db_exec(w->db, &archive_add_part,
                    DB_ARGS(db_i64(w->span->team.v), db_time_us(w->span->until_us),
                            db_i32(++w->parts), db_bytes(buf_str(&w->part))),
                    NULL);
    buf_reset(&w->part);
    return r == 0 ? 0 : err_trace(db_fatal(r));
}

static int write_rows(struct writing *w, const struct log_page *page)
{
    int r = 0;

    for (size_t i = page->n; r == 0 && i-- > 0;) { /* oldest first */
        const struct log_row *row = &page->rows[i];

        log_csv_row(&w->part, row);
        w->calls++;
        w->charge_nano += row->call.charge_nano.nano;
        if (w->part.n >= PART_BYTES)
            r = end_part(w);
    }
    return r;
}

/* The next rows; *cursor moves on. */
static int write_page(struct writing *w, const struct log_filter *filter, struct log_cursor *cursor,
                      bool *ret_more)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(PAGE_ARENA);
    struct log_page page = {0};
    int r = a ? log_search(w->db, a, filter, *cursor, true, PAGE_ROWS, &page) : err_origin(-ENOMEM);

    if (r == 0)
        r = write_rows(w, &page);
    *cursor = page.after;
    *ret_more = page.newer;
    return r;
}

static int write_all(struct writing *w)
{
    const struct span *s = w->span;
    const struct log_filter filter = {
        .team = s->team, .from_us = s->from_us, .to_us = s->until_us, .cost_above = {-1}};
    struct log_cursor cursor = {.posted_us = MAX(s->from_us, 1)};
    bool more = true;
    int64_t added = 0;
    int r = 0;

    log_csv_head(&w->part);
    while (r == 0 && more)
        r = write_page(w, &filter, &cursor, &more);
    if (r == 0)
        r = end_part(w);
    if (r == 0)
        r = db_exec(w->db, &archive_add,
                    DB_ARGS(db_i64(s->team.v), s->from_us ? db_time_us(s->from_us) : db_null(DB_TIME_US),
                            db_time_us(s->until_us), db_i64(s->invoice), db_i32(w->parts),
                            db_i64(w->calls), db_i64(w->charge_nano)),
                    &added);
    if (r == DB_E_CONFLICT)
        return DB_E_CONFLICT; /* another node has written it */
    if (r != 0)
        return err_trace(db_fatal(r));
    return added == 1 ? 0 : err_origin(-EIO);
}

static int write_tx(struct db *db, void *ctx)
{
    struct writing w = {.span = ctx, .db = db};
    int r;

    buf_init(&w.part, PART_MAX_BYTES);
    r = write_all(&w);
    buf_done(&w.part);
    return r;
}

struct due {
    struct arena *a;
    struct span *spans;
    struct str *weeks;
    size_t n_spans, n_weeks;
};

static int due_tx(struct db *db, void *ctx)
{
    struct due *d = ctx;
    struct span span;
    struct str week;
    struct db_rows spans = DB_ROWS(d->a, &span), weeks = DB_ROWS(d->a, &week);
    int r = db_each(db, &retention_span_rows, d->a, DB_NO_ARGS,
                    DB_COLS(db_col_i64("team_id", &span.team.v),
                            db_col_time_us("from_at", &span.from_us),
                            db_col_time_us("until_at", &span.until_us),
                            db_col_i64("invoice_id", &span.invoice)),
                    db_rows_push, &spans);

    if (r == 0)
        r = db_each(db, &retention_week_rows, d->a, DB_NO_ARGS, DB_COLS(db_col_text("week", &week)),
                    db_rows_push, &weeks);
    d->spans = spans.v;
    d->n_spans = spans.n;
    d->weeks = weeks.v;
    d->n_weeks = weeks.n;
    return r;
}

struct dropping {
    struct str week;
    bool dropped;
};

static int drop_tx(struct db *db, void *ctx)
{
    struct dropping *t = ctx;

    return db_one(db, &retention_drop_week, NULL, DB_ARGS(db_text(t->week)),
                  DB_COLS(db_col_bool("dropped", &t->dropped)));
}

static int write_spans(struct db *db, const struct due *due, int64_t *ret_n)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < due->n_spans; i++) {
        r = db_tx(db, DB_SYSTEM, "call_archive", write_tx, &due->spans[i]);
        *ret_n += r == 0;
        if (r == DB_E_CONFLICT)
            r = 0;
    }
    return r;
}

static int drop_weeks(struct db *db, const struct due *due, int64_t *ret_n)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < due->n_weeks; i++) {
        struct dropping t = {.week = due->weeks[i]};

        r = db_tx(db, DB_SYSTEM, "retention_drop", drop_tx, &t);
        *ret_n += r == 0 && t.dropped;
    }
    return r;
}

static int forget_tx(struct db *db, void *ctx)
{
    return shadow_forget(db, ctx);
}

int retention_run(struct db *db, struct retention_done *ret)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(256));
    struct retention_done done = {0};
    struct due due = {.a = a};
    int r = a ? db_limit(db, SPAN_LIMIT_MS, LOCK_LIMIT_MS) : err_origin(-ENOMEM);

    if (r == 0)
        r = db_tx(db, DB_SYSTEM, "retention_due", due_tx, &due);
    if (r == 0)
        r = write_spans(db, &due, &done.archived);
    if (r == 0)
        r = drop_weeks(db, &due, &done.dropped);
    if (r == 0)
        r = db_tx(db, DB_SYSTEM, "shadow_forget", forget_tx, &done.shadows);
    *ret = done;
    return r == 0 ? 0 : err_trace(db_fatal(r));
}

int retention_read(struct db *db, struct retention_view *ret)
{
    struct retention_view v = {0};
    int r = db_one(db, &retention_state, NULL, DB_NO_ARGS,
                   DB_COLS(db_col_i32("months", &v.months), db_col_time_us("cutoff_at", &v.cutoff_us),
                           db_col_time_us("dropped_until_at", &v.dropped_until_us),
                           db_col_i64("dropped_calls", &v.dropped_calls),
                           db_col_i64("archives", &v.archives)));

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = v;
    return 0;
}

int archive_find(struct db *db, struct team_id team, int64_t invoice, int64_t *ret_until_us)
{
    int r = db_one(db, &archive_of_invoice, NULL, DB_ARGS(db_i64(team.v), db_i64(invoice)),
                   DB_COLS(db_col_time_us("until_at", ret_until_us)));

    if (r == DB_E_NONE)
        return RETENTION_E_NONE;
    return r == 0 ? RETENTION_OK : err_trace(db_fatal(r));
}

struct each {
    struct str bytes;
    int (*fn)(void *ctx, struct str bytes);
    void *ctx;
};

static int each_part(void *ctx)
{
    struct each *e = ctx;

    return e->fn(e->ctx, e->bytes);
}

int archive_each(struct db *db, struct team_id team, int64_t until_us,
                 int (*fn)(void *ctx, struct str bytes), void *ctx)
{
    struct each e = {.fn = fn, .ctx = ctx};
    int r = db_stream(db, &archive_parts, DB_ARGS(db_i64(team.v), db_time_us(until_us)),
                      DB_COLS(db_col_bytes("bytes", &e.bytes)), each_part, &e);

    return db_fatal(r);
}
