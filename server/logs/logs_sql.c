/* logs_sql.c: the calls and their attempts as the database keeps them.
 *
 * The column lists are written out from record.def, so that a field added there is read here. */
#include "logs/search.h"

#include "base/err.h"

#include <errno.h>

/* What an absent value becomes on the way out: 0 for ids and numbers, NULL for the rest. */
#define SELECT_UUID(name) name
#define SELECT_ID(name) "coalesce(" name ", 0)"
#define SELECT_TIME(name) name
#define SELECT_I64(name) name
#define SELECT_I32(name) name
#define SELECT_BOOL(name) name
#define SELECT_MONEY(name) name
#define SELECT_TEXT(name) name
#define SELECT_JSON(name) name "::text"

#define COL_UUID db_col_uuid
#define COL_ID db_col_i64
#define COL_TIME db_col_time_us
#define COL_I64 db_col_i64
#define COL_I32 db_col_i32
#define COL_BOOL db_col_bool
#define COL_MONEY db_col_money
#define COL_TEXT db_col_text
#define COL_JSON db_col_text

#define SELECT_CALL(name, kind, bound, label) SELECT_##kind("c." #name) " AS " #name ", "
#define SELECT_ATTEMPT(name, kind, bound, label) SELECT_##kind("a." #name) " AS " #name ", "
#define COL_CALL(name, kind, bound, label) COL_##kind(#name, &row->call.name),
#define COL_ATTEMPT(name, kind, bound, label) COL_##kind(#name, &attempt->name),

#define CALL_COLUMNS                                                                               \
    RECORD_CALL(SELECT_CALL)                                                                       \
    "c.posted_at AS posted_at, coalesce(c.transfer_id, 0) AS transfer_id,"                         \
    " t.name AS team_name, k.name AS key_name, p.name AS project_name "
#define CALL_FROM                                                                                  \
    " FROM call c JOIN team t ON t.id = c.team_id"                                                 \
    " LEFT JOIN api_key k ON k.team_id = c.team_id AND k.id = c.key_id"                            \
    " LEFT JOIN project p ON p.team_id = c.team_id AND p.id = c.project_id "

/* $1 team, $2 and $3 the id range [from, to), then the filters; NULL means any. */
#define CALL_RANGE " WHERE c.call_id >= $2 AND c.call_id < $3 "
#define CALL_FILTERS                                                                               \
    " AND ($4::bigint IS NULL OR c.key_id = $4)"                                                   \
    " AND ($5::bigint IS NULL OR c.project_id = $5)"                                               \
    " AND ($6::text IS NULL OR c.requested_model = $6 OR c.served_model = $6)"                     \
    " AND ($7::text IS NULL OR c.provider = $7)"                                                   \
    " AND ($8::text IS NULL OR c.outcome = $8)"                                                    \
    " AND ($9::text IS NULL OR c.account_name = $9)"                                               \
    " AND ($10::integer IS NULL OR c.status BETWEEN $10 AND $11::integer)"                         \
    " AND ($12::boolean IS NULL OR c.fallback = $12)"                                              \
    " AND ($13::bigint IS NULL OR c.charge_nano > $13)"                                            \
    " AND ($14::text IS NULL OR EXISTS"                                                            \
    "      (SELECT FROM jsonb_each_text(c.tags) AS tag WHERE tag.value = $14))"
#define OF_TEAM " AND c.team_id = $1 "
#define OF_ANY " AND $1::bigint IS NULL "

DB_QUERY(log_team_older, "SELECT " CALL_COLUMNS CALL_FROM CALL_RANGE OF_TEAM CALL_FILTERS
                         " ORDER BY c.call_id DESC LIMIT $15")
DB_QUERY(log_team_newer, "SELECT " CALL_COLUMNS CALL_FROM CALL_RANGE OF_TEAM CALL_FILTERS
                         " ORDER BY c.call_id ASC LIMIT $15")
DB_QUERY(log_any_older, "SELECT " CALL_COLUMNS CALL_FROM CALL_RANGE OF_ANY CALL_FILTERS
                        " ORDER BY c.call_id DESC LIMIT $15")
DB_QUERY(log_any_newer, "SELECT " CALL_COLUMNS CALL_FROM CALL_RANGE OF_ANY CALL_FILTERS
                        " ORDER BY c.call_id ASC LIMIT $15")
