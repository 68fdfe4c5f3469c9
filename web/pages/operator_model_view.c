/* operator_model_view.c: see operator_model_view.h. */
#include "web/pages/operator_model_view.h"

#include <inttypes.h>

#include "base/err.h"
#include "web/links.h"
#include "web/pages/operator_area.h"
#include "web/pages/operator_model_form.h"
#include "web/pages/operator_rules.h"
#include "web/pages/operator_target_form.h"
#include "web/view.h"

static void target_badge(const struct target_row *t, bool pinned, struct json_object *o)
{
    json_set_bool(o, "off", !t->is.enabled || !t->account_enabled);
    if (pinned)
        view_badge(o, "state", VIEW_WARN, "Pinned");
    else if (!t->is.enabled)
        view_badge(o, "state", VIEW_NEUTRAL, "Disabled");
    else if (!t->account_enabled)
        view_badge(o, "state", VIEW_WARN, "Account is off");
    else
        view_badge(o, "state", VIEW_GOOD, "In use");
}

static int target_view(struct web *w, const struct model_row *row, const struct target_row *t,
                       const struct model_told *told, struct json_object *list)
{
    struct json_object *o;
    bool typed = told->target && told->target_id.v == t->id.v;
    struct form form;
    int r = target_form_open(w, &form);

    if (r == 0)
        r = target_form_show(&form, &t->is);
    if (r < 0)
        return err_trace(r);
    o = json_new_object();
    json_set_i64(o, "id", t->id.v);
    json_set_str(o, "account", t->account_name);
    json_set_str(o, "account_link", link_provider_account(w->arena, t->account, NULL));
    json_set_str(o, "account_kind", t->account_kind);
    json_set_str(o, "upstream", t->is.upstream_model);
    json_set_i64(o, "rank", t->is.priority);
    json_set_i64(o, "share", t->is.weight);
    json_set_bool(o, "pinned", row->pinned.v == t->id.v);
    json_set_bool(o, "open", typed);
    json_set_str(o, "edit_link", link_target(w->arena, t->id, NULL));
    json_set_str(o, "delete_link", link_target(w->arena, t->id, "delete"));
    target_badge(t, row->pinned.v == t->id.v, o);
    form_view(typed ? told->target : &form, o, "form");
    json_push(list, o);
    return 0;
}

static int add_targets(struct web *w, const struct model_row *row, const struct model_told *told,
                       struct json_object *view)
{
    struct json_object *list = json_new_array();
    struct target_row *targets = NULL;
    bool any_account = false;
    struct form empty;
    size_t n = 0;
    int r = target_list(w->db, w->arena, row->id, &targets, &n);

    json_set(view, "target_rows", list);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = target_view(w, row, &targets[i], told, list);
    if (r == 0)
        r = target_form_new(w, &empty, &any_account);
    if (r != 0)
        return r;
    if (!told->add_target)
        form_set(&empty, TARGET_FIELD_UPSTREAM, row->is.name);
    form_view(told->add_target ? told->add_target : &empty, view, "add");
    json_set_bool(view, "any_target", n > 0);
    json_set_bool(view, "any_account", any_account);
    json_set_bool(view, "add_open", n == 0 || told->add_target);
    return 0;
}

static int add_aliases(struct web *w, const struct model_row *row, const struct model_told *told,
                       struct json_object *view)
{
    struct json_object *list = json_new_array();
    struct str *aliases;
    size_t n = 0;
    int r = model_aliases(w->db, w->arena, row->id, &aliases, &n);

    for (size_t i = 0; r == 0 && i < n; i++)
        json_push_str(list, aliases[i]);
    json_set(view, "aliases", list);
    json_set_bool(view, "any_alias", n > 0);
    json_set_str(view, "alias_typed", told->alias);
    json_set_cstr(view, "alias_fault", told->alias_fault);
    return r;
}

static void links_of(struct web *w, const struct model_row *row, struct json_object *view)
{
    struct arena *a = w->arena;

    json_set_str(view, "targets_link", link_model(a, row->id, "targets"));
    json_set_str(view, "rules_link", link_model(a, row->id, "rules"));
    json_set_str(view, "shadow_link", link_model(a, row->id, "shadow"));
    json_set_str(view, "pin_link", link_model(a, row->id, "pin"));
    json_set_str(view, "off_link", link_model(a, row->id, "off"));
    json_set_str(view, "on_link", link_model(a, row->id, "on"));
    json_set_str(view, "aliases_link", link_model(a, row->id, "aliases"));
    json_set_str(view, "alias_delete_link", link_model(a, row->id, "aliases/delete"));
    json_set_str(view, "calls_link",
                 operator_page_link(w, link_to(LINK_operator_calls), "model", row->is.name, 0));
}

static int fill(struct web *w, const struct model_row *row, const struct model_told *told,
                struct json_object *view)
{
    struct form stored;
    const struct form *form = told->form;
    int r = 0;

    if (!form) {
        r = model_form_open(w, &stored, &row->is);
        form = &stored;
    }
    if (r == 0)
        r = add_targets(w, row, told, view);
    if (r == 0)
        r = add_aliases(w, row, told, view);
    if (r == 0)
        r = operator_rules_view(w, row, view);
    if (r == 0)
        model_form_view(w, form, view);
    return r;
}

int operator_model_show(struct web *w, int status, const struct model_row *row,
                        const struct model_told *told)
{
    struct json_object *view = json_new_object();
    int r = fill(w, row, told, view);

    if (r != 0) {
        json_unref(view);
        return r < 0 ? err_trace(r) : web_outcome(w, r);
    }
    model_common_view(w, row, view);
    links_of(w, row, view);
    json_set_str(view, "off_reason", row->off_reason);
    json_set_bool(view, "unserved", row->is.enabled && (row->targets ? !row->priced : !row->ruled));
    json_set_cstr(view, "off_fault", told->off_fault);
    view_time(view, "created", row->created_us, w->zone, w->now_us);
    return operator_render(w, status, "operator_model", "Model", view);
}
