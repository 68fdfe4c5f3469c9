/* operator_prices.c: see operator_prices.h. */
#include "web/pages/operator_prices.h"

#include <errno.h>

#include "base/err.h"
#include "web/links.h"
#include "web/pages/operator_area.h"
#include "web/pages/operator_model.h"
#include "web/pages/operator_model_form.h"
#include "web/pages/operator_price_form.h"
#include "web/view.h"

/* What prices are about. */
struct priced {
    struct model_row model;
    struct target_row *targets;
    size_t n_targets;
    struct price_version *versions;
    size_t n_versions;
};

static int read_priced(struct web *w, struct priced *p)
{
    int r = operator_model_read(w, &p->model);

    if (r == 0)
        r = target_list(w->db, w->arena, p->model.id, &p->targets, &p->n_targets);
    if (r == 0)
        r = price_history(w->db, w->arena, p->model.id, &p->versions, &p->n_versions);
    return r;
}

/* --- history --- */

static struct str scope_text(struct web *w, const struct priced *p, const struct price_version *v)
{
    if (v->kind.n)
        return arena_strf(w->arena, "every account of kind %.*s", STR_FMT(v->kind));
    if (!v->target.v)
        return STR("the whole model");
    for (size_t i = 0; i < p->n_targets; i++)
        if (p->targets[i].id.v == v->target.v)
            return arena_strf(w->arena, "target %.*s · %.*s", STR_FMT(p->targets[i].account_name),
                              STR_FMT(p->targets[i].is.upstream_model));
    return STR("a target that is deleted");
}

static void figure_price(struct json_object *o, const char *key, enum usage_unit unit, int64_t nano)
{
    view_price(o, key, usage_unit_is_piece(unit) && nano % 1000000 == 0 ? nano / 1000000 : nano);
}

static struct json_object *figures_view(struct web *w, const struct price_version *v)
{
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < v->n_figures; i++) {
        const struct price_figure *f = &v->figures[i];
        struct json_object *o = json_new_object();
        int64_t dearer = MAX(f->charge, f->cost);
        bool piece = usage_unit_is_piece(f->unit) && dearer % 1000000 == 0;

        json_set_cstr(o, "unit", usage_unit_info(f->unit)->label);
        json_set_cstr(o, "image_kind", f->visual_kind);
        json_set_cstr(o, "tier", f->service == SERVICE_STANDARD ? NULL
                                                               : service_tier_label(f->service));
        json_set_str(o, "above",
                     f->above_input_tokens ? view_count_text(w->arena, f->above_input_tokens)
                                           : STR(""));
        json_set_cstr(o, "per", piece ? "each" : "per million");
        figure_price(o, "charge", f->unit, f->charge);
        figure_price(o, "cost", f->unit, f->cost);
        view_percent(o, "margin", f->charge - f->cost, f->charge);
        json_push(list, o);
    }
    return list;
}

static struct json_object *version_view(struct web *w, const struct priced *p,
                                        const struct price_version *v)
{
    struct json_object *o = json_new_object();

    if (v->state == PRICE_CURRENT)
        view_badge(o, "state", VIEW_GOOD, "In force");
    else if (v->state == PRICE_SCHEDULED)
        view_badge(o, "state", VIEW_INFO, "Scheduled");
    else
        view_badge(o, "state", VIEW_NEUTRAL, "Past");
    json_set_i64(o, "id", v->id.v);
    json_set_str(o, "scope", scope_text(w, p, v));
    json_set_str(o, "by", v->created_by_name.n ? v->created_by_name : v->source);
    json_set_str(o, "note", v->note);
    json_set_bool(o, "override", v->override);
    view_time(o, "from", v->effective_from_us, w->zone, w->now_us);
    view_time(o, "created", v->created_us, w->zone, w->now_us);
    json_set(o, "figures", figures_view(w, v));
    return o;
}

int page_operator_prices(struct web *w)
{
    struct json_object *view, *list;
    struct priced p;
    int r = read_priced(w, &p);

    if (r != 0)
        return web_outcome(w, r);
    view = json_new_object();
    list = json_new_array();
    for (size_t i = 0; i < p.n_versions; i++)
        json_push(list, version_view(w, &p, &p.versions[i]));
    model_common_view(w, &p.model, view);
    json_set(view, "versions", list);
    json_set_bool(view, "any", p.n_versions > 0);
    json_set_str(view, "new_link", link_model(w->arena, p.model.id, "prices/new"));
    view_empty(view, "empty", "No price yet",
               "A model without a price is refused, never free. The first price is in force at "
               "once; later ones from the moment you say.",
               "Set the price", link_model(w->arena, p.model.id, "prices/new"));
    return operator_render(w, 200, "operator_prices", "Prices", view);
}

