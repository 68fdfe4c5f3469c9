/* operator_alerts.c: see operator_alerts.h. */
#include "web/pages/operator_alerts.h"

#include <errno.h>
#include <inttypes.h>

#include "base/bounds.h"
#include "base/err.h"
#include "notices/alarm.h"
#include "notices/trial.h"
#include "web/form.h"
#include "web/links.h"
#include "web/pages/alert_webhook.h"
#include "web/pages/operator_area.h"
#include "web/view.h"

#define ALERTS_SHOWN 50

enum { KINDS, AFTER, RECIPIENTS };

static const struct form_field fields[] = {
    [KINDS] = {"kinds", "What is told", FORM_MANY},
    [AFTER] = {"account_after_seconds", "An account has to fail for seconds", FORM_INTEGER,
               .max = ALARM_AFTER_MAX_S, .autocomplete = "off",
               .help = "So long it fails until it is told, and so long it does not until that is over. A refused "
                       "credential is told at once. Empty: any failure that is left alone is."},
    [RECIPIENTS] = {"recipients", "Who is mailed", FORM_MANY},
};

static int open_form(struct web *w, struct form *form, struct alarm_settings *s)
{
    struct arena *a = w->arena;
    int r = form_init(form, a, fields, ARRAY_LEN(fields));

    if (r == 0)
        r = alarm_settings_read(w->db, a, s);
    for (int k = 0; r == 0 && k < ALARM_KINDS; k++)
        form_option(form, KINDS, str_c(alarm_kind_name((enum alarm_kind)k)),
                    str_c(alarm_kind_says((enum alarm_kind)k)));
    for (size_t i = 0; r == 0 && i < s->n_operators; i++)
        form_option(form, RECIPIENTS, arena_strf(a, "%" PRId64, s->operators[i].id),
                    arena_strf(a, "%.*s, %.*s", STR_FMT(s->operators[i].name),
                               STR_FMT(s->operators[i].email)));
    return r;
}

static int fill_form(struct web *w, struct form *form, const struct alarm_settings *s)
{
    struct str *users = arena_array(w->arena, struct str, s->n_operators + 1);
    struct str kinds[ALARM_KINDS];
    size_t n_kinds = 0, n_users = 0;
    int r;

    if (!users)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < s->n_operators; i++)
        if (s->operators[i].mailed)
            users[n_users++] = arena_strf(w->arena, "%" PRId64, s->operators[i].id);
    for (int k = 0; k < ALARM_KINDS; k++)
        if (s->kinds[k])
            kinds[n_kinds++] = str_c(alarm_kind_name((enum alarm_kind)k));
    form_set_i64(form, AFTER, s->account_after_s);
    r = form_set_many(form, KINDS, kinds, n_kinds);
    return r ? r : form_set_many(form, RECIPIENTS, users, n_users);
}

/* Where the cause is to be seen; p NULL: nowhere. */
static struct str link_of(struct arena *a, const struct alarm *v)
{
    struct str kind, id = v->subject;
    int64_t n;

    if (str_eq_c(v->kind, "books"))
        return link_to(LINK_operator_findings);
    if (!str_split(&id, ':', &kind) || str_i64(id, &n) != STR_OK)
        return STR_NONE;
    if (str_eq_c(v->kind, "account"))
        return link_provider_account(a, (struct account_id){n}, NULL);
    if (str_eq_c(v->kind, "price"))
        return link_model(a, (struct model_id){n}, NULL);
    return STR_NONE;
}

static struct json_object *alarms_view(struct web *w, const struct alarm_page *page)
{
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < page->n; i++) {
        const struct alarm *v = &page->v[i];
        struct json_object *o = json_new_object();

        json_set_str(o, "title", alarm_title(w->arena, v));
        json_set_str(o, "detail", v->detail);
        json_set_str(o, "link", link_of(w->arena, v));
        view_time(o, "raised", v->raised_at_us, w->zone, w->now_us);
        view_time(o, "ended", v->ended_at_us, w->zone, w->now_us);
        if (v->ended_at_us)
            view_badge(o, "state", VIEW_NEUTRAL, "Over");
        else
            view_badge(o, "state", VIEW_BAD, "Stands");
        json_push(list, o);
    }
    return list;
}

