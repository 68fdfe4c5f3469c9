/* orders.c: /api/v1/orders: top-ups with their payments; and what the installation decides about
 * payments: reviews, refunds, chargebacks. */
#include "admin/admin.h"

#include "base/err.h"
#include "payments/payback.h"
#include "payments/payment.h"

#define ORDERS_A_PAGE 100

static struct json_object *order_json(const struct order *order)
{
    struct json_object *o = json_new_object();

    json_set_cstr(o, "object", "order");
    json_set_i64(o, "id", order->id);
    json_set_i64(o, "team_id", order->team.v);
    json_set_str(o, "reference", order->reference);
    json_set_str(o, "provider", order->provider);
    json_set_money(o, "amount", order->amount);
    json_set_money(o, "returned", order->returned);
    json_set_cstr(o, "state", order_state_name(order->state));
    json_set_str(o, "note", order->note);
    admin_set_time(o, "created_at", order->created_at_us);
    admin_set_time(o, "paid_at", order->paid_at_us);
    admin_set_time(o, "expires_at", order->expires_at_us);
    admin_set_id(o, "transfer_id", order->transfer_id);
    return o;
}

static struct json_object *payment_json(const struct payment *p)
{
    struct json_object *o = json_new_object();

    json_set_cstr(o, "object", "payment");
    json_set_i64(o, "id", p->id);
    json_set_i64(o, "order_id", p->order_id);
    json_set_i64(o, "team_id", p->team.v);
    json_set_str(o, "provider", p->provider);
    json_set_str(o, "payment_id", p->payment_id);
    json_set_str(o, "state", p->state);
    json_set_money(o, "amount", p->amount);
    json_set_money(o, "returned", p->returned);
    json_set_str(o, "currency", p->currency);
    json_set_str(o, "note", p->note);
    admin_set_time(o, "at", p->at_us);
    admin_set_id(o, "transfer_id", p->transfer_id);
    return o;
}

static struct json_object *payback_json(const struct payback *p)
{
    struct json_object *o = json_new_object();

    json_set_cstr(o, "object", payback_kind_name(p->kind));
    json_set_i64(o, "id", p->id);
    json_set_i64(o, "payment_id", p->payment_id);
    json_set_money(o, "amount", p->amount);
    json_set_str(o, "reason", p->reason);
    json_set_str(o, "reference", p->reference);
    json_set_bool(o, "reversed", p->reversed);
    admin_set_id(o, "reverses_id", p->reverses_id);
    admin_set_time(o, "at", p->at_us);
    json_set_i64(o, "transfer_id", p->transfer_id);
    return o;
}

int admin_orders_list(struct admin *a)
{
    static const char *const known[] = {"before", "state"};
    struct str state_text = request_query(a->req, "state");
    enum order_state state;
    struct order_page page;
    struct json_object *array;
    int64_t before = 0;
    int r = admin_need(a, ROLE_BILLING);

    if (!r)
        r = admin_query_known(a, known, ARRAY_LEN(known));
    if (!r)
        r = admin_query_i64(a, "before", &before);
    if (!r && state_text.p && !order_state_parse(state_text, &state))
        r = admin_problem(a, PROBLEM_BAD_FIELD, "state", "There is no such state of an order.");
    if (!r)
        r = order_list(a->db, a->arena, a->team, state_text.p ? (int)state : -1, before,
                       ORDERS_A_PAGE, &page);
    if (r)
        return r;
    array = json_new_array();
    for (size_t i = 0; i < page.n; i++)
        json_push(array, order_json(&page.v[i]));
    return admin_reply(a, 200, admin_list(array));
}

static int answer_order(struct admin *a, int status, struct team_id team, int64_t id)
{
    struct json_object *o, *payments = json_new_array(), *paybacks = json_new_array();
    struct payment_page paid = {0};
    struct payback_page back = {0};
    struct order order;
    int r = admin_identity(a, order_get(a->db, a->arena, team, id, &order), NULL);

    if (!r)
        r = payment_list(a->db, a->arena, team, id, &paid);
    if (!r)
        r = payback_list(a->db, a->arena, team, id, &back);
    for (size_t i = 0; !r && i < paid.n; i++)
        json_push(payments, payment_json(&paid.v[i]));
    for (size_t i = 0; !r && i < back.n; i++)
        json_push(paybacks, payback_json(&back.v[i]));
    if (r) {
        json_unref(payments);
        json_unref(paybacks);
        return r;
    }
    o = order_json(&order);
    json_set(o, "payments", payments);
    json_set(o, "returns", paybacks);
    return admin_reply(a, status, o);
}

