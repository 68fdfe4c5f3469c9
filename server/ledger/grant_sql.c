/* grant_sql.c: see grant.h. */
#include "ledger/grant.h"

#include <errno.h>
#include <string.h>

#include "base/bounds.h"
#include "base/err.h"
#include "db/rows.h"
#include "db/tx.h"

#define DUE_AT_ONCE 100

DB_QUERY(grant_book, "SELECT post_grant($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) AS id")

int grant_post(struct db *db, struct team_id team, const struct grant_wish *wish,
               const struct posting_actor *actor, int64_t *ret_transfer)
{
    int64_t id;
    int r = db_one(db, &grant_book, NULL,
                   DB_ARGS(db_i64(team.v), db_text(wish->reference), db_money(wish->amount),
                           db_text(wish->name), db_text(wish->reason), db_i32(wish->priority),
                           wish->expires_us ? db_time_us(wish->expires_us) : db_null(DB_TIME_US),
                           db_text(actor->kind), actor->id ? db_i64(actor->id) : db_null(DB_I64),
                           db_text(actor->name)),
                   DB_COLS(db_col_i64("id", &id)));

    if (r == DB_E_REFUSED)
        return STATEMENT_E_REFUSED;
    if (r != 0)
        return err_trace(db_fatal(r));
    *ret_transfer = id;
    return STATEMENT_OK;
}

#define GRANT_SELECT                                                                             \
    "SELECT g.account_id, g.team_id, g.name, g.reason, t.actor_name, g.amount_nano, g.priority," \
    "       t.posted_at, least(l.expires_at, g.expires_at) AS expires_at, g.transfer_id,"        \
    "       l.account_id IS NOT NULL AS live, coalesce(x.expired, 0)::bigint AS expired,"        \
    "       a.credits_nano - a.debits_nano AS rest"                                              \
    "  FROM credit_grant g JOIN account a ON a.team_id = g.team_id AND a.id = g.account_id"      \
    "  JOIN transfer t ON t.team_id = g.team_id AND t.id = g.transfer_id"                        \
    "  LEFT JOIN live_grant l ON l.team_id = g.team_id AND l.account_id = g.account_id"          \
    "  LEFT JOIN LATERAL (SELECT sum(e.amount_nano) AS expired FROM transfer e"                  \
    "                      WHERE e.team_id = g.team_id AND e.code = 'GRANT_EXPIRE'"              \
    "                        AND e.debit_account = g.account_id) x ON true"                      \
    " WHERE g.team_id = $1"
#define GRANT_COLS(g)                                                                            \
    DB_COLS(db_col_i64("account_id", &(g)->id), db_col_i64("team_id", &(g)->team.v),             \
            db_col_text("name", &(g)->name), db_col_text("reason", &(g)->reason),                \
            db_col_text("actor_name", &(g)->given_by), db_col_money("amount_nano", &(g)->amount), \
            db_col_i32("priority", &(g)->priority),                                              \
            db_col_time_us("posted_at", &(g)->given_at_us),                                      \
            db_col_time_us("expires_at", &(g)->expires_us), db_col_bool("live", &(g)->live),     \
            db_col_money("expired", &(g)->expired), db_col_money("rest", &(g)->left),            \
            db_col_i64("transfer_id", &(g)->transfer_id))

DB_QUERY(grant_rows, GRANT_SELECT
         " ORDER BY l.account_id IS NULL, CASE WHEN l.account_id IS NOT NULL THEN g.priority END,"
         "          CASE WHEN l.account_id IS NOT NULL THEN l.expires_at END NULLS LAST,"
         "          CASE WHEN l.account_id IS NOT NULL THEN g.account_id ELSE -g.account_id END"
         " LIMIT $2")
DB_QUERY(grant_row, GRANT_SELECT " AND g.account_id = $2")

/* What is neither left nor expired was used. */
static void reckon(struct grant *g)
{
    g->used.nano = g->amount.nano - g->left.nano - g->expired.nano;
}

int grant_list(struct db *db, struct arena *a, struct team_id team, int32_t limit,
               struct grant_page *ret)
{
    struct grant row = {0};
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &grant_rows, a, DB_ARGS(db_i64(team.v), db_i64(limit)), GRANT_COLS(&row),
                    db_rows_push, &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct grant_page){rows.v, rows.n};
    for (size_t i = 0; i < ret->n; i++)
        reckon(&ret->v[i]);
    return STATEMENT_OK;
}

