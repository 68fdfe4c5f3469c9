/* operator_installation.c: see operator_installation.h. */
#include "web/pages/operator_installation.h"

#include "base/err.h"
#include "catalog/holder.h"
#include "identity/field_bounds.h"
#include "identity/installation.h"
#include "identity/team.h"
#include "web/form.h"
#include "web/links.h"
#include "web/pages/operator_area.h"
#include "web/view.h"

enum { NAME, ADDRESS, COUNTRY, TAX_ID, EMAIL, NOTE, ZONE, PREFIX, RETENTION, OWN_FEE, OWN_URLS, SIMILARITY, FIELDS };

static const struct form_field fields[FIELDS] = {
    [NAME] = {"seller_name", "Name", FORM_TEXT, .max = PARTY_NAME_MAX, .autocomplete = "organization",
              .help = "Your company as it stands on invoices."},
    [ADDRESS] = {"seller_address", "Address", FORM_LINES, .max = PARTY_ADDRESS_MAX},
    [COUNTRY] = {"seller_country", "Country", FORM_TEXT, .max = 2, .placeholder = "DE",
                 .help = "Two letters."},
    [TAX_ID] = {"seller_tax_id", "Tax id", FORM_TEXT, .max = PARTY_TAX_ID_MAX, .autocomplete = "off"},
    [EMAIL] = {"seller_email", "E-mail", FORM_TEXT, .max = EMAIL_MAX, .autocomplete = "off"},
    [NOTE] = {"seller_note", "Foot of the invoice", FORM_LINES, .max = 1000,
              .help = "Bank account, register number. Bank transfers of top-ups go there, too."},
    [ZONE] = {"time_zone", "Time zone", FORM_CHOICE,
              .help = "Of new teams, and of the day and year of invoice numbers."},
    [PREFIX] = {"invoice_prefix", "Invoice numbers begin with", FORM_TEXT, .required = true,
                .max = 8, .autocomplete = "off", .help = "Capital letters and digits, such as TG."},
    [RETENTION] = {"call_retention_months", "Keep requests for months", FORM_INTEGER, .max = 240,
                   .autocomplete = "off",
                   .help = "Older ones leave the log once they are invoiced; they stay with their "
                           "invoice as a CSV file. Empty: they stay. At least 2."},
    [OWN_FEE] = {"own_fee_percent", "Fee on own keys, percent", FORM_TEXT, .max = 6, .placeholder = "0",
                 .autocomplete = "off",
                 .help = "Of the list price, for requests that a team's own provider key serves; two "
                         "decimals at most."},
    [OWN_URLS] = {"own_base_urls", "Servers of a team’s choice", FORM_SWITCH,
                  .help = "Off: teams’ keys are for providers’ usual addresses only. On, where there is a "
                          "fee: what such a server tells is not believed below half of what is counted here."},
    [SIMILARITY] = {"similarity_model", "Compares questions", FORM_CHOICE,
                    .help = "Keys that keep answers may then give them to questions that are alike, too. "
                            "The model’s calls are charged to the key’s team at its price."},
};

/* The embedding models, and the one that is chosen, whatever has become of it. */
static void add_embedders(struct web *w, struct form *form, struct str chosen)
{
    _cleanup_(catalog_unrefp) struct catalog *catalog = catalog_holder_get(w->services->catalog);
    const struct catalog_model *models;
    size_t n = 0;

    models = catalog ? catalog_models(catalog, &n) : NULL;
    form_option(form, SIMILARITY, STR(""), STR("No model: only the same question gets a kept answer"));
    if (chosen.n)
        form_option(form, SIMILARITY, chosen, chosen);
    for (size_t i = 0; i < n; i++)
        if (models[i].kind == MODEL_EMBEDDING && catalog_model_served(&models[i]) && !str_eq(models[i].name, chosen))
            form_option(form, SIMILARITY, arena_str(w->arena, models[i].name), arena_str(w->arena, models[i].name));
}

