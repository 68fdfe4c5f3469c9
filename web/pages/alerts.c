/* alerts.c: see alerts.h. */
#include "web/pages/alerts.h"

#include <errno.h>
#include <inttypes.h>

#include "base/err.h"
#include "identity/member.h"
#include "notices/alert.h"
#include "web/form.h"
#include "web/links.h"
#include "web/pages/alert_webhook.h"
#include "web/view.h"

#define ALERTS_SHOWN 50

enum { MARKS, BALANCE, RECIPIENTS };

static const struct form_field fields[] = {
    [MARKS] = {"marks", "A budget is spent to", FORM_MANY},
    [BALANCE] = {"balance_below", "The balance is below", FORM_MONEY,
                 .max = INT64_C(1000000000000000000), .placeholder = "10", .autocomplete = "off",
                 .help = "Wallet and grants together. Empty: nothing is said of it."},
    [RECIPIENTS] = {"recipients", "Who is mailed", FORM_MANY},
};

static int open_form(struct web *w, struct form *form)
{
    struct member_page members;
    struct arena *a = w->arena;
    int r = form_init(form, a, fields, ARRAY_LEN(fields));

    if (r == 0)
        r = member_list(w->db, a, w->session.team, &members);
    for (size_t i = 0; r == 0 && i < ALERT_MARKS; i++)
        form_option(form, MARKS, arena_strf(a, "%d", alert_marks[i]),
                    alert_marks[i] == 100 ? STR("100 %: it refuses requests")
                                          : arena_strf(a, "%d %%", alert_marks[i]));
    for (size_t i = 0; r == 0 && i < members.n; i++)
        form_option(form, RECIPIENTS, arena_strf(a, "%" PRId64, members.v[i].user.v),
                    arena_strf(a, "%.*s, %.*s", STR_FMT(members.v[i].name),
                               STR_FMT(members.v[i].email)));
    return r;
}

static int fill_form(struct web *w, struct form *form, const struct alert_settings *s)
{
    struct str *users = arena_array(w->arena, struct str, MAX(s->n_recipients, (size_t)1));
    struct str marks[ALERT_MARKS];
    size_t n = 0;
    int r;

    if (!users)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < s->n_recipients; i++)
        users[i] = arena_strf(w->arena, "%" PRId64, s->recipients[i]);
    for (size_t i = 0; i < ALERT_MARKS; i++)
        if (s->marks[i])
            marks[n++] = arena_strf(w->arena, "%d", alert_marks[i]);
    if (s->balance_below.nano)
        form_set_money(form, BALANCE, s->balance_below);
    r = form_set_many(form, MARKS, marks, n);
    return r ? r : form_set_many(form, RECIPIENTS, users, s->n_recipients);
}

static struct json_object *alerts_view(struct web *w, const struct alert_page *page)
{
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < page->n; i++) {
        const struct alert *v = &page->v[i];
        struct json_object *o = json_new_object();

        json_set_str(o, "title", alert_title(w->arena, v));
        json_set_str(o, "sentence", alert_sentence(w->arena, v));
        view_time(o, "raised", v->raised_at_us, w->zone, w->now_us);
        if (v->ended_at_us)
            view_badge(o, "state", VIEW_NEUTRAL, "Over");
        else
            view_badge(o, "state", v->mark >= 100 ? VIEW_BAD : VIEW_WARN, "Stands");
        json_push(list, o);
    }
    return list;
}

static struct webhook_area area_of(const struct web *w);

static int show(struct web *w, int status, const struct form *form, const struct alerts_told *told)
{
    const struct webhook_area area = area_of(w);
    struct json_object *view = json_new_object();
    struct alert_page alerts;
    int r = alert_list(w->db, w->arena, area.team, false, ALERTS_SHOWN, &alerts);

    if (r == 0)
        r = webhook_area_view(w, &area, told, view);
    if (r != 0) {
        json_unref(view);
        return web_outcome(w, r);
    }
    json_set(view, "alerts", alerts_view(w, &alerts));
    json_set_bool(view, "any_alerts", alerts.n > 0);
    form_view(form, view, "form");
    return web_render_as(w, status, "alerts", "Alerts", view);
}

/* With the settings as they are. */
static int show_settings(struct web *w, int status, const struct alerts_told *told)
{
    struct alert_settings s;
    struct form form;
    int r = open_form(w, &form);

    if (r == 0)
        r = alert_settings_read(w->db, w->arena, w->session.team, &s);
    if (r == 0)
        r = fill_form(w, &form, &s);
    return r ? web_outcome(w, r) : show(w, status, &form, told);
}

static struct webhook_area area_of(const struct web *w)
{
    return (struct webhook_area){.team = w->session.team,
                                 .page = LINK_alerts,
                                 .set = LINK_webhook,
                                 .test = LINK_webhook_test,
                                 .drop = LINK_webhook_drop,
                                 .sees_sent = web_role(w, ROLE_ADMIN),
                                 .show = show_settings};
}

int page_alerts(struct web *w)
{
    return show_settings(w, 200, &(struct alerts_told){.secret = STR("")});
}

int page_webhook_set(struct web *w)
{
    const struct webhook_area area = area_of(w);

    return webhook_area_set(w, &area);
}

int page_webhook_drop(struct web *w)
{
    const struct webhook_area area = area_of(w);

    return webhook_area_drop(w, &area);
}

int page_webhook_test(struct web *w)
{
    const struct webhook_area area = area_of(w);

    return webhook_area_test(w, &area);
}

static int read_form(struct web *w, const struct form *form, struct alert_settings *ret)
{
    const struct form_value *marks = &form->v[MARKS], *users = &form->v[RECIPIENTS];
    struct alert_settings s = {.balance_below = form->v[BALANCE].money};

    s.recipients = arena_array(w->arena, int64_t, MAX(users->n_many, (size_t)1));
    if (!s.recipients)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < users->n_many; i++)
        if (str_i64(users->many[i], &s.recipients[s.n_recipients]) == STR_OK)
            s.n_recipients++;
    for (size_t i = 0; i < marks->n_many; i++)
        for (size_t k = 0; k < ALERT_MARKS; k++) {
            int64_t mark;

            if (str_i64(marks->many[i], &mark) == STR_OK && mark == alert_marks[k])
                s.marks[k] = true;
        }
    *ret = s;
    return 0;
}

int page_alerts_save(struct web *w)
{
    struct identity_fault fault = {0};
    struct alert_settings s;
    struct form form;
    int r = open_form(w, &form);

    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r == 0)
        r = read_form(w, &form, &s);
    if (r == 0 && !form.wrong)
        r = alert_settings_save(w->db, w->arena, &w->actor, w->session.team, &s, &fault);
    if (r == IDENTITY_E_FAULT)
        form_fault(&form, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    if (form.wrong)
        return show(w, 422, &form, &(struct alerts_told){.secret = STR("")});
    return web_redirect(w, link_to(LINK_alerts), "The alerts are as you wish.");
}