DB_QUERY(log_call_one, "SELECT " CALL_COLUMNS CALL_FROM
                       " WHERE c.call_id = $2 AND ($1::bigint IS NULL OR c.team_id = $1)")
DB_QUERY(log_call_attempts, "SELECT " RECORD_ATTEMPT(SELECT_ATTEMPT) "a.call_id AS call_id"
                            " FROM attempt a WHERE a.team_id = $1 AND a.call_id = $2"
                            " ORDER BY a.ordinal LIMIT 16")
DB_QUERY(log_models, "SELECT DISTINCT model AS value FROM usage_day"
                     " WHERE team_id = $1 AND day > current_date - 31 AND model IS NOT NULL"
                     " ORDER BY 1 LIMIT 100")
DB_QUERY(log_providers, "SELECT DISTINCT provider AS value FROM usage_day"
                        " WHERE team_id = $1 AND day > current_date - 31 AND provider IS NOT NULL"
                        " ORDER BY 1 LIMIT 40")

#define LOG_ARGS 15
#define LOG_COLS 64

/* The smallest call id of a millisecond; ids are UUIDv7, so ids order as times do. */
static struct call_id id_floor(int64_t unix_us)
{
    struct call_id id = {{0}};
    int64_t ms = unix_us / 1000;

    for (int i = 0; i < 6; i++)
        id.b[i] = (uint8_t)(ms >> (40 - 8 * i));
    return id;
}

static struct call_id id_next(struct call_id id)
{
    for (int i = 15; i >= 0; i--)
        if (++id.b[i])
            break;
    return id;
}

static bool id_zero(struct call_id id)
{
    static const struct call_id zero;

    return call_id_eq(id, zero);
}

static void status_range(int status, struct db_arg *ret_low, struct db_arg *ret_high)
{
    bool any = status == 0, family = status > 0 && status < 10;

    *ret_low = any ? db_null(DB_I32) : db_i32(family ? status * 100 : status);
    *ret_high = any ? db_null(DB_I32) : db_i32(family ? status * 100 + 99 : status);
}

static void fill_args(const struct log_filter *f, struct call_id from, struct call_id to,
                      int64_t limit, struct db_arg args[LOG_ARGS])
{
    args[0] = f->team.v ? db_i64(f->team.v) : db_null(DB_I64);
    args[1] = db_uuid(from);
    args[2] = db_uuid(to);
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
    args[14] = db_i64(limit);
}

static size_t call_columns(struct log_row *row, struct db_col out[LOG_COLS])
{
    const struct db_col cols[] = {RECORD_CALL(COL_CALL)
                                      db_col_time_us("posted_at", &row->posted_at_us),
                                  db_col_i64("transfer_id", &row->transfer_id),
                                  db_col_text("team_name", &row->team_name),
                                  db_col_text("key_name", &row->key_name),
                                  db_col_text("project_name", &row->project_name)};

    _Static_assert(ARRAY_LEN(cols) <= LOG_COLS, "raise LOG_COLS");
    memcpy(out, cols, sizeof(cols));
    return ARRAY_LEN(cols);
}

/* Where a list of rows is gathered while the statement runs. */
struct gather {
    struct log_row row, *rows;
    size_t n, max;
};

static int gather_row(void *ctx)
{
    struct gather *g = ctx;

    assert(g->n < g->max);
    g->rows[g->n++] = g->row;
    return 0;
}

static void reverse(struct log_row *rows, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        struct log_row swap = rows[i];

        rows[i] = rows[n - 1 - i];
        rows[n - 1 - i] = swap;
    }
}

/* The id range that the filter's times and the cursor leave. */
static void id_range(const struct log_filter *f, struct call_id cursor, bool after,
                     struct call_id *ret_from, struct call_id *ret_to)
{
    *ret_from = f->from_us > 0 ? id_floor(f->from_us) : (struct call_id){{0}};
    memset(ret_to, 0xff, sizeof(*ret_to));
    if (f->to_us > 0)
        *ret_to = id_floor(f->to_us);
    if (id_zero(cursor))
        return;
    if (after)
        *ret_from = id_next(cursor);
    else
        *ret_to = cursor;
}

