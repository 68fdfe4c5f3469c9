/* search_sql.c: the list of calls: slices of the log, one after the other, until the page is full, the
 * span of the filter is done or the time is up.
 *
 * A team's slices are counted in rows, along its index; those of all teams in time, since there only
 * the summaries of page ranges help. Each next slice is as large as the time that is left allows,
 * judged by the one before, also by that of the search before: its step is in the cursor, so that
 * going on gets somewhere however slow a slice is. The clock is the database's, as is the work. */
#include "logs/columns.h"

#include "base/err.h"

#include <errno.h>

#define SLICE_ROWS 2000
#define SLICE_ROWS_MAX 200000
#define SLICE_SPAN_MIN_US (4 * 1000000LL)
#define SLICE_GROWTH 8
/* Calls are posted now; the clock of a database that was moved may have been so far ahead. */
#define AHEAD_US (24 * 3600 * 1000000LL)
/* Of the slices in time the first is to hold so many rows, at this size of a row. */
#define SPAN_ROWS 20000
#define ROW_BYTES 400
#define WEEK_US (7 * 86400 * 1000000LL)

/* $1 team, $2 and $3 the span [from, to), then the filters; NULL means any. */
#define CALL_SPAN " WHERE c.posted_at >= $2 AND c.posted_at < $3 "
#define CALL_FILTERS                                                                               \
    " AND ($4::bigint IS NULL OR c.key_id = $4)"                                                   \
    " AND ($5::bigint IS NULL OR c.project_id = $5)"                                               \
    " AND ($6::text IS NULL OR coalesce(c.served_model, c.requested_model) = $6)"                  \
    " AND ($7::text IS NULL OR coalesce(c.provider, '" LOG_NO_PROVIDER "') = $7)"                  \
    " AND ($8::text IS NULL OR c.outcome = $8)"                                                    \
    " AND ($9::text IS NULL OR c.account_name = $9)"                                               \
    " AND ($10::integer IS NULL OR c.status BETWEEN $10 AND $11::integer)"                         \
    " AND ($12::boolean IS NULL OR c.fallback = $12)"                                              \
    " AND ($13::bigint IS NULL OR c.charge_nano > $13)"                                            \
    " AND ($14::text IS NULL OR EXISTS"                                                            \
    "      (SELECT FROM json_each_text(c.tags) AS tag"                                             \
    "        WHERE tag.value = $14 OR tag.key || '=' || tag.value = $14))"                         \
    " AND ($15::boolean IS NULL OR (c.served_model IS NOT NULL) = $15)"                            \
    " AND ($16::text IS NULL OR coalesce(c.cache, '" LOG_NO_CACHE "') = $16"                       \
    "      OR $16 = '" LOG_SIMILAR "' AND c.similarity_bp IS NOT NULL)"                            \
    " AND ($17::text IS NULL OR c.error_code = $17)"                                            \
    " AND ($18::text IS NULL OR c.guardrails IS NOT NULL AND ($18 = '" LOG_ANY_GUARDRAIL "'"        \
    "      OR strpos(', ' || c.guardrails, ', ' || $18 || '=') > 0))"                              \
    " AND ($19::text IS NULL OR c.rule = $19)"
#define OF_TEAM " AND c.team_id = $1 "
#define OF_ANY " AND $1::bigint IS NULL "
/* $20 and $21 the cursor, or NULL. */
#define OLDER_THAN_CURSOR " AND ($20::timestamptz IS NULL OR (c.posted_at, c.call_id) < ($20, $21::uuid)) "
#define NEWER_THAN_CURSOR " AND ($20::timestamptz IS NULL OR (c.posted_at, c.call_id) > ($20, $21::uuid)) "
#define NEWEST_FIRST " ORDER BY c.posted_at DESC, c.call_id DESC "
#define OLDEST_FIRST " ORDER BY c.posted_at, c.call_id "

DB_QUERY(log_team_older, "SELECT " CALL_COLUMNS CALL_FROM CALL_SPAN OF_TEAM CALL_FILTERS
                             OLDER_THAN_CURSOR NEWEST_FIRST "LIMIT $22")
DB_QUERY(log_team_newer, "SELECT " CALL_COLUMNS CALL_FROM CALL_SPAN OF_TEAM CALL_FILTERS
                             NEWER_THAN_CURSOR OLDEST_FIRST "LIMIT $22")