static const struct webhook_area area;

static int show(struct web *w, int status, const struct form *form, const struct alerts_told *told)
{
    struct json_object *view = json_new_object();
    struct alarm_page alarms = {0};
    int r = alarm_list(w->db, w->arena, ALERTS_SHOWN, &alarms);

    if (r == 0)
        r = webhook_area_view(w, &area, told, view);
    if (r != 0) {
        json_unref(view);
        return web_outcome(w, r);
    }
    json_set(view, "alerts", alarms_view(w, &alarms));
    json_set_bool(view, "any_alerts", alarms.n > 0);
    json_set_str(view, "my_email", w->session.email);
    form_view(form, view, "form");
    return operator_render(w, status, "operator_alerts", "Alerts", view);
}

/* With the settings as they are. */
static int show_settings(struct web *w, int status, const struct alerts_told *told)
{
    struct alarm_settings s;
    struct form form;
    int r = open_form(w, &form, &s);

    if (r == 0)
        r = fill_form(w, &form, &s);
    return r ? web_outcome(w, r) : show(w, status, &form, told);
}

/* The installation's: team 0. */
static const struct webhook_area area = {.page = LINK_operator_alerts,
                                         .set = LINK_operator_webhook,
                                         .test = LINK_operator_webhook_test,
                                         .drop = LINK_operator_webhook_drop,
                                         .sees_sent = true,
                                         .show = show_settings};

int page_operator_alerts(struct web *w)
{
    return show_settings(w, 200, &(struct alerts_told){.secret = STR("")});
}

static int save(struct web *w, const struct form *form, struct identity_fault *fault)
{
    const struct form_value *kinds = &form->v[KINDS], *users = &form->v[RECIPIENTS];
    struct alarm_settings s = {.account_after_s = (int32_t)form->v[AFTER].number};
    int64_t *recipients = arena_array(w->arena, int64_t, users->n_many + 1);
    size_t n = 0;

    if (!recipients)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < users->n_many; i++)
        if (str_i64(users->many[i], &recipients[n]) == STR_OK)
            n++;
    for (size_t i = 0; i < kinds->n_many; i++)
        for (int k = 0; k < ALARM_KINDS; k++)
            if (str_eq_c(kinds->many[i], alarm_kind_name((enum alarm_kind)k)))
                s.kinds[k] = true;
    return alarm_settings_save(w->db, w->arena, &w->actor, &s, recipients, n, fault);
}

int page_operator_alerts_save(struct web *w)
{
    struct identity_fault fault = {0};
    struct alarm_settings s;
    struct form form;
    int r = open_form(w, &form, &s);

    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r == 0 && !form.wrong)
        r = save(w, &form, &fault);
    if (r == IDENTITY_E_FAULT)
        form_fault(&form, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    if (form.wrong)
        return show(w, 422, &form, &(struct alerts_told){.secret = STR("")});
    return web_redirect(w, link_to(LINK_operator_alerts), "The alerts are as you wish.");
}

/* The mail server is waited for, so no transaction stays open meanwhile. */
int page_operator_alerts_mail(struct web *w)
{
    struct trial trial;
    int r;

    web_leave_tx(w);
    r = trial_mail(w->db, w->arena, w->services->notices, w->session.email, &trial);
    if (r == TRIAL_E_NONE)
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    if (r == 0)
        r = web_again(w);
    return r ? web_outcome(w, r)
             : show_settings(w, 200, &(struct alerts_told){.secret = STR(""), .mail = &trial});
}

int page_operator_webhook_set(struct web *w)
{
    return webhook_area_set(w, &area);
}

int page_operator_webhook_drop(struct web *w)
{
    return webhook_area_drop(w, &area);
}

int page_operator_webhook_test(struct web *w)
{
    return webhook_area_test(w, &area);
}
