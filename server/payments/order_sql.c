/* order_sql.c: orders as the database keeps them. */
#include "payments/order_row.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/random.h"
#include "db/rows.h"
#include "payments/payment_provider.h"

#define ORDER_JSON_MAX KIB(16)

#define ORDER_SELECT                                                                          \
    "SELECT o.id, o.team_id, t.name AS team_name, o.reference, o.provider, o.amount_nano, "   \
    "o.state,"                                                                                \
    "       o.note, p.email AS creator, o.created_at, o.changed_at, o.paid_at, o.expires_at," \
    "       coalesce(o.transfer_id, 0) AS transfer_id,"                                        \
    "       (SELECT coalesce(sum(CASE r.kind WHEN 'reversal' THEN -r.amount_nano"             \
    "                                        ELSE r.amount_nano END), 0)::bigint"             \
    "          FROM payment_return r"                                                         \
    "         WHERE r.team_id = o.team_id AND r.order_id = o.id) AS returned"                 \
    "  FROM topup_order o JOIN team t ON t.id = o.team_id"                                    \
    "  LEFT JOIN person p ON p.id = o.created_by "
#define ORDER_COLS(o, state)                                                                      \
    DB_COLS(db_col_i64("id", &(o)->id), db_col_i64("team_id", &(o)->team.v),                      \
            db_col_text("team_name", &(o)->team_name), db_col_text("reference", &(o)->reference), \
            db_col_text("provider", &(o)->provider), db_col_money("amount_nano", &(o)->amount),   \
            db_col_text("state", state), db_col_text("note", &(o)->note),                         \
            db_col_text("creator", &(o)->creator),                                                \
            db_col_time_us("created_at", &(o)->created_at_us),                                    \
            db_col_time_us("changed_at", &(o)->changed_at_us),                                    \
            db_col_time_us("paid_at", &(o)->paid_at_us),                                          \
            db_col_time_us("expires_at", &(o)->expires_at_us),                                    \
            db_col_i64("transfer_id", &(o)->transfer_id), db_col_money("returned", &(o)->returned))

struct order_read {
    struct order row;
    struct str state;
    struct db_rows rows;
};

static int read_state(struct order_read *t)
{
    return order_state_parse(t->state, &t->row.state) ? 0 : err_origin(-EPROTO);
}

static int order_push(void *ctx)
{
    struct order_read *t = ctx;
    int r = read_state(t);

    return r == 0 ? db_rows_push(&t->rows) : r;
}

/* What a statement for one order gave. */
static int order_found(int r, struct order_read *t, struct order *ret)
{
    if (r == DB_E_NONE)
        return ORDER_E_NONE;
    if (r == 0)
        r = read_state(t);
    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = t->row;
    return 0;
}

DB_QUERY(order_by_id, ORDER_SELECT "WHERE o.team_id = $1 AND o.id = $2")

int order_get(struct db *db, struct arena *a, struct team_id team, int64_t id, struct order *ret)
{
    struct order_read t = {0};
    int r = db_one(db, &order_by_id, a, DB_ARGS(db_i64(team.v), db_i64(id)),
                   ORDER_COLS(&t.row, &t.state));

    r = order_found(r, &t, ret);
    return r == ORDER_E_NONE ? IDENTITY_E_NONE : r;
}

DB_QUERY(order_any, ORDER_SELECT "WHERE o.id = $1")

int order_find(struct db *db, struct arena *a, int64_t id, struct order *ret)
{
    struct order_read t = {0};
    int r = db_one(db, &order_any, a, DB_ARGS(db_i64(id)), ORDER_COLS(&t.row, &t.state));

    r = order_found(r, &t, ret);
    return r == ORDER_E_NONE ? IDENTITY_E_NONE : r;
}

DB_QUERY(order_locked, ORDER_SELECT "WHERE o.id = $1 FOR UPDATE OF o")

int order_lock(struct db *db, struct arena *a, int64_t id, struct order *ret)
{
    struct order_read t = {0};
    int r = db_one(db, &order_locked, a, DB_ARGS(db_i64(id)), ORDER_COLS(&t.row, &t.state));

    return order_found(r, &t, ret);
}

