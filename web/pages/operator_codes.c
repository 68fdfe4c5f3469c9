/* operator_codes.c: see operator_codes.h. */
#include "web/pages/operator_codes.h"

#include "base/bounds.h"
#include "base/err.h"
#include "payments/booking.h"
#include "payments/redeem.h"
#include "web/form.h"
#include "web/links.h"
#include "web/pages/operator_area.h"
#include "web/view.h"

#define CODES_A_PAGE 50

enum { AMOUNT, NAME, COUNT, USES, GRANT_DAYS, PRIORITY, EXPIRES, NOTE, FIELDS };

static const struct form_field fields[FIELDS] = {
    [AMOUNT] = {"amount", "Amount, $", FORM_MONEY, .required = true, .min = 1,
                .max = BOOKING_MAX_NANO, .placeholder = "25", .autocomplete = "off"},
    [NAME] = {"name", "Name of the grant", FORM_TEXT, .required = true, .min = 1, .max = 80,
              .placeholder = "Conference credit", .help = "What teams see it as.",
              .autocomplete = "off"},
    [COUNT] = {"count", "How many codes", FORM_INTEGER, .required = true, .min = 1,
               .max = REDEEM_CODES_MAX, .autocomplete = "off"},
    [USES] = {"uses", "Teams a code", FORM_INTEGER, .required = true, .min = 1,
              .max = REDEEM_USES_MAX, .help = "How many teams may redeem each; a team only once.",
              .autocomplete = "off"},
    [GRANT_DAYS] = {"grant_days", "Credit lasts, days", FORM_INTEGER, .min = 1,
                    .max = REDEEM_DAYS_MAX, .help = "From the day it is redeemed; empty: for ever.",
                    .autocomplete = "off"},
    [PRIORITY] = {"priority", "Priority", FORM_INTEGER, .required = true, .min = 0,
                  .max = GRANT_PRIORITY_MAX, .help = "The smallest is used first.",
                  .autocomplete = "off"},
    [EXPIRES] = {"expires", "Redeem until", FORM_DAY, .help = "Empty: for ever.",
                 .autocomplete = "off"},
    [NOTE] = {"note", "Note", FORM_TEXT, .max = 300, .help = "For operators only.",
              .autocomplete = "off"},
};

static int open_form(struct web *w, struct form *form)
{
    int r = form_init(form, w->arena, fields, ARRAY_LEN(fields));

    form_set_i64(form, COUNT, 1);
    form_set_i64(form, USES, 1);
    form_set_i64(form, PRIORITY, GRANT_PRIORITY_USUAL);
    return r;
}

static void state_view(const struct redeem_code *c, int64_t now_us, struct json_object *o)
{
    bool open = !c->revoked_at_us && c->used < c->uses && !(c->expires_us && c->expires_us <= now_us);

    json_set_bool(o, "open", open);
    if (c->revoked_at_us)
        view_badge(o, "state", VIEW_BAD, "Revoked");
    else if (c->used == c->uses)
        view_badge(o, "state", VIEW_NEUTRAL, "Used up");
    else if (!open)
        view_badge(o, "state", VIEW_NEUTRAL, "Expired");
    else
        view_badge(o, "state", VIEW_GOOD, "Open");
}

static struct json_object *code_view(struct web *w, const struct redeem_code *c)
{
    struct json_object *o = json_new_object();

    json_set_str(o, "last4", c->last4);
    json_set_str(o, "name", c->name);
    json_set_str(o, "note", c->note);
    json_set_str(o, "by", c->created_by);
    json_set_i64(o, "priority", c->priority);
    json_set_str(o, "lasts",
                 c->grant_days ? view_plural(w->arena, c->grant_days, "day", NULL) : STR("for ever"));
    json_set_str(o, "link", link_operator_code(w->arena, c->id, NULL));
    json_set_str(o, "revoke_link", link_operator_code(w->arena, c->id, "revoke"));
    view_count(o, "uses", c->uses);
    view_count(o, "used", c->used);
    view_money(o, "amount", c->amount, VIEW_DOLLARS);
    view_time(o, "created", c->created_at_us, w->zone, w->now_us);
    /* The last second that it can be redeemed: what ends with a day names that day. */
    view_time(o, "expires", c->expires_us ? c->expires_us - 1000000 : 0, w->zone, w->now_us);
    state_view(c, w->now_us, o);
    return o;
}

