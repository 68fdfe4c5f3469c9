/* operator_accounts.c: see operator_accounts.h. */
#include "web/pages/operator_accounts.h"

#include "base/err.h"
#include "web/links.h"
#include "web/pages/operator_account_form.h"
#include "web/pages/operator_area.h"
#include "web/view.h"

int page_operator_accounts(struct web *w)
{
    struct json_object *view, *list;
    struct account_row *rows;
    size_t n;
    int r = account_list(w->db, w->arena, &rows, &n);

    if (r != 0)
        return web_outcome(w, r);
    view = json_new_object();
    list = json_new_array();
    for (size_t i = 0; i < n; i++) {
        struct json_object *o = json_new_object();

        account_common_view(w, &rows[i], o);
        json_push(list, o);
    }
    json_set(view, "accounts", list);
    json_set_bool(view, "any", n > 0);
    json_set_str(view, "summary", n ? view_plural(w->arena, (int64_t)n, "account", NULL) : STR(""));
    if (n)
        json_set_null(view, "empty");
    else
        view_empty(view, "empty", "No provider accounts yet",
                   "An account is one credential at one provider, or a server of your own that "
                   "speaks OpenAI’s API. The catalogue knows what most of them sell.",
                   "Add the first account", link_to(LINK_operator_new_account));
    return operator_render(w, 200, "operator_accounts", "Provider accounts", view);
}

/* --- adding --- */

static struct json_object *kinds_view(struct web *w)
{
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < providers_count; i++) {
        const struct provider *p = &providers[i];
        struct json_object *o = json_new_object();
        const char *note = provider_has(p, PROVIDER_DEMO) ? "Built in, answers with made-up text"
                           : provider_has(p, PROVIDER_SELF_HOSTED) ? "On your own machines"
                           : p->origin                             ? p->origin
                                                                   : "Any server with this API";

        json_set_cstr(o, "label", p->label);
        json_set_cstr(o, "note", note);
        json_set_str(
            o, "link",
            operator_page_link(w, link_to(LINK_operator_new_account), "kind", str_c(p->kind), 0));
        json_push(list, o);
    }
    return list;
}

static int show_kinds(struct web *w)
{
    struct json_object *view = json_new_object();

    json_set(view, "kinds", kinds_view(w));
    return operator_render(w, 200, "operator_account_kinds", "New provider account", view);
}

static int show_form(struct web *w, int status, const struct provider *provider,
                     const struct form *form)
{
    struct json_object *view = json_new_object();

    json_set_cstr(view, "kind", provider->kind);
    json_set_cstr(view, "kind_label", provider->label);
    json_set_bool(view, "with_credential", true);
    json_set_cstr(view, "docs", provider->docs);
    account_form_view(form, provider, view);
    return operator_render(w, status, "operator_account_new", "New provider account", view);
}

int page_operator_accounts_new(struct web *w)
{
    struct str kind = request_query(w->req, "kind");
    const struct provider *provider = provider_find(kind);
    struct form form;
    int r;

    if (!provider)
        return show_kinds(w);
    r = account_form_open(w, &form, provider);
    if (r < 0)
        return err_trace(r);
    form_set(&form, ACCOUNT_FIELD_NAME, str_c(provider->label));
    return show_form(w, 200, provider, &form);
}

int page_operator_accounts_add(struct web *w)
{
    const struct provider *provider = provider_find(pairs_get(&w->submitted, "kind"));
    struct identity_fault fault = {0};
    struct account_draft draft;
    struct account_id id;
    struct str secret;
    struct form form;
    int r;

    if (!provider)
        return web_fail_code(w, PROBLEM_BAD_FIELD);
    r = account_form_open(w, &form, provider);
    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r < 0)
        return err_trace(r);
    account_form_draft(&form, provider, &draft);
    r = account_form_secret(&form, provider, &secret);
    if (r == 0 && !form.wrong)
        r = account_add(w->db, &w->actor, w->services->seal_key, &draft, secret, &id, &fault);
    if (r == CHANGE_E_FAULT)
        form_fault(&form, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    if (form.wrong) {
        r = web_again(w);
        return r ? web_outcome(w, r) : show_form(w, 422, provider, &form);
    }
    return web_redirect(w, link_provider_account(w->arena, id, NULL),
                        "The account is added. Test it, then choose what it serves.");
}
