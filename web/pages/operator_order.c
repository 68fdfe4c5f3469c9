/* operator_order.c: see operator_order.h. A chargeback runs its own transactions (payments/payback.h),
 * so the page's is left before. */
#include "web/pages/operator_order.h"

#include "base/err.h"
#include "payments/payback.h"
#include "payments/payment.h"
#include "payments/payment_provider.h"
#include "payments/stripe.h"
#include "web/form.h"
#include "web/links.h"
#include "web/pages/operator_area.h"
#include "web/pages/operator_money.h"
#include "web/pages/order.h"
#include "web/pages/paybacks.h"
#include "web/view.h"

enum { AMOUNT, REASON, REFERENCE, FIELDS };

#define AMOUNT_FIELD                                                                               \
    {                                                                                              \
        "amount", "Amount, $", FORM_MONEY, .required = true, .min = 1, .max = BOOKING_MAX_NANO     \
    }
#define REASON_FIELD                                                                               \
    {                                                                                              \
        "reason", "Reason", FORM_TEXT, .required = true, .min = 3, .max = 300,                     \
                                       .help = "Stands in the team’s ledger and on its invoice."   \
    }
/* Where the row tells what it is about. */
#define SHORT_REASON_FIELD                                                                         \
    {                                                                                              \
        "reason", "Reason", FORM_TEXT, .required = true, .min = 3, .max = 300                      \
    }
#define BANK_FIELD                                                                                 \
    {                                                                                              \
        "reference", "Bank’s case", FORM_TEXT, .required = true, .min = 1, .max = 100              \
    }

static const struct form_field refund_fields[FIELDS] = {
    [AMOUNT] = AMOUNT_FIELD,
    [REASON] = REASON_FIELD,
    [REFERENCE] = {"reference", "Reference", FORM_TEXT, .required = true, .min = 8, .max = 100},
};
static const struct form_field chargeback_fields[FIELDS] = {
    [AMOUNT] = AMOUNT_FIELD, [REASON] = REASON_FIELD, [REFERENCE] = BANK_FIELD};
/* A reversal is of the whole amount: its field is not shown. */
static const struct form_field reversal_fields[FIELDS] = {
    [AMOUNT] = {"amount", "", FORM_TEXT}, [REASON] = SHORT_REASON_FIELD, [REFERENCE] = BANK_FIELD};

static const struct form_field *const tables[] = {
    [PAYBACK_REFUND] = refund_fields,
    [PAYBACK_CHARGEBACK] = chargeback_fields,
    [PAYBACK_REVERSAL] = reversal_fields,
};

/* Whose form an answer to a refused POST shows again. */
struct told {
    enum payback_kind kind;
    int64_t id; /* of the payment, or the chargeback */
    const struct form *form;
};

static int form_for(struct web *w, const struct told *told, enum payback_kind kind, int64_t id,
                    struct money left, struct json_object *view, const char *key)
{
    bool typed = told->form && told->kind == kind && told->id == id;
    struct form empty;
    int r = form_init(&empty, w->arena, tables[kind], FIELDS);

    if (r < 0)
        return err_trace(r);
    if (kind == PAYBACK_REFUND)
        form_set(&empty, REFERENCE, operator_new_reference(w->arena));
    if (kind != PAYBACK_REVERSAL)
        form_set_money(&empty, AMOUNT, left);
    form_view(typed ? told->form : &empty, view, key);
    return 0;
}

static void payment_state(const struct payment *p, struct json_object *o)
{
    if (str_eq_c(p->state, "credited"))
        view_badge(o, "state", VIEW_GOOD, "Credited");
    else if (str_eq_c(p->state, "review"))
        view_badge(o, "state", VIEW_WARN, "In review");
    else
        view_badge(o, "state", VIEW_NEUTRAL, "Dismissed");
}

static int push_payment(struct web *w, const struct told *told, const struct payment *p,
                        struct json_object *list)
{
    struct json_object *o = json_new_object();
    struct money left = {p->amount.nano - p->returned.nano};
    bool open = str_eq_c(p->state, "credited") && left.nano > 0;
    bool at_stripe = str_eq_c(p->provider, payment_stripe.name);
    int r;

    json_push(list, o);
    json_set_str(o, "payment_id", p->payment_id);
    json_set_str(o, "currency", p->currency);
    json_set_str(o, "note", p->note);
    json_set_bool(o, "may_return", open && !at_stripe);
    json_set_str(o, "dashboard_link",
                 at_stripe ? stripe_dashboard_url(w->arena, w->services->stripe, p->payment_id)
                           : STR(""));
    json_set_str(o, "transfer_link",
                 p->transfer_id ? link_transfer(w->arena, p->transfer_id) : STR(""));
    json_set_str(o, "refund_link", link_operator_payment(w->arena, p->id, "refund"));
    json_set_str(o, "chargeback_link", link_operator_payment(w->arena, p->id, "chargeback"));
    view_money(o, "amount", p->amount, VIEW_DOLLARS);
    view_money(o, "returned", p->returned, VIEW_DOLLARS);
    json_set_bool(o, "any_returned", p->returned.nano > 0);
    view_time(o, "at", p->at_us, w->zone, w->now_us);
    payment_state(p, o);
    r = form_for(w, told, PAYBACK_REFUND, p->id, left, o, "refund");
    if (r == 0)
        r = form_for(w, told, PAYBACK_CHARGEBACK, p->id, left, o, "chargeback");
    return r;
}