static int show(struct web *w, int status, const struct form *form)
{
    struct json_object *list = json_new_array(), *view = json_new_object();
    struct str older = STR_NONE;
    struct redeem_page page = {0};
    int r = redeem_list(w->db, w->arena, operator_query_id(w, "before"), CODES_A_PAGE + 1, &page);

    json_set(view, "codes", list);
    if (r != 0) {
        json_unref(view);
        return web_outcome(w, r);
    }
    for (size_t i = 0; i < page.n && i < CODES_A_PAGE; i++)
        json_push(list, code_view(w, &page.v[i]));
    if (page.n > CODES_A_PAGE)
        older = operator_page_link(w, link_to(LINK_operator_codes), "q", STR(""),
                                   page.v[CODES_A_PAGE - 1].id);
    json_set_bool(view, "any", page.n > 0);
    view_pager(view, "pager", STR_NONE, older);
    form_view(form, view, "form");
    return operator_render(w, status, "operator_codes", "Codes", view);
}

int page_operator_codes(struct web *w)
{
    struct form form;
    int r = open_form(w, &form);

    return r ? web_outcome(w, r) : show(w, 200, &form);
}

/* All of them as lines of text, to be copied. */
static struct str as_lines(struct arena *a, const struct redeem_made *made, size_t n)
{
    struct buf b;
    struct str text;

    buf_init(&b, KIB(16));
    for (size_t i = 0; i < n; i++)
        buf_printf(&b, "%s%.*s", i ? "\n" : "", STR_FMT(made[i].code));
    text = arena_str(a, buf_str(&b));
    buf_done(&b);
    return text;
}

static int show_made(struct web *w, const struct redeem_wish *wish,
                     const struct redeem_made *made)
{
    struct json_object *view = json_new_object();

    json_set_str(view, "secret", as_lines(w->arena, made, (size_t)wish->count));
    json_set_bool(view, "many", wish->count > 1);
    json_set_str(view, "count", view_plural(w->arena, wish->count, "code", NULL));
    json_set_str(view, "uses", view_plural(w->arena, wish->uses, "team", NULL));
    json_set_str(view, "name", wish->name);
    view_money(view, "amount", wish->amount, VIEW_DOLLARS);
    return operator_render(w, 200, "operator_codes_made", "New codes", view);
}

int page_operator_codes_make(struct web *w)
{
    struct identity_fault fault = {0};
    struct redeem_wish wish;
    struct redeem_made *made = NULL;
    struct form form;
    int r = open_form(w, &form);

    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r != 0)
        return web_outcome(w, r);
    wish = (struct redeem_wish){
        .amount = form.v[AMOUNT].money,
        .name = form.v[NAME].text,
        .note = form.v[NOTE].text,
        .count = (int32_t)form.v[COUNT].number,
        .uses = (int32_t)form.v[USES].number,
        .priority = (int32_t)form.v[PRIORITY].number,
        .grant_days = (int32_t)form.v[GRANT_DAYS].number,
        .expires_us = zone_end_of_day_us(w->zone, form.v[EXPIRES].text),
    };
    if (!form.wrong)
        r = redeem_make(w->db, w->arena, w->services->key_pepper, &w->actor, &wish, &made, &fault);
    if (r == IDENTITY_E_FAULT)
        form_fault(&form, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    if (!form.wrong)
        return show_made(w, &wish, made);
    r = web_again(w);
    return r ? web_outcome(w, r) : show(w, 422, &form);
}

int page_operator_code(struct web *w)
{
    struct json_object *view, *list;
    struct redemption_page page = {0};
    struct redeem_code code;
    int64_t id;
    int r = IDENTITY_E_NONE;

    if (web_param_id(w, 0, &id))
        r = redeem_get(w->db, w->arena, id, &code);
    if (r == 0)
        r = redeem_redemptions(w->db, w->arena, id, &page);
    if (r != 0)
        return web_outcome(w, r);
    view = json_new_object();
    list = json_new_array();
    for (size_t i = 0; i < page.n; i++) {
        struct json_object *o = json_new_object();

        json_set_str(o, "team", page.v[i].team_name);
        json_set_str(o, "team_link", link_operator_team(w->arena, page.v[i].team, NULL));
        json_set_str(o, "by", page.v[i].by);
        view_time(o, "at", page.v[i].at_us, w->zone, w->now_us);
        json_push(list, o);
    }
    json_set(view, "redemptions", list);
    json_set_bool(view, "any", page.n > 0);
    json_set(view, "code", code_view(w, &code));
    return operator_render(w, 200, "operator_code", "Code", view);
}

int page_operator_code_revoke(struct web *w)
{
    int64_t id;
    int r = IDENTITY_E_NONE;

    if (web_param_id(w, 0, &id))
        r = redeem_revoke(w->db, &w->actor, id);
    return r ? web_outcome(w, r)
             : web_redirect(w, link_operator_code(w->arena, id, NULL),
                            "The code is revoked. What was redeemed stays.");
}