DB_QUERY(log_any_older, "SELECT " CALL_COLUMNS CALL_FROM CALL_SPAN OF_ANY CALL_FILTERS
                            OLDER_THAN_CURSOR NEWEST_FIRST "LIMIT $22")
DB_QUERY(log_any_newer, "SELECT " CALL_COLUMNS CALL_FROM CALL_SPAN OF_ANY CALL_FILTERS
                            NEWER_THAN_CURSOR OLDEST_FIRST "LIMIT $22")
DB_QUERY(log_team_all, "SELECT " CALL_COLUMNS CALL_FROM CALL_SPAN OF_TEAM CALL_FILTERS OLDEST_FIRST)
/* The moment of a row so many rows away. */
DB_QUERY(log_step_older,
         "SELECT c.posted_at FROM call c" CALL_SPAN OF_TEAM " ORDER BY c.posted_at DESC OFFSET $4 LIMIT 1")
DB_QUERY(log_step_newer,
         "SELECT c.posted_at FROM call c" CALL_SPAN OF_TEAM " ORDER BY c.posted_at OFFSET $4 LIMIT 1")
/* How large the weeks are that have calls. */
DB_QUERY(log_weeks,
         "SELECT count(*) AS weeks, coalesce(sum(s.bytes), 0)::bigint AS bytes"
         "  FROM (SELECT pg_relation_size(inhrelid) AS bytes FROM pg_inherits"
         "         WHERE inhparent = 'call'::regclass) s WHERE s.bytes > 0")
DB_QUERY(log_clock, "SELECT clock_timestamp() AS now")

#define LOG_FILTER_ARGS 19
#define LOG_ARGS 22

static void status_range(int status, struct db_arg *ret_low, struct db_arg *ret_high)
{
    bool any = status == 0, family = status > 0 && status < 10;

    *ret_low = any ? db_null(DB_I32) : db_i32(family ? status * 100 : status);
    *ret_high = any ? db_null(DB_I32) : db_i32(family ? status * 100 + 99 : status);
}

static void fill_filter(const struct log_filter *f, int64_t from_us, int64_t to_us,
                        struct db_arg args[LOG_FILTER_ARGS])
{
    args[0] = f->team.v ? db_i64(f->team.v) : db_null(DB_I64);
    args[1] = db_time_us(from_us);
    args[2] = db_time_us(to_us);
    args[3] = f->key.v ? db_i64(f->key.v) : db_null(DB_I64);
    args[4] = f->project.v ? db_i64(f->project.v) : db_null(DB_I64);
    args[5] = db_text(f->model);
    args[6] = db_text(f->provider);
    args[7] = db_text(f->outcome);
    args[8] = db_text(f->account);
    status_range(f->status, &args[9], &args[10]);
    args[11] = f->fallback == LOG_ANY ? db_null(DB_BOOL) : db_bool(f->fallback == LOG_YES);
    args[12] = f->cost_above.nano < 0 ? db_null(DB_I64) : db_i64(f->cost_above.nano);
    args[13] = db_text(f->tag);
    args[14] = f->served == LOG_ANY ? db_null(DB_BOOL) : db_bool(f->served == LOG_YES);
    args[15] = db_text(f->cache);
    args[16] = db_text(f->error);
    args[17] = db_text(f->guardrail);
    args[18] = db_text(f->rule);
}

static bool names_any(const struct log_filter *f)
{
    return f->model.p || f->provider.p || f->outcome.p || f->account.p || f->tag.p || f->cache.p ||
           f->guardrail.p || f->error.p || f->rule.p;
}

/* Does every row of the span belong on the page? */
static bool takes_all(const struct log_filter *f)
{
    return f->team.v && !f->key.v && !f->project.v && !f->status && f->fallback == LOG_ANY &&
           f->served == LOG_ANY && f->cost_above.nano < 0 && !names_any(f);
}

struct search {
    struct db *db;
    struct arena *a;
    const struct log_filter *filter;
    struct log_cursor cursor;
    bool forward;
    int64_t from_us, to_us; /* what is still to be looked at, [from, to) */
    int64_t end_us, now_us; /* by the database's clock */
    int64_t step; /* rows or microseconds of the next slice */
    struct log_row row, *rows;
    size_t n, max;
};

static int row_found(void *ctx)
{
    struct search *s = ctx;

    assert(s->n < s->max);
    s->rows[s->n++] = s->row;
    return 0;
}

