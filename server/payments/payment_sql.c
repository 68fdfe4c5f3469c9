/* payment_sql.c: events and payments as the database keeps them. */
#include "payments/payment_row.h"

#include "base/err.h"
#include "db/rows.h"

static const char *const kinds[] = {
    [PAYMENT_PAID] = "paid",
    [PAYMENT_PENDING] = "pending",
    [PAYMENT_FAILED] = "failed",
    [PAYMENT_EXPIRED] = "expired",
};

DB_QUERY(payment_event_insert,
         "INSERT INTO payment_event (provider, event_id, team_id, order_id, payment_id, kind,"
         "                           amount_nano, currency, note)"
         " VALUES ($1, $2, $3, $4, coalesce($5, ''), $6, $7, $8, left(coalesce($9, ''), 300))"
         " ON CONFLICT DO NOTHING")

int payment_event_add(struct db *db, const struct payment_notice *n, const struct order *order,
                      bool *ret_new)
{
    int64_t rows = 0;
    int r = db_exec(db, &payment_event_insert,
                    DB_ARGS(db_text(n->provider), db_text(n->event_id), db_i64(order->team.v),
                            db_i64(order->id), db_text(n->payment_id), db_cstr(kinds[n->kind]),
                            db_money(n->amount), db_text(n->currency), db_text(n->note)),
                    &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret_new = rows > 0;
    return 0;
}

DB_QUERY(payment_exists,
         "SELECT EXISTS (SELECT FROM payment WHERE provider = $1 AND payment_id = $2) AS known")

int payment_known(struct db *db, const struct payment_notice *n, bool *ret)
{
    bool known;
    int r = db_one(db, &payment_exists, NULL, DB_ARGS(db_text(n->provider), db_text(n->payment_id)),
                   DB_COLS(db_col_bool("known", &known)));

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = known;
    return 0;
}

DB_QUERY(payment_insert,
         "INSERT INTO payment (team_id, order_id, provider, payment_id, amount_nano, currency,"
         "                     state, note, transfer_id)"
         " VALUES ($1, $2, $3, $4, $5, $6,"
         "         CASE WHEN $8::bigint = 0 THEN 'review' ELSE 'credited' END, $7,"
         "         nullif($8::bigint, 0))")

int payment_add(struct db *db, const struct payment_notice *n, const struct order *order,
                struct str note, int64_t transfer_id)
{
    int r = db_exec(db, &payment_insert,
                    DB_ARGS(db_i64(order->team.v), db_i64(order->id), db_text(n->provider),
                            db_text(n->payment_id), db_money(n->amount), db_text(n->currency),
                            db_text(note), db_i64(transfer_id)),
                    NULL);

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

#define PAYMENT_SELECT                                                                      \
    "SELECT p.id, p.order_id, p.team_id, p.provider, p.payment_id, p.state, p.amount_nano," \
    "       p.currency, p.note, p.at, coalesce(p.transfer_id, 0) AS transfer_id,"           \
    "       payment_returned(p.id) AS returned FROM payment p "
#define PAYMENT_COLS(p)                                                                         \
    DB_COLS(db_col_i64("id", &(p)->id), db_col_i64("order_id", &(p)->order_id),                 \
            db_col_i64("team_id", &(p)->team.v), db_col_text("provider", &(p)->provider),       \
            db_col_text("payment_id", &(p)->payment_id), db_col_text("state", &(p)->state),     \
            db_col_money("amount_nano", &(p)->amount), db_col_text("currency", &(p)->currency), \
            db_col_text("note", &(p)->note), db_col_time_us("at", &(p)->at_us),                 \
            db_col_i64("transfer_id", &(p)->transfer_id),                                       \
            db_col_money("returned", &(p)->returned))

static int payment_one(int r, const struct payment *row, struct payment *ret)
{
    if (r == DB_E_NONE)
        return IDENTITY_E_NONE;
    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = *row;
    return 0;
}

DB_QUERY(payment_by_id, PAYMENT_SELECT "WHERE p.id = $1")

int payment_get(struct db *db, struct arena *a, int64_t id, struct payment *ret)
{
    struct payment row = {0};
    int r = db_one(db, &payment_by_id, a, DB_ARGS(db_i64(id)), PAYMENT_COLS(&row));

    return payment_one(r, &row, ret);
}

DB_QUERY(payment_by_name, PAYMENT_SELECT "WHERE p.provider = $1 AND p.payment_id = $2")

int payment_find(struct db *db, struct arena *a, struct str provider, struct str payment_id,
                 struct payment *ret)
{
    struct payment row = {0};
    int r = db_one(db, &payment_by_name, a, DB_ARGS(db_text(provider), db_text(payment_id)),
                   PAYMENT_COLS(&row));

    return payment_one(r, &row, ret);
}

DB_QUERY(payment_of_order,
         PAYMENT_SELECT "WHERE p.team_id = $1 AND p.order_id = $2 ORDER BY p.id LIMIT 200")

int payment_list(struct db *db, struct arena *a, struct team_id team, int64_t order_id,
                 struct payment_page *ret)
{
    struct payment row = {0};
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &payment_of_order, a, DB_ARGS(db_i64(team.v), db_i64(order_id)),
                    PAYMENT_COLS(&row), db_rows_push, &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct payment_page){rows.v, rows.n};
    return 0;
}

DB_QUERY(payment_in_review, PAYMENT_SELECT "WHERE p.state = 'review' ORDER BY p.id LIMIT 200")

int payment_reviews(struct db *db, struct arena *a, struct payment_page *ret)
{
    struct payment row = {0};
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &payment_in_review, a, DB_NO_ARGS, PAYMENT_COLS(&row), db_rows_push, &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct payment_page){rows.v, rows.n};
    return 0;
}

