/* order.c: see order.h. */
#include "web/pages/order.h"

#include "base/err.h"
#include "payments/payment_provider.h"
#include "payments/sandbox.h"
#include "payments/stripe.h"
#include "web/links.h"
#include "web/pages/paybacks.h"
#include "web/view.h"

static const struct {
    const char *text;
    enum view_tone tone;
} states[] = {
    [ORDER_CREATED] = {"Waiting for payment", VIEW_INFO},
    [ORDER_PENDING] = {"On its way", VIEW_INFO},
    [ORDER_PAID] = {"Paid", VIEW_GOOD},
    [ORDER_PART_REFUNDED] = {"Refunded in part", VIEW_INFO},
    [ORDER_REFUNDED] = {"Refunded", VIEW_NEUTRAL},
    [ORDER_CHARGED_BACK] = {"Charged back", VIEW_BAD},
    [ORDER_FAILED] = {"Declined", VIEW_BAD},
    [ORDER_CANCELED] = {"Canceled", VIEW_NEUTRAL},
    [ORDER_EXPIRED] = {"Expired", VIEW_NEUTRAL},
    [ORDER_REVIEW] = {"In review", VIEW_WARN},
};

void order_state_view(struct json_object *o, const char *key, enum order_state state)
{
    view_badge(o, key, states[state].tone, states[state].text);
}

struct json_object *order_view(struct web *w, const struct order *order)
{
    const struct payment_provider *provider = payment_provider_find(order->provider);
    struct json_object *o = json_new_object();

    json_set_i64(o, "id", order->id);
    json_set_str(o, "link", link_order(w->arena, order->id, NULL));
    json_set_str(o, "reference", order->reference);
    json_set_str(o, "provider", provider ? str_c(provider->label) : order->provider);
    json_set_str(o, "note", order->note);
    json_set_str(o, "creator", order->creator);
    json_set_str(o, "team_name", order->team_name);
    view_money(o, "amount", order->amount, VIEW_DOLLARS);
    order_state_view(o, "state", order->state);
    view_money(o, "returned", order->returned, VIEW_DOLLARS);
    json_set_bool(o, "any_returned", order->returned.nano > 0);
    view_time(o, "created", order->created_at_us, w->zone, w->now_us);
    view_time(o, "changed", order->changed_at_us, w->zone, w->now_us);
    view_time(o, "paid", order->paid_at_us, w->zone, w->now_us);
    view_time(o, "expires", order->expires_at_us, w->zone, w->now_us);
    json_set_str(o, "transfer_link",
                 order->transfer_id ? link_transfer(w->arena, order->transfer_id) : STR(""));
    return o;
}

static int read_order(struct web *w, struct order *ret)
{
    int64_t id;

    if (!web_param_id(w, 0, &id))
        return IDENTITY_E_NONE;
    return order_get(w->db, w->arena, w->session.team, id, ret);
}

/* Of an order that is paid at Stripe: whether it can be, what was wrong last, and that it is a test. */
static int stripe_view(struct web *w, const struct order *order, struct json_object *view,
                       const char **fault)
{
    const struct stripe *stripe = w->services->stripe;
    bool here = stripe && payment_provider_find(order->provider) == &payment_stripe;
    struct stripe_state state = {.payable = false};
    int r = here ? stripe_state(w->db, w->arena, order, &state) : 0;

    if (r < 0)
        return err_trace(r);
    if (state.payable && state.fault.n && !*fault)
        *fault = state.fault.p;
    json_set_str(view, "pay_link",
                 state.payable ? link_order(w->arena, order->id, "pay") : STR(""));
    json_set_bool(view, "stripe_test", here && stripe_is_test(stripe));
    return 0;
}

int order_pay(struct web *w, const struct order *order)
{
    struct identity_fault fault = {0};
    struct str url;
    int r = stripe_pay(w->services->stripe, w->db, w->arena, w->session.team, order->id, &url, &fault);

    if (r == IDENTITY_E_FAULT)
        return web_redirect(w, link_order(w->arena, order->id, NULL), NULL);
    return r ? web_outcome(w, r) : web_redirect_away(w, url);
}

