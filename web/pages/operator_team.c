/* operator_team.c: see operator_team.h. */
#include "web/pages/operator_team.h"

#include <errno.h>
#include <inttypes.h>

#include "base/err.h"
#include "identity/keyring.h"
#include "identity/member.h"
#include "ledger/invoice.h"
#include "ledger/statement.h"
#include "web/links.h"
#include "web/pages/billing.h"
#include "web/pages/grants.h"
#include "web/pages/ledger_filter.h"
#include "web/pages/order.h"
#include "web/pages/operator_area.h"
#include "web/pages/operator_money.h"
#include "web/pages/own_key_form.h"
#include "web/view.h"

#define TRANSFERS_SHOWN 20
#define ORDERS_SHOWN 10
#define INVOICES_SHOWN 24

/* --- what belongs to it --- */

static int add_balance(struct web *w, const struct team *team, struct json_object *view)
{
    struct balance b = {0};
    int r = balance_read(w->db, w->arena, team->id, &b);

    if (r < 0)
        return err_trace(r);
    view_figure(view, "balance", b.posted);
    view_figure(view, "granted", b.grants);
    view_figure(view, "wallet", b.wallet);
    view_figure(view, "available", b.available);
    view_figure(view, "held", b.held);
    view_money(view, "paid_in", b.credits, VIEW_DOLLARS);
    view_figure(view, "spent", b.debits);
    return 0;
}

static int add_members(struct web *w, const struct team *team, struct json_object *view)
{
    struct json_object *list = json_new_array();
    struct member_page page;
    int r = member_list(w->db, w->arena, team->id, &page);

    json_set(view, "members", list);
    for (size_t i = 0; r == 0 && i < page.n; i++) {
        struct json_object *o = json_new_object();

        json_set_str(o, "email", page.v[i].email);
        json_set_str(o, "name", page.v[i].name);
        json_set_cstr(o, "role", role_name(page.v[i].role));
        json_set_bool(o, "off", page.v[i].disabled);
        json_set_str(o, "link",
                     operator_page_link(w, link_to(LINK_operator_users), "q", page.v[i].email, 0));
        view_time(o, "joined", page.v[i].joined_at_us, w->zone, w->now_us);
        json_push(list, o);
    }
    json_set_bool(view, "any_member", r == 0 && page.n > 0);
    return r;
}

static void key_state(const struct key_view *k, struct json_object *o)
{
    json_set_bool(o, "off", k->disabled || k->expired);
    if (k->disabled)
        view_badge(o, "state", VIEW_WARN, "Disabled");
    else if (k->expired)
        view_badge(o, "state", VIEW_WARN, "Expired");
    else
        view_badge(o, "state", VIEW_GOOD, "Active");
}

/* Its own ones at providers; the page of one is that of any account. */
static int add_own_keys(struct web *w, const struct team *team, struct json_object *view)
{
    struct json_object *list = json_new_array();
    struct account_row *rows;
    size_t n = 0;
    int r = account_list_own(w->db, w->arena, team->id, &rows, &n);

    json_set(view, "own_keys", list);
    for (size_t i = 0; r == 0 && i < n; i++) {
        struct json_object *o = json_new_object();

        own_key_view(w, &rows[i], o);
        json_set_str(o, "link", link_provider_account(w->arena, rows[i].id, NULL));
        json_push(list, o);
    }
    json_set_bool(view, "any_own_key", r == 0 && n > 0);
    return r;
}

static int add_keys(struct web *w, const struct team *team, struct json_object *view)
{
    struct json_object *list = json_new_array();
    struct key_page page;
    int r = keyring_list(w->db, w->arena, team->id, false, &page);

    json_set(view, "keys", list);
    for (size_t i = 0; r == 0 && i < page.n; i++) {
        const struct key_view *k = &page.v[i];
        struct json_object *o = json_new_object();

        json_set_str(o, "name", k->settings.name);
        json_set_str(o, "owner", k->owner_name);
        json_set_str(o, "link",
                     operator_page_link(w, link_to(LINK_operator_calls), "key",
                                        arena_strf(w->arena, "%" PRId64, k->id.v), 0));
        view_key(o, "chip", k->settings.name, k->prefix, k->last4, STR_NONE);
        view_money(o, "spent_month", k->spent_month, VIEW_DOLLARS);
        view_money(o, "spent_total", k->spent_total, VIEW_DOLLARS);
        key_state(k, o);
        json_push(list, o);
    }
    json_set_bool(view, "any_key", r == 0 && page.n > 0);
    return r;
}