/* The order before the payment, as payment_apply locks them. */
DB_QUERY(
    payment_order_first,
    "SELECT o.id FROM payment p JOIN topup_order o ON o.team_id = p.team_id AND o.id = p.order_id"
    " WHERE p.id = $1 FOR UPDATE OF o")
DB_QUERY(payment_review_locked, PAYMENT_SELECT "WHERE p.id = $1 AND p.state = 'review' FOR UPDATE")

int payment_lock_review(struct db *db, struct arena *a, int64_t id, struct payment *ret)
{
    struct payment row = {0};
    int64_t order;
    int r = db_one(db, &payment_order_first, NULL, DB_ARGS(db_i64(id)),
                   DB_COLS(db_col_i64("id", &order)));

    if (r == 0)
        r = db_one(db, &payment_review_locked, a, DB_ARGS(db_i64(id)), PAYMENT_COLS(&row));
    if (r == DB_E_NONE)
        return PAYMENT_E_NO_ORDER;
    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = row;
    return 0;
}

DB_QUERY(payment_set,
         "UPDATE payment SET state = CASE WHEN $3::bigint = 0 THEN 'dismissed' ELSE 'credited' END,"
         "       note = note || ' ' || $2, transfer_id = nullif($3::bigint, 0)"
         " WHERE id = $1 AND state = 'review'")

int payment_close(struct db *db, int64_t id, struct str note, int64_t transfer_id)
{
    int r =
        db_exec(db, &payment_set, DB_ARGS(db_i64(id), db_text(note), db_i64(transfer_id)), NULL);

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(payment_topup, "SELECT post_topup($1, $2, $3, $4, $5, nullif($6::bigint, 0), $7) AS id")

int payment_post(struct db *db, const struct actor *actor, const struct payment_credit *credit,
                 int64_t *ret_transfer)
{
    int64_t transfer;
    int r = db_one(db, &payment_topup, NULL,
                   DB_ARGS(db_i64(credit->team.v), db_text(credit->ref), db_money(credit->amount),
                           db_text(credit->reason), db_cstr(actor_kind_name(actor->kind)),
                           db_i64(actor->id), db_text(actor->name)),
                   DB_COLS(db_col_i64("id", &transfer)));

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret_transfer = transfer;
    return 0;
}

DB_QUERY(money_due_look, "SELECT orders, grants FROM money_due()")

int money_due(struct db *db, bool *ret_orders, bool *ret_grants)
{
    int r = db_one(db, &money_due_look, NULL, DB_NO_ARGS,
                   DB_COLS(db_col_bool("orders", ret_orders), db_col_bool("grants", ret_grants)));

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(order_expire,
         "UPDATE topup_order SET state = 'expired', changed_at = now(), confirm_at = NULL,"
         "       note = 'Nothing arrived in time.'"
         " WHERE state IN ('created', 'pending') AND expires_at < now()")

int payment_expire_due(struct db *db)
{
    int r = db_exec(db, &order_expire, DB_NO_ARGS, NULL);

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(order_to_confirm,
         "SELECT reference FROM topup_order"
         " WHERE confirm_at <= now() AND state = 'pending' AND provider = 'sandbox'"
         " ORDER BY confirm_at LIMIT 200")

int payment_confirm_due(struct db *db, struct arena *a, struct payment_due *ret)
{
    struct str row;
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &order_to_confirm, a, DB_NO_ARGS, DB_COLS(db_col_text("reference", &row)),
                    db_rows_push, &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct payment_due){rows.v, rows.n};
    return 0;
}

DB_QUERY(order_confirm_later,
         "UPDATE topup_order SET confirm_at = now() + make_interval(secs => $3::integer)"
         " WHERE team_id = $1 AND id = $2")

int payment_confirm_later(struct db *db, const struct order *order, int32_t seconds)
{
    int r = db_exec(db, &order_confirm_later,
                    DB_ARGS(db_i64(order->team.v), db_i64(order->id), db_i32(seconds)), NULL);

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(order_await,
         "UPDATE topup_order"
         "   SET expires_at = greatest(expires_at, now() + make_interval(secs => $3::integer))"
         " WHERE team_id = $1 AND id = $2")

int payment_await(struct db *db, const struct order *order, int32_t seconds)
{
    int r = db_exec(db, &order_await,
                    DB_ARGS(db_i64(order->team.v), db_i64(order->id), db_i32(seconds)), NULL);

    return r == 0 ? 0 : err_trace(db_fatal(r));
}
