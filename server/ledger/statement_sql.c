/* statement_sql.c: see statement.h. */
#include "ledger/statement.h"

#include <errno.h>

#include "base/err.h"
#include "db/rows.h"
#include "ledger/upkeep.h"

DB_QUERY(statement_balance,
         "SELECT p.capacity, p.used, p.leased, w.credits_nano - w.debits_nano AS wallet"
         "  FROM account w JOIN purse p ON p.team_id = w.team_id AND p.kind = 'wallet'"
         " WHERE w.team_id = $1 AND w.kind = 'wallet'")

#define ROW_OF(transfers)                                                                     \
    "SELECT t.id, t.posted_at, t.code, t.ref, t.reason, t.actor_name, t.funds_nano, t.calls," \
    "       t.amount_nano AS moved,"                                                          \
    "       CASE WHEN c.kind IN ('wallet', 'grant') THEN t.amount_nano ELSE 0 END"            \
    "       - CASE WHEN d.kind IN ('wallet', 'grant') THEN t.amount_nano ELSE 0 END"          \
    "           AS amount_nano,"                                                              \
    "       d.kind AS debit, c.kind AS credit"                                                \
    "  FROM " transfers " t"                                                                  \
    "  JOIN account d ON d.team_id = t.team_id AND d.id = t.debit_account"                    \
    "  JOIN account c ON c.team_id = t.team_id AND c.id = t.credit_account"                   \
    " WHERE t.team_id = $1"

/* One statement for each kind of filter, with no more in it than that filter has: a condition that a filter
 * may leave open ($2 IS NULL OR ...) is planned, once a statement is kept, as if it let through very little,
 * and a list of the newest rows then sorts all of them. So a list without a month goes down the key, one of a
 * month along transfer_posted (id + 0 keeps it off the key, which goes by every row since then), and what is
 * rare is looked for by its code (transfer_ref). The accounts are joined to what is left.
 * $1 the team; then from and until; then codes; then the cursor and how many. */
#define IN_SPAN                                                                                 \
    " AND t.posted_at >= coalesce($2::timestamptz, '-infinity')"                                \
    " AND t.posted_at < coalesce($3::timestamptz, 'infinity')"
