/* own_key.c: see own_key.h. */
#include "web/pages/own_key.h"

#include "base/err.h"
#include "gateway/operate.h"
#include "web/links.h"
#include "web/pages/own_key_form.h"
#include "web/pages/probe.h"
#include "web/view.h"

/* What a page shows beside the account; NULL: as it is stored, and none. */
struct told {
    const struct form *form, *secret;
    const struct operate_probe *probe;
};

static int read(struct web *w, struct account_row *ret)
{
    struct account_id id;

    if (!web_param_id(w, 0, &id.v))
        return CHANGE_E_NONE;
    return own_account_get(w->db, w->arena, w->session.team, id, ret);
}

/* The same, to be changed: of a kind that is known here. */
static int read_known(struct web *w, struct account_row *ret)
{
    int r = read(w, ret);

    return r == 0 && !ret->provider ? CHANGE_E_NONE : r;
}

static void links_of(struct web *w, struct account_id id, struct json_object *view)
{
    json_set_str(view, "key_link", link_own_key(w->arena, id, "key"));
    json_set_str(view, "test_link", link_own_key(w->arena, id, "test"));
    json_set_str(view, "enable_link", link_own_key(w->arena, id, "enable"));
    json_set_str(view, "disable_link", link_own_key(w->arena, id, "disable"));
    json_set_str(view, "delete_link", link_own_key(w->arena, id, "delete"));
}

static int forms_view(struct web *w, const struct account_row *row, const struct told *told,
                      struct json_object *view)
{
    struct form stored, empty;
    int r;

    json_set_null(view, "form");
    json_set_null(view, "secret");
    if (!row->provider)
        return 0;
    r = own_form_open(w, &stored, row->provider, row->id);
    if (r == 0)
        r = own_form_open(w, &empty, row->provider, row->id);
    if (r != 0)
        return r;
    own_form_show(&stored, &row->is);
    own_form_view(told->form ? told->form : &stored, row->provider, false, view, "form");
    own_form_view(told->secret ? told->secret : &empty, row->provider, true, view, "secret");
    return 0;
}

static int show(struct web *w, int status, const struct account_row *row, const struct told *told)
{
    struct json_object *view = json_new_object();
    int r;

    own_key_view(w, row, view);
    links_of(w, row->id, view);
    json_set_bool(view, "known", row->provider != NULL);
    json_set_bool(view, "with_credential", false);
    probe_view(w, told->probe, view);
    r = forms_view(w, row, told, view);
    if (r != 0) {
        json_unref(view);
        return web_outcome(w, r);
    }
    return web_render_as(w, status, "own_key", "Provider key", view);
}

static int show_again(struct web *w, const struct account_row *row, const struct told *told)
{
    int r = web_again(w);

    return r ? web_outcome(w, r) : show(w, 422, row, told);
}

int page_own_key(struct web *w)
{
    struct account_row row;
    int r = read(w, &row);

    return r ? web_outcome(w, r) : show(w, 200, &row, &(struct told){0});
}

static int read_form(struct web *w, const struct account_row *row, struct form *form, bool secret)
{
    int r = own_form_open(w, form, row->provider, row->id);

    if (r == 0)
        r = form_read(form, &w->submitted);
    if (r == 0)
        own_form_judge(form, secret);
    return r;
}

int page_own_key_update(struct web *w)
{
    struct identity_fault fault = {0};
    const struct str *models;
    struct account_draft draft;
    struct account_row row;
    struct form form;
    int32_t retry_after_s = 0;
    size_t n;
    int r = read_known(w, &row);

    if (r == 0)
        r = read_form(w, &row, &form, false);
    if (r != 0)
        return web_outcome(w, r);
    draft = row.is;
    own_form_draft(&form, row.provider, &draft);
    models = own_form_models(&form, &n);
    if (!form.wrong)
        r = own_may_change(w->db, row.is.team, &retry_after_s);
    if (r == 0 && !form.wrong)
        r = own_edit(w->db, w->arena, &w->actor, &row, &draft, &fault);
    if (r == 0 && !form.wrong)
        r = own_serve(w->db, w->arena, &w->actor, &row, models, n, &fault);
    if (r == CHANGE_E_FAULT)
        form_fault(&form, &fault);
    else if (r != 0)
        return own_key_outcome(w, r, retry_after_s);
    if (form.wrong)
        return show_again(w, &row, &(struct told){.form = &form});
    return web_redirect(w, link_own_key(w->arena, row.id, NULL), "Saved.");
}

int page_own_key_replace(struct web *w)
{
    struct identity_fault fault = {0};
    struct account_row row;
    struct str secret;
    struct form form;
    int32_t retry_after_s = 0;
    int r = read_known(w, &row);

    if (r == 0)
        r = read_form(w, &row, &form, true);
    if (r == 0)
        r = own_form_secret(&form, row.provider, &secret);
    if (r != 0)
        return web_outcome(w, r);
    if (!secret.n)
        form_fault(&form, &(struct identity_fault){.field = "key", .sentence = "A key is needed."});
    if (!form.wrong)
        r = own_may_change(w->db, row.is.team, &retry_after_s);
    if (r == 0 && !form.wrong)
        r = account_set_key(w->db, &w->actor, w->services->seal_key, row.id, secret, &fault);
    if (r == CHANGE_E_FAULT)
        form_fault(&form, &fault);
    else if (r != 0)
        return own_key_outcome(w, r, retry_after_s);
    if (form.wrong)
        return show_again(w, &row, &(struct told){.secret = &form});
    return web_redirect(w, link_own_key(w->arena, row.id, NULL), "The new key is in use.");
}

static int set_enabled(struct web *w, bool enabled)
{
    struct account_row row;
    int32_t retry_after_s = 0;
    int r = read(w, &row);

    if (r == 0)
        r = own_may_change(w->db, row.is.team, &retry_after_s);
    if (r == 0)
        r = account_enable(w->db, &w->actor, row.id, enabled);
    return r ? own_key_outcome(w, r, retry_after_s)
             : web_redirect(w, link_own_key(w->arena, row.id, NULL),
                            enabled ? "The key is enabled." : "The key is disabled.");
}

int page_own_key_enable(struct web *w)
{
    return set_enabled(w, true);
}

int page_own_key_disable(struct web *w)
{
    return set_enabled(w, false);
}

int page_own_key_delete(struct web *w)
{
    struct account_row row;
    int32_t retry_after_s = 0;
    int r = read(w, &row);

    if (r == 0)
        r = own_may_change(w->db, row.is.team, &retry_after_s);
    if (r == 0)
        r = account_delete(w->db, &w->actor, row.id);
    return r ? own_key_outcome(w, r, retry_after_s) : web_redirect(w, link_to(LINK_own_keys), "The key is deleted.");
}

/* The probe waits for the provider, so no transaction stays open meanwhile. */
int page_own_key_test(struct web *w)
{
    struct operate_probe probe;
    struct account_row row;
    int32_t retry_after_s = 0;
    int r = read(w, &row);

    if (r != 0)
        return web_outcome(w, r);
    web_leave_tx(w);
    r = own_may_test(w->db, row.is.team, &retry_after_s);
    if (r != 0)
        return own_key_outcome(w, r, retry_after_s);
    r = operate_probe(w->services, w->db, w->arena, row.id, &probe);
    if (r == OPERATE_E_UNKNOWN)
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    if (r != OPERATE_OK)
        return web_outcome(w, r < 0 ? r : DB_E_AWAY);
    r = web_again(w);
    if (r == 0)
        r = read(w, &row);
    return r ? web_outcome(w, r) : show(w, 200, &row, &(struct told){.probe = &probe});
}
