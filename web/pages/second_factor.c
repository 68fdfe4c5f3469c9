/* second_factor.c: see second_factor.h. The secret and the recovery codes stand in answers to POSTs, so that
 * no address shows them again. */
#include "web/pages/second_factor.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/err.h"
#include "identity/qr.h"
#include "identity/second_factor.h"
#include "web/links.h"
#include "web/pages/account.h"
#include "web/view.h"

#define CODES_BYTES KIB(1)

enum { PASSWORD };
enum { CODE };

static const struct form_field password_fields[] = {
    [PASSWORD] = {"factor_password", "Current password", FORM_PASSWORD, .required = true,
                  .max = 1024, .autocomplete = "current-password"},
};
static const struct form_field confirm_fields[] = {
    [CODE] = {"code", "Code", FORM_TEXT, .required = true, .max = 40, .help = "Six digits.",
              .autocomplete = "one-time-code"},
};
static const struct form_field code_fields[] = {
    [CODE] = {"code", "Code", FORM_TEXT, .required = true, .max = 40,
              .help = "Six digits of your app, or one of your recovery codes.",
              .autocomplete = "one-time-code"},
};

int factor_view(struct web *w, const struct form *form, struct json_object *view)
{
    struct json_object *o;
    struct second_factor f;
    struct form empty;
    int r = second_factor_get(w->db, w->session.user, &f);

    /* One that was sent before the other tab turned it on or off asks for the wrong thing. */
    if (r == 0 && form && (form->fields == code_fields) != f.on)
        form = NULL;
    if (r == 0 && !form)
        r = f.on ? form_init(&empty, w->arena, code_fields, ARRAY_LEN(code_fields))
                 : form_init(&empty, w->arena, password_fields, ARRAY_LEN(password_fields));
    if (r != 0)
        return err_trace(r);
    o = json_new_object();
    json_set_bool(o, "on", f.on);
    view_time(o, "since", f.since_us, w->zone, w->now_us);
    json_set_str(o, "left", view_plural(w->arena, f.codes_left, "recovery code", NULL));
    json_set_bool(o, "few", f.codes_left < 3);
    form_view(form ? form : &empty, o, "form");
    json_set(view, "factor", o);
    return 0;
}

static struct factor_keys keys_of(const struct web *w)
{
    return (struct factor_keys){w->services->session_pepper, w->services->seal_key};
}

/* "Tollgate llm.example.org": apps list several installations by it. */
static struct str issuer(struct web *w)
{
    struct str host = w->services->public_url;

    for (size_t i = 0; i + 3 <= host.n; i++)
        if (memcmp(host.p + i, "://", 3) == 0)
            return arena_strf(w->arena, "Tollgate %.*s", STR_FMT(str_n(host.p + i + 3, host.n - i - 3)));
    return STR("Tollgate");
}

static int show_secret(struct web *w, int status, const struct factor_secret *secret,
                       const struct form *form)
{
    struct json_object *view;
    struct qr qr;
    int r = qr_make(w->arena, secret->uri, &qr);

    if (r < 0)
        return err_trace(r);
    view = json_new_object();
    json_set_str(view, "typed", secret->typed);
    json_set_str(view, "uri", secret->uri);
    json_set_bool(view, "drawn", r == QR_OK);
    json_set_str(view, "path", r == QR_OK ? qr.path : STR(""));
    json_set_i64(view, "side", r == QR_OK ? qr.side + 8 : 0);
    form_view(form, view, "form");
    return web_render_as(w, status, "second_factor", "Second factor", view);
}

/* Back to the account, with what was wrong. */
static int refuse(struct web *w, const struct form *form)
{
    int r = web_again(w);

    return r ? web_outcome(w, r) : account_show_factor(w, form);
}

