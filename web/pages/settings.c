/* settings.c: see settings.h. Six forms on one page; the one that was sent keeps what was typed. */
#include "web/pages/settings.h"

#include "base/err.h"
#include "identity/field_bounds.h"
#include "identity/manage_key.h"
#include "identity/project.h"
#include "identity/team.h"
#include "web/form.h"
#include "web/links.h"
#include "web/view.h"

enum { NAME, ZONE };
enum { LEGAL_NAME, ADDRESS, COUNTRY, TAX_ID, EMAIL };
enum { DAYS };
enum { OPT_OUT };
enum { PROJECT_NAME };
enum { KEY_NAME, KEY_ROLE };

static const struct form_field team_fields[] = {
    [NAME] = {"name", "Name", FORM_TEXT, .required = true, .min = 1, .max = TEAM_NAME_MAX,
              .autocomplete = "off"},
    [ZONE] = {"time_zone", "Time zone", FORM_CHOICE,
              .help = "Its days, months and invoices are cut in this zone."},
};
static const struct form_field buyer_fields[] = {
    [LEGAL_NAME] = {"legal_name", "Legal name", FORM_TEXT, .max = PARTY_NAME_MAX,
                    .autocomplete = "organization"},
    [ADDRESS] = {"address", "Address", FORM_LINES, .max = PARTY_ADDRESS_MAX},
    [COUNTRY] = {"country", "Country", FORM_TEXT, .max = 2, .placeholder = "DE",
                 .help = "Two letters.", .autocomplete = "country"},
    [TAX_ID] = {"tax_id", "Tax id", FORM_TEXT, .max = PARTY_TAX_ID_MAX, .autocomplete = "off"},
    [EMAIL] = {"billing_email", "Billing e-mail", FORM_EMAIL, .max = EMAIL_MAX,
               .autocomplete = "email"},
};
static const struct form_field response_fields[] = {
    [DAYS] = {"response_days", "Days to keep responses", FORM_INTEGER,
              .max = TEAM_RESPONSE_DAYS_MAX, .placeholder = "0",
              .help = "At most 30. Empty or 0: nothing is kept."},
};
static const struct form_field shadow_fields[] = {
    [OPT_OUT] = {"shadow_opt_out", "Never ask a second model", FORM_SWITCH},
};
static const struct form_field project_fields[] = {
    [PROJECT_NAME] = {"name", "New project", FORM_TEXT, .required = true, .min = 1,
                      .max = PROJECT_NAME_MAX,
                      .autocomplete = "off"},
};
static const struct form_field key_fields[] = {
    [KEY_NAME] = {"name", "New management key", FORM_TEXT, .required = true, .min = 1,
                  .max = KEY_NAME_MAX,
                  .autocomplete = "off"},
    [KEY_ROLE] = {"role", "May do", FORM_CHOICE},
};

/* The project whose new name was refused; id 0: none. */
struct refused {
    struct project_id id;
    struct str text;
    const char *fault;
};

struct forms {
    struct form team, buyer, response, shadow, project, key;
    struct refused rename;
    int64_t days;      /* that responses are kept, and... */
    bool opted_out;    /* ...whether no second model is asked, as they are stored */
    struct str secret; /* of a management key just minted */
};

static int open_team_forms(struct web *w, struct forms *forms)
{
    struct team team;
    struct str *zones;
    size_t n_zones;
    bool listed = false;
    int r = form_init(&forms->team, w->arena, team_fields, ARRAY_LEN(team_fields));

    if (r == 0)
        r = form_init(&forms->buyer, w->arena, buyer_fields, ARRAY_LEN(buyer_fields));
    if (r == 0)
        r = form_init(&forms->response, w->arena, response_fields, ARRAY_LEN(response_fields));
    if (r == 0)
        r = form_init(&forms->shadow, w->arena, shadow_fields, ARRAY_LEN(shadow_fields));
    if (r == 0)
        r = team_get(w->db, w->arena, w->session.team, &team);
    if (r == 0)
        r = zone_names(w->arena, &zones, &n_zones);
    if (r != 0)
        return r;
    for (size_t i = 0; i < n_zones; i++) {
        form_option(&forms->team, ZONE, zones[i], zones[i]);
        listed |= str_eq(zones[i], team.settings.time_zone);
    }
    if (!listed)
        form_option(&forms->team, ZONE, team.settings.time_zone, team.settings.time_zone);
    form_set(&forms->team, NAME, team.settings.name);
    form_set(&forms->team, ZONE, team.settings.time_zone);
    form_set(&forms->buyer, LEGAL_NAME, team.settings.legal_name);
    form_set(&forms->buyer, ADDRESS, team.settings.address);
    form_set(&forms->buyer, COUNTRY, team.settings.country);
    form_set(&forms->buyer, TAX_ID, team.settings.tax_id);
    form_set(&forms->buyer, EMAIL, team.settings.billing_email);
    form_set_i64(&forms->response, DAYS, team.settings.response_days);
    forms->days = team.settings.response_days;
    form_set_on(&forms->shadow, OPT_OUT, team.settings.shadow_opt_out);
    forms->opted_out = team.settings.shadow_opt_out;
    return 0;
}

