/* reset.c: see reset.h. */
#include "web/pages/reset.h"

#include "base/err.h"
#include "identity/password.h"
#include "identity/reset.h"
#include "notices/notices.h"
#include "web/form.h"
#include "web/links.h"

enum { PASSWORD };

static const struct form_field fields[] = {
    [PASSWORD] = {"password", "New password", FORM_PASSWORD, .required = true, .min = PASSWORD_MIN,
                  .max = PASSWORD_MAX, .help = "At least 12 characters; a few words are fine.",
                  .autocomplete = "new-password"},
};

static int gone(struct web *w)
{
    struct problem p = problem_of(PROBLEM_NOT_FOUND);

    p.message = arena_strf(w->arena,
                           "This link has been used, was replaced by a newer one, or is older than %d "
                           "minutes. Ask %s.",
                           RESET_MINUTES,
                           notices_mail(w->services->notices) ? "for a new one where you sign in"
                                                              : "your operator for a new one");
    return web_fail(w, &p);
}

static int peek(struct web *w, struct str *ret_email)
{
    int r = web_begin(w, DB_SYSTEM);

    if (r == 0)
        r = reset_peek(w->db, w->arena, w->services->session_pepper, w->req->params[0],
                       w->services->password_of_operators, ret_email);
    web_leave_tx(w);
    return r;
}

static int show(struct web *w, int status, const struct form *form, struct str email)
{
    struct json_object *view = json_new_object();

    form_view(form, view, "form");
    json_set_str(view, "email", email);
    json_set_str(view, "action", w->req->path);
    json_set_bool(view, "allowed", web_may_sign_in(w));
    return web_render_as(w, status, "reset", "Set a new password", view);
}

int page_reset(struct web *w)
{
    struct form form;
    struct str email;
    int r = form_init(&form, w->arena, fields, ARRAY_LEN(fields));

    if (r == 0)
        r = peek(w, &email);
    if (r == IDENTITY_E_NONE)
        return gone(w);
    return r ? web_outcome(w, r) : show(w, 200, &form, email);
}

int page_reset_send(struct web *w)
{
    struct session_from from = web_from(w);
    struct identity_fault fault = {0};
    struct session_made made;
    struct form form;
    struct str email;
    int r = form_init(&form, w->arena, fields, ARRAY_LEN(fields));

    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r == 0)
        r = peek(w, &email);
    if (r == IDENTITY_E_NONE)
        return gone(w);
    if (r != 0)
        return web_outcome(w, r);
    if (!web_may_sign_in(w))
        return show(w, 403, &form, email);
    if (!form.wrong)
        r = reset_use(w->db, w->arena, w->services->session_pepper, w->req->params[0],
                      form.v[PASSWORD].text, &from, &made, &fault);
    if (r == IDENTITY_E_FAULT)
        form_fault(&form, &fault);
    if (form.wrong)
        return show(w, 422, &form, email);
    if (r != 0)
        return r == IDENTITY_E_NONE ? gone(w) : web_refused(w, r, &fault);
    if (!made.token.p)
        return web_redirect(w, link_to(LINK_sign_in), "Your new password is set. Sign in with it.");
    web_set_session(w, &made);
    return web_redirect(w, link_to(LINK_overview), "Your new password is set.");
}