DB_QUERY(order_locked_by_reference, ORDER_SELECT "WHERE o.reference = $1 FOR UPDATE OF o")

int order_lock_reference(struct db *db, struct arena *a, struct str reference, struct order *ret)
{
    struct order_read t = {0};
    int r = db_one(db, &order_locked_by_reference, a, DB_ARGS(db_text(reference)),
                   ORDER_COLS(&t.row, &t.state));

    return order_found(r, &t, ret);
}

DB_QUERY(order_rows, ORDER_SELECT
         "WHERE ($1::bigint = 0 OR o.team_id = $1) AND ($2::text IS NULL OR o.state = $2)"
         "  AND ($3::bigint = 0 OR o.id < $3)"
         " ORDER BY o.id DESC LIMIT $4")

int order_list(struct db *db, struct arena *a, struct team_id team, int state, int64_t before_id,
               int32_t limit, struct order_page *ret)
{
    struct order_read t = {.rows = DB_ROWS(a, &t.row)};
    const char *name = state < 0 ? NULL : order_state_name((enum order_state)state);
    int r =
        db_each(db, &order_rows, a,
                DB_ARGS(db_i64(team.v), db_cstr(name), db_i64(before_id), db_i32(MIN(limit, 200))),
                ORDER_COLS(&t.row, &t.state), order_push, &t);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct order_page){t.rows.v, t.rows.n};
    return 0;
}

/* Short enough to type, without characters that look alike; one in a billion repeats, and then the
 * unique index says so. */
static struct str new_reference(struct arena *a)
{
    static const char alphabet[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    char text[11] = {'T', 'O', '-'};

    for (size_t i = 3; i < sizeof(text); i++)
        text[i] = alphabet[random_below(sizeof(alphabet) - 1)];
    return arena_str(a, str_n(text, sizeof(text)));
}

DB_QUERY(order_count_open, "SELECT count(*) AS open FROM topup_order"
                           " WHERE team_id = $1 AND state IN ('created', 'pending')")

/* An amount that this way of paying does not take is a fault. */
static int choose(const struct payment_provider *way, struct money amount,
                  const struct payment_provider **ret, struct identity_fault *fault)
{
    const char *refusal = way->refusal ? way->refusal(amount) : NULL;

    if (refusal)
        return identity_fault_set(fault, "amount", refusal);
    *ret = way;
    return 0;
}

static int check(struct db *db, struct team_id team, const struct order_wish *wish,
                 const struct payment_provider **ret, struct identity_fault *fault)
{
    struct money amount = wish->amount;
    struct payment_choice choice;
    int64_t open;
    int r = payment_provider_choices(db, wish->stripe, &choice);

    if (r == 0)
        r = db_fatal(db_one(db, &order_count_open, NULL, DB_ARGS(db_i64(team.v)),
                            DB_COLS(db_col_i64("open", &open))));
    if (r < 0)
        return err_trace(r);
    if (open >= BOUND_OPEN_ORDERS_PER_TEAM)
        return identity_fault_set(fault, "amount", "There are 100 open orders. Cancel some.");
    if (amount.nano < ORDER_MIN.nano || amount.nano > ORDER_MAX.nano)
        return identity_fault_set(fault, "amount", "Give an amount from $1 to $1,000,000.");
    for (size_t i = 0; i < choice.n; i++) {
        if (str_eq_c(wish->provider, choice.v[i]->name))
            return choose(choice.v[i], amount, ret, fault);
    }
    return identity_fault_set(fault, "provider", "Choose one of the ways of paying.");
}

DB_QUERY(
    order_add,
    "INSERT INTO topup_order (team_id, reference, provider, amount_nano, created_by, expires_at)"
    " VALUES ($1, $2, $3, $4, nullif($5::bigint, 0),"
    "         now() + make_interval(secs => $6::bigint))"
    " RETURNING id")

int order_create(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                 struct user_id user, const struct order_wish *wish, struct order *ret,
                 struct identity_fault *fault)
{
    struct str reference = new_reference(a);
    const struct payment_provider *way = NULL;
    int64_t id;
    int r = reference.p ? check(db, team, wish, &way, fault) : err_origin(-ENOMEM);

