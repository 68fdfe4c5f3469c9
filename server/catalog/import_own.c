/* import_own.c: our own catalogue format, "tollgate-catalogue/1" (data/models.json). It is written
 * by people, so a field that is not known is a fault of the whole file, named by its path. */
#include <errno.h>

#include "base/err.h"
#include "catalog/import_entry.h"
#include "json/read.h"

#define FORMAT "tollgate-catalogue/1"

struct own_file {
    struct str format, about, as_of;
    struct json_object *models;
};

struct own_model {
    struct str name, vendor, kind, description;
    int64_t context_tokens, max_output_tokens;
    struct json_strs capabilities, aliases;
    struct json_object *offers;
};

struct own_offer {
    struct str provider, upstream_model, as_of, source;
    struct json_object *prices, *steps, *services;
};

struct own_service {
    struct str service_tier;
    struct json_object *prices, *steps;
};

struct own_step {
    int64_t above_input_tokens;
    struct json_object *prices;
};

#define AT(type, member) .offset = offsetof(struct type, member), .seen_offset = SIZE_MAX

static const struct json_field file_fields[] = {
    {"format", WANT_STR, true, 1, 40, AT(own_file, format)},
    {"about", WANT_STR, false, 0, 4000, AT(own_file, about)},
    {"as_of", WANT_STR, true, 10, 10, AT(own_file, as_of)},
    {"models", WANT_ANY, true, 0, 0, AT(own_file, models)},
};
static const struct json_field model_fields[] = {
    {"name", WANT_STR, true, 1, 128, AT(own_model, name)},
    {"vendor", WANT_STR, true, 1, 60, AT(own_model, vendor)},
    {"kind", WANT_STR, true, 1, 20, AT(own_model, kind)},
    {"description", WANT_STR, false, 0, 1000, AT(own_model, description)},
    {"context_tokens", WANT_I64, false, 1, BOUND_MODEL_TOKENS, AT(own_model, context_tokens)},
    {"max_output_tokens", WANT_I64, false, 1, BOUND_MODEL_TOKENS, AT(own_model, max_output_tokens)},
    {"capabilities", WANT_STRS, false, 0, ABILITIES, AT(own_model, capabilities)},
    {"aliases", WANT_STRS, false, 0, 20, AT(own_model, aliases)},
    {"offers", WANT_ANY, true, 0, 0, AT(own_model, offers)},
};
static const struct json_field offer_fields[] = {
    {"provider", WANT_STR, true, 1, 40, AT(own_offer, provider)},
    {"upstream_model", WANT_STR, true, 1, 200, AT(own_offer, upstream_model)},
    {"as_of", WANT_STR, false, 10, 10, AT(own_offer, as_of)},
    {"source", WANT_STR, true, 1, 300, AT(own_offer, source)},
    {"usd_per_million", WANT_ANY, true, 0, 0, AT(own_offer, prices)},
    {"steps", WANT_ANY, false, 0, 0, AT(own_offer, steps)},
    {"service_tiers", WANT_ANY, false, 0, 0, AT(own_offer, services)},
};
static const struct json_field service_fields[] = {
    {"service_tier", WANT_STR, true, 1, 20, AT(own_service, service_tier)},
    {"usd_per_million", WANT_ANY, true, 0, 0, AT(own_service, prices)},
    {"steps", WANT_ANY, false, 0, 0, AT(own_service, steps)},
};
static const struct json_field step_fields[] = {
    {"above_input_tokens", WANT_I64, true, 1, BOUND_MODEL_TOKENS, AT(own_step, above_input_tokens)},
    {"usd_per_million", WANT_ANY, true, 0, 0, AT(own_step, prices)},
};

struct own_reader {
    struct import_entries *entries;
    struct str as_of;
    struct str fault; /* p NULL: none yet */
    struct import_entry *e;
    struct price_figure at; /* the service tier and step that figures are read for */
    int r; /* < 0: fatal */
};

static int own_fault(struct own_reader *o, struct str where, const char *path, const char *reason)
{
    o->fault = arena_strf(o->entries->a, "%.*s %s: %s", STR_FMT(where), path, reason);
    return o->fault.p ? IMPORT_E_FORMAT : err_origin(-ENOMEM);
}

static int own_read(struct own_reader *o, const struct json_object *v, struct str where,
                    const struct json_field *fields, size_t n, void *dest)
{
    struct json_fault why = {.path = ""};
    int r = json_read(o->entries->a, v, fields, n, dest, &why);

    if (r < 0)
        return err_trace(r);
    return r == JSON_OK ? IMPORT_OK : own_fault(o, where, why.path, why.reason);
}

bool import_is_own(const struct json_object *root)
{
    return json_has(root, "format");
}

static bool own_price(void *ctx, const char *unit_name, struct json_object *v)
{
    struct own_reader *o = ctx;
    struct price_figure f = o->at;
    struct money m;

    if (json_kind(v) != JSON_STRING || !price_unit_parse(str_c(unit_name), &f.unit, f.visual_kind) ||
        money_parse(json_text(v), &m) != MONEY_OK) {
        o->r = own_fault(o, o->e->name, unit_name,
                         "no unit with a price as decimal text of at most 9 decimals");
        return false;
    }
    f.charge = m.nano;
    o->r = import_figure(o->entries->a, o->e, &f);
    return o->r == 0;
}