static int open_key_form(struct web *w, struct form *form)
{
    static const enum role offered[] = {ROLE_VIEWER, ROLE_DEVELOPER, ROLE_BILLING, ROLE_ADMIN};
    int r = form_init(form, w->arena, key_fields, ARRAY_LEN(key_fields));

    for (size_t i = 0; r == 0 && i < ARRAY_LEN(offered); i++)
        form_option(form, KEY_ROLE, str_c(role_name(offered[i])),
                    arena_strf(w->arena, "as %s", role_name(offered[i])));
    form_set(form, KEY_ROLE, STR("viewer"));
    return r;
}

static int open_forms(struct web *w, struct forms *forms)
{
    int r = open_team_forms(w, forms);

    forms->secret = STR("");
    forms->rename = (struct refused){0};
    if (r == 0)
        r = form_init(&forms->project, w->arena, project_fields, ARRAY_LEN(project_fields));
    if (r == 0)
        r = open_key_form(w, &forms->key);
    return r;
}

static struct json_object *projects_view(struct web *w, const struct project_page *page,
                                         const struct refused *refused)
{
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < page->n; i++) {
        const struct project *p = &page->v[i];
        bool typed = refused->id.v == p->id.v;
        struct json_object *o;

        if (p->archived)
            continue;
        o = json_new_object();
        json_set_str(o, "name", p->name);
        json_set_str(o, "new_name", typed ? refused->text : p->name);
        json_set_cstr(o, "fault", typed ? refused->fault : NULL);
        json_set_i64(o, "id", p->id.v);
        json_set_str(o, "keys", view_plural(w->arena, p->key_count, "key", NULL));
        json_set_str(o, "rename_link", link_project(w->arena, p->id, "rename"));
        json_set_str(o, "archive_link", link_project(w->arena, p->id, "archive"));
        json_push(list, o);
    }
    return list;
}

static struct json_object *keys_view(struct web *w, const struct manage_key_page *page)
{
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < page->n; i++) {
        const struct manage_key *k = &page->v[i];
        struct json_object *o;

        if (k->revoked_at_us)
            continue;
        o = json_new_object();
        json_set_str(o, "name", k->name);
        json_set_cstr(o, "role", role_name(k->role));
        json_set_str(o, "creator", k->creator);
        view_key(o, "chip", k->name, k->prefix, k->last4, STR_NONE);
        view_time(o, "last_used", k->last_used_at_us, w->zone, w->now_us);
        json_set_str(o, "revoke_link", link_manage_key(w->arena, k->id, "revoke"));
        json_push(list, o);
    }
    return list;
}

static int show(struct web *w, int status, const struct forms *forms)
{
    bool admin = web_role(w, ROLE_ADMIN);
    struct manage_key_page keys = {0};
    struct project_page projects;
    struct json_object *view;
    int r = project_list(w->db, w->arena, w->session.team, &projects);

    if (r == 0 && admin)
        r = manage_key_list(w->db, w->arena, w->session.team, &keys);
    if (r != 0)
        return web_outcome(w, r);
    view = json_new_object();
    form_view(&forms->team, view, "team_form");
    form_view(&forms->buyer, view, "buyer_form");
    form_view(&forms->response, view, "response_form");
    form_view(&forms->shadow, view, "shadow_form");
    form_view(&forms->project, view, "project_form");
    form_view(&forms->key, view, "key_form");
    json_set(view, "projects", projects_view(w, &projects, &forms->rename));
    json_set(view, "manage_keys", keys_view(w, &keys));
    json_set_str(view, "secret", forms->secret);
    json_set_str(view, "api_url", web_url(w, STR("/api/v1")));
    return web_render_as(w, status, "settings", "Settings", view);
}

int page_settings(struct web *w)
{
    struct forms forms;
    int r = open_forms(w, &forms);

    return r ? web_outcome(w, r) : show(w, 200, &forms);
}

