/* forgot.c: see forgot.h. The answer is the same whether or not somebody signs in with that e-mail, and takes
 * as long: who it is, is looked up later (identity/reset.h). */
#include "web/pages/forgot.h"

#include "base/err.h"
#include "identity/field_bounds.h"
#include "identity/reset.h"
#include "notices/notices.h"
#include "web/form.h"
#include "web/links.h"

enum { EMAIL };

static const struct form_field fields[] = {
    [EMAIL] = {"email", "E-mail", FORM_EMAIL, .required = true, .max = EMAIL_MAX,
               .autocomplete = "username"},
};

static int show(struct web *w, int status, const struct form *form, bool asked)
{
    struct json_object *view = json_new_object();

    form_view(form, view, "form");
    json_set_bool(view, "asked", asked);
    json_set_i64(view, "minutes", RESET_MINUTES);
    return web_render_as(w, status, "forgot", "Forgot the password", view);
}

int page_forgot(struct web *w)
{
    struct form form;
    int r = form_init(&form, w->arena, fields, ARRAY_LEN(fields));

    if (r != 0)
        return err_trace(r);
    if (!notices_mail(w->services->notices))
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    return show(w, 200, &form, false);
}

int page_forgot_send(struct web *w)
{
    struct session_from from = web_from(w);
    struct identity_fault fault = {0};
    int32_t retry_after_s = 0;
    struct form form;
    int r = form_init(&form, w->arena, fields, ARRAY_LEN(fields));

    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r != 0)
        return err_trace(r);
    if (!notices_mail(w->services->notices))
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    if (form.wrong)
        return show(w, 422, &form, false);
    if (!w->db)
        return web_fail_code(w, PROBLEM_BUSY);
    web_leave_tx(w);
    r = reset_ask(w->db, w->arena, form.v[EMAIL].text, from.address, &retry_after_s, &fault);
    if (r == IDENTITY_E_FAULT) {
        form_fault(&form, &fault);
        return show(w, 422, &form, false);
    }
    if (r == IDENTITY_E_LIMITED)
        return web_fail_login_limit(w, retry_after_s);
    return r ? web_outcome(w, r) : show(w, 200, &form, true);
}
