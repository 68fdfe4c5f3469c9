/* sign_in.c: see sign_in.h. */
#include "web/pages/sign_in.h"

#include "base/err.h"
#include "identity/field_bounds.h"
#include "identity/login.h"
#include "notices/notices.h"
#include "oidc/oidc.h"
#include "web/form.h"
#include "web/links.h"
#include "web/pages/identity_provider.h"
#include "web/pages/sign_in_code.h"

enum { EMAIL, PASSWORD };

static const struct form_field fields[] = {
    [EMAIL] = {"email", "E-mail", FORM_EMAIL, .required = true, .max = EMAIL_MAX,
               .autocomplete = "username"},
    [PASSWORD] = {"password", "Password", FORM_PASSWORD, .required = true, .max = 1024,
                  .autocomplete = "current-password"},
};

static int show(struct web *w, int status, const struct form *form)
{
    struct json_object *view = json_new_object();

    form_view(form, view, "form");
    json_set_str(view, "next", web_next(w));
    json_set_bool(view, "allowed", web_may_sign_in(w));
    json_set_bool(view, "mails", notices_mail(w->services->notices));
    json_set_bool(view, "password_of_operators", w->services->password_of_operators);
    json_set_bool(view, "tried", status != 200);
    provider_button(w, view, web_next(w), STR(""), false);
    return web_render_as(w, status, "sign_in", "Sign in", view);
}

int page_sign_in(struct web *w)
{
    struct form form;
    int r = form_init(&form, w->arena, fields, ARRAY_LEN(fields));

    if (r != 0)
        return err_trace(r);
    return w->signed_in ? web_redirect(w, web_next(w), NULL) : show(w, 200, &form);
}

int page_sign_in_send(struct web *w)
{
    struct login_made made;
    int32_t retry_after_s = 0;
    struct login login;
    struct form form;
    int r = form_init(&form, w->arena, fields, ARRAY_LEN(fields));

    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r != 0)
        return err_trace(r);
    if (!web_may_sign_in(w))
        return show(w, 403, &form);
    if (form.wrong)
        return show(w, 422, &form);
    if (!w->db)
        return web_outcome(w, DB_E_AWAY);
    login = (struct login){form.v[EMAIL].text, form.v[PASSWORD].text, web_from(w),
                           w->services->password_of_operators};
    r = login_try(w->db, w->arena, w->services->session_pepper, &login, &made, &retry_after_s);
    if (r < 0)
        return err_trace(r);
    if (r == LOGIN_E_WRONG) {
        form.fault = "E-mail or password is wrong.";
        return show(w, 422, &form);
    }
    if (r == LOGIN_E_PROVIDER) {
        form.fault = "Only operators sign in with a password here. Use the identity provider.";
        return show(w, 422, &form);
    }
    if (r == LOGIN_E_LIMITED)
        return web_fail_login_limit(w, retry_after_s);
    if (r == LOGIN_E_CODE)
        return sign_in_ask_code(w, made.ticket, web_next(w), false);
    web_set_session(w, &made.session);
    return web_redirect(w, web_next(w), NULL);
}

/* Here it is over, whatever the provider does. */
static int sign_out_there(struct web *w)
{
    struct json_object *view;
    struct str url;
    int r = oidc_sign_out_url(w->services->oidc, w->arena, link_to(LINK_sign_in), &url);

    if (r < 0)
        return err_trace(r);
    if (!url.p)
        return web_redirect(w, link_to(LINK_home), NULL);
    w->signed_in = false;
    view = json_new_object();
    json_set_str(view, "url", url);
    json_set_str(view, "name", oidc_name(w->services->oidc));
    return web_render(w, "signed_out", "Signed out", view);
}

int page_sign_out(struct web *w)
{
    int r;

    web_leave_tx(w);
    r = web_begin(w, DB_SYSTEM);
    if (r == 0)
        r = session_end(w->db, w->services->session_pepper, w->token);
    if (r == 0)
        r = web_commit(w);
    if (r != 0)
        return web_outcome(w, r);
    web_drop_session(w);
    return w->session.by_provider && w->services->oidc ? sign_out_there(w)
                                                       : web_redirect(w, link_to(LINK_home), NULL);
}

int page_show_team(struct web *w)
{
    struct team_id team;
    int r;

    if (str_i64(pairs_get(&w->submitted, "team"), &team.v) != STR_OK)
        return web_fail_code(w, PROBLEM_BAD_FIELD);
    web_leave_tx(w);
    r = web_begin(w, DB_SYSTEM);
    if (r == 0)
        r = session_show_team(w->db, w->session.id, w->session.user, team);
    return r ? web_outcome(w, r) : web_redirect(w, link_to(LINK_overview), NULL);
}