/* What one of the team's forms holds, the others as they are stored. */
static int save(struct web *w, struct forms *forms, struct form *sent)
{
    const struct form_value *team = forms->team.v, *buyer = forms->buyer.v;
    struct identity_fault fault = {0};
    struct team_settings settings;
    int r = form_read(sent, &w->submitted);

    if (r != 0)
        return web_outcome(w, r);
    settings = (struct team_settings){
        .name = team[NAME].text,
        .time_zone = team[ZONE].text,
        .legal_name = buyer[LEGAL_NAME].text,
        .address = buyer[ADDRESS].text,
        .country = buyer[COUNTRY].text,
        .tax_id = buyer[TAX_ID].text,
        .billing_email = buyer[EMAIL].text,
        .response_days = sent == &forms->response ? sent->v[DAYS].number : forms->days,
        .shadow_opt_out = sent == &forms->shadow ? sent->v[OPT_OUT].on : forms->opted_out,
    };
    if (!sent->wrong)
        r = team_update(w->db, w->arena, &w->actor, w->session.team, &settings, &fault);
    if (r == IDENTITY_E_FAULT)
        form_fault(sent, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    if (sent->wrong)
        return show(w, 422, forms);
    return web_redirect(w, link_to(LINK_settings), "Saved.");
}

int page_settings_save(struct web *w)
{
    struct forms forms;
    int r = open_forms(w, &forms);

    return r ? web_outcome(w, r) : save(w, &forms, &forms.team);
}

int page_settings_buyer(struct web *w)
{
    struct forms forms;
    int r = open_forms(w, &forms);

    return r ? web_outcome(w, r) : save(w, &forms, &forms.buyer);
}

int page_settings_responses(struct web *w)
{
    struct forms forms;
    int r = open_forms(w, &forms);

    return r ? web_outcome(w, r) : save(w, &forms, &forms.response);
}

int page_settings_shadows(struct web *w)
{
    struct forms forms;
    int r = open_forms(w, &forms);

    return r ? web_outcome(w, r) : save(w, &forms, &forms.shadow);
}

int page_settings_clear_cache(struct web *w)
{
    int r = team_clear_cache(w->db, w->arena, &w->actor, w->session.team);

    return r ? web_outcome(w, r)
             : web_redirect(w, link_to(LINK_settings), "The kept answers are cleared.");
}

int page_project_add(struct web *w)
{
    struct identity_fault fault = {0};
    struct project_id id;
    struct forms forms;
    int r = open_forms(w, &forms);

    if (r == 0)
        r = form_read(&forms.project, &w->submitted);
    if (r == 0 && !forms.project.wrong)
        r = project_create(w->db, w->arena, &w->actor, w->session.team,
                           forms.project.v[PROJECT_NAME].text, &id, &fault);
    if (r == IDENTITY_E_FAULT)
        form_fault(&forms.project, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    if (forms.project.wrong)
        return show(w, 422, &forms);
    return web_redirect(w, link_to(LINK_settings), "The project is added.");
}

int page_project_rename(struct web *w)
{
    struct refused refused = {.text = str_trim(pairs_get(&w->submitted, "name"))};
    struct identity_fault fault = {0};
    struct forms forms;
    int r = IDENTITY_E_NONE;

    if (web_param_id(w, 0, &refused.id.v))
        r = project_rename(w->db, w->arena, &w->actor, w->session.team, refused.id, refused.text,
                           &fault);
    if (r == 0)
        return web_redirect(w, link_to(LINK_settings), "The project is renamed.");
    if (r == IDENTITY_E_FAULT && (r = open_forms(w, &forms)) == 0) {
        refused.fault = fault.sentence;
        forms.rename = refused;
        return show(w, 422, &forms);
    }
    return web_outcome(w, r);
}

int page_project_archive(struct web *w)
{
    struct project_id id;
    int r = IDENTITY_E_NONE;

    if (web_param_id(w, 0, &id.v))
        r = project_archive(w->db, w->arena, &w->actor, w->session.team, id);
    return r ? web_outcome(w, r)
             : web_redirect(w, link_to(LINK_settings), "The project is archived.");
}

int page_manage_key_mint(struct web *w)
{
    struct identity_fault fault = {0};
    enum role role = ROLE_VIEWER;
    struct forms forms;
    struct str secret;
    int64_t id;
    int r = open_forms(w, &forms);

    if (r == 0)
        r = form_read(&forms.key, &w->submitted);
    if (r == 0 && !forms.key.wrong && role_parse(forms.key.v[KEY_ROLE].text, &role))
        r = manage_key_mint(w->db, w->arena, w->services->key_pepper, &w->actor, w->session.team,
                            role, forms.key.v[KEY_NAME].text, 0, &id, &secret, &fault);
    if (r == IDENTITY_E_FAULT)
        form_fault(&forms.key, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    if (forms.key.wrong)
        return show(w, 422, &forms);
    r = open_forms(w, &forms);
    forms.secret = secret;
    return r ? web_outcome(w, r) : show(w, 200, &forms);
}

int page_manage_key_revoke(struct web *w)
{
    int64_t id;
    int r = IDENTITY_E_NONE;

    if (web_param_id(w, 0, &id))
        r = manage_key_revoke(w->db, w->arena, &w->actor, w->session.team, id);
    return r ? web_outcome(w, r)
             : web_redirect(w, link_to(LINK_settings), "The management key is revoked.");
}
