/* home.c: see home.h. The price list comes straight from the catalogue snapshot: what is shown is
 * what is charged. */
#include "web/pages/home.h"

#include <inttypes.h>

#include "base/err.h"
#include "catalog/holder.h"
#include "catalog/prices.h"
#include "web/snippet.h"
#include "web/view.h"

#define ON_HOME 8 /* rows of the price list on the landing page */

/* --- the price list: one line for each price of a model, its main units as columns --- */

struct price_line {
    const struct catalog_model *model;
    const char *provider;
    enum service_tier service;
    int64_t above, effective_from_us;
    struct json_object *view, *others;
};

static bool same_line(const struct price_line *line, const struct price_row *row)
{
    return line->view && line->model == row->model && line->service == row->service &&
           line->above == row->above_input_tokens &&
           (line->provider == row->provider ||
            (line->provider && row->provider && strcmp(line->provider, row->provider) == 0));
}

static void abilities_view(const struct catalog_model *model, struct json_object *view)
{
    struct json_object *list = json_new_array();

    for (int i = 0; model->abilities_known && i < ABILITIES; i++)
        if (model->abilities & ABILITY_BIT(i))
            json_push_str(list, str_c(ability_label((enum ability)i)));
    json_set(view, "abilities", list);
}

/* "128k", "1M" */
static void context_view(struct web *w, int64_t tokens, struct json_object *view)
{
    if (tokens >= 1000000 && tokens % 1000000 < 100000)
        json_set_str(view, "context", arena_strf(w->arena, "%" PRId64 "M", tokens / 1000000));
    else if (tokens >= 1000)
        json_set_str(view, "context", arena_strf(w->arena, "%" PRId64 "k", tokens / 1000));
    else
        json_set_str(view, "context", tokens ? view_count_text(w->arena, tokens) : STR(""));
}

static struct json_object *open_line(struct web *w, struct price_line *line,
                                     const struct price_row *row)
{
    struct json_object *view = json_new_object();

    *line = (struct price_line){.model = row->model,
                                .provider = row->provider,
                                .service = row->service,
                                .above = row->above_input_tokens,
                                .effective_from_us = row->effective_from_us,
                                .view = view,
                                .others = json_new_array()};
    json_set_str(view, "name", row->model->name);
    json_set_str(view, "vendor", row->model->vendor);
    json_set_str(view, "family", row->model->family);
    json_set_bool(view, "demo", row->model->demo);
    json_set_cstr(view, "provider", row->provider_label);
    json_set_cstr(view, "tier", row->service == SERVICE_STANDARD
                                    ? NULL
                                    : service_tier_label(row->service));
    json_set_str(view, "above",
                 row->above_input_tokens ? view_count_text(w->arena, row->above_input_tokens)
                                         : STR(""));
    json_set_str(view, "since", view_day(w->arena, row->effective_from_us, w->zone));
    json_set_null(view, "input");
    json_set_null(view, "cached");
    json_set_null(view, "output");
    json_set(view, "others", line->others);
    context_view(w, row->model->context_tokens, view);
    abilities_view(row->model, view);
    return view;
}

/* Pieces are shown apiece where that has an exact figure: "$0.04 per image". */
static void add_other(struct web *w, struct price_line *line, const struct price_row *row)
{
    const struct usage_unit_info *unit = usage_unit_info(row->unit);
    bool piece = usage_unit_is_piece(row->unit) && row->charge.nano % 1000000 == 0;
    struct json_object *other = json_new_object();

    json_set_str(other, "label",
                 piece ? arena_strf(w->arena, "per %s%s%s", unit->name, *row->visual_kind ? " " : "",
                                    row->visual_kind)
                       : str_c(unit->label));
    view_price(other, "price", piece ? row->charge.nano / 1000000 : row->charge.nano);
    json_push(line->others, other);
}

static void add_figure(struct web *w, struct price_line *line, const struct price_row *row)
{
    static const char *const columns[USAGE_UNITS] = {
        [USAGE_INPUT] = "input", [USAGE_CACHED_INPUT] = "cached", [USAGE_OUTPUT] = "output"};

    if (columns[row->unit]) {
        view_price(line->view, columns[row->unit], row->charge.nano);
        return;
    }
    add_other(w, line, row);
}

static int prices_view(struct web *w, const struct catalog *catalog, size_t most,
                       struct json_object *view)
{
    struct json_object *lines = json_new_array();
    struct price_line line = {0};
    struct price_row *rows = NULL;
    size_t n = 0;
    int r = catalog ? price_list(catalog, w->arena, &rows, &n) : 0;

    json_set(view, "prices", lines);
    json_set_bool(view, "more_prices", false);
    for (size_t i = 0; r == 0 && i < n; i++) {
        if (!same_line(&line, &rows[i])) {
            if (json_length(lines) == most) {
                json_set_bool(view, "more_prices", true);
                break;
            }
            json_push(lines, open_line(w, &line, &rows[i]));
        }
        add_figure(w, &line, &rows[i]);
    }
    json_set_bool(view, "any_prices", json_length(lines) > 0);
    return r;
}

static int show(struct web *w, const char *name, const char *title, size_t most)
{
    _cleanup_(catalog_unrefp) struct catalog *catalog = catalog_holder_get(w->services->catalog);
    struct json_object *view = json_new_object();
    int r = prices_view(w, catalog, most, view);

    if (r < 0) {
        json_unref(view);
        return err_trace(r);
    }
    snippet_view(w, STR(""), STR(""), view);
    return web_render(w, name, title, view);
}

int page_home(struct web *w)
{
    return show(w, "home", "One key for every model", ON_HOME);
}

int page_pricing(struct web *w)
{
    return show(w, "pricing", "Models and prices", SIZE_MAX);
}

int page_quickstart(struct web *w)
{
    return show(w, "quickstart", "Quick start", 0);
}
