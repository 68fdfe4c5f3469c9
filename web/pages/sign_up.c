/* sign_up.c: see sign_up.h. */
#include "web/pages/sign_up.h"

#include "base/err.h"
#include "identity/field_bounds.h"
#include "identity/password.h"
#include "identity/user.h"
#include "web/form.h"
#include "web/links.h"
#include "web/pages/identity_provider.h"

enum { NAME, EMAIL, PASSWORD, TEAM };

static const struct form_field fields[] = {
    [NAME] = {"name", "Your name", FORM_TEXT, .required = true, .min = 1, .max = PERSON_NAME_MAX,
              .autocomplete = "name"},
    [EMAIL] = {"email", "E-mail", FORM_EMAIL, .required = true, .max = EMAIL_MAX,
               .autocomplete = "username"},
    [PASSWORD] = {"password", "Password", FORM_PASSWORD, .required = true, .min = PASSWORD_MIN,
                  .max = PASSWORD_MAX, .help = "At least 12 characters; a few words are fine.",
                  .autocomplete = "new-password"},
    [TEAM] = {"team_name", "Team", FORM_TEXT, .max = TEAM_NAME_MAX, .placeholder = "Acme",
              .help = "Who pays: keys, balance and invoices belong to the team.",
              .autocomplete = "organization"},
};

/* From the link of an invite. */
static struct str invite_of(struct web *w)
{
    return w->req->method == HTTP_POST ? pairs_get(&w->submitted, "invite")
                                       : request_query(w->req, "invite");
}

static bool may_sign_up(struct web *w)
{
    return !w->services->password_of_operators &&
           (w->services->signup == SIGNUP_OPEN ||
            (w->services->signup == SIGNUP_INVITE && invite_of(w).n > 0));
}

static int show(struct web *w, int status, const struct form *form)
{
    struct json_object *view = json_new_object();

    form_view(form, view, "form");
    json_set_str(view, "invite", invite_of(w));
    json_set_bool(view, "allowed", web_may_sign_in(w));
    json_set_bool(view, "open", may_sign_up(w));
    provider_button(w, view, STR(""), invite_of(w), false);
    json_set_bool(view, "password_of_operators", w->services->password_of_operators);
    json_set_bool(view, "only_provider", !may_sign_up(w) && provider_may_sign_up(w, invite_of(w)));
    json_set_bool(view, "any", may_sign_up(w) || provider_may_sign_up(w, invite_of(w)));
    return web_render_as(w, status, "sign_up", "Sign up", view);
}

int page_sign_up(struct web *w)
{
    struct form form;
    int r = form_init(&form, w->arena, fields, ARRAY_LEN(fields));

    if (r != 0)
        return err_trace(r);
    return w->signed_in ? web_redirect(w, link_to(LINK_overview), NULL) : show(w, 200, &form);
}

static int sign_up(struct web *w, struct form *form, struct session_made *ret, struct identity_fault *fault)
{
    struct sign_up wish = {
        .email = form->v[EMAIL].text,
        .name = form->v[NAME].text,
        .password = form->v[PASSWORD].text,
        .team_name = form->v[TEAM].text,
        .invite = invite_of(w).n ? invite_of(w) : STR_NONE,
        .invite_required = w->services->signup == SIGNUP_INVITE,
        .from = web_from(w),
    };
    int r = user_sign_up(w->db, w->arena, w->services->session_pepper, &wish, ret, fault);

    if (r == IDENTITY_E_FAULT)
        form_fault(form, fault);
    return r;
}

int page_sign_up_send(struct web *w)
{
    struct identity_fault fault = {0};
    struct session_made made;
    struct form form;
    int r = form_init(&form, w->arena, fields, ARRAY_LEN(fields));

    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r != 0)
        return err_trace(r);
    if (!web_may_sign_in(w) || !may_sign_up(w))
        return show(w, 403, &form);
    if (!w->db)
        return web_outcome(w, DB_E_AWAY);
    if (!form.wrong)
        r = sign_up(w, &form, &made, &fault);
    if (form.wrong)
        return show(w, 422, &form);
    if (r != 0)
        return web_refused(w, r, &fault);
    web_set_session(w, &made);
    return web_redirect(w, link_to(LINK_overview), "Welcome to Tollgate.");
}
