/* sign_in_code.c: see sign_in_code.h. */
#include "web/pages/sign_in_code.h"

#include "base/err.h"
#include "identity/login.h"
#include "web/form.h"
#include "web/links.h"

enum { CODE };

static const struct form_field fields[] = {
    [CODE] = {"code", "Code", FORM_TEXT, .required = true, .max = 40,
              .help = "Six digits of your app, or one of your recovery codes.",
              .autocomplete = "one-time-code"},
};

static int show(struct web *w, int status, const struct form *form, struct str ticket, struct str next,
                bool by_provider)
{
    struct json_object *view = json_new_object();

    form_view(form, view, "form");
    json_set_str(view, "ticket", ticket);
    json_set_str(view, "next", next);
    json_set_bool(view, "by_provider", by_provider);
    return web_render_as(w, status, "sign_in_code", "Sign in", view);
}

int sign_in_ask_code(struct web *w, struct str ticket, struct str next, bool by_provider)
{
    struct form form;
    int r = form_init(&form, w->arena, fields, ARRAY_LEN(fields));

    return r ? err_trace(r) : show(w, 200, &form, ticket, next, by_provider);
}

int page_sign_in_code(struct web *w)
{
    const struct factor_keys keys = {w->services->session_pepper, w->services->seal_key};
    struct str ticket = pairs_get(&w->submitted, "ticket");
    struct session_from from = web_from(w);
    struct session_made made;
    int32_t retry_after_s = 0;
    struct form form;
    int r = form_init(&form, w->arena, fields, ARRAY_LEN(fields));

    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r != 0)
        return err_trace(r);
    /* It says only where signing out leads to. */
    from.by_provider = pairs_get(&w->submitted, "by_provider").n > 0;
    if (!web_may_sign_in(w))
        return web_redirect(w, link_to(LINK_sign_in), NULL);
    if (form.wrong)
        return show(w, 422, &form, ticket.p ? ticket : STR(""), web_next(w), from.by_provider);
    if (!w->db)
        return web_outcome(w, DB_E_AWAY);
    r = login_with_code(w->db, w->arena, &keys, ticket, form.v[CODE].text, &from, &made,
                        &retry_after_s);
    if (r < 0)
        return err_trace(r);
    if (r == LOGIN_E_WRONG) {
        form_fault_at(&form, CODE, "This code is not right, or was used before.");
        return show(w, 422, &form, ticket, web_next(w), from.by_provider);
    }
    if (r == LOGIN_E_LIMITED)
        return web_fail_login_limit(w, retry_after_s);
    if (r == LOGIN_E_OVER)
        return web_redirect(w, link_to(LINK_sign_in), "That took too long: begin again.");
    web_set_session(w, &made);
    return web_redirect(w, web_next(w), NULL);
}
