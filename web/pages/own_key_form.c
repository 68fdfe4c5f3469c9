/* own_key_form.c: see own_key_form.h. */
#include "web/pages/own_key_form.h"

#include <errno.h>

#include "base/err.h"
#include "gateway/operate.h"
#include "web/links.h"
#include "web/view.h"

enum { NAME, URL, REGION, PROJECT, KEY, ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN,
       MODELS, OWN_ONLY, ENABLED, FIELDS };

static const struct form_field fields[FIELDS] = {
    [NAME] = {"name", "Name", FORM_TEXT, .required = true, .min = 1, .max = 100, .autocomplete = "off",
              .help = "Stands in the log beside each request it served."},
    [URL] = {"base_url", "Base URL", FORM_TEXT, .max = 2000, .autocomplete = "off",
             .help = "https, at a public address."},
    [REGION] = {"region", "Region", FORM_TEXT, .max = 100, .autocomplete = "off"},
    [PROJECT] = {"project", "Project id", FORM_TEXT, .max = 100, .autocomplete = "off"},
    [KEY] = {"key", "API key", FORM_PASSWORD, .max = 4096, .autocomplete = "off",
             .help = "Stored encrypted and never shown again."},
    [ACCESS_KEY_ID] = {"access_key_id", "Access key id", FORM_TEXT, .max = 256, .autocomplete = "off"},
    [SECRET_ACCESS_KEY] = {"secret_access_key", "Secret access key", FORM_PASSWORD, .max = 4096,
                           .autocomplete = "off", .help = "Stored encrypted and never shown again."},
    [SESSION_TOKEN] = {"session_token", "Session token", FORM_PASSWORD, .max = 4096, .autocomplete = "off"},
    [MODELS] = {"models", "Models", FORM_MANY, .help = "Those that are routed to this provider now. None checked: all of them."},
    [OWN_ONLY] = {"own_only", "This key only", FORM_SWITCH,
                  .help = "Off: where this key fails, the installation’s own stands in, at its list price."},
    [ENABLED] = {"enabled", "Enabled", FORM_SWITCH, .help = "Requests may be sent with it."},
};

int own_form_open(struct web *w, struct form *form, const struct provider *p, struct account_id id)
{
    struct own_model *models;
    struct str *served;
    size_t n, n_served = 0;
    int r = form_init(form, w->arena, fields, FIELDS);

    if (r == 0)
        r = own_models(w->db, w->arena, str_c(p->kind), id, &models, &n);
    if (r)
        return r;
    served = arena_array(w->arena, struct str, n + 1);
    if (!served)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < n; i++) {
        form_option(form, MODELS, models[i].name,
                    models[i].offered ? models[i].name
                                      : arena_strf(w->arena, "%.*s (not routed there now)", STR_FMT(models[i].name)));
        if (models[i].served || !id.v)
            served[n_served++] = models[i].name;
    }
    form_set_on(form, ENABLED, true);
    return form_set_many(form, MODELS, served, n_served);
}

void own_form_show(struct form *form, const struct account_draft *d)
{
    form_set(form, NAME, d->name);
    form_set(form, URL, d->base_url);
    form_set(form, REGION, d->region);
    form_set(form, PROJECT, d->project);
    form_set_on(form, OWN_ONLY, d->own_only);
    form_set_on(form, ENABLED, d->enabled);
}

void own_form_draft(struct form *form, const struct provider *p, struct account_draft *d)
{
    const struct form_value *v = form->v;
    struct identity_fault fault = {0};

    d->kind = str_c(p->kind);
    d->name = v[NAME].text;
    d->base_url = v[URL].text;
    d->region = provider_wants_region(p) ? v[REGION].text : STR("");
    d->project = provider_wants_project(p) ? v[PROJECT].text : STR("");
    d->own_only = v[OWN_ONLY].on;
    d->enabled = v[ENABLED].on;
    if (!form->wrong && operate_check_url(p, d, &fault) != CHANGE_OK)
        form_fault(form, &fault);
}

int own_form_secret(struct form *form, const struct provider *p, struct str *ret)
{
    const struct form_value *v = form->v;
    const struct credential_parts parts = {
        .key = str_trim(v[KEY].text),
        .access_key_id = v[ACCESS_KEY_ID].text,
        .secret_access_key = str_trim(v[SECRET_ACCESS_KEY].text),
        .session_token = str_trim(v[SESSION_TOKEN].text),
    };

    return credential_join(p, form->arena, &parts, ret);
}

void own_form_judge(struct form *form, bool secret)
{
    form->wrong = false;
    for (size_t i = 0; i < FIELDS; i++)
        if ((i >= KEY && i <= SESSION_TOKEN) == secret)
            form->wrong |= form->v[i].fault != NULL;
}

const struct str *own_form_models(const struct form *form, size_t *ret_n)
{
    *ret_n = form->v[MODELS].n_many;
    return form->v[MODELS].many;
}

void own_form_view(const struct form *form, const struct provider *p, bool replaces,
                   struct json_object *view, const char *key)
{
    struct json_object *f;

    form_view(form, view, key);
    f = json_get(view, key);
    json_set_bool(json_get(f, "base_url"), "required", !p->origin);
    if (p->origin)
        json_set_cstr(json_get(f, "base_url"), "placeholder", p->origin);
    json_set_bool(f, "with_region", provider_wants_region(p));
    json_set_bool(f, "with_project", provider_wants_project(p));
    json_set_bool(f, "with_aws", p->auth == PROVIDER_AUTH_AWS);
    json_set_bool(f, "with_google", false); /* accounts.c: a team's own is no service account */
    json_set_bool(f, "with_key", p->auth != PROVIDER_AUTH_NONE);
    if (p->auth != PROVIDER_AUTH_AWS) /* which takes one of two */
        json_set_bool(json_get(f, "key"), "required", replaces || !provider_has(p, PROVIDER_KEY_OPTIONAL));
}

int own_key_outcome(struct web *w, int r, int32_t retry_after_s)
{
    return r == IDENTITY_E_LIMITED ? web_fail_login_limit(w, retry_after_s) : web_outcome(w, r);
}

void own_key_view(struct web *w, const struct account_row *row, struct json_object *view)
{
    bool failed = row->last_error_us > row->last_ok_us;

    json_set_i64(view, "id", row->id.v);
    json_set_str(view, "name", row->is.name);
    json_set_str(view, "link", link_own_key(w->arena, row->id, NULL));
    json_set_str(view, "kind_label", row->provider ? str_c(row->provider->label) : row->is.kind);
    json_set_bool(view, "enabled", row->is.enabled);
    json_set_bool(view, "off", !row->is.enabled);
    json_set_bool(view, "only", row->is.own_only);
    json_set_bool(view, "has_key", row->has_key);
    json_set_str(view, "key_last4", row->has_key ? row->key_last4 : STR(""));
    json_set_str(view, "serves", view_plural(w->arena, row->targets, "model", NULL));
    json_set_str(view, "error", failed ? row->last_error : STR(""));
    view_time(view, "last", MAX(row->last_error_us, row->last_ok_us), w->zone, w->now_us);
    if (!row->is.enabled)
        view_badge(view, "state", VIEW_NEUTRAL, "Off");
    else if (failed)
        view_badge(view, "state", VIEW_WARN, "Last test failed");
    else
        view_badge(view, "state", VIEW_GOOD, "In use");
}