static int add_payments(struct web *w, const struct told *told, const struct order *order,
                        struct json_object *view)
{
    struct json_object *list = json_new_array();
    struct payment_page page = {0};
    int r = payment_list(w->db, w->arena, order->team, order->id, &page);

    json_set(view, "payments", list);
    for (size_t i = 0; r == 0 && i < page.n; i++)
        r = push_payment(w, told, &page.v[i], list);
    json_set_bool(view, "any_payment", page.n > 0);
    return r;
}

/* Each chargeback that may be reversed has its form. */
static int add_paybacks(struct web *w, const struct told *told, const struct order *order,
                        struct json_object *view)
{
    struct payback_page page = {0};
    int r = paybacks_view(w, order->team, order->id, view);

    if (r == 0)
        r = payback_list(w->db, w->arena, order->team, order->id, &page);
    for (size_t i = 0; r == 0 && i < page.n; i++)
        r = form_for(w, told, PAYBACK_REVERSAL, page.v[i].id, MONEY_ZERO,
                     json_at(json_get(view, "paybacks"), i), "reversal");
    return r;
}

static int show(struct web *w, int status, const struct order *order, const struct told *told)
{
    struct json_object *view = json_new_object();
    int r = add_payments(w, told, order, view);

    if (r == 0)
        r = add_paybacks(w, told, order, view);
    if (r != 0) {
        json_unref(view);
        return r < 0 ? err_trace(r) : web_outcome(w, r);
    }
    json_set(view, "order", order_view(w, order));
    json_set_bool(view, "stripe_test", w->services->stripe && stripe_is_test(w->services->stripe) &&
                                           str_eq_c(order->provider, payment_stripe.name));
    json_set_str(view, "team_name", order->team_name);
    json_set_str(view, "team_link", link_operator_team(w->arena, order->team, NULL));
    return operator_render(w, status, "operator_order", "Order", view);
}

int page_operator_order(struct web *w)
{
    struct order order;
    int64_t id;
    int r = IDENTITY_E_NONE;

    if (web_param_id(w, 0, &id))
        r = order_find(w->db, w->arena, id, &order);
    return r ? web_outcome(w, r) : show(w, 200, &order, &(struct told){0});
}

/* The order whose payment, or chargeback, the path names. */
static int find_order(struct web *w, enum payback_kind kind, int64_t *ret_id, struct order *ret)
{
    struct payment payment;
    struct payback payback;
    int r;

    if (!web_param_id(w, 0, ret_id))
        return IDENTITY_E_NONE;
    if (kind == PAYBACK_REVERSAL) {
        r = payback_get(w->db, w->arena, *ret_id, &payback);
        return r == 0 ? order_find(w->db, w->arena, payback.order_id, ret) : r;
    }
    r = payment_get(w->db, w->arena, *ret_id, &payment);
    return r == 0 ? order_find(w->db, w->arena, payment.order_id, ret) : r;
}

static int book(struct web *w, enum payback_kind kind, int64_t id, const struct form *form,
                struct identity_fault *fault)
{
    struct booking wish = {form->v[AMOUNT].money, form->v[REASON].text, form->v[REFERENCE].text};

    switch (kind) {
    case PAYBACK_REFUND:
        return payback_refund(w->db, w->arena, &w->actor, id, &wish, NULL, fault);
    case PAYBACK_REVERSAL:
        return payback_reverse(w->db, w->arena, &w->actor, id, &wish, NULL, fault);
    case PAYBACK_CHARGEBACK:
        break;
    }
    web_leave_tx(w);
    return payback_chargeback(w->db, w->arena, &w->actor, id, &wish, NULL, fault);
}

/* A hidden reference that was used before asks for a new page. */
static void put_fault(struct form *form, enum payback_kind kind, const struct identity_fault *fault)
{
    if (kind == PAYBACK_REFUND && str_eq_c(str_c(fault->field), "reference"))
        form_fault_at(form, AMOUNT,
                      "This form was sent before with another amount. Open the page anew.");
    else
        form_fault(form, fault);
}

static int act(struct web *w, enum payback_kind kind, const char *done)
{
    struct identity_fault fault = {0};
    struct order order;
    struct form form;
    int64_t id;
    int r = find_order(w, kind, &id, &order);

    if (r == 0)
        r = form_init(&form, w->arena, tables[kind], FIELDS);
    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r == 0 && !form.wrong)
        r = book(w, kind, id, &form, &fault);
    if (r == IDENTITY_E_FAULT)
        put_fault(&form, kind, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    if (!form.wrong)
        return web_redirect(w, link_operator_order(w->arena, order.id, NULL), done);
    r = web_again(w);
    return r ? web_outcome(w, r) : show(w, 422, &order, &(struct told){kind, id, &form});
}

int page_operator_payment_refund(struct web *w)
{
    return act(w, PAYBACK_REFUND, "The refund is booked. Send the money now.");
}

int page_operator_payment_chargeback(struct web *w)
{
    return act(w, PAYBACK_CHARGEBACK, "The team is frozen and the chargeback is booked.");
}

int page_operator_chargeback_reverse(struct web *w)
{
    return act(w, PAYBACK_REVERSAL,
               "The money is back on the balance. The team stays frozen until you unfreeze it.");
}