int log_search(struct db *db, struct arena *a, const struct log_filter *filter,
               struct call_id cursor, bool after, size_t limit, struct log_page *ret)
{
    struct gather g = {.max = limit + 1};
    struct call_id from, to;
    struct db_arg args[LOG_ARGS];
    struct db_col cols[LOG_COLS];
    bool forward = after && !id_zero(cursor), beyond;
    struct db_query *older = filter->team.v ? &log_team_older : &log_any_older;
    struct db_query *newer = filter->team.v ? &log_team_newer : &log_any_newer;
    int r;

    g.rows = arena_array(a, struct log_row, g.max);
    if (!g.rows)
        return err_origin(-ENOMEM);
    id_range(filter, cursor, forward, &from, &to);
    fill_args(filter, from, to, (int64_t)limit + 1, args);
    r = db_each(db, forward ? newer : older, a, args, LOG_ARGS, cols, call_columns(&g.row, cols),
                gather_row, &g);
    if (r)
        return db_fatal(r);
    beyond = g.n > limit;
    g.n -= beyond;
    if (forward)
        reverse(g.rows, g.n);
    *ret = (struct log_page){.rows = g.rows, .n = g.n};
    ret->older = forward || beyond;
    ret->newer = forward ? beyond : !id_zero(cursor);
    if (g.n) {
        ret->newest = g.rows[0].call.call_id;
        ret->oldest = g.rows[g.n - 1].call.call_id;
    }
    return 0;
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
    struct call_id from, to;
    struct db_arg args[LOG_ARGS];
    struct db_col cols[LOG_COLS];
    int r;

    id_range(filter, (struct call_id){{0}}, false, &from, &to);
    fill_args(filter, from, to, INT64_MAX, args);
    r = db_stream(db, filter->team.v ? &log_team_newer : &log_any_newer, args, LOG_ARGS, cols,
                  call_columns(&e.row, cols), each_row, &e);
    return db_fatal(r);
}

struct attempts {
    struct call_record *call;
    struct attempt_record row;
    int32_t n;
};

static int attempt_row(void *ctx)
{
    struct attempts *t = ctx;

    if (t->n < BOUND_ATTEMPTS)
        t->call->attempt[t->n++] = t->row;
    return 0;
}

int log_get(struct db *db, struct arena *a, struct team_id team, struct call_id id,
            struct log_row *ret)
{
    struct log_row found = {0};
    struct attempts t = {.call = &found.call};
    struct attempt_record *attempt = &t.row;
    struct call_id ignored;
    struct db_col cols[LOG_COLS];
    int r;

    r = db_one(db, &log_call_one, a,
               DB_ARGS(team.v ? db_i64(team.v) : db_null(DB_I64), db_uuid(id)), cols,
               call_columns(&found, cols));
    if (r == DB_E_NONE)
        return LOG_E_NONE;
    if (r)
        return db_fatal(r);
    r = db_each(db, &log_call_attempts, a,
                DB_ARGS(db_i64(found.call.team_id), db_uuid(id)),
                DB_COLS(RECORD_ATTEMPT(COL_ATTEMPT) db_col_uuid("call_id", &ignored)), attempt_row,
                &t);
    if (r)
        return db_fatal(r);
    found.call.attempts = t.n;
    *ret = found;
    return LOG_OK;
}

struct choice {
    struct str value, *list;
    size_t n, max;
};

static int choice_row(void *ctx)
{
    struct choice *c = ctx;

    if (c->n < c->max)
        c->list[c->n++] = c->value;
    return 0;
}

static int choices(struct db *db, struct arena *a, struct db_query *q, struct team_id team,
                   struct str *list, size_t max, size_t *ret_n)
{
    struct choice c = {.list = list, .max = max};
    int r = db_each(db, q, a, DB_ARGS(db_i64(team.v)), DB_COLS(db_col_text("value", &c.value)),
                    choice_row, &c);

    if (r)
        return db_fatal(r);
    *ret_n = c.n;
    return 0;
}

int log_choices(struct db *db, struct arena *a, struct team_id team, struct log_choices *ret)
{
    int r = choices(db, a, &log_models, team, ret->models, ARRAY_LEN(ret->models), &ret->n_models);

    if (r < 0)
        return err_trace(r);
    return choices(db, a, &log_providers, team, ret->providers, ARRAY_LEN(ret->providers),
                   &ret->n_providers);
}
