/* redeem_sql.c: codes as the database keeps them. */
#include "payments/redeem_row.h"

#include "base/err.h"
#include "db/rows.h"

DB_QUERY(redeem_add, "SELECT redeem_code_make($1, $2, $3, $4, $5, $6, nullif($7::integer, 0), $8,"
                     "                        $9, $10) AS id")

int redeem_row_add(struct db *db, const struct digest *digest, struct str last4,
                   const struct redeem_wish *w, struct str by, int64_t *ret_id)
{
    int r = db_one(db, &redeem_add, NULL,
                   DB_ARGS(db_digest(digest), db_text(last4), db_text(w->name), db_text(w->note),
                           db_money(w->amount), db_i32(w->priority), db_i32(w->grant_days),
                           db_i32(w->uses),
                           w->expires_us ? db_time_us(w->expires_us) : db_null(DB_TIME_US),
                           db_text(by)),
                   DB_COLS(db_col_i64("id", ret_id)));

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

#define CODE_SELECT                                                                            \
    "SELECT c.id, c.last4, c.name, c.note, c.created_by, c.amount_nano, c.priority,"           \
    "       coalesce(c.grant_days, 0) AS grant_days, c.uses, c.used, c.expires_at,"            \
    "       c.created_at, c.revoked_at FROM redeem_code c "
#define CODE_COLS(c)                                                                           \
    DB_COLS(db_col_i64("id", &(c)->id), db_col_text("last4", &(c)->last4),                     \
            db_col_text("name", &(c)->name), db_col_text("note", &(c)->note),                  \
            db_col_text("created_by", &(c)->created_by),                                       \
            db_col_money("amount_nano", &(c)->amount), db_col_i32("priority", &(c)->priority), \
            db_col_i32("grant_days", &(c)->grant_days), db_col_i32("uses", &(c)->uses),        \
            db_col_i32("used", &(c)->used), db_col_time_us("expires_at", &(c)->expires_us),    \
            db_col_time_us("created_at", &(c)->created_at_us),                                 \
            db_col_time_us("revoked_at", &(c)->revoked_at_us))

DB_QUERY(redeem_rows,
         CODE_SELECT "WHERE $1::bigint = 0 OR c.id < $1 ORDER BY c.id DESC LIMIT $2")

int redeem_list(struct db *db, struct arena *a, int64_t before_id, int32_t limit,
                struct redeem_page *ret)
{
    struct redeem_code row = {0};
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &redeem_rows, a, DB_ARGS(db_i64(before_id), db_i32(limit)),
                    CODE_COLS(&row), db_rows_push, &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct redeem_page){rows.v, rows.n};
    return 0;
}

DB_QUERY(redeem_by_id, CODE_SELECT "WHERE c.id = $1")

int redeem_get(struct db *db, struct arena *a, int64_t id, struct redeem_code *ret)
{
    struct redeem_code row = {0};
    int r = db_one(db, &redeem_by_id, a, DB_ARGS(db_i64(id)), CODE_COLS(&row));

    if (r == DB_E_NONE)
        return IDENTITY_E_NONE;
    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = row;
    return 0;
}

DB_QUERY(redeem_stop, "SELECT redeem_code_revoke($1) AS done")

int redeem_row_revoke(struct db *db, int64_t id, bool *ret_done)
{
    int r = db_one(db, &redeem_stop, NULL, DB_ARGS(db_i64(id)),
                   DB_COLS(db_col_bool("done", ret_done)));

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(redeem_redemption_rows,
         "SELECT r.team_id, t.name AS team_name, r.actor_name, r.at, r.transfer_id"
         "  FROM redemption r JOIN team t ON t.id = r.team_id"
         " WHERE r.code_id = $1 ORDER BY r.at DESC LIMIT 200")

int redeem_redemptions(struct db *db, struct arena *a, int64_t code_id,
                       struct redemption_page *ret)
{
    struct redemption row = {0};
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &redeem_redemption_rows, a, DB_ARGS(db_i64(code_id)),
                    DB_COLS(db_col_i64("team_id", &row.team.v),
                            db_col_text("team_name", &row.team_name),
                            db_col_text("actor_name", &row.by), db_col_time_us("at", &row.at_us),
                            db_col_i64("transfer_id", &row.transfer_id)),
                    db_rows_push, &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct redemption_page){rows.v, rows.n};
    return 0;
}

DB_QUERY(redeem_count_try,
         "SELECT coalesce(try_id, 0) AS try_id, retry_after_s FROM redeem_admit($1, $2)")

int redeem_row_admit(struct db *db, struct team_id team, struct str address, int64_t *ret_try,
                     int32_t *ret_retry_after_s)
{
    int r = db_one(db, &redeem_count_try, NULL,
                   DB_ARGS(db_i64(team.v), db_text(address.p ? address : STR(""))),
                   DB_COLS(db_col_i64("try_id", ret_try),
                           db_col_i32("retry_after_s", ret_retry_after_s)));

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(redeem_take,
         "SELECT outcome, coalesce(code_id, 0) AS code_id, coalesce(transfer_id, 0) AS transfer_id,"
         "       coalesce(amount_nano, 0) AS amount_nano, coalesce(name, '') AS name"
         "  FROM redeem_code_claim($1, $2, $3, $4, nullif($5::bigint, 0), $6)")

int redeem_row_claim(struct db *db, struct arena *a, const struct digest *digest, int64_t try_id,
                     struct team_id team, const struct actor *actor, struct redeem_claimed *ret)
{
    int r = db_one(db, &redeem_take, a,
                   DB_ARGS(db_digest(digest), db_i64(try_id), db_i64(team.v),
                           db_cstr(actor_kind_name(actor->kind)), db_i64(actor->id),
                           db_text(actor->name)),
                   DB_COLS(db_col_text("outcome", &ret->outcome),
                           db_col_i64("code_id", &ret->code_id),
                           db_col_i64("transfer_id", &ret->what.transfer_id),
                           db_col_money("amount_nano", &ret->what.amount),
                           db_col_text("name", &ret->what.name)));

    if (r == DB_E_CONFLICT || r == DB_E_REFUSED)
        return r;
    return r == 0 ? 0 : err_trace(db_fatal(r));
}