int admin_orders_get(struct admin *a)
{
    int64_t id;
    int r = admin_need(a, ROLE_BILLING);

    if (!r)
        r = admin_path_id(a, 0, &id);
    return r ? r : answer_order(a, 200, a->team, id);
}

int admin_payments_review(struct admin *a)
{
    struct payment_page page;
    struct json_object *array;
    int r = admin_need_operator(a);

    if (!r)
        r = admin_query_known(a, NULL, 0);
    if (!r)
        r = payment_reviews(a->db, a->arena, &page);
    if (r)
        return r;
    array = json_new_array();
    for (size_t i = 0; i < page.n; i++)
        json_push(array, payment_json(&page.v[i]));
    return admin_reply(a, 200, admin_list(array));
}

/* The payment of the path, for the installation. */
static int path_payment(struct admin *a, struct payment *ret)
{
    int64_t id;
    int r = admin_need_operator(a);

    if (!r)
        r = admin_path_id(a, 0, &id);
    return r ? r : admin_identity(a, payment_get(a->db, a->arena, id, ret), NULL);
}

struct resolve_body {
    bool accept;
    struct str note;
};

static const struct json_field resolve_fields[] = {
    {"accept", WANT_BOOL, true, 0, 0, offsetof(struct resolve_body, accept), SIZE_MAX},
    {"note", WANT_STR, true, 0, 0, offsetof(struct resolve_body, note), SIZE_MAX},
};

int admin_payments_resolve(struct admin *a)
{
    struct identity_fault fault = {0};
    struct resolve_body b = {0};
    struct payment p;
    int r = path_payment(a, &p);

    if (!r)
        r = admin_body(a, resolve_fields, ARRAY_LEN(resolve_fields), &b);
    if (r)
        return r;
    admin_leave_tx(a);
    r = admin_identity(
        a, payment_resolve(a->db, a->arena, &a->actor, p.id, b.accept, b.note, &fault), &fault);
    if (!r)
        r = admin_again(a);
    return r ? r : answer_order(a, 200, p.team, p.order_id);
}

static const struct json_field payback_fields[] = {
    {"reason", WANT_STR, true, 0, 0, offsetof(struct booking, reason), SIZE_MAX},
    {"reference", WANT_STR, true, 0, 0, offsetof(struct booking, reference), SIZE_MAX},
    {"amount", WANT_MONEY, true, 0, 0, offsetof(struct booking, amount), SIZE_MAX},
};

/* The payment of the path, and what of it is to be paid back. */
static int read_payback(struct admin *a, struct payment *ret, struct booking *ret_b)
{
    int r = path_payment(a, ret);

    *ret_b = (struct booking){0};
    return r ? r : admin_body(a, payback_fields, ARRAY_LEN(payback_fields), ret_b);
}

int admin_payments_refund(struct admin *a)
{
    struct identity_fault fault = {0};
    struct booking b;
    struct payment p;
    int r = read_payback(a, &p, &b);

    if (!r)
        r = admin_booked(
            a, payback_refund(a->db, a->arena, &a->actor, p.id, &b, NULL, &fault), &fault);
    return r ? r : answer_order(a, 201, p.team, p.order_id);
}

int admin_payments_charge_back(struct admin *a)
{
    struct identity_fault fault = {0};
    struct booking b;
    struct payment p;
    int r = read_payback(a, &p, &b);

    if (r)
        return r;
    admin_leave_tx(a);
    r = admin_booked(a, payback_chargeback(a->db, a->arena, &a->actor, p.id, &b, NULL, &fault),
                     &fault);
    if (!r)
        r = admin_again(a);
    return r ? r : answer_order(a, 201, p.team, p.order_id);
}

int admin_chargebacks_reverse(struct admin *a)
{
    struct identity_fault fault = {0};
    struct booking b = {0};
    struct payback p;
    int64_t id;
    int r = admin_need_operator(a);

    if (!r)
        r = admin_path_id(a, 0, &id);
    if (!r)
        r = admin_identity(a, payback_get(a->db, a->arena, id, &p), NULL);
    if (!r)
        r = admin_body(a, payback_fields, ARRAY_LEN(payback_fields) - 1, &b);
    if (!r)
        r = admin_booked(a, payback_reverse(a->db, a->arena, &a->actor, id, &b, NULL, &fault),
                         &fault);
    return r ? r : answer_order(a, 201, p.team, p.order_id);
}