/* The zones that are offered, and the one that is set, which may be another that the database knows. */
static int add_zones(struct web *w, struct form *form, struct str chosen)
{
    struct zone_list zones;
    bool listed = false;
    int r = team_zones(w->db, w->arena, &zones);

    if (r != 0)
        return r;
    for (size_t i = 0; i < zones.n; i++) {
        form_option(form, ZONE, zones.v[i], zones.v[i]);
        listed |= str_eq(zones.v[i], chosen);
    }
    if (!listed)
        form_option(form, ZONE, chosen, chosen);
    return 0;
}

static int open_form(struct web *w, struct form *form)
{
    struct installation is;
    int r = form_init(form, w->arena, fields, ARRAY_LEN(fields));

    if (r == 0)
        r = installation_get(w->db, w->arena, &is);
    if (r != 0)
        return r;
    add_embedders(w, form, is.similarity_model);
    return add_zones(w, form, is.time_zone);
}

static int show(struct web *w, int status, const struct form *form)
{
    struct json_object *view = json_new_object();

    form_view(form, view, "form");
    return operator_render(w, status, "operator_installation", "Installation", view);
}

static void percent_read(struct form *form, size_t field, int32_t *ret)
{
    struct str text = form->v[field].text;
    int64_t bp = 0;

    if (text.n && (money_parse_scaled(text, 2, &bp) != MONEY_OK || bp < 0 || bp > 10000))
        form_fault_at(form, field, "A percentage from 0 to 100, with two decimals at most.");
    else
        *ret = (int32_t)bp;
}

int page_operator_installation(struct web *w)
{
    struct installation is;
    struct form form;
    int r = open_form(w, &form);

    if (r == 0)
        r = installation_get(w->db, w->arena, &is);
    if (r != 0)
        return web_outcome(w, r);
    form_set(&form, NAME, is.seller_name);
    form_set(&form, ADDRESS, is.seller_address);
    form_set(&form, COUNTRY, is.seller_country);
    form_set(&form, TAX_ID, is.seller_tax_id);
    form_set(&form, EMAIL, is.seller_email);
    form_set(&form, NOTE, is.seller_note);
    form_set(&form, ZONE, is.time_zone);
    form_set(&form, PREFIX, is.invoice_prefix);
    form_set_i64(&form, RETENTION, is.call_retention_months);
    form_set(&form, OWN_FEE, is.own_fee_bp ? view_basis_points(w->arena, is.own_fee_bp) : STR(""));
    form_set_on(&form, OWN_URLS, is.own_base_urls);
    form_set(&form, SIMILARITY, is.similarity_model);
    return show(w, 200, &form);
}

int page_operator_installation_update(struct web *w)
{
    struct identity_fault fault = {0};
    struct installation wish;
    struct form form;
    int r = open_form(w, &form);

    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r != 0)
        return web_outcome(w, r);
    wish = (struct installation){
        .seller_name = form.v[NAME].text,
        .seller_address = form.v[ADDRESS].text,
        .seller_country = form.v[COUNTRY].text,
        .seller_tax_id = form.v[TAX_ID].text,
        .seller_email = form.v[EMAIL].text,
        .seller_note = form.v[NOTE].text,
        .time_zone = form.v[ZONE].text,
        .invoice_prefix = form.v[PREFIX].text,
        .call_retention_months = (int32_t)form.v[RETENTION].number,
        .own_base_urls = form.v[OWN_URLS].on,
        .similarity_model = form.v[SIMILARITY].text,
    };
    percent_read(&form, OWN_FEE, &wish.own_fee_bp);
    if (!form.wrong)
        r = installation_update(w->db, w->arena, &w->actor, &wish, &fault);
    if (r == IDENTITY_E_FAULT)
        form_fault(&form, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    if (form.wrong) {
        r = web_again(w);
        return r ? web_outcome(w, r) : show(w, 422, &form);
    }
    return web_redirect(w, link_to(LINK_operator_installation), "Saved.");
}
