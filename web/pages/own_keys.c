/* own_keys.c: see own_keys.h. */
#include "web/pages/own_keys.h"

#include "base/err.h"
#include "catalog/holder.h"
#include "identity/installation.h"
#include "web/links.h"
#include "web/pages/own_key_form.h"
#include "web/view.h"

/* Does the installation route anything to that kind? Else a key of it had nothing to serve. Nor is there a
 * key where it takes none, or a service account. */
static bool is_routed(const struct catalog *c, const struct provider *p)
{
    size_t n = 0;
    const struct catalog_account *accounts = c ? catalog_accounts(c, &n) : NULL;

    for (size_t i = 0; i < n; i++)
        if (accounts[i].provider == p && accounts[i].team.v == 0)
            return !provider_has(p, PROVIDER_DEMO) && p->auth != PROVIDER_AUTH_GOOGLE;
    return false;
}

/* Without urls: those of no usual address are left out. */
static struct json_object *kinds_view(struct web *w, bool urls)
{
    _cleanup_(catalog_unrefp) struct catalog *catalog = catalog_holder_get(w->services->catalog);
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < providers_count; i++) {
        struct json_object *o;

        if (!is_routed(catalog, &providers[i]) || (!urls && !providers[i].origin))
            continue;
        o = json_new_object();
        json_set_cstr(o, "label", providers[i].label);
        json_set_cstr(o, "note", providers[i].origin ? providers[i].origin : "Any server with this API");
        json_set_str(o, "link", arena_strf(w->arena, "/provider-keys/new?kind=%s", providers[i].kind));
        json_push(list, o);
    }
    return list;
}

/* "nothing", or "2.5% of the list price" */
static struct str fee_text(struct arena *a, int32_t bp)
{
    return bp ? arena_strf(a, "%.*s%% of the list price", STR_FMT(view_basis_points(a, bp))) : STR("nothing");
}

int page_own_keys(struct web *w)
{
    struct json_object *view, *list, *kinds;
    struct installation is;
    struct account_row *rows;
    size_t n;
    int r = installation_get(w->db, w->arena, &is);

    if (r == 0)
        r = account_list_own(w->db, w->arena, w->session.team, &rows, &n);
    if (r != 0)
        return web_outcome(w, r);
    view = json_new_object();
    list = json_new_array();
    for (size_t i = 0; i < n; i++) {
        struct json_object *o = json_new_object();

        own_key_view(w, &rows[i], o);
        json_push(list, o);
    }
    kinds = kinds_view(w, is.own_base_urls);
    json_set(view, "accounts", list);
    json_set_bool(view, "any", n > 0);
    json_set_bool(view, "any_kind", json_length(kinds) > 0);
    json_set(view, "kinds", kinds);
    json_set_str(view, "fee", fee_text(w->arena, is.own_fee_bp));
    return web_render(w, "own_keys", "Provider keys", view);
}

static int show_form(struct web *w, int status, const struct provider *p, const struct form *form)
{
    struct json_object *view = json_new_object();

    json_set_cstr(view, "kind", p->kind);
    json_set_cstr(view, "kind_label", p->label);
    json_set_bool(view, "with_credential", true);
    own_form_view(form, p, false, view, "form");
    return web_render_as(w, status, "own_key_new", "New provider key", view);
}

int page_own_keys_new(struct web *w)
{
    const struct provider *p = provider_find(request_query(w->req, "kind"));
    struct form form;
    int r;

    if (!p)
        return page_own_keys(w); /* which asks for one */
    r = own_form_open(w, &form, p, (struct account_id){0});
    if (r != 0)
        return web_outcome(w, r);
    own_form_show(&form, &(struct account_draft){.name = str_c(p->label), .enabled = true});
    return show_form(w, 200, p, &form);
}

static int add(struct web *w, const struct account_draft *draft, struct str secret,
               const struct form *form, struct account_id *ret, struct identity_fault *fault)
{
    size_t n;
    const struct str *models = own_form_models(form, &n);

    return own_add(w->db, w->arena, &w->actor, w->services->seal_key, draft, secret, models, n, ret,
                   fault);
}

int page_own_keys_add(struct web *w)
{
    const struct provider *p = provider_find(pairs_get(&w->submitted, "kind"));
    struct account_draft draft = {.weight = 100, .team = w->session.team};
    struct identity_fault fault = {0};
    struct account_id id = {0};
    int32_t retry_after_s = 0;
    struct str secret;
    struct form form;
    int r;

    if (!p)
        return web_fail_code(w, PROBLEM_BAD_FIELD);
    r = own_form_open(w, &form, p, id);
    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r != 0)
        return web_outcome(w, r);
    own_form_draft(&form, p, &draft);
    r = own_form_secret(&form, p, &secret);
    if (r == 0 && !form.wrong)
        r = own_may_change(w->db, w->session.team, &retry_after_s);
    if (r == 0 && !form.wrong)
        r = add(w, &draft, secret, &form, &id, &fault);
    if (r == CHANGE_E_FAULT)
        form_fault(&form, &fault);
    else if (r != 0)
        return own_key_outcome(w, r, retry_after_s);
    if (form.wrong) {
        r = web_again(w);
        return r ? web_outcome(w, r) : show_form(w, 422, p, &form);
    }
    return web_redirect(w, link_own_key(w->arena, id, NULL), "The key is added. Test it.");
}
