/* operator_incidents.c: see operator_incidents.h. Models and teams are named as one reads them in an
 * alert, not looked up first: a name, an e-mail, an id. */
#include "web/pages/operator_incidents.h"

#include <inttypes.h>

#include "base/err.h"
#include "catalog/accounts.h"
#include "catalog/models.h"
#include "identity/team.h"
#include "web/form.h"
#include "web/links.h"
#include "web/pages/operator_account_form.h"
#include "web/pages/operator_area.h"
#include "web/pages/operator_failing.h"

enum { WHICH, REASON, ACCOUNT, FIELDS };

static const struct form_field off_fields[FIELDS - 1] = {
    [WHICH] = {"model", "Model", FORM_TEXT, .required = true, .min = 1, .max = 128,
               .placeholder = "gpt-5-mini", .list = "models"},
    [REASON] = {"reason", "Reason", FORM_TEXT, .required = true, .min = 1, .max = 300,
                .placeholder = "The provider answers wrongly", .help = "Told to callers."},
};
static const struct form_field freeze_fields[FIELDS - 1] = {
    [WHICH] = {"team", "Team", FORM_TEXT, .required = true, .min = 1, .max = 254,
               .placeholder = "Name, id, or a member’s e-mail"},
    [REASON] = {"reason", "Reason", FORM_TEXT, .required = true, .min = 1, .max = 300,
                .placeholder = "Stolen key", .help = "For the record; operators see it."},
};
static const struct form_field pin_fields[FIELDS] = {
    [WHICH] = {"model", "Model", FORM_TEXT, .required = true, .min = 1, .max = 128,
               .placeholder = "gpt-5-mini", .list = "models"},
    [REASON] = {"reason", "Reason", FORM_TEXT}, /* pins have none; keeps the fields in place */
    [ACCOUNT] = {"account", "To", FORM_CHOICE, .required = true},
};

enum which_form { OFF, PIN, FREEZE, FORMS };
static const struct {
    const char *key;
    const struct form_field *fields;
    size_t n;
} forms[FORMS] = {
    [OFF] = {"off", off_fields, ARRAY_LEN(off_fields)},
    [PIN] = {"pin", pin_fields, ARRAY_LEN(pin_fields)},
    [FREEZE] = {"freeze", freeze_fields, ARRAY_LEN(freeze_fields)},
};

struct accounts {
    struct account_row *v;
    size_t n;
};

static struct str account_option(struct web *w, const struct account_row *row)
{
    return arena_strf(w->arena, "%" PRId64, row->id.v);
}

static int open_form(struct web *w, enum which_form which, const struct accounts *accounts,
                     struct form *ret)
{
    int r = form_init(ret, w->arena, forms[which].fields, forms[which].n);

    if (r < 0)
        return err_trace(r);
    for (size_t i = 0; which == PIN && i < accounts->n; i++)
        form_option(ret, ACCOUNT, account_option(w, &accounts->v[i]), accounts->v[i].is.name);
    return 0;
}

static int add_models(struct web *w, struct json_object *view)
{
    struct json_object *list = json_new_array();
    struct model_row *rows;
    size_t n;
    int r = model_list(w->db, w->arena, STR(""), &rows, &n);

    for (size_t i = 0; r == 0 && i < n; i++)
        if (rows[i].is.enabled)
            json_push_str(list, rows[i].is.name);
    json_set(view, "models", list);
    return r;
}

static void add_accounts(struct web *w, const struct accounts *accounts, struct json_object *view)
{
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < accounts->n; i++) {
        struct json_object *o = json_new_object();
        const char *action = accounts->v[i].is.enabled ? "disable" : "enable";

        account_common_view(w, &accounts->v[i], o);
        json_set_str(o, "switch_link",
                     link_provider_account(w->arena, accounts->v[i].id, action));
        json_push(list, o);
    }
    json_set(view, "accounts", list);
    json_set_bool(view, "any_account", accounts->n > 0);
}

/* typed: the refused form, of which; NULL: none. */
static int show(struct web *w, const struct accounts *accounts, const struct form *typed,
                enum which_form which)
{
    struct json_object *view = json_new_object();
    int r = add_models(w, view);

    for (int i = 0; r == 0 && i < FORMS; i++) {
        struct form empty;

        r = open_form(w, (enum which_form)i, accounts, &empty);
        if (r == 0)
            form_view(typed && i == (int)which ? typed : &empty, view, forms[i].key);
    }
    if (r != 0) {
        json_unref(view);
        return web_outcome(w, r);
    }
    add_accounts(w, accounts, view);
    r = failing_view(w, view);
    if (r != 0) {
        json_unref(view);
        return web_outcome(w, r);
    }
    return operator_render(w, typed ? 422 : 200, "operator_incidents", "Incident switches", view);
}

