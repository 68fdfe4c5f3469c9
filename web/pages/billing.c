/* billing.c: see billing.h. */
#include "web/pages/billing.h"

#include <errno.h>

#include "base/err.h"
#include "ledger/invoice.h"
#include "payments/payment_provider.h"
#include "payments/redeem.h"
#include "payments/stripe.h"
#include "web/form.h"
#include "web/links.h"
#include "web/pages/credit_note.h"
#include "web/pages/grants.h"
#include "web/pages/order.h"
#include "web/view.h"

#define RECENT 10

enum { AMOUNT, PROVIDER };

static const struct form_field fields[] = {
    [AMOUNT] = {"amount", "Amount", FORM_MONEY, .required = true, .min = 1000000000,
                .max = 1000000000000000, .placeholder = "50", .autocomplete = "off"},
    [PROVIDER] = {"provider", "By", FORM_CHOICE},
};

static const struct form_field redeem_fields[] = {
    {"code", "Code", FORM_TEXT, .required = true, .max = 60, .placeholder = "7K4Q-ZM29-AB3D-XY56",
     .autocomplete = "off"},
};

struct forms {
    struct form top_up, redeem;
    struct payment_choice ways;
};

static int open_forms(struct web *w, struct forms *forms)
{
    struct payment_choice *ways = &forms->ways;
    int r = form_init(&forms->top_up, w->arena, fields, ARRAY_LEN(fields));

    if (r == 0)
        r = form_init(&forms->redeem, w->arena, redeem_fields, ARRAY_LEN(redeem_fields));
    if (r == 0)
        r = payment_provider_choices(w->db, w->services->stripe, ways);
    for (size_t i = 0; r == 0 && i < ways->n; i++) {
        form_option(&forms->top_up, PROVIDER, str_c(ways->v[i]->name), str_c(ways->v[i]->label));
        if (i == 0)
            form_set(&forms->top_up, PROVIDER, str_c(ways->v[i]->name));
    }
    return r;
}

/* --- what moved the balance --- */

static const struct {
    const char *code, *text;
} codes[] = {
    {"TOPUP", "Top-up"},         {"USAGE", "Usage"},
    {"LATE_USAGE", "Late usage"}, {"GRANT", "Grant"},
    {"GRANT_USE", "Covered by a grant"},
    {"GRANT_EXPIRE", "Grant ended"},
    {"REFUND", "Refund"},        {"CHARGEBACK", "Chargeback"},
    {"REFUND_REVERSED", "Refund failed"},
    {"CHARGEBACK_REVERSED", "Chargeback reversed"},
    {"CREDIT_NOTE", "Credit note"},
    {"ADJUST", "Adjustment"},
};

const char *billing_code_text(struct str code)
{
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (str_eq_c(code, codes[i].code))
            return codes[i].text;
    return NULL;
}

struct json_object *billing_movement(struct web *w, const struct statement_row *row)
{
    struct json_object *o = json_new_object();
    const char *text = billing_code_text(row->code);
    struct str what = text ? str_c(text) : row->code;

    json_set_i64(o, "id", row->id);
    json_set_str(o, "link", link_transfer(w->arena, row->id));
    json_set_str(o, "what", what);
    json_set_str(o, "code", row->code);
    json_set_str(o, "ref", row->ref);
    json_set_str(o, "reason", row->reason);
    json_set_str(o, "actor", row->actor_name);
    json_set_str(o, "debit", row->debit);
    json_set_str(o, "credit", row->credit);
    json_set_str(o, "calls",
                 row->calls ? view_plural(w->arena, row->calls, "request", NULL) : STR(""));
    view_time(o, "posted", row->posted_at_us, w->zone, w->now_us);
    view_money(o, "amount", row->amount, VIEW_CALL);
    view_money(o, "moved", row->moved, VIEW_CALL);
    json_set_bool(o, "within", row->amount.nano == 0);
    view_money(o, "after", row->after, VIEW_CALL);
    return o;
}

/* --- the page --- */

struct figures {
    struct balance balance;
    struct statement_page movements;
    struct order_page orders;
    struct invoice_page invoices;
};

static int read_figures(struct web *w, struct figures *f)
{
    struct team_id team = w->session.team;
    int r = balance_read(w->db, w->arena, team, &f->balance);

    if (r == 0)
        r = statement_list(w->db, w->arena, team, &(struct statement_filter){0}, 0, RECENT,
                           &f->movements);
    if (r == 0)
        r = order_list(w->db, w->arena, team, -1, 0, RECENT, &f->orders);
    if (r == 0)
        r = invoice_list(w->db, w->arena, team, &f->invoices);
    return r;
}

static void balance_view(const struct balance *b, struct json_object *view)
{
    view_figure(view, "available", b->available);
    view_figure(view, "held", b->held);
    json_set_bool(view, "any_held", b->held.nano > 0);
    view_figure(view, "balance", b->posted);
    view_figure(view, "granted", b->grants);
    json_set_bool(view, "any_granted", b->grants.nano > 0);
    view_figure(view, "credits", b->credits);
    view_figure(view, "debits", b->debits);
}

static struct json_object *invoices_view(struct web *w, const struct invoice_page *page)
{
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < page->n; i++) {
        const struct invoice *invoice = &page->v[i];
        struct json_object *o = json_new_object();

        json_set_str(o, "number", invoice->number);
        json_set_str(o, "month", invoice->month);
        json_set_str(o, "issued", invoice->issue_date);
        json_set_str(o, "link", link_invoice(w->arena, invoice->id, NULL));
        json_set_str(o, "pdf_link", link_invoice(w->arena, invoice->id, "pdf"));
        view_money(o, "usage", invoice->usage, VIEW_DOLLARS);
        view_money(o, "closing", invoice->closing, VIEW_DOLLARS);
        json_push(list, o);
    }
    return list;
}

