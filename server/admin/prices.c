/* prices.c: /api/v1/routes/{id}/prices: the versions of a route's price, and a new one, for operators.
 * Figures are US dollars per million units, of pieces too. */
#include "admin/routes.h"

#include <errno.h>

#include "base/err.h"
#include "catalog/prices.h"
#include "providers/provider.h"

static struct json_object *figure_json(const struct price_figure *f)
{
    struct json_object *o = json_new_object();

    json_set_cstr(o, "unit", usage_unit_info(f->unit)->name);
    json_set_cstr(o, "service_tier", service_tier_name(f->service));
    json_set_i64(o, "above_input_tokens", f->above_input_tokens);
    json_set_cstr(o, "image_kind", f->visual_kind[0] ? f->visual_kind : NULL);
    json_set_money(o, "price", (struct money){f->charge});
    json_set_money(o, "cost", (struct money){f->cost});
    return o;
}

static struct json_object *version_json(const struct price_version *v)
{
    static const char *const states[] = {
        [PRICE_PAST] = "past", [PRICE_CURRENT] = "current", [PRICE_SCHEDULED] = "scheduled"};
    struct json_object *o = json_new_object(), *figures = json_new_array();

    json_set_cstr(o, "object", "price");
    json_set_i64(o, "id", v->id.v);
    json_set_cstr(o, "state", states[v->state]);
    admin_set_text(o, "provider", v->kind);
    admin_set_id(o, "target_id", v->target.v);
    admin_set_time(o, "effective_from", v->effective_from_us);
    admin_set_time(o, "created_at", v->created_us);
    json_set_str(o, "source", v->source);
    admin_set_text(o, "created_by", v->created_by_name);
    admin_set_text(o, "note", v->note);
    json_set_bool(o, "override", v->override);
    json_set_i64(o, "per_units", 1000000);
    for (size_t i = 0; i < v->n_figures; i++)
        json_push(figures, figure_json(&v->figures[i]));
    json_set(o, "figures", figures);
    return o;
}

static int answer_prices(struct admin *a, int status, struct model_id route)
{
    struct price_version *versions;
    struct json_object *array;
    size_t n;
    int r = admin_identity(a, price_history(a->db, a->arena, route, &versions, &n), NULL);

    if (r)
        return r;
    array = json_new_array();
    for (size_t i = 0; i < n; i++)
        json_push(array, version_json(&versions[i]));
    return admin_reply(a, status, admin_list(array));
}

/* The route of the path, which there must be. */
static int read_route(struct admin *a, struct model_row *ret)
{
    struct model_id id;
    int r = admin_route_of_path(a, &id);

    return r ? r : admin_identity(a, model_get(a->db, a->arena, id, ret), NULL);
}

int admin_prices_list(struct admin *a)
{
    struct model_row route;
    int r = read_route(a, &route);

    return r ? r : answer_prices(a, 200, route.id);
}

/* --- a new version --- */

struct figure_body {
    struct str unit, service_tier, image_kind;
    int64_t above_input_tokens;
    struct money price, cost;
};

#define FIGURE_AT(field) offsetof(struct figure_body, field)
static const struct json_field figure_fields[] = {
    {"unit", WANT_STR, true, 1, 40, FIGURE_AT(unit), SIZE_MAX},
    {"service_tier", WANT_STR, false, 1, 40, FIGURE_AT(service_tier), SIZE_MAX},
    {"above_input_tokens", WANT_I64, false, 0, BOUND_MODEL_TOKENS, FIGURE_AT(above_input_tokens),
     SIZE_MAX},
    {"image_kind", WANT_STR, false, 1, PRICE_VISUAL_KIND - 1, FIGURE_AT(image_kind), SIZE_MAX},
    {"price", WANT_MONEY, true, 0, INT64_MAX, FIGURE_AT(price), SIZE_MAX},
    {"cost", WANT_MONEY, false, 0, INT64_MAX, FIGURE_AT(cost), SIZE_MAX},
};

struct price_body {
    struct str provider, effective_from, note;
    int64_t target_id;
    bool override;
    struct json_object *figures;
};