static int own_prices(struct own_reader *o, const struct json_object *prices, int64_t above)
{
    if (json_kind(prices) != JSON_OBJECT)
        return own_fault(o, o->e->name, "usd_per_million", "must be an object");
    o->at.above_input_tokens = above;
    o->r = IMPORT_OK;
    json_each(prices, own_price, o);
    return o->r;
}

static int own_steps(struct own_reader *o, const struct json_object *steps)
{
    int r = IMPORT_OK;

    if (steps && json_kind(steps) != JSON_ARRAY)
        return own_fault(o, o->e->name, "steps", "must be an array");
    for (size_t i = 0; r == 0 && steps && i < json_length(steps); i++) {
        struct own_step step = {.prices = NULL};

        r = own_read(o, json_at(steps, i), o->e->name, step_fields, ARRAY_LEN(step_fields), &step);
        if (r == 0)
            r = own_prices(o, step.prices, step.above_input_tokens);
    }
    return r;
}

static int own_services(struct own_reader *o, const struct json_object *services)
{
    int r = IMPORT_OK;

    if (services && json_kind(services) != JSON_ARRAY)
        return own_fault(o, o->e->name, "service_tiers", "must be an array");
    for (size_t i = 0; r == 0 && services && i < json_length(services); i++) {
        struct own_service s = {.prices = NULL};

        r = own_read(o, json_at(services, i), o->e->name, service_fields,
                     ARRAY_LEN(service_fields), &s);
        if (r == 0 && service_tier_parse(s.service_tier, &o->at.service) != SERVICE_OK)
            r = own_fault(o, o->e->name, "service_tier", "is neither standard, flex nor priority");
        if (r == 0)
            r = own_prices(o, s.prices, 0);
        if (r == 0)
            r = own_steps(o, s.steps);
    }
    o->at.service = SERVICE_STANDARD;
    return r;
}

static int own_offer(struct own_reader *o, const struct json_object *v,
                     const struct import_entry *model)
{
    struct own_offer offer = {.prices = NULL};
    struct import_entry e = *model;
    int r = own_read(o, v, e.name, offer_fields, ARRAY_LEN(offer_fields), &offer);

    if (r)
        return r;
    o->e = &e;
    e.upstream_model = offer.upstream_model;
    e.provider = provider_find(offer.provider);
    e.entry = arena_strf(o->entries->a, "%.*s at %.*s", STR_FMT(e.name), STR_FMT(offer.provider));
    e.note = arena_strf(o->entries->a, "List price of %.*s, %.*s",
                        STR_FMT(offer.as_of.p ? offer.as_of : o->as_of), STR_FMT(offer.source));
    if (!e.entry.p || !e.note.p)
        return err_origin(-ENOMEM);
    if (!e.provider)
        import_skip(&e, STR("there is no such kind of provider here"));
    r = own_prices(o, offer.prices, 0);
    if (r == 0)
        r = own_steps(o, offer.steps);
    if (r == 0)
        r = own_services(o, offer.services);
    return r ? r : import_put(o->entries, &e);
}

static int own_facts(struct own_reader *o, const struct own_model *m, struct import_entry *e)
{
    if (model_kind_parse(m->kind, &e->kind) != WORD_OK)
        return own_fault(o, m->name, "kind", "is no kind of model");
    for (size_t i = 0; i < m->capabilities.n; i++) {
        enum ability a;

        if (ability_parse(m->capabilities.v[i], &a) != WORD_OK)
            return own_fault(o, m->name, "capabilities", "has a word that is not known");
        e->abilities |= ABILITY_BIT(a);
    }
    e->name = m->name;
    e->vendor = m->vendor;
    e->description = m->description.p ? m->description : STR("");
    e->context_tokens = m->context_tokens;
    e->max_output_tokens = m->max_output_tokens;
    e->aliases = m->aliases.v;
    e->n_aliases = m->aliases.n;
    return IMPORT_OK;
}

static int own_model(struct own_reader *o, const struct json_object *v)
{
    struct own_model m = {.offers = NULL};
    struct import_entry e = {.kind = MODEL_CHAT};
    int r = own_read(o, v, STR("a model:"), model_fields, ARRAY_LEN(model_fields), &m);

    if (r == 0)
        r = own_facts(o, &m, &e);
    if (r == 0 && json_kind(m.offers) != JSON_ARRAY)
        r = own_fault(o, m.name, "offers", "must be an array");
    for (size_t i = 0; r == 0 && i < json_length(m.offers); i++)
        r = own_offer(o, json_at(m.offers, i), &e);
    return r;
}

int import_read_own(const struct json_object *root, struct import_entries *ret,
                    struct str *ret_fault_text)
{
    struct own_reader o = {.entries = ret};
    struct own_file file = {.models = NULL};
    int r = own_read(&o, root, STR("the file:"), file_fields, ARRAY_LEN(file_fields), &file);

    o.as_of = file.as_of;
    if (r == 0 && !str_eq_c(file.format, FORMAT))
        r = own_fault(&o, STR("the file:"), "format", "is not " FORMAT);
    if (r == 0 && json_kind(file.models) != JSON_ARRAY)
        r = own_fault(&o, STR("the file:"), "models", "must be an array");
    for (size_t i = 0; r == 0 && i < json_length(file.models); i++)
        r = own_model(&o, json_at(file.models, i));
    if (r == IMPORT_E_FORMAT)
        *ret_fault_text = o.fault;
    return r;
}