int page_operator_incidents(struct web *w)
{
    struct accounts accounts;
    int r = account_list(w->db, w->arena, &accounts.v, &accounts.n);

    return r ? web_outcome(w, r) : show(w, &accounts, NULL, OFF);
}

/* --- the switches: each fills in the form's faults, or has switched --- */

static int find_model(struct web *w, struct form *form, struct model_row *ret)
{
    int r = model_by_name(w->db, w->arena, form->v[WHICH].text, ret);

    if (r != CHANGE_E_NONE)
        return r;
    form_fault_at(form, WHICH, "There is no model of this name.");
    return 0;
}

static int switch_off(struct web *w, struct form *form)
{
    struct identity_fault fault = {0};
    struct model_row model;
    int r = find_model(w, form, &model);

    if (r == 0 && !form->wrong)
        r = model_switch_off(w->db, &w->actor, model.id, form->v[REASON].text, &fault);
    if (r == CHANGE_E_FAULT)
        form_fault(form, &fault);
    return r == CHANGE_E_FAULT ? 0 : r;
}

static int pin(struct web *w, struct form *form)
{
    struct target_id target = {0};
    struct target_row *targets;
    struct model_row model;
    int64_t account = 0;
    size_t n = 0, found = 0;
    int r = find_model(w, form, &model);

    if (str_i64(form->v[ACCOUNT].text, &account) != STR_OK)
        form_fault_at(form, ACCOUNT, "Choose an account.");
    if (r == 0 && !form->wrong)
        r = target_list(w->db, w->arena, model.id, &targets, &n);
    for (size_t i = 0; r == 0 && i < n; i++)
        if (targets[i].account.v == account && found++ == 0)
            target = targets[i].id;
    if (r != 0 || form->wrong)
        return r;
    if (found == 1)
        return model_pin(w->db, &w->actor, model.id, target);
    form_fault_at(form, ACCOUNT,
                  found ? "It has several targets there: choose one on the model’s page."
                        : "This model has no target at that account.");
    return 0;
}

/* An id, a name, or a member's address that means exactly one team. */
static int find_team(struct web *w, struct form *form, struct team_id *ret)
{
    struct str text = form->v[WHICH].text;
    struct team_page page;
    int64_t id;
    int r;

    if (str_i64(text, &id) == STR_OK && id > 0) {
        struct team team;

        *ret = (struct team_id){id};
        r = team_get(w->db, w->arena, *ret, &team);
        if (r != IDENTITY_E_NONE)
            return r;
    }
    r = team_search(w->db, w->arena, text, 0, 2, &page);
    if (r != 0)
        return r;
    if (page.n == 1)
        *ret = page.v[0].id;
    else
        form_fault_at(form, WHICH, page.n ? "Several teams fit: give the id."
                                          : "No team has this name, id or member.");
    return 0;
}

static int freeze(struct web *w, struct form *form)
{
    struct identity_fault fault = {0};
    struct team_id team = {0};
    int r = find_team(w, form, &team);

    if (r == 0 && !form->wrong)
        r = team_freeze(w->db, w->arena, &w->actor, team, form->v[REASON].text, &fault);
    if (r == IDENTITY_E_FAULT)
        form_fault(form, &fault);
    return r == IDENTITY_E_FAULT ? 0 : r;
}

static int press(struct web *w, enum which_form which, int (*fn)(struct web *, struct form *),
                 const char *done)
{
    struct accounts accounts;
    struct form form;
    int r = account_list(w->db, w->arena, &accounts.v, &accounts.n);

    if (r == 0)
        r = open_form(w, which, &accounts, &form);
    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r == 0 && !form.wrong)
        r = fn(w, &form);
    if (r != 0)
        return web_outcome(w, r);
    if (!form.wrong)
        return web_redirect(w, link_to(LINK_operator_incidents), done);
    r = web_again(w);
    return r ? web_outcome(w, r) : show(w, &accounts, &form, which);
}

int page_operator_incidents_off(struct web *w)
{
    return press(w, OFF, switch_off, "The model is switched off.");
}

int page_operator_incidents_pin(struct web *w)
{
    return press(w, PIN, pin, "Every call of this model goes to that account now.");
}

int page_operator_incidents_freeze(struct web *w)
{
    return press(w, FREEZE, freeze, "The team is frozen.");
}