int grant_get(struct db *db, struct arena *a, struct team_id team, int64_t id, struct grant *ret)
{
    struct grant row = {0};
    int r = db_one(db, &grant_row, a, DB_ARGS(db_i64(team.v), db_i64(id)), GRANT_COLS(&row));

    if (r == DB_E_NONE)
        return STATEMENT_E_NONE;
    if (r != 0)
        return err_trace(db_fatal(r));
    reckon(&row);
    *ret = row;
    return STATEMENT_OK;
}

DB_QUERY(grant_end_now, "SELECT grant_end($1, $2) AS ended")

int grant_end(struct db *db, struct team_id team, int64_t id)
{
    bool ended = false;
    int r = db_one(db, &grant_end_now, NULL, DB_ARGS(db_i64(team.v), db_i64(id)),
                   DB_COLS(db_col_bool("ended", &ended)));

    if (r == DB_E_REFUSED && strncmp(db_last_error(db), "TG003", 5) == 0) /* no books */
        return STATEMENT_E_NONE;
    if (r != 0)
        return err_trace(db_fatal(r));
    return ended ? STATEMENT_OK : STATEMENT_E_NONE;
}

struct due {
    int64_t team, account;
};

struct expiring {
    struct arena *a;
    struct due one;
    struct db_rows rows;
};

DB_QUERY(grant_due, "SELECT team_id, account_id FROM live_grant WHERE expires_at <= now()"
                    " ORDER BY expires_at, team_id, account_id LIMIT $1")

static int due_tx(struct db *db, void *ctx)
{
    struct expiring *e = ctx;
    struct due row;

    e->rows = DB_ROWS(e->a, &row);
    return db_fatal(db_each(db, &grant_due, e->a, DB_ARGS(db_i64(DUE_AT_ONCE)),
                            DB_COLS(db_col_i64("team_id", &row.team),
                                    db_col_i64("account_id", &row.account)),
                            db_rows_push, &e->rows));
}

DB_QUERY(grant_move_back, "SELECT grant_expire($1, $2)")

static int expire_tx(struct db *db, void *ctx)
{
    struct expiring *e = ctx;

    return db_fatal(db_exec(db, &grant_move_back,
                            DB_ARGS(db_i64(e->one.team), db_i64(e->one.account)), NULL));
}

/* Each in a transaction of its own, so that no team waits for another's. */
int grant_expire_due(struct db *db)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(64));
    struct expiring e = {.a = a};
    int r = a ? db_tx(db, DB_SYSTEM, "grant_due", due_tx, &e) : err_origin(-ENOMEM);

    for (size_t i = 0; r == 0 && i < e.rows.n; i++) {
        e.one = ((const struct due *)e.rows.v)[i];
        r = db_tx(db, DB_SYSTEM, "grant_expire", expire_tx, &e);
    }
    return r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(grant_cover_rows,
         "SELECT t.debit_account, g.name, t.amount_nano"
         "  FROM transfer u JOIN transfer t ON t.team_id = u.team_id AND t.code = 'GRANT_USE'"
         "                                 AND t.posted_at = u.posted_at"
         "                                 AND split_part(t.ref, '/', 1) = u.ref"
         "  JOIN credit_grant g ON g.team_id = t.team_id AND g.account_id = t.debit_account"
         " WHERE u.team_id = $1 AND u.id = $2 AND u.code IN ('USAGE', 'LATE_USAGE')"
         " ORDER BY t.id LIMIT 100")

int grant_covers(struct db *db, struct arena *a, struct team_id team, int64_t transfer_id,
                 struct grant_cover **ret, size_t *ret_n)
{
    struct grant_cover row = {0};
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &grant_cover_rows, a, DB_ARGS(db_i64(team.v), db_i64(transfer_id)),
                    DB_COLS(db_col_i64("debit_account", &row.grant_id),
                            db_col_text("name", &row.name),
                            db_col_money("amount_nano", &row.amount)),
                    db_rows_push, &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = rows.v;
    *ret_n = rows.n;
    return STATEMENT_OK;
}