static int read_clock(struct search *s)
{
    int r = db_one(s->db, &log_clock, NULL, DB_NO_ARGS, DB_COLS(db_col_time_us("now", &s->now_us)));

    return r ? err_trace(db_fatal(r)) : 0;
}

/* The far end of the next slice of a team's rows, or of the whole span when it has no more rows. */
static int step_rows(struct search *s, int64_t *ret_us)
{
    int64_t at_us = 0;
    int r = db_one(s->db, s->forward ? &log_step_newer : &log_step_older, NULL,
                   DB_ARGS(db_i64(s->filter->team.v), db_time_us(s->from_us), db_time_us(s->to_us),
                           db_i64(s->step)),
                   DB_COLS(db_col_time_us("posted_at", &at_us)));

    if (r == DB_E_NONE)
        *ret_us = s->forward ? s->to_us : s->from_us;
    else if (r == 0)
        *ret_us = s->forward ? at_us + 1 : at_us;
    else
        return err_trace(db_fatal(r));
    return 0;
}

static int next_slice(struct search *s, int64_t *ret_us)
{
    if (takes_all(s->filter))
        *ret_us = s->forward ? s->to_us : s->from_us;
    else if (s->filter->team.v)
        return step_rows(s, ret_us);
    else
        *ret_us = s->forward ? MIN(s->to_us, s->from_us + s->step) : MAX(s->from_us, s->to_us - s->step);
    return 0;
}

static int read_slice(struct search *s, int64_t end_us)
{
    int64_t from_us = s->forward ? s->from_us : end_us, to_us = s->forward ? end_us : s->to_us;
    struct db_query *older = s->filter->team.v ? &log_team_older : &log_any_older;
    struct db_query *newer = s->filter->team.v ? &log_team_newer : &log_any_newer;
    struct db_arg args[LOG_ARGS];
    struct db_col cols[LOG_COLS];

    fill_filter(s->filter, from_us, to_us, args);
    args[LOG_FILTER_ARGS] = s->cursor.posted_us ? db_time_us(s->cursor.posted_us) : db_null(DB_TIME_US);
    args[LOG_FILTER_ARGS + 1] = s->cursor.posted_us ? db_uuid(s->cursor.id) : db_null(DB_UUID);
    args[LOG_FILTER_ARGS + 2] = db_i64((int64_t)(s->max - s->n));
    int r = db_each(s->db, s->forward ? newer : older, s->a, args, LOG_ARGS, cols,
                    log_columns(&s->row, cols), row_found, s);

    return r ? err_trace(db_fatal(r)) : 0;
}

static int64_t min_step(const struct log_filter *f)
{
    return f->team.v ? SLICE_ROWS : SLICE_SPAN_MIN_US;
}

static int64_t max_step(const struct log_filter *f)
{
    return f->team.v ? SLICE_ROWS_MAX : LOG_LAST_US / SLICE_GROWTH;
}

/* The next slice may take half of the time that is left, and twice of the last one's where that was
 * little. */
static void set_step(struct search *s, int64_t took_us, int64_t budget_us)
{
    int64_t rest_us = MAX(s->end_us - s->now_us, 0);
    int64_t growth = MIN(rest_us / (2 * MAX(took_us, 1)), SLICE_GROWTH);

    if (took_us <= budget_us / 4)
        s->step *= MAX(growth, 2);
    else if (took_us > budget_us)
        s->step /= 2;
    s->step = MIN(MAX(s->step, min_step(s->filter)), max_step(s->filter));
}

/* Unless the search before has told it. */
static int first_step(struct search *s)
{
    int64_t weeks = 0, bytes = 0;
    int r = 0;

    s->step = s->cursor.step;
    if (!s->step && !s->filter->team.v) {
        r = db_one(s->db, &log_weeks, NULL, DB_NO_ARGS,
                   DB_COLS(db_col_i64("weeks", &weeks), db_col_i64("bytes", &bytes)));
        s->step = bytes ? weeks * WEEK_US / (bytes / ROW_BYTES + 1) * SPAN_ROWS : LOG_LAST_US;
    }
    s->step = MIN(MAX(s->step, min_step(s->filter)), max_step(s->filter));
    return r ? err_trace(db_fatal(r)) : 0;
}

static bool is_done(const struct search *s)
{
    return s->from_us >= s->to_us || s->n == s->max;
}

