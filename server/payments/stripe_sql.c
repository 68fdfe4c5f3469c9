/* stripe_sql.c: the payment pages at Stripe as the database keeps them. */
#include "payments/stripe_row.h"

#include "base/err.h"
#include "db/rows.h"

#define ROW_COLS(r)                                                                                \
    DB_COLS(db_col_i64("team_id", &(r)->team.v), db_col_i64("order_id", &(r)->order_id),           \
            db_col_i32("attempt", &(r)->attempt), db_col_text("session_id", &(r)->session_id),     \
            db_col_text("url", &(r)->url), db_col_text("fault", &(r)->fault),                      \
            db_col_bool("canceled", &(r)->canceled))
/* Of the row s. */
#define ROW                                                                                        \
    " s.team_id, s.order_id, s.attempt, s.session_id, s.url, s.fault,"                             \
    " (SELECT o.state = 'canceled' FROM topup_order o"                                             \
    "   WHERE o.team_id = s.team_id AND o.id = s.order_id) AS canceled"

DB_QUERY(stripe_insert, "INSERT INTO stripe_checkout (team_id, order_id) VALUES ($1, $2)"
                        " ON CONFLICT DO NOTHING")
DB_QUERY(stripe_by_order, "SELECT" ROW " FROM stripe_checkout s WHERE s.team_id = $1 AND s.order_id = $2")

int stripe_row_get(struct db *db, struct arena *a, struct team_id team, int64_t order_id,
                   struct stripe_row *ret)
{
    struct stripe_row row = {
        .team = team, .order_id = order_id, .session_id = STR(""), .url = STR(""), .fault = STR("")};
    int r = db_one(db, &stripe_by_order, a, DB_ARGS(db_i64(team.v), db_i64(order_id)),
                   ROW_COLS(&row));

    if (r != 0 && r != DB_E_NONE)
        return err_trace(db_fatal(r));
    *ret = row;
    return 0;
}

int stripe_row_open(struct db *db, struct arena *a, const struct order *order,
                    struct stripe_row *ret)
{
    int r = db_exec(db, &stripe_insert, DB_ARGS(db_i64(order->team.v), db_i64(order->id)), NULL);

    return r == 0 ? stripe_row_get(db, a, order->team, order->id, ret) : err_trace(db_fatal(r));
}

static int changed(int r)
{
    return r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(stripe_set_page,
         "UPDATE stripe_checkout SET session_id = $4, url = $5, fault = '', asked = 0,"
         "       ask_at = now() + make_interval(secs => $6::integer)"
         " WHERE team_id = $1 AND order_id = $2 AND attempt = $3 AND session_id = ''")

int stripe_row_page(struct db *db, const struct stripe_row *row, int32_t ask_s)
{
    return changed(db_exec(db, &stripe_set_page,
                           DB_ARGS(db_i64(row->team.v), db_i64(row->order_id), db_i32(row->attempt),
                                   db_text(row->session_id), db_text(row->url), db_i32(ask_s)),
                           NULL));
}

DB_QUERY(stripe_set_fault,
         "UPDATE stripe_checkout SET fault = left($4, 400),"
         "       attempt = attempt + CASE WHEN $5 THEN 1 ELSE 0 END"
         " WHERE team_id = $1 AND order_id = $2 AND attempt = $3 AND session_id = ''")

int stripe_row_fault(struct db *db, const struct stripe_row *row, const char *fault,
                     bool next_attempt)
{
    return changed(db_exec(db, &stripe_set_fault,
                           DB_ARGS(db_i64(row->team.v), db_i64(row->order_id), db_i32(row->attempt),
                                   db_cstr(fault), db_bool(next_attempt)),
                           NULL));
}

DB_QUERY(stripe_set_ask,
         "UPDATE stripe_checkout SET asked = 0,"
         "       ask_at = least(ask_at, now() + make_interval(secs => $3::integer))"
         " WHERE team_id = $1 AND order_id = $2 AND session_id <> ''")

int stripe_row_ask(struct db *db, struct team_id team, int64_t order_id, int32_t seconds)
{
    return changed(db_exec(db, &stripe_set_ask,
                           DB_ARGS(db_i64(team.v), db_i64(order_id), db_i32(seconds)), NULL));
}

DB_QUERY(stripe_set_settled,
         "UPDATE stripe_checkout SET ask_at = NULL WHERE team_id = $1 AND order_id = $2")

int stripe_row_settled(struct db *db, struct team_id team, int64_t order_id)
{
    return changed(db_exec(db, &stripe_set_settled, DB_ARGS(db_i64(team.v), db_i64(order_id)), NULL));
}

/* A minute, two, four, up to an hour. */
DB_QUERY(stripe_claim,
         "UPDATE stripe_checkout s SET asked = s.asked + 1,"
         "       ask_at = now() + make_interval(secs => 60 * (1 << least(s.asked, 6)))"
         "  FROM (SELECT team_id, order_id FROM stripe_checkout WHERE ask_at <= now()"
         "         ORDER BY ask_at LIMIT $1 FOR UPDATE SKIP LOCKED) due"
         " WHERE s.team_id = due.team_id AND s.order_id = due.order_id RETURNING" ROW)

int stripe_row_claim(struct db *db, struct arena *a, int32_t limit, struct stripe_rows *ret)
{
    struct stripe_row row;
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &stripe_claim, a, DB_ARGS(db_i32(limit)), ROW_COLS(&row), db_rows_push,
                    &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct stripe_rows){rows.v, rows.n};
    return 0;
}

DB_QUERY(stripe_refund_failed,
         "INSERT INTO payment_event (provider, event_id, team_id, order_id, payment_id, kind,"
         "                           amount_nano, currency)"
         " VALUES ('stripe', $1, $2, $3, $4, 'refund_failed', $5, $6) ON CONFLICT DO NOTHING")

int stripe_row_refund_failed(struct db *db, const struct payment *p, struct str refund_id)
{
    return changed(db_exec(db, &stripe_refund_failed,
                           DB_ARGS(db_text(refund_id), db_i64(p->team.v), db_i64(p->order_id),
                                   db_text(p->payment_id), db_money(p->amount),
                                   db_text(p->currency)),
                           NULL));
}

DB_QUERY(stripe_refund_has_failed,
         "SELECT EXISTS (SELECT FROM payment_event WHERE provider = 'stripe' AND event_id = $1)"
         "       AS failed")

int stripe_row_has_failed(struct db *db, struct str refund_id, bool *ret)
{
    return changed(db_one(db, &stripe_refund_has_failed, NULL, DB_ARGS(db_text(refund_id)),
                          DB_COLS(db_col_bool("failed", ret))));
}