static struct json_object *transfer_view(struct web *w, const struct statement_row *row)
{
    struct json_object *o = json_new_object();

    json_set_i64(o, "id", row->id);
    json_set_cstr(o, "what", billing_code_text(row->code));
    json_set_str(o, "code", row->code);
    json_set_str(o, "ref", row->ref);
    json_set_str(o, "reason", row->reason);
    json_set_str(o, "actor", row->actor_name);
    json_set_str(o, "calls",
                 row->calls ? view_plural(w->arena, row->calls, "call", NULL) : STR(""));
    view_money(o, "amount", row->amount, VIEW_CALL);
    view_money(o, "after", row->after, VIEW_CALL);
    view_time(o, "at", row->posted_at_us, w->zone, w->now_us);
    return o;
}

static int add_ledger(struct web *w, const struct team *team, struct json_object *view)
{
    struct str path = link_operator_team(w->arena, team->id, NULL);
    struct json_object *list = json_new_array();
    struct statement_page page = {0};
    struct ledger_filter filter;
    int r = ledger_filter_read(w, team->id, OPERATOR_LEDGER_KIND, &filter);

    json_set(view, "transfers", list);
    if (r == 0)
        r = statement_list(w->db, w->arena, team->id, &filter.is, filter.before, TRANSFERS_SHOWN,
                           &page);
    if (r == 0)
        r = ledger_filter_view(w, team->id, &filter,
                               link_operator_team(w->arena, team->id, "ledger"), view);
    if (r != 0)
        return r;
    for (size_t i = 0; i < page.n; i++)
        json_push(list, transfer_view(w, &page.v[i]));
    json_set_bool(view, "any_transfer", page.n > 0);
    json_set_bool(view, "filtered", filter.months.n > 0);
    json_set_str(view, "self_link", path);
    view_pager(view, "pager", STR_NONE,
               page.older ? ledger_filter_link(w, &filter, path, page.v[page.n - 1].id) : STR_NONE);
    return 0;
}

/* --- what was paid and invoiced --- */

static int add_orders(struct web *w, const struct team *team, struct json_object *view)
{
    struct json_object *list = json_new_array();
    struct order_page page = {0};
    int r = order_list(w->db, w->arena, team->id, -1, 0, ORDERS_SHOWN, &page);

    json_set(view, "orders", list);
    for (size_t i = 0; r == 0 && i < page.n; i++) {
        struct json_object *o = order_view(w, &page.v[i]);

        json_set_str(o, "link", link_operator_order(w->arena, page.v[i].id, NULL));
        json_push(list, o);
    }
    json_set_bool(view, "any_order", r == 0 && page.n > 0);
    return r;
}

static int add_invoices(struct web *w, const struct team *team, struct json_object *view)
{
    struct json_object *list = json_new_array();
    struct invoice_page page = {0};
    int r = invoice_list(w->db, w->arena, team->id, &page);

    json_set(view, "invoices", list);
    for (size_t i = 0; r == 0 && i < page.n && i < INVOICES_SHOWN; i++) {
        struct json_object *o = json_new_object();

        json_set_str(o, "number", page.v[i].number);
        json_set_str(o, "month", page.v[i].month);
        json_set_str(o, "link", link_operator_invoice(w->arena, team->id, page.v[i].id));
        view_figure(o, "usage", page.v[i].usage);
        json_push(list, o);
    }
    json_set_bool(view, "any_invoice", r == 0 && page.n > 0);
    return r;
}

/* --- the page --- */

