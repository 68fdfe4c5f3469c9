/* operator_keys.c: see operator_keys.h. */
#include "web/pages/operator_keys.h"

#include "identity/field_bounds.h"
#include "identity/manage_key.h"
#include "web/form.h"
#include "web/links.h"
#include "web/pages/operator_area.h"
#include "web/view.h"

enum { NAME, LIFE };

#define DAY_US INT64_C(86400000000)

static const struct team_id no_team = {0}; /* whose keys are the installation's */

static const struct form_field fields[] = {
    [NAME] = {"name", "Name", FORM_TEXT, .required = true, .min = 1, .max = KEY_NAME_MAX,
              .autocomplete = "off", .placeholder = "billing export"},
    [LIFE] = {"life", "Ends", FORM_CHOICE},
};

static const struct {
    const char *value, *label;
    int64_t days; /* 0: never */
} lives[] = {
    {"never", "never", 0},
    {"30", "after 30 days", 30},
    {"90", "after 90 days", 90},
    {"365", "after a year", 365},
};

static int open_form(struct web *w, struct form *form)
{
    int r = form_init(form, w->arena, fields, ARRAY_LEN(fields));

    for (size_t i = 0; r == 0 && i < ARRAY_LEN(lives); i++)
        form_option(form, LIFE, str_c(lives[i].value), str_c(lives[i].label));
    form_set(form, LIFE, str_c(lives[0].value));
    return r;
}

static struct json_object *key_view(struct web *w, const struct manage_key *k)
{
    struct json_object *o = json_new_object();
    bool ended = k->expires_at_us && k->expires_at_us <= w->now_us;

    json_set_str(o, "name", k->name);
    json_set_str(o, "creator", k->creator);
    json_set_bool(o, "off", ended);
    view_key(o, "chip", k->name, k->prefix, k->last4, STR_NONE);
    view_time(o, "created", k->created_at_us, w->zone, w->now_us);
    view_time(o, "last_used", k->last_used_at_us, w->zone, w->now_us);
    view_time(o, "ends", k->expires_at_us, w->zone, w->now_us);
    json_set_str(o, "revoke_link", link_operator_key(w->arena, k->id, "revoke"));
    return o;
}

static int show(struct web *w, int status, const struct form *form, struct str secret)
{
    struct json_object *view, *list;
    struct manage_key_page page;
    bool any = false;
    int r = manage_key_list(w->db, w->arena, no_team, &page);

    if (r != 0)
        return web_outcome(w, r);
    view = json_new_object();
    list = json_new_array();
    for (size_t i = 0; i < page.n; i++) {
        if (page.v[i].revoked_at_us)
            continue;
        json_push(list, key_view(w, &page.v[i]));
        any = true;
    }
    json_set(view, "keys", list);
    json_set_bool(view, "any", any);
    json_set_str(view, "secret", secret);
    json_set_str(view, "api_url", web_url(w, STR("/api/v1")));
    form_view(form, view, "form");
    return operator_render(w, status, "operator_keys", "Management keys", view);
}

int page_operator_keys(struct web *w)
{
    struct form form;
    int r = open_form(w, &form);

    return r ? web_outcome(w, r) : show(w, 200, &form, STR(""));
}

static int64_t ends_at(const struct web *w, const struct form *form)
{
    for (size_t i = 0; i < ARRAY_LEN(lives); i++)
        if (lives[i].days && str_eq_c(form->v[LIFE].text, lives[i].value))
            return w->now_us + lives[i].days * DAY_US;
    return 0;
}

/* The secret stands in the answer to the POST itself, so that it is stored nowhere on the way. */
int page_operator_key_mint(struct web *w)
{
    struct identity_fault fault = {0};
    struct form form;
    struct str secret;
    int64_t id;
    int r = open_form(w, &form);

    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r == 0 && !form.wrong)
        r = manage_key_mint(w->db, w->arena, w->services->key_pepper, &w->actor, no_team,
                            ROLE_ADMIN, form.v[NAME].text, ends_at(w, &form), &id, &secret,
                            &fault);
    if (r == IDENTITY_E_FAULT) {
        form_fault(&form, &fault);
        r = web_again(w);
    }
    if (r != 0)
        return web_outcome(w, r);
    if (form.wrong)
        return show(w, 422, &form, STR(""));
    r = open_form(w, &form);
    return r ? web_outcome(w, r) : show(w, 200, &form, secret);
}

int page_operator_key_revoke(struct web *w)
{
    int64_t id;
    int r = IDENTITY_E_NONE;

    if (web_param_id(w, 0, &id))
        r = manage_key_revoke(w->db, w->arena, &w->actor, no_team, id);
    return r ? web_outcome(w, r)
             : web_redirect(w, link_to(LINK_operator_keys), "The management key is revoked.");
}