#define OF_CODES(n) " AND t.code = ANY (string_to_array(" n "::text, ','))"
#define RARE " AND t.code NOT IN ('USAGE', 'LATE_USAGE')"
#define SHOWN " AND t.code <> 'GRANT_USE'"
#define KIND(name, where, id, before, limit)                                                    \
    DB_QUERY(statement_rows_##name,                                                             \
             ROW_OF("(SELECT t.* FROM transfer t WHERE t.team_id = $1" SHOWN where              \
                    " AND " id " < " before " ORDER BY " id " DESC LIMIT " limit ")")           \
             " ORDER BY t.id DESC")                                                             \
    DB_QUERY(statement_all_##name, ROW_OF("transfer") SHOWN where " ORDER BY t.id")             \
    DB_QUERY(statement_sum_##name,                                                              \
             "SELECT count(*) AS n, coalesce(sum(s.amount_nano), 0)::bigint AS amount"          \
             "  FROM (" ROW_OF("transfer") SHOWN where ") s")

KIND(every, "", "t.id", "$2", "$3")
KIND(coded, OF_CODES("$2"), "t.id", "$3", "$4")
KIND(rare, OF_CODES("$2") RARE, "t.id", "$3", "$4")
KIND(span, IN_SPAN, "t.id + 0", "$4", "$5")
KIND(span_coded, IN_SPAN OF_CODES("$4"), "t.id + 0", "$5", "$6")
KIND(span_rare, IN_SPAN OF_CODES("$4") RARE, "t.id + 0", "$5", "$6")

#define OF_KIND(name) {&statement_rows_##name, &statement_all_##name, &statement_sum_##name}
static const struct kind {
    struct db_query *rows, *all, *sum;
} kinds[2][3] = {
    /* any code          with usage           without it */
    {OF_KIND(every), OF_KIND(coded), OF_KIND(rare)},
    {OF_KIND(span), OF_KIND(span_coded), OF_KIND(span_rare)}, /* of a time */
};

DB_QUERY(statement_month_rows,
         "SELECT to_char(m.first, 'YYYY-MM') AS month,"
         "       coalesce(i.from_at, c.from_at, m.first AT TIME ZONE t.time_zone) AS from_at,"
         "       coalesce(i.until_at, (m.first + interval '1 month') AT TIME ZONE t.time_zone)"
         "           AS until_at"
         "  FROM team t CROSS JOIN LATERAL generate_series("
         "           date_trunc('month', (SELECT min(x.posted_at) FROM transfer x"
         "                                 WHERE x.team_id = t.id) AT TIME ZONE t.time_zone),"
         "           now() AT TIME ZONE t.time_zone, interval '1 month') AS m (first)"
         "  LEFT JOIN invoice i ON i.team_id = t.id AND i.month = m.first::date"
         "  LEFT JOIN invoice_cut c ON c.team_id = t.id AND c.next_month = m.first::date"
         " WHERE t.id = $1 ORDER BY m.first DESC LIMIT 240")
DB_QUERY(statement_row, ROW_OF("transfer") " AND t.id = $2")
DB_QUERY(statement_call_rows,
         "SELECT c.call_id, c.served_model, k.name AS key_name, c.charge_nano"
         "  FROM call c LEFT JOIN api_key k ON k.team_id = c.team_id AND k.id = c.key_id"
         " WHERE c.team_id = $1 AND c.transfer_id = $2 AND c.call_id > $3"
         "   AND c.posted_at = (SELECT t.posted_at FROM transfer t WHERE t.team_id = $1 AND t.id = $2)"
         " ORDER BY c.call_id LIMIT $4")
DB_QUERY(statement_post_adjustment, "SELECT post_adjustment($1, $2, $3, $4, $5, $6, $7) AS id")
DB_QUERY(statement_partitions, "SELECT ensure_call_partitions()")

int balance_read(struct db *db, struct arena *a, struct team_id team, struct balance *ret)
{
    struct balance b;
    int r =
        db_one(db, &statement_balance, a, DB_ARGS(db_i64(team.v)),
               DB_COLS(db_col_money("capacity", &b.credits), db_col_money("used", &b.debits),
                       db_col_money("leased", &b.held), db_col_money("wallet", &b.wallet)));

    if (r == DB_E_NONE)
        return STATEMENT_E_NONE;
    if (r)
        return db_fatal(r);
    b.posted.nano = b.credits.nano - b.debits.nano;
    b.grants.nano = b.posted.nano - b.wallet.nano;
    b.available.nano = b.posted.nano - b.held.nano;
    *ret = b;
    return STATEMENT_OK;
}

struct rows {
    struct statement_row row, *v;
    size_t n, max;
};

static int row_seen(void *ctx)
{
    struct rows *s = ctx;

    assert(s->n < s->max);
    s->v[s->n++] = s->row;
    return 0;
}

#define ROW_COLS_WITH(row, calls)                                                                             \
    DB_COLS(db_col_i64("id", &(row)->id), db_col_time_us("posted_at", &(row)->posted_at_us),      \
            db_col_text("code", &(row)->code), db_col_text("ref", &(row)->ref),                   \
            db_col_text("reason", &(row)->reason), db_col_text("actor_name", &(row)->actor_name), \
            db_col_money("funds_nano", &(row)->after), db_col_money("moved", &(row)->moved),                                           \
            db_col_money("amount_nano", &(row)->amount), db_col_text("debit", &(row)->debit),     \
            db_col_text("credit", &(row)->credit), db_col_i32("calls", calls))
#define ROW_COLS(row) ROW_COLS_WITH(row, &calls)

struct calls_row {
    struct rows *rows;
    const int32_t *calls;
};

static int row_with_calls(void *ctx)
{
    struct calls_row *c = ctx;

    c->rows->row.calls = *c->calls;
    return row_seen(c->rows);
}

static struct db_arg moment_or_none(int64_t unix_us)
{
    return unix_us ? db_time_us(unix_us) : db_null(DB_TIME_US);
}

#define ARGS_MAX 6

static const struct kind *kind_of(const struct statement_filter *f)
{
    bool in_span = f->from_us || f->until_us;

    return &kinds[in_span][!f->codes.p ? 0 : str_ihas(f->codes, STR("USAGE")) ? 1 : 2];
}

/* How many there are. */
static size_t filter_args(struct team_id team, const struct statement_filter *f,
                          struct db_arg args[ARGS_MAX])
{
    size_t n = 0;

    args[n++] = db_i64(team.v);
    if (f->from_us || f->until_us) {
        args[n++] = moment_or_none(f->from_us);
        args[n++] = moment_or_none(f->until_us);
    }
    if (f->codes.p)
        args[n++] = db_text(f->codes);
    return n;
}

int statement_list(struct db *db, struct arena *a, struct team_id team,
                   const struct statement_filter *filter, int64_t before_id, int32_t limit,
                   struct statement_page *ret)
{
    struct rows s = {.max = (size_t)limit + 1};
    int32_t calls = 0;
    struct calls_row c = {.rows = &s, .calls = &calls};
    struct db_arg args[ARGS_MAX];
    size_t n = filter_args(team, filter, args);
    int r;

    s.v = arena_array(a, struct statement_row, s.max);
    if (!s.v)
        return err_origin(-ENOMEM);
    args[n++] = db_i64(before_id > 0 ? before_id : INT64_MAX);
    args[n++] = db_i64(limit + 1);
    r = db_each(db, kind_of(filter)->rows, a, args, n, ROW_COLS(&s.row), row_with_calls, &c);
    if (r)
        return db_fatal(r);
    *ret = (struct statement_page){.v = s.v, .n = MIN(s.n, (size_t)limit)};
    ret->older = s.n > (size_t)limit;
    return STATEMENT_OK;
}

struct each {
    struct statement_row row;
    int32_t calls;
    int (*fn)(void *ctx, const struct statement_row *row);
    void *ctx;
};

static int each_row(void *ctx)
{
    struct each *e = ctx;

    e->row.calls = e->calls;
    return e->fn(e->ctx, &e->row);
}

int statement_each(struct db *db, struct team_id team, const struct statement_filter *filter,
                   int (*fn)(void *ctx, const struct statement_row *row), void *ctx)
{
    struct each e = {.fn = fn, .ctx = ctx};
    struct db_arg args[ARGS_MAX];
    size_t n = filter_args(team, filter, args);

    return db_fatal(db_stream(db, kind_of(filter)->all, args, n, ROW_COLS_WITH(&e.row, &e.calls),
                              each_row, &e));
}

int statement_sum(struct db *db, struct team_id team, const struct statement_filter *filter,
                  struct statement_sum *ret)
{
    struct db_arg args[ARGS_MAX];
    size_t n = filter_args(team, filter, args);

    return db_fatal(db_one(db, kind_of(filter)->sum, NULL, args, n,
                           DB_COLS(db_col_i64("n", &ret->n),
                                   db_col_money("amount", &ret->amount))));
}

int statement_months(struct db *db, struct arena *a, struct team_id team,
                     struct statement_months *ret)
{
    struct statement_month row = {.month = STR_NONE};
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &statement_month_rows, a, DB_ARGS(db_i64(team.v)),
                    DB_COLS(db_col_text("month", &row.month), db_col_time_us("from_at", &row.from_us),
                            db_col_time_us("until_at", &row.until_us)),
                    db_rows_push, &rows);

    if (r)
        return db_fatal(r);
    *ret = (struct statement_months){.v = rows.v, .n = rows.n};
    return STATEMENT_OK;
}