int page_factor_begin(struct web *w)
{
    const struct factor_keys keys = keys_of(w);
    struct identity_fault fault = {0};
    struct factor_secret secret;
    struct form form, code;
    int r = form_init(&form, w->arena, password_fields, ARRAY_LEN(password_fields));

    if (r == 0)
        r = form_init(&code, w->arena, confirm_fields, ARRAY_LEN(confirm_fields));
    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r != 0)
        return err_trace(r);
    web_leave_tx(w);
    if (!form.wrong)
        r = second_factor_begin(w->db, w->arena, &keys, &w->actor, form.v[PASSWORD].text, issuer(w),
                                &secret, &fault);
    if (r == IDENTITY_E_FAULT && !fault.field[0]) /* from another tab, meanwhile */
        return web_redirect(w, link_to(LINK_account), fault.sentence);
    if (r == IDENTITY_E_FAULT)
        form_fault_at(&form, PASSWORD, fault.sentence);
    else if (r != 0)
        return web_refused(w, r, &fault);
    if (form.wrong)
        return refuse(w, &form);
    r = web_again(w);
    return r ? web_outcome(w, r) : show_secret(w, 200, &secret, &code);
}

static int show_codes(struct web *w, const struct recovery_codes *codes, bool first)
{
    struct json_object *view;
    struct buf text;
    struct str all;
    int r;

    buf_init(&text, CODES_BYTES);
    for (size_t i = 0; i < RECOVERY_CODES; i++)
        buf_printf(&text, "%s%.*s", i ? "\n" : "", STR_FMT(codes->v[i]));
    all = arena_str(w->arena, buf_str(&text));
    r = buf_finish(&text);
    buf_done(&text);
    if (r || !all.p)
        return err_origin(r ? r : -ENOMEM);
    r = web_again(w);
    if (r != 0)
        return web_outcome(w, r);
    view = json_new_object();
    json_set_str(view, "secret", all);
    json_set_bool(view, "first", first);
    return web_render(w, "recovery_codes", "Recovery codes", view);
}

/* 0: done; < 0, or an outcome that is not the form's. */
static int change(struct web *w, enum factor_change what, struct form *form,
                  struct recovery_codes *ret, struct identity_fault *fault)
{
    const struct factor_keys keys = keys_of(w);
    int r = form_init(form, w->arena, what == FACTOR_CONFIRM ? confirm_fields : code_fields,
                      ARRAY_LEN(code_fields));

    if (r == 0)
        r = form_read(form, &w->submitted);
    if (r != 0)
        return err_trace(r);
    web_leave_tx(w);
    if (form->wrong)
        return 0;
    r = second_factor_change(w->db, w->arena, &keys, &w->actor, what, form->v[CODE].text, ret, fault);
    if (r != IDENTITY_E_FAULT)
        return r;
    form_fault(form, fault);
    return 0;
}

/* What has to be confirmed stays in sight while its code is not right. */
static int again(struct web *w, const struct form *form)
{
    const struct factor_keys keys = keys_of(w);
    struct factor_secret secret;
    int r = web_again(w);

    if (r == 0)
        r = second_factor_waiting(w->db, w->arena, &keys, &w->actor, issuer(w), &secret);
    return r ? web_outcome(w, r) : show_secret(w, 422, &secret, form);
}

int page_factor_confirm(struct web *w)
{
    struct identity_fault fault = {0};
    struct recovery_codes codes;
    struct form form;
    int r = change(w, FACTOR_CONFIRM, &form, &codes, &fault);

    if (r != 0)
        return web_refused(w, r, &fault);
    return form.wrong ? again(w, &form) : show_codes(w, &codes, true);
}

int page_factor_renew(struct web *w)
{
    struct identity_fault fault = {0};
    struct recovery_codes codes;
    struct form form;
    int r = change(w, FACTOR_RENEW, &form, &codes, &fault);

    if (r != 0)
        return web_refused(w, r, &fault);
    return form.wrong ? refuse(w, &form) : show_codes(w, &codes, false);
}

int page_factor_end(struct web *w)
{
    struct identity_fault fault = {0};
    struct recovery_codes codes;
    struct form form;
    int r = change(w, FACTOR_END, &form, &codes, &fault);

    if (r != 0)
        return web_refused(w, r, &fault);
    return form.wrong ? refuse(w, &form)
                      : web_redirect(w, link_to(LINK_account), "The second factor is off.");
}
