/* payback_sql.c: what went back, as the database keeps it. */
#include "payments/payback_row.h"

#include <errno.h>

#include "base/err.h"
#include "db/rows.h"

#define PAYBACK_SELECT                                                                        \
    "SELECT r.id, r.order_id, r.payment_id, r.team_id, r.kind, r.amount_nano, r.reference,"   \
    "       r.reason, r.actor_name, r.at, r.transfer_id,"                                     \
    "       coalesce(r.reverses_id, 0) AS reverses_id,"                                       \
    "       EXISTS (SELECT FROM payment_return x WHERE x.team_id = r.team_id"                 \
    "                                              AND x.reverses_id = r.id) AS reversed,"    \
    "       EXISTS (SELECT FROM payment_return x WHERE x.team_id = r.team_id"                 \
    "                        AND x.id = r.reverses_id AND x.kind = 'refund') AS of_refund"    \
    "  FROM payment_return r "
#define PAYBACK_COLS(p, kind)                                                                   \
    DB_COLS(db_col_i64("id", &(p)->id), db_col_i64("order_id", &(p)->order_id),                 \
            db_col_i64("payment_id", &(p)->payment_id), db_col_i64("team_id", &(p)->team.v),    \
            db_col_text("kind", kind), db_col_money("amount_nano", &(p)->amount),               \
            db_col_text("reference", &(p)->reference), db_col_text("reason", &(p)->reason),     \
            db_col_text("actor_name", &(p)->by), db_col_time_us("at", &(p)->at_us),             \
            db_col_i64("transfer_id", &(p)->transfer_id),                                       \
            db_col_i64("reverses_id", &(p)->reverses_id), db_col_bool("reversed", &(p)->reversed),    \
            db_col_bool("of_refund", &(p)->of_refund))

struct payback_read {
    struct payback row;
    struct str kind;
    struct db_rows rows;
};

static int read_kind(struct payback_read *t)
{
    for (int k = PAYBACK_REFUND; k <= PAYBACK_REVERSAL; k++) {
        if (str_eq_c(t->kind, payback_kind_name((enum payback_kind)k))) {
            t->row.kind = (enum payback_kind)k;
            return 0;
        }
    }
    return err_origin(-EPROTO);
}

static int payback_push(void *ctx)
{
    struct payback_read *t = ctx;
    int r = read_kind(t);

    return r == 0 ? db_rows_push(&t->rows) : r;
}

DB_QUERY(payback_rows,
         PAYBACK_SELECT "WHERE r.team_id = $1 AND r.order_id = $2 ORDER BY r.id LIMIT 200")

int payback_list(struct db *db, struct arena *a, struct team_id team, int64_t order_id,
                 struct payback_page *ret)
{
    struct payback_read t = {.rows = DB_ROWS(a, &t.row)};
    int r = db_each(db, &payback_rows, a, DB_ARGS(db_i64(team.v), db_i64(order_id)),
                    PAYBACK_COLS(&t.row, &t.kind), payback_push, &t);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct payback_page){t.rows.v, t.rows.n};
    return 0;
}

static int payback_one(struct payback_read *t, int r, struct payback *ret)
{
    if (r == DB_E_NONE)
        return IDENTITY_E_NONE;
    r = r == 0 ? read_kind(t) : db_fatal(r);
    if (r != 0)
        return err_trace(r);
    *ret = t->row;
    return 0;
}

DB_QUERY(payback_by_reference,
         PAYBACK_SELECT "WHERE r.payment_id = $1 AND r.reference = $2"
                        "  AND r.kind IN ('refund', 'chargeback') ORDER BY r.kind DESC LIMIT 1")

int payback_find(struct db *db, struct arena *a, int64_t payment_id, struct str reference,
                 struct payback *ret)
{
    struct payback_read t = {0};
    int r = db_one(db, &payback_by_reference, a, DB_ARGS(db_i64(payment_id), db_text(reference)),
                   PAYBACK_COLS(&t.row, &t.kind));

    return payback_one(&t, r, ret);
}

DB_QUERY(payback_by_id, PAYBACK_SELECT "WHERE r.id = $1")

int payback_get(struct db *db, struct arena *a, int64_t id, struct payback *ret)
{
    struct payback_read t = {0};
    int r =
        db_one(db, &payback_by_id, a, DB_ARGS(db_i64(id)), PAYBACK_COLS(&t.row, &t.kind));

    return payback_one(&t, r, ret);
}

#define ACTOR_ARGS(actor)                                                  \
    db_cstr(actor_kind_name((actor)->kind)), db_i64((actor)->id),          \
        db_text((actor)->name)

DB_QUERY(payback_book,
         "SELECT return_id, is_new FROM post_return($1, $2, $3, $4, $5, $6, nullif($7::bigint, 0),"
         "                                          $8)")

int payback_row_post(struct db *db, const struct actor *actor, enum payback_kind kind,
                     int64_t payment_id, const struct booking *wish, struct payback_booked *ret)
{
    int r = db_one(db, &payback_book, NULL,
                   DB_ARGS(db_i64(payment_id), db_cstr(payback_kind_name(kind)),
                           db_text(wish->reference), db_money(wish->amount), db_text(wish->reason),
                           ACTOR_ARGS(actor)),
                   DB_COLS(db_col_i64("return_id", &ret->id), db_col_bool("is_new", &ret->is_new)));

    return r == DB_E_REFUSED ? PAYBACK_E_REFUSED : r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(payback_take_back,
         "SELECT return_id, is_new FROM post_reversal($1, $2, $3, $4, $5, nullif($6::bigint, 0),"
         "                                            $7)")

int payback_row_reverse(struct db *db, const struct actor *actor, enum payback_kind kind,
                        int64_t payback_id, const struct booking *wish, struct payback_booked *ret)
{
    int r = db_one(db, &payback_take_back, NULL,
                   DB_ARGS(db_i64(payback_id), db_cstr(payback_kind_name(kind)),
                           db_text(wish->reference), db_text(wish->reason),
                           ACTOR_ARGS(actor)),
                   DB_COLS(db_col_i64("return_id", &ret->id), db_col_bool("is_new", &ret->is_new)));

    return r == DB_E_REFUSED ? PAYBACK_E_REFUSED : r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(payback_wallet_free, "SELECT wallet_free($1) AS free")

int payback_row_free(struct db *db, struct team_id team, struct money *ret)
{
    int r = db_one(db, &payback_wallet_free, NULL, DB_ARGS(db_i64(team.v)),
                   DB_COLS(db_col_money("free", ret)));

    return r == 0 ? 0 : err_trace(db_fatal(r));
}
