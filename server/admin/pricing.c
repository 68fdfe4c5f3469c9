/* pricing.c: /api/v1/pricing, for anybody: what is served now and what it costs. */
#include "admin/admin.h"

#include "base/err.h"
#include "catalog/holder.h"
#include "catalog/prices.h"

static void unref(void *c)
{
    catalog_unref(c);
}

static struct json_object *row_json(const struct price_row *row)
{
    struct json_object *o = json_new_object();

    json_set_str(o, "model", row->model->name);
    json_set_str(o, "vendor", row->model->vendor);
    json_set_str(o, "endpoint_family", row->model->family);
    json_set_cstr(o, "provider", row->provider);
    json_set_cstr(o, "service_tier", service_tier_name(row->service));
    json_set_cstr(o, "unit", usage_unit_info(row->unit)->name);
    json_set_cstr(o, "image_kind", row->visual_kind);
    json_set_i64(o, "per_units", 1000000);
    json_set_money(o, "price", row->charge);
    json_set_i64(o, "above_input_tokens", row->above_input_tokens);
    admin_set_time(o, "effective_from", row->effective_from_us);
    return o;
}

/* Adds text unless the array has it. */
static void add_once(struct json_object *array, struct str text)
{
    for (size_t i = 0; i < json_length(array); i++)
        if (str_eq(json_text(json_at(array, i)), text))
            return;
    json_push_str(array, text);
}

int admin_pricing(struct admin *a)
{
    struct catalog *c = catalog_holder_get(a->services->catalog);
    struct price_row *rows;
    struct json_object *array, *vendors, *families, *list;
    size_t n;
    int r;

    if (!c)
        return admin_problem(a, PROBLEM_BUSY, NULL, "The catalogue is not loaded yet.");
    r = arena_defer(a->arena, unref, c);
    if (!r)
        r = price_list(c, a->arena, &rows, &n);
    if (r)
        return err_trace(r);
    array = json_new_array();
    vendors = json_new_array();
    families = json_new_array();
    for (size_t i = 0; i < n; i++) {
        json_push(array, row_json(&rows[i]));
        add_once(vendors, rows[i].model->vendor);
        add_once(families, rows[i].model->family);
    }
    list = admin_list(array);
    json_set_i64(list, "rows", (int64_t)n);
    json_set(list, "vendors", vendors);
    json_set(list, "endpoint_families", families);
    json_set_cstr(list, "currency", "USD");
    return admin_reply(a, 200, list);
}
