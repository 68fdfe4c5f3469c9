/* operator_orders.c: see operator_orders.h. Crediting runs its own transaction (payments/manual.h,
 * payments/payment.h), so the page's is left before. */
#include "web/pages/operator_orders.h"

#include <inttypes.h>

#include "base/err.h"
#include "payments/manual.h"
#include "payments/payment.h"
#include "payments/payment_provider.h"
#include "web/form.h"
#include "web/links.h"
#include "web/pages/operator_area.h"
#include "web/pages/order.h"
#include "web/view.h"

#define ORDERS_A_PAGE 50

enum { AMOUNT, CURRENCY, BANK_REFERENCE, CONFIRM_FIELDS };

static const struct form_field confirm_fields[CONFIRM_FIELDS] = {
    [AMOUNT] = {"amount", "Arrived, $", FORM_MONEY, .required = true, .min = 1},
    [CURRENCY] = {"currency", "Currency", FORM_TEXT, .required = true, .min = 3, .max = 3},
    [BANK_REFERENCE] = {"bank_reference", "Bank’s reference", FORM_TEXT, .required = true, .min = 1,
                        .max = 100, .autocomplete = "off"},
};

/* What an answer to a refused POST tells beside the lists. */
struct told {
    int64_t order; /* whose form this is */
    const struct form *form;
    int64_t payment;
    const char *payment_fault;
    struct str note; /* as typed */
};

static struct str provider_label(struct str name)
{
    const struct payment_provider *provider = payment_provider_find(name);

    return provider ? str_c(provider->label) : name;
}

static struct json_object *row_view(struct web *w, const struct order *order)
{
    struct json_object *o = json_new_object();

    json_set_str(o, "reference", order->reference);
    json_set_str(o, "team_name", order->team_name);
    json_set_str(o, "team_link", link_operator_team(w->arena, order->team, NULL));
    json_set_str(o, "provider", provider_label(order->provider));
    json_set_str(o, "creator", order->creator);
    json_set_str(o, "note", order->note);
    view_money(o, "amount", order->amount, VIEW_DOLLARS);
    order_state_view(o, "state", order->state);
    json_set_str(o, "link", link_operator_order(w->arena, order->id, NULL));
    view_time(o, "created", order->created_at_us, w->zone, w->now_us);
    view_time(o, "expires", order->expires_at_us, w->zone, w->now_us);
    return o;
}

static bool awaits_transfer(const struct order *order)
{
    return str_eq_c(order->provider, "manual") &&
           (order->state == ORDER_CREATED || order->state == ORDER_PENDING);
}

static int add_waiting(struct web *w, const struct told *told, struct json_object *view)
{
    struct json_object *list = json_new_array();
    struct order_page page;
    int r = order_list(w->db, w->arena, (struct team_id){0}, ORDER_PENDING, 0, 200, &page);

    json_set(view, "waiting", list);
    for (size_t i = 0; r == 0 && i < page.n; i++) {
        const struct order *order = &page.v[i];
        struct json_object *o;
        struct form form;

        if (!awaits_transfer(order))
            continue;
        r = form_init(&form, w->arena, confirm_fields, ARRAY_LEN(confirm_fields));
        form_set_money(&form, AMOUNT, order->amount);
        form_set(&form, CURRENCY, STR("USD"));
        o = row_view(w, order);
        json_set_str(o, "confirm_link", link_operator_order(w->arena, order->id, "confirm"));
        json_set_bool(o, "open", told->form && told->order == order->id);
        form_view(told->form && told->order == order->id ? told->form : &form, o, "form");
        json_push(list, o);
    }
    json_set_bool(view, "any_waiting", json_length(list) > 0);
    return r;
}

/* A payment beside the order that it was for. */
static int push_review(struct web *w, const struct told *told, const struct payment *p,
                       struct json_object *list)
{
    bool typed = told->payment == p->id;
    struct json_object *o;
    struct order order;
    int r = order_get(w->db, w->arena, p->team, p->order_id, &order);