static int take_slice(struct search *s, int64_t budget_us)
{
    int64_t end_us = 0, before_us = s->now_us;
    int r = next_slice(s, &end_us);

    if (r == 0)
        r = read_slice(s, end_us);
    if (r == 0)
        r = read_clock(s);
    if (r)
        return r;
    if (s->forward)
        s->from_us = end_us;
    else
        s->to_us = end_us;
    set_step(s, s->now_us - before_us, budget_us);
    return 0;
}

/* Ends when less than a tenth of the time is left, which another slice would overdraw. */
static int look(struct search *s)
{
    int64_t budget_us = s->filter->budget_us ? s->filter->budget_us : LOG_BUDGET_US;
    int r = read_clock(s);

    s->end_us = s->now_us + budget_us;
    if (!s->forward) /* no slice is spent on what is to come */
        s->to_us = MIN(s->to_us, s->now_us + AHEAD_US);
    if (r == 0)
        r = first_step(s);
    while (r == 0 && !is_done(s)) {
        r = take_slice(s, budget_us);
        if (s->end_us - s->now_us < budget_us / 10)
            break;
    }
    return r;
}

static struct log_cursor cursor_at(const struct log_row *row)
{
    return (struct log_cursor){.posted_us = row->posted_at_us, .id = row->call.call_id};
}

static void reverse(struct log_row *rows, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        struct log_row swap = rows[i];

        rows[i] = rows[n - 1 - i];
        rows[n - 1 - i] = swap;
    }
}

/* One row more than wanted tells that there is more; so does a span that is not done. */
static void finish(struct search *s, struct log_page *ret)
{
    bool full = s->n == s->max, more = full || s->from_us < s->to_us;
    struct log_page page = {.rows = s->rows, .n = s->n - full};
    struct log_cursor first = s->cursor, last = s->cursor;

    if (page.n) {
        first = cursor_at(&page.rows[0]);
        last = cursor_at(&page.rows[page.n - 1]);
    }
    if (more && page.n < s->max - 1) {
        page.searched_us = s->forward ? s->from_us : s->to_us;
        last = (struct log_cursor){.posted_us = page.searched_us, .step = s->step};
    }
    if (s->forward)
        reverse(page.rows, page.n);
    page.older = s->forward || more;
    page.newer = s->forward ? more : s->cursor.posted_us != 0;
    page.before = s->forward ? first : last;
    page.after = s->forward ? last : first;
    *ret = page;
}

static void narrow(struct search *s)
{
    s->from_us = s->filter->from_us;
    s->to_us = s->filter->to_us ? s->filter->to_us : LOG_LAST_US;
    if (s->forward)
        s->from_us = MAX(s->from_us, s->cursor.posted_us);
    else if (s->cursor.posted_us)
        s->to_us = MIN(s->to_us, s->cursor.posted_us + 1);
}

int log_search(struct db *db, struct arena *a, const struct log_filter *filter,
               struct log_cursor cursor, bool forward, size_t limit, struct log_page *ret)
{
    struct search s = {.db = db,
                       .a = a,
                       .filter = filter,
                       .cursor = cursor,
                       .forward = forward && cursor.posted_us,
                       .max = limit + 1};
    int r;

    s.rows = arena_array(a, struct log_row, s.max);
    if (!s.rows)
        return err_origin(-ENOMEM);
    narrow(&s);
    r = look(&s);
    if (r == 0)
        finish(&s, ret);
    return r;
}

struct each {
    struct log_row row;
    int (*fn)(void *ctx, const struct log_row *row);
    void *ctx;
};

static int each_row(void *ctx)
{
    struct each *e = ctx;

    return e->fn(e->ctx, &e->row);
}

int log_each(struct db *db, const struct log_filter *filter,
             int (*fn)(void *ctx, const struct log_row *row), void *ctx)
{
    struct each e = {.fn = fn, .ctx = ctx};
    struct db_arg args[LOG_FILTER_ARGS];
    struct db_col cols[LOG_COLS];
    int r;

    assert(filter->team.v);
    fill_filter(filter, filter->from_us, filter->to_us ? filter->to_us : LOG_LAST_US, args);
    r = db_stream(db, &log_team_all, args, LOG_FILTER_ARGS, cols, log_columns(&e.row, cols), each_row,
                  &e);
    return db_fatal(r);
}