static void put_facts(struct web *w, const struct team *team, struct json_object *view)
{
    const struct team_settings *s = &team->settings;
    struct str id = arena_strf(w->arena, "%" PRId64, team->id.v);

    json_set_i64(view, "team_id", team->id.v);
    json_set_str(view, "name", s->name);
    json_set_bool(view, "demo", team->demo);
    json_set_bool(view, "is_frozen", team->frozen);
    json_set_str(view, "frozen_reason", team->frozen_reason);
    view_time(view, "frozen_at", team->frozen_at_us, w->zone, w->now_us);
    json_set_str(view, "time_zone", s->time_zone);
    json_set_str(view, "legal_name", s->legal_name);
    json_set_str(view, "address", s->address);
    json_set_str(view, "country", s->country);
    json_set_str(view, "tax_id", s->tax_id);
    json_set_str(view, "billing_email", s->billing_email);
    view_time(view, "created", team->created_at_us, w->zone, w->now_us);
    json_set_str(view, "calls_link",
                 operator_page_link(w, link_to(LINK_operator_calls), "team", id, 0));
    json_set_str(view, "audit_link",
                 operator_page_link(w, link_to(LINK_operator_audit), "team", id, 0));
    json_set_str(view, "adjust_link", link_operator_team(w->arena, team->id, "adjust"));
    json_set_str(view, "grant_link", link_operator_team(w->arena, team->id, "grant"));
    json_set_str(view, "freeze_link", link_operator_team(w->arena, team->id, "freeze"));
    json_set_str(view, "unfreeze_link", link_operator_team(w->arena, team->id, "unfreeze"));
}

/* A grant's day is one of the team's, as it is where it is given and on the team's own page. */
static int add_grants(struct web *w, const struct team *team, struct json_object *view)
{
    const struct zone *zone = zone_open(w->arena, team->settings.time_zone);

    return zone ? grants_view(w, team->id, zone, view) : err_origin(-ENOMEM);
}

static int show(struct web *w, int status, const struct team *team, const struct team_told *told)
{
    struct json_object *view = json_new_object();
    int r = add_balance(w, team, view);

    if (r == 0)
        r = add_members(w, team, view);
    if (r == 0)
        r = add_keys(w, team, view);
    if (r == 0)
        r = add_own_keys(w, team, view);
    if (r == 0)
        r = add_ledger(w, team, view);
    if (r == 0)
        r = operator_money_forms(w, told->adjust, told->grant, view);
    if (r == 0)
        r = add_grants(w, team, view);
    if (r == 0)
        r = add_orders(w, team, view);
    if (r == 0)
        r = add_invoices(w, team, view);
    if (r != 0) {
        json_unref(view);
        return r < 0 ? err_trace(r) : web_outcome(w, r);
    }
    put_facts(w, team, view);
    json_set_cstr(view, "freeze_fault", told->freeze_fault);
    return operator_render(w, status, "operator_team", "Team", view);
}

int operator_team_read(struct web *w, struct team *ret)
{
    struct team_id id;

    if (!web_param_id(w, 0, &id.v))
        return IDENTITY_E_NONE;
    return team_get(w->db, w->arena, id, ret);
}

int operator_team_show_again(struct web *w, const struct team *team, const struct team_told *told)
{
    int r = web_again(w);

    return r ? web_outcome(w, r) : show(w, 422, team, told);
}

int page_operator_team(struct web *w)
{
    struct team team;
    int r = operator_team_read(w, &team);

    return r ? web_outcome(w, r) : show(w, 200, &team, &(struct team_told){0});
}

int page_operator_team_freeze(struct web *w)
{
    struct str reason = str_trim(pairs_get(&w->submitted, "reason"));
    struct identity_fault fault = {0};
    struct team team;
    int r = operator_team_read(w, &team);

    if (r == 0)
        r = team_freeze(w->db, w->arena, &w->actor, team.id, reason.p ? reason : STR(""), &fault);
    if (r == IDENTITY_E_FAULT)
        return operator_team_show_again(w, &team,
                                        &(struct team_told){.freeze_fault = fault.sentence});
    if (r != 0)
        return web_outcome(w, r);
    return web_redirect(w, link_operator_team(w->arena, team.id, NULL), "The team is frozen.");
}

int page_operator_team_unfreeze(struct web *w)
{
    struct team team;
    int r = operator_team_read(w, &team);

    if (r == 0)
        r = team_unfreeze(w->db, w->arena, &w->actor, team.id);
    if (r != 0)
        return web_outcome(w, r);
    return web_redirect(w, link_operator_team(w->arena, team.id, NULL),
                        "The team’s calls are served again.");
}