    if (r != 0)
        return r;
    o = row_view(w, &order);
    view_money(o, "paid", p->amount, VIEW_DOLLARS);
    json_set_str(o, "payment_id", p->payment_id);
    json_set_str(o, "currency", p->currency);
    json_set_str(o, "why", p->note);
    json_set_str(o, "accept_link", link_operator_payment(w->arena, p->id, "accept"));
    json_set_str(o, "dismiss_link", link_operator_payment(w->arena, p->id, "dismiss"));
    json_set_cstr(o, "fault", typed ? told->payment_fault : NULL);
    json_set_str(o, "typed", typed ? told->note : STR(""));
    view_time(o, "at", p->at_us, w->zone, w->now_us);
    json_push(list, o);
    return 0;
}

static int add_reviews(struct web *w, const struct told *told, struct json_object *view)
{
    struct json_object *list = json_new_array();
    struct payment_page page;
    int r = payment_reviews(w->db, w->arena, &page);

    json_set(view, "reviews", list);
    for (size_t i = 0; r == 0 && i < page.n; i++)
        r = push_review(w, told, &page.v[i], list);
    json_set_bool(view, "any_review", json_length(list) > 0);
    return r;
}

static int add_orders(struct web *w, struct json_object *view)
{
    struct json_object *list = json_new_array();
    struct str older = STR_NONE;
    struct order_page page;
    int r = order_list(w->db, w->arena, (struct team_id){0}, -1, operator_query_id(w, "before"),
                       ORDERS_A_PAGE + 1, &page);

    json_set(view, "orders", list);
    if (r != 0)
        return r;
    for (size_t i = 0; i < page.n && i < ORDERS_A_PAGE; i++)
        json_push(list, row_view(w, &page.v[i]));
    if (page.n > ORDERS_A_PAGE)
        older = operator_page_link(w, link_to(LINK_operator_orders), "q", STR(""),
                                   page.v[ORDERS_A_PAGE - 1].id);
    json_set_bool(view, "any", page.n > 0);
    view_pager(view, "pager", STR_NONE, older);
    return 0;
}

static int show(struct web *w, int status, const struct told *told)
{
    struct json_object *view = json_new_object();
    int r = add_waiting(w, told, view);

    if (r == 0)
        r = add_reviews(w, told, view);
    if (r == 0)
        r = add_orders(w, view);
    if (r != 0) {
        json_unref(view);
        return web_outcome(w, r);
    }
    return operator_render(w, status, "operator_orders", "Orders", view);
}

static int show_again(struct web *w, const struct told *told)
{
    int r = web_again(w);

    return r ? web_outcome(w, r) : show(w, 422, told);
}

int page_operator_orders(struct web *w)
{
    return show(w, 200, &(struct told){0});
}

int page_operator_order_confirm(struct web *w)
{
    struct identity_fault fault = {0};
    struct order order;
    struct form form;
    int64_t id;
    int r;

    if (!web_param_id(w, 0, &id))
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    r = form_init(&form, w->arena, confirm_fields, ARRAY_LEN(confirm_fields));
    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r < 0)
        return err_trace(r);
    web_leave_tx(w);
    if (!form.wrong)
        r = manual_confirm(w->db, w->arena, &w->actor, id, form.v[AMOUNT].money,
                           form.v[CURRENCY].text, form.v[BANK_REFERENCE].text, &order, &fault);
    if (r == IDENTITY_E_FAULT)
        form_fault(&form, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    if (form.wrong)
        return show_again(w, &(struct told){.order = id, .form = &form});
    return web_redirect(w, link_to(LINK_operator_orders),
                        order.state == ORDER_PAID
                            ? "The transfer is credited."
                            : "This is not what the order says: it waits for your decision.");
}

static int resolve(struct web *w, bool accept)
{
    struct str note = str_trim(pairs_get(&w->submitted, "note"));
    struct identity_fault fault = {0};
    int64_t id;
    int r;

    if (!web_param_id(w, 0, &id))
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    web_leave_tx(w);
    r = payment_resolve(w->db, w->arena, &w->actor, id, accept, note.p ? note : STR(""), &fault);
    if (r == IDENTITY_E_FAULT)
        return show_again(
            w, &(struct told){.payment = id, .payment_fault = fault.sentence, .note = note});
    if (r != 0)
        return web_outcome(w, r);
    return web_redirect(w, link_to(LINK_operator_orders),
                        accept ? "What was paid is credited." : "The case is closed, uncredited.");
}

int page_operator_payment_accept(struct web *w)
{
    return resolve(w, true);
}

int page_operator_payment_dismiss(struct web *w)
{
    return resolve(w, false);
}