#define AT(field) offsetof(struct price_body, field)
static const struct json_field price_fields[] = {
    {"provider", WANT_STR, false, 1, 40, AT(provider), SIZE_MAX},
    {"target_id", WANT_I64, false, 1, INT64_MAX, AT(target_id), SIZE_MAX},
    {"effective_from", WANT_STR, false, 10, 40, AT(effective_from), SIZE_MAX},
    {"note", WANT_STR, false, 0, 500, AT(note), SIZE_MAX},
    {"override", WANT_BOOL, false, 0, 0, AT(override), SIZE_MAX},
    {"figures", WANT_ANY, true, 0, 0, AT(figures), SIZE_MAX},
};

static int figure_problem(struct admin *a, size_t i, const char *field, const char *sentence)
{
    struct str path = arena_strf(a->arena, "figures[%zu]%s%s", i, field[0] ? "." : "", field);

    if (!path.p)
        return err_origin(-ENOMEM);
    return admin_problem(a, PROBLEM_BAD_FIELD, path.p, sentence);
}

static int read_figure(struct admin *a, size_t i, const struct json_object *v, bool override,
                       struct price_figure *ret)
{
    struct figure_body b = {0};
    struct identity_fault wrong = {0};
    struct json_fault fault;
    int r = json_read(a->arena, v, figure_fields, ARRAY_LEN(figure_fields), &b, &fault);

    if (r == JSON_E_FAULT)
        return figure_problem(a, i, arena_cstr(a->arena, str_c(fault.path)), fault.reason);
    if (r)
        return err_trace(r);
    *ret = (struct price_figure){
        .above_input_tokens = b.above_input_tokens, .charge = b.price.nano, .cost = b.cost.nano};
    if (usage_unit_parse(b.unit, &ret->unit) != USAGE_OK)
        return figure_problem(a, i, "unit", "No such unit is known.");
    if (b.service_tier.p && service_tier_parse(b.service_tier, &ret->service) != SERVICE_OK)
        return figure_problem(a, i, "service_tier", "No such service tier is known.");
    if (b.image_kind.p && !price_visual_kind_parse(b.image_kind, ret->visual_kind))
        return figure_problem(a, i, "image_kind", "A quality, a size, or QUALITY/WxH is wanted.");
    if (ret->visual_kind[0] && !price_kind_fits(ret->unit, ret->visual_kind))
        return figure_problem(a, i, "image_kind", "Images have one, and seconds of a video a size.");
    if (price_figure_check(ret, override, &wrong) != CHANGE_OK)
        return figure_problem(a, i, "price", wrong.sentence);
    return 0;
}

static int read_figures(struct admin *a, const struct price_body *b, struct price_draft *draft)
{
    size_t n = json_kind(b->figures) == JSON_ARRAY ? json_length(b->figures) : 0;
    struct price_figure *v;

    if (!n || n > PRICE_FIGURES)
        return admin_problem(a, PROBLEM_BAD_FIELD, "figures",
                             "A list of figures is wanted, each with its unit and price.");
    v = arena_array(a->arena, struct price_figure, n);
    if (!v)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < n; i++) {
        int r = read_figure(a, i, json_at(b->figures, i), b->override, &v[i]);

        if (r)
            return r;
    }
    draft->figures = v;
    draft->n_figures = n;
    return 0;
}

int admin_prices_publish(struct admin *a)
{
    struct identity_fault fault = {0};
    struct price_draft draft = {.source = PRICE_BY_OPERATOR};
    struct price_body b = {0};
    struct model_row route;
    struct price_id id;
    int r = read_route(a, &route);

    if (!r)
        r = admin_body(a, price_fields, ARRAY_LEN(price_fields), &b);
    if (!r && b.provider.p && !provider_find(b.provider))
        r = admin_problem(a, PROBLEM_BAD_FIELD, "provider",
                          "No provider of this kind is known here.");
    if (!r)
        r = admin_body_time(a, "effective_from", b.effective_from, &draft.effective_from_us);
    if (!r)
        r = read_figures(a, &b, &draft);
    if (r)
        return r;
    draft.model = route.id;
    draft.kind = b.provider;
    draft.target.v = b.target_id;
    draft.note = b.note.p ? b.note : STR("");
    draft.override = b.override;
    r = price_publish(a->db, &a->actor, &draft, &id, &fault);
    if (r == CHANGE_E_FAULT && str_eq_c(str_c(fault.field), "kind"))
        fault.field = "provider";
    if (r == CHANGE_E_FAULT && str_eq_c(str_c(fault.field), "target"))
        fault.field = "target_id";
    r = admin_identity(a, r, &fault);
    return r ? r : answer_prices(a, 201, route.id);
}