int page_order_pay(struct web *w)
{
    struct order order;
    int r = read_order(w, &order);

    if (r == 0 && (!w->services->stripe || payment_provider_find(order.provider) != &payment_stripe))
        r = IDENTITY_E_NONE;
    if (r != 0)
        return web_outcome(w, r);
    web_leave_tx(w);
    return order_pay(w, &order);
}

static bool is_open(const struct order *order)
{
    return order->state == ORDER_CREATED || order->state == ORDER_PENDING;
}

static int show(struct web *w, int status, const struct order *order, const char *fault)
{
    const struct payment_provider *provider = payment_provider_find(order->provider);
    struct json_object *view = json_new_object();
    struct payment_next next = {0};
    struct order open = *order;
    int r = 0;

    /* Asked again it only tells: the order has begun already. */
    if (provider && order->state == ORDER_PENDING)
        r = provider->begin(w->db, w->arena, &open, &next);
    if (r < 0) {
        json_unref(view);
        return err_trace(r);
    }
    r = paybacks_view(w, order->team, order->id, view);
    if (r == 0)
        r = stripe_view(w, order, view, &fault);
    if (r != 0) {
        json_unref(view);
        return web_outcome(w, r);
    }
    json_set(view, "order", order_view(w, order));
    json_set_bool(view, "in_review", order->state == ORDER_REVIEW);
    json_set_str(view, "instructions", next.instructions);
    json_set_str(view, "checkout_link",
                 order->state == ORDER_CREATED && provider == &payment_sandbox
                     ? link_checkout(w->arena, order->id)
                     : STR(""));
    json_set_bool(view, "open", is_open(order));
    json_set_bool(view, "waiting", order->state == ORDER_PENDING);
    json_set_str(view, "cancel_link", link_order(w->arena, order->id, "cancel"));
    json_set_cstr(view, "fault", fault);
    return web_render_as(w, status, "order", "Top-up", view);
}

int page_order(struct web *w)
{
    struct order order;
    int r = read_order(w, &order);

    return r ? web_outcome(w, r) : show(w, 200, &order, NULL);
}

int page_order_cancel(struct web *w)
{
    struct identity_fault fault = {0};
    struct order order;
    int r = read_order(w, &order);

    if (r == 0)
        r = order_cancel(w->db, w->arena, &w->actor, w->session.team, order.id, &fault);
    if (r == IDENTITY_E_FAULT)
        return show(w, 422, &order, fault.sentence);
    return r ? web_outcome(w, r)
             : web_redirect(w, link_to(LINK_billing), "The top-up is canceled.");
}

int page_checkout(struct web *w)
{
    struct json_object *view;
    struct order order;
    int r = read_order(w, &order);

    if (r != 0)
        return web_outcome(w, r);
    if (order.state != ORDER_CREATED || payment_provider_find(order.provider) != &payment_sandbox)
        return web_redirect(w, link_order(w->arena, order.id, NULL), NULL);
    view = json_new_object();
    json_set(view, "order", order_view(w, &order));
    json_set_str(view, "press_link", link_checkout(w->arena, order.id));
    return web_render(w, "checkout", "Checkout", view);
}

int page_checkout_press(struct web *w)
{
    static const struct {
        const char *name, *done;
        enum sandbox_play play;
    } plays[] = {
        {"succeed", "Paid: the balance has grown.", SANDBOX_SUCCEED},
        {"decline", NULL, SANDBOX_DECLINE},
        {"late", NULL, SANDBOX_LATE},
    };
    struct str play = pairs_get(&w->submitted, "play");
    struct identity_fault fault = {0};
    struct order order;
    size_t i = 0;
    int r = read_order(w, &order);

    while (i < ARRAY_LEN(plays) && !str_eq_c(play, plays[i].name))
        i++;
    if (r == 0 && i == ARRAY_LEN(plays))
        return web_fail_code(w, PROBLEM_BAD_FIELD);
    web_leave_tx(w);
    if (r == 0)
        r = sandbox_press(w->db, w->arena, &w->actor, w->session.team, order.id, plays[i].play,
                          &order, &fault);
    if (r != 0 && r != IDENTITY_E_FAULT)
        return web_outcome(w, r);
    return web_redirect(w, link_order(w->arena, order.id, NULL),
                        r == 0 && order.state == ORDER_PAID ? plays[i].done : fault.sentence);
}