/* --- a new version --- */

static int show_form(struct web *w, int status, const struct priced *p, const struct price_form *f)
{
    struct json_object *view = json_new_object();

    model_common_view(w, &p->model, view);
    price_form_view(w, f, view);
    json_set_str(view, "new_link", link_model(w->arena, p->model.id, "prices/new"));
    return operator_render(w, status, "operator_price_new", "New price", view);
}

/* The version to start from: that of the query, else the one of the whole model, else any that is
 * in force. */
static const struct price_version *start_from(struct web *w, const struct priced *p)
{
    int64_t wanted = operator_query_id(w, "from");
    const struct price_version *found = NULL;

    for (size_t i = 0; i < p->n_versions; i++) {
        const struct price_version *v = &p->versions[i];

        if (v->id.v == wanted)
            return v;
        if (v->state == PRICE_CURRENT && (!found || (!v->kind.n && !v->target.v)))
            found = v;
    }
    return found;
}

/* ?tier=, ?above=, ?unit= and ?image_kind= ask for further lines. */
static void add_wished(struct web *w, struct price_form *f, enum model_kind kind)
{
    struct str tier = request_query(w->req, "tier"), unit = request_query(w->req, "unit");
    int64_t above = operator_query_id(w, "above");
    enum service_tier service = SERVICE_STANDARD;
    struct str visual = request_query(w->req, "image_kind");
    char visual_kind[PRICE_VISUAL_KIND];
    enum usage_unit wished;

    if (tier.p && service_tier_parse(tier, &service) != SERVICE_OK)
        service = SERVICE_STANDARD;
    if (service != SERVICE_STANDARD)
        price_form_add_usual(f, kind, service, 0);
    if (above && above <= BOUND_MODEL_TOKENS)
        price_form_add_usual(f, kind, service, above);
    if (unit.p && usage_unit_parse(unit, &wished) == USAGE_OK)
        price_form_add(f, wished, "", service);
    visual = str_trim(visual);
    if (visual.n && price_visual_kind_parse(visual, visual_kind))
        price_form_add(f, kind == MODEL_VIDEO ? USAGE_SECOND : USAGE_IMAGE, visual_kind, SERVICE_STANDARD);
}

int page_operator_prices_new(struct web *w)
{
    struct price_form *f = arena_new0(w->arena, struct price_form);
    const struct price_version *start;
    struct priced p;
    int r = f ? read_priced(w, &p) : err_origin(-ENOMEM);

    if (r == 0)
        r = price_form_open(w, f, &p.model, p.targets, p.n_targets);
    if (r != 0)
        return web_outcome(w, r);
    start = start_from(w, &p);
    if (start)
        price_form_show(f, start);
    price_form_add_usual(f, p.model.is.kind, SERVICE_STANDARD, 0);
    add_wished(w, f, p.model.is.kind);
    return show_form(w, 200, &p, f);
}

int page_operator_prices_add(struct web *w)
{
    struct price_form *f = arena_new0(w->arena, struct price_form);
    struct identity_fault fault = {0};
    struct price_draft draft;
    struct price_id id;
    struct priced p;
    int r = f ? read_priced(w, &p) : err_origin(-ENOMEM);

    if (r == 0)
        r = price_form_open(w, f, &p.model, p.targets, p.n_targets);
    if (r == 0)
        r = price_form_read(w, f, p.model.id, &draft);
    if (r == 0 && !f->wrong)
        r = price_publish(w->db, &w->actor, &draft, &id, &fault);
    if (r == CHANGE_E_FAULT)
        price_form_fault(f, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    if (f->wrong) {
        price_form_add_usual(f, p.model.is.kind, SERVICE_STANDARD, 0);
        r = web_again(w);
        return r ? web_outcome(w, r) : show_form(w, 422, &p, f);
    }
    return web_redirect(w, link_model(w->arena, p.model.id, "prices"),
                        draft.effective_from_us ? "The price is scheduled."
                                                : "The price is in force.");
}