    if (r == 0)
        r = db_fatal(db_one(db, &order_add, NULL,
                            DB_ARGS(db_i64(team.v), db_text(reference), db_cstr(way->name),
                                    db_money(wish->amount), db_i64(user.v), db_i64(way->expires_after_s)),
                            DB_COLS(db_col_i64("id", &id))));
    if (r == 0)
        r = order_get(db, a, team, id, ret);
    if (r == 0)
        r = order_audit(db, actor, "order.create", ret);
    return r < 0 ? err_trace(r) : r;
}

DB_QUERY(order_set,
         "UPDATE topup_order SET state = $3, note = coalesce($4, ''), changed_at = now(),"
         "       confirm_at = NULL, transfer_id = nullif($5::bigint, 0),"
         "       paid_at = CASE WHEN $3 = 'paid' THEN now() END"
         " WHERE team_id = $1 AND id = $2")

int order_become(struct db *db, struct order *order, enum order_state state, struct str note,
                 int64_t transfer_id)
{
    assert(order_state_may_become(order->state, state));
    assert((state == ORDER_PAID) == (transfer_id != 0));
    int r = db_exec(db, &order_set,
                    DB_ARGS(db_i64(order->team.v), db_i64(order->id),
                            db_cstr(order_state_name(state)), db_text(note), db_i64(transfer_id)),
                    NULL);

    if (r != 0)
        return err_trace(db_fatal(r));
    order->state = state;
    order->note = note.p ? note : STR("");
    order->transfer_id = transfer_id;
    return 0;
}

DB_QUERY(order_reckon_state, "SELECT order_reckon($1, $2)")

int order_reckon(struct db *db, struct arena *a, struct order *order)
{
    int r = db_exec(db, &order_reckon_state, DB_ARGS(db_i64(order->team.v), db_i64(order->id)),
                    NULL);

    return r == 0 ? order_get(db, a, order->team, order->id, order) : err_trace(db_fatal(r));
}

DB_QUERY(order_json,
         "SELECT to_jsonb(o)::text AS row FROM topup_order o WHERE team_id = $1 AND id = $2")

int order_audit(struct db *db, const struct actor *actor, const char *action,
                const struct order *order)
{
    struct audit_entry entry = {
        .team = order->team, .action = action, .kind = "order", .object_id = order->id};
    struct arena *a = arena_new(ORDER_JSON_MAX);
    int r = a ? db_one(db, &order_json, a, DB_ARGS(db_i64(order->team.v), db_i64(order->id)),
                       DB_COLS(db_col_text("row", &entry.after)))
              : err_origin(-ENOMEM);

    if (r == 0)
        r = audit_write(db, actor, &entry);
    arena_free(a);
    return r == 0 ? 0 : err_trace(db_fatal(r));
}

static int tell_provider(struct db *db, const struct order *order)
{
    const struct payment_provider *p = payment_provider_find(order->provider);

    return p && p->canceled ? p->canceled(db, order) : 0;
}

int order_cancel(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                 int64_t id, struct identity_fault *fault)
{
    struct order order;
    int r = order_lock(db, a, id, &order);

    if (r == ORDER_E_NONE || (r == 0 && order.team.v != team.v))
        return IDENTITY_E_NONE;
    if (r == 0 && !order_state_may_become(order.state, ORDER_CANCELED))
        return identity_fault_set(fault, "state", "This order is closed.");
    if (r == 0 && order.state == ORDER_REVIEW)
        return identity_fault_set(fault, "state", "A payment for this order is being looked at.");
    if (r == 0)
        r = order_become(db, &order, ORDER_CANCELED, STR_NONE, 0);
    if (r == 0)
        r = tell_provider(db, &order);
    if (r == 0)
        r = order_audit(db, actor, "order.cancel", &order);
    return r < 0 ? err_trace(r) : r;
}