int statement_get(struct db *db, struct arena *a, struct team_id team, int64_t id,
                  struct statement_row *ret)
{
    struct statement_row row = {0};
    int32_t calls = 0;
    int r = db_one(db, &statement_row, a, DB_ARGS(db_i64(team.v), db_i64(id)), ROW_COLS(&row));

    if (r == DB_E_NONE)
        return STATEMENT_E_NONE;
    if (r)
        return db_fatal(r);
    row.calls = calls;
    *ret = row;
    return STATEMENT_OK;
}

struct call_rows {
    struct statement_call row, *v;
    size_t n, max;
};

static int call_seen(void *ctx)
{
    struct call_rows *s = ctx;

    assert(s->n < s->max);
    s->v[s->n++] = s->row;
    return 0;
}

int statement_calls(struct db *db, struct arena *a, struct team_id team, int64_t transfer_id,
                    struct call_id after, int32_t limit, struct statement_call **ret, size_t *ret_n)
{
    struct call_rows s = {.max = (size_t)limit};
    int r;

    s.v = arena_array(a, struct statement_call, s.max);
    if (!s.v)
        return err_origin(-ENOMEM);
    r = db_each(db, &statement_call_rows, a,
                DB_ARGS(db_i64(team.v), db_i64(transfer_id), db_uuid(after), db_i64(limit)),
                DB_COLS(db_col_uuid("call_id", &s.row.id),
                        db_col_text("served_model", &s.row.model),
                        db_col_text("key_name", &s.row.key_name),
                        db_col_money("charge_nano", &s.row.charge)),
                call_seen, &s);
    if (r)
        return db_fatal(r);
    *ret = s.v;
    *ret_n = s.n;
    return STATEMENT_OK;
}

DB_QUERY(statement_transfer_known,
         "SELECT EXISTS (SELECT FROM transfer WHERE team_id = $1 AND code = $2 AND ref = $3"
         "                  AND code NOT IN ('USAGE', 'LATE_USAGE'))"
         "       AS known")

int statement_known(struct db *db, struct team_id team, struct str code, struct str reference,
                    bool *ret)
{
    bool known = false;
    int r = db_one(db, &statement_transfer_known, NULL,
                   DB_ARGS(db_i64(team.v), db_text(code), db_text(reference)),
                   DB_COLS(db_col_bool("known", &known)));

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = known;
    return 0;
}

int statement_adjust(struct db *db, struct team_id team, struct money amount, struct str reference,
                     struct str reason, const struct posting_actor *actor, int64_t *ret_id)
{
    int r = db_one(db, &statement_post_adjustment, NULL,
                   DB_ARGS(db_i64(team.v), db_text(reference), db_money(amount), db_text(reason),
                           db_text(actor->kind), actor->id ? db_i64(actor->id) : db_null(DB_I64),
                           db_text(actor->name)),
                   DB_COLS(db_col_i64("id", ret_id)));

    return r == DB_E_REFUSED ? STATEMENT_E_REFUSED : db_fatal(r);
}

int ledger_upkeep(struct db *db)
{
    return db_fatal(db_exec(db, &statement_partitions, DB_NO_ARGS, NULL));
}
