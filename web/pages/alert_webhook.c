/* alert_webhook.c: see alert_webhook.h. */
#include "web/pages/alert_webhook.h"

#include "base/err.h"
#include "notices/trial.h"
#include "notices/webhook.h"
#include "web/form.h"
#include "web/pages/sent.h"
#include "web/view.h"

#define SENT_SHOWN 50

enum { URL };

static const struct form_field fields[] = {
    [URL] = {"url", "URL", FORM_TEXT, .required = true, .max = 2000, .autocomplete = "off",
             .placeholder = "https://example.org/tollgate"},
};

int webhook_area_view(struct web *w, const struct webhook_area *area, const struct alerts_told *told,
                      struct json_object *view)
{
    struct outbox_page sent = {0};
    struct str url = STR_NONE;
    struct form none;
    int r = form_init(&none, w->arena, fields, ARRAY_LEN(fields));

    if (r == 0)
        r = webhook_read(w->db, w->arena, area->team, &url);
    if (r == IDENTITY_E_NONE)
        r = 0;
    if (r == 0 && area->sees_sent)
        r = outbox_list(w->db, w->arena, area->team, SENT_SHOWN, &sent);
    if (r != 0)
        return r;
    json_set(view, "sent", sent_view(w, &sent));
    json_set_bool(view, "any_sent", sent.n > 0);
    json_set_bool(view, "mails", notices_mail(w->services->notices));
    json_set_str(view, "webhook_url", url);
    json_set_bool(view, "any_webhook", url.n > 0);
    json_set_str(view, "webhook_link", link_to(area->set));
    json_set_str(view, "webhook_test_link", link_to(area->test));
    json_set_str(view, "webhook_drop_link", link_to(area->drop));
    json_set_str(view, "secret", told->secret);
    json_set(view, "mail_trial", trial_view(told->mail));
    json_set(view, "webhook_trial", trial_view(told->post));
    form_view(told->webhook ? told->webhook : &none, view, "webhook_form");
    return 0;
}

int webhook_area_set(struct web *w, const struct webhook_area *area)
{
    struct identity_fault fault = {0};
    struct str secret = STR("");
    struct form form;
    int r = form_init(&form, w->arena, fields, ARRAY_LEN(fields));

    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r == 0 && !form.wrong)
        r = webhook_set(w->db, w->arena, w->services->notices, &w->actor, area->team,
                        form.v[URL].text, &secret, &fault);
    if (r == IDENTITY_E_FAULT)
        form_fault(&form, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    return area->show(w, form.wrong ? 422 : 200,
                      &(struct alerts_told){.webhook = form.wrong ? &form : NULL, .secret = secret});
}

int webhook_area_drop(struct web *w, const struct webhook_area *area)
{
    int r = webhook_drop(w->db, w->arena, &w->actor, area->team);

    return r ? web_outcome(w, r) : web_redirect(w, link_to(area->page), "The webhook is taken away.");
}

int webhook_area_test(struct web *w, const struct webhook_area *area)
{
    struct trial trial;
    int r;

    web_leave_tx(w);
    r = trial_webhook(w->db, w->arena, w->services->notices, area->team, &trial);
    if (r == TRIAL_E_NONE)
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    if (r == 0)
        r = web_again(w);
    return r ? web_outcome(w, r)
             : area->show(w, 200, &(struct alerts_told){.secret = STR(""), .post = &trial});
}
