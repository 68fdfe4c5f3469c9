/* statement_sql.c: see statement.h. */
#include "ledger/statement.h"

#include <errno.h>

#include "base/err.h"
#include "ledger/upkeep.h"

DB_QUERY(statement_balance,
         "SELECT p.capacity, p.used, p.leased, w.credits_nano - w.debits_nano AS wallet"
         "  FROM account w JOIN purse p ON p.team_id = w.team_id AND p.kind = 'wallet'"
         " WHERE w.team_id = $1 AND w.kind = 'wallet'")

#define ROW                                                                                   \
    "SELECT t.id, t.posted_at, t.code, t.ref, t.reason, t.actor_name, t.funds_nano, t.calls," \
    "       t.amount_nano AS moved,"                                                          \
    "       CASE WHEN c.kind IN ('wallet', 'grant') THEN t.amount_nano ELSE 0 END"            \
    "       - CASE WHEN d.kind IN ('wallet', 'grant') THEN t.amount_nano ELSE 0 END"          \
    "           AS amount_nano,"                                                              \
    "       d.kind AS debit, c.kind AS credit"                                                \
    "  FROM transfer t JOIN account d ON d.team_id = t.team_id AND d.id = t.debit_account"    \
    "                  JOIN account c ON c.team_id = t.team_id AND c.id = t.credit_account"   \
    " WHERE t.team_id = $1"

DB_QUERY(statement_rows, ROW " AND t.id < $2 AND t.code <> 'GRANT_USE'"
                             " AND ($3::text IS NULL OR t.code = $3"
                             "      OR $3 = '-USAGE' AND t.code NOT IN ('USAGE', 'LATE_USAGE'))"
                             " ORDER BY t.id DESC LIMIT $4")
DB_QUERY(statement_row, ROW " AND t.id = $2")
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

#define ROW_COLS(row)                                                                             \
    DB_COLS(db_col_i64("id", &(row)->id), db_col_time_us("posted_at", &(row)->posted_at_us),      \
            db_col_text("code", &(row)->code), db_col_text("ref", &(row)->ref),                   \
            db_col_text("reason", &(row)->reason), db_col_text("actor_name", &(row)->actor_name), \
            db_col_money("funds_nano", &(row)->after), db_col_money("moved", &(row)->moved),                                           \
            db_col_money("amount_nano", &(row)->amount), db_col_text("debit", &(row)->debit),     \
            db_col_text("credit", &(row)->credit), db_col_i32("calls", &calls))

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

int statement_list(struct db *db, struct arena *a, struct team_id team, int64_t before_id,
                   struct str code, int32_t limit, struct statement_page *ret)
{
    struct rows s = {.max = (size_t)limit + 1};
    int32_t calls = 0;
    struct calls_row c = {.rows = &s, .calls = &calls};
    int r;

    s.v = arena_array(a, struct statement_row, s.max);
    if (!s.v)
        return err_origin(-ENOMEM);
    r = db_each(db, &statement_rows, a,
                DB_ARGS(db_i64(team.v), db_i64(before_id > 0 ? before_id : INT64_MAX),
                        db_text(code), db_i64(limit + 1)),
                ROW_COLS(&s.row), row_with_calls, &c);
    if (r)
        return db_fatal(r);
    *ret = (struct statement_page){.v = s.v, .n = MIN(s.n, (size_t)limit)};
    ret->older = s.n > (size_t)limit;
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