static struct json_object *ways_view(const struct payment_choice *ways)
{
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < ways->n; i++) {
        struct json_object *o = json_new_object();

        json_set_cstr(o, "label", ways->v[i]->label);
        json_set_cstr(o, "sentence", ways->v[i]->sentence);
        json_push(list, o);
    }
    return list;
}

static int show(struct web *w, int status, const struct forms *forms)
{
    struct json_object *view, *movements = json_new_array(), *orders = json_new_array();
    struct figures f = {0};
    int r = read_figures(w, &f);

    if (r != 0) {
        json_unref(movements);
        json_unref(orders);
        return web_outcome(w, r);
    }
    view = json_new_object();
    for (size_t i = 0; i < f.movements.n; i++)
        json_push(movements, billing_movement(w, &f.movements.v[i]));
    for (size_t i = 0; i < f.orders.n; i++)
        json_push(orders, order_view(w, &f.orders.v[i]));
    balance_view(&f.balance, view);
    json_set(view, "movements", movements);
    json_set_bool(view, "filtered", false);
    json_set(view, "orders", orders);
    json_set_bool(view, "any_orders", f.orders.n > 0);
    json_set(view, "invoices", invoices_view(w, &f.invoices));
    form_view(&forms->top_up, view, "form");
    json_set(view, "ways", ways_view(&forms->ways));
    json_set_bool(view, "stripe_test", w->services->stripe && stripe_is_test(w->services->stripe));
    form_view(&forms->redeem, view, "redeem");
    r = grants_view(w, w->session.team, w->zone, view);
    if (r == 0)
        r = credit_notes_view(w, w->session.team, 0, view);
    if (r != 0) {
        json_unref(view);
        return web_outcome(w, r);
    }
    return web_render_as(w, status, "billing", "Billing", view);
}

int page_billing(struct web *w)
{
    struct forms forms;
    int r = open_forms(w, &forms);

    return r ? web_outcome(w, r) : show(w, 200, &forms);
}

static int begin_payment(struct web *w, struct order *order)
{
    const struct payment_provider *provider = payment_provider_find(order->provider);
    struct payment_next next = {0};
    int r;

    if (provider == &payment_stripe) {
        r = web_commit(w);
        return r ? web_outcome(w, r) : order_pay(w, order);
    }
    r = provider->begin(w->db, w->arena, order, &next);
    if (r < 0)
        return err_trace(r);
    return web_redirect(w, next.path.p ? next.path : link_order(w->arena, order->id, NULL), NULL);
}

int page_top_up(struct web *w)
{
    struct identity_fault fault = {0};
    struct order order;
    struct forms forms;
    struct form *form = &forms.top_up;
    struct order_wish wish = {.stripe = w->services->stripe};
    int r = open_forms(w, &forms);

    if (r == 0)
        r = form_read(form, &w->submitted);
    if (r != 0)
        return web_outcome(w, r);
    wish.amount = form->v[AMOUNT].money;
    wish.provider = form->v[PROVIDER].text;
    if (!form->wrong)
        r = order_create(w->db, w->arena, &w->actor, w->session.team, w->session.user, &wish, &order,
                         &fault);
    if (r == IDENTITY_E_FAULT)
        form_fault(form, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    return form->wrong ? show(w, 422, &forms) : begin_payment(w, &order);
}

static const char *redeemed_text(struct web *w, const struct redeemed *got)
{
    struct str amount = view_money_text(w->arena, got->amount, 2);
    struct str text = arena_strf(w->arena, "%.*s of credit is yours: %.*s.", STR_FMT(amount),
                                 STR_FMT(got->name));

    return text.p ? text.p : "The code is redeemed.";
}

static int refuse_guessing(struct web *w, struct form *form, int32_t retry_after_s)
{
    struct str text = arena_strf(w->arena, "Too many wrong codes. Try again in %.*s.",
                                 STR_FMT(view_plural(w->arena, (retry_after_s + 59) / 60, "minute", NULL)));

    if (!text.p)
        return err_origin(-ENOMEM);
    form_fault_at(form, 0, text.p);
    response_header(w->out, "retry-after", arena_strf(w->arena, "%d", retry_after_s));
    return 0;
}

/* Claiming runs its own transactions (payments/redeem.h), so the page's is left before. */
int page_redeem(struct web *w)
{
    struct identity_fault fault = {0};
    struct redeemed got;
    struct forms forms;
    struct form *form = &forms.redeem;
    int status = 422;
    int r = open_forms(w, &forms);

    if (r == 0)
        r = form_read(form, &w->submitted);
    if (r != 0)
        return web_outcome(w, r);
    web_leave_tx(w);
    if (!form->wrong)
        r = redeem_claim(w->db, w->arena, w->services->key_pepper, &w->actor, w->session.team,
                         form->v[0].text, &got, &fault);
    if (r == IDENTITY_E_FAULT) {
        form_fault(form, &fault);
        r = 0;
    } else if (r == IDENTITY_E_LIMITED) {
        r = refuse_guessing(w, form, fault.retry_after_s);
        status = 429;
    }
    if (r != 0)
        return web_outcome(w, r);
    if (!form->wrong)
        return web_redirect(w, link_to(LINK_billing), redeemed_text(w, &got));
    r = web_again(w);
    return r ? web_outcome(w, r) : show(w, status, &forms);
}
