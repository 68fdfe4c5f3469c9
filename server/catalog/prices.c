/* prices.c: what an operator may publish, and the price list as customers see it. */
#include "catalog/prices.h"

#include <errno.h>

#include "base/err.h"

/* Above the usual ceiling a figure is most likely a slip of the point; above the absurd one it
 * cannot be meant. Things (requests, images ...) cost more apiece than tokens do. */
#define TOKEN_CEILING BOUND_PRICE_PER_MILLION_NANO          /* $0.01 a token */
#define TOKEN_ABSURD (100 * BOUND_PRICE_PER_MILLION_NANO)   /* $1 a token */
#define THING_CEILING (1000 * BOUND_PRICE_PER_MILLION_NANO) /* $10 a thing */
#define THING_ABSURD BOUND_PRICE_ABSURD_NANO                /* $1,000 a thing */

int64_t price_ceiling(enum usage_unit unit, bool override)
{
    bool thing = usage_unit_is_piece(unit);

    if (override)
        return thing ? THING_ABSURD : TOKEN_ABSURD;
    return thing ? THING_CEILING : TOKEN_CEILING;
}

const char *price_source_name(enum price_source s)
{
    static const char *const names[] = {"operator", "import", "demo"};

    assert((size_t)s < ARRAY_LEN(names));
    return names[s];
}

int price_figure_check(const struct price_figure *f, bool override, struct identity_fault *fault)
{
    int64_t dearer = MAX(f->charge, f->cost);

    if (f->charge < 0 || f->cost < 0)
        return identity_fault_set(fault, usage_unit_info(f->unit)->name,
                                  "A price cannot be below zero.");
    if (f->above_input_tokens < 0 || f->above_input_tokens > BOUND_MODEL_TOKENS)
        return identity_fault_set(fault, "above_input_tokens",
                                  "This is a whole number of tokens, or empty.");
    if (dearer > price_ceiling(f->unit, true))
        return identity_fault_set(fault, usage_unit_info(f->unit)->name,
                                  "This price is absurd: is the point in the wrong place?");
    if (dearer > price_ceiling(f->unit, false) && !override)
        return identity_fault_set(fault, "override",
                                  "This price is above $10,000 per million tokens, or $10 apiece. "
                                  "Confirm it if it is meant.");
    return CHANGE_OK;
}

static bool has_figure(const struct price_draft *d, enum service_tier service, enum usage_unit unit,
                       int64_t above, size_t end)
{
    for (size_t i = 0; i < end; i++)
        if (d->figures[i].service == service && d->figures[i].unit == unit &&
            d->figures[i].above_input_tokens == above)
            return true;
    return false;
}

/* What stands in for everything else, of each service tier that is sold. */
static const struct {
    const char *input, *input_sentence, *output, *output_sentence;
} needed[SERVICE_TIERS] = {
    [SERVICE_STANDARD] = {"input", "The price of input tokens is needed.", "output",
                          "The price of output tokens is needed."},
    [SERVICE_FLEX] = {"flex_input", "The flex price of input tokens is needed.", "flex_output",
                      "The flex price of output tokens is needed."},
    [SERVICE_PRIORITY] = {"priority_input", "The priority price of input tokens is needed.",
                          "priority_output", "The priority price of output tokens is needed."},
};

static int needed_check(const struct price_draft *d, const struct price *whole,
                        enum model_kind kind, struct identity_fault *fault)
{
    for (enum service_tier s = 0; s < SERVICE_TIERS; s++) {
        if (!price_sells(whole, s))
            continue;
        if (!has_figure(d, s, USAGE_INPUT, 0, d->n_figures))
            return identity_fault_set(fault, needed[s].input, needed[s].input_sentence);
        if (kind == MODEL_CHAT && !has_figure(d, s, USAGE_OUTPUT, 0, d->n_figures))
            return identity_fault_set(fault, needed[s].output, needed[s].output_sentence);
    }
    return CHANGE_OK;
}

int price_draft_check(const struct price_draft *d, enum model_kind kind,
                      struct identity_fault *fault)
{
    struct price whole;
    int r;

    price_init(&whole, (struct price_id){0});
    for (size_t i = 0; i < d->n_figures; i++) {
        const struct price_figure *f = &d->figures[i];

        r = price_figure_check(f, d->override, fault);
        if (r)
            return r;
        if (has_figure(d, f->service, f->unit, f->above_input_tokens, i))
            return identity_fault_set(fault, usage_unit_info(f->unit)->name,
                                      "This unit has two prices for the same length of input.");
        if (price_set(&whole, f) != PRICE_SET_OK)
            return identity_fault_set(fault, "above_input_tokens",
                                      "A price has at most four steps of input length.");
    }
    r = needed_check(d, &whole, kind, fault);
    if (r)
        return r;
    if (d->note.n > 500 || !str_utf8(d->note))
        return identity_fault_set(fault, "note", "The note is too long.");
    if (d->kind.n && d->target.v)
        return identity_fault_set(fault, "target",
                                  "A price is for one target or for a kind of provider, not both.");
    return CHANGE_OK;
}

static bool step_says(const struct price *p, enum service_tier service, unsigned step,
                      enum usage_unit unit);

/* What a reader takes a unit to cost that has no line at this step: what the last line below says
 * of it, else what stands in for it. */
static int64_t read_off(const struct price *p, enum service_tier service, unsigned step,
                        enum usage_unit unit)
{
    const struct price_step *v = p->of[service].v;
    const struct usage_unit_info *info = usage_unit_info(unit);

    for (unsigned i = step; i-- > 0;)
        if (step_says(p, service, i, unit))
            return v[i].charge[unit];
    if (info->fallback != unit)
        return v[step].charge[info->fallback];
    if (info->covers == USAGE_COVERS_OTHER && service != SERVICE_STANDARD)
        return p->of[SERVICE_STANDARD].v[0].charge[unit];
    return unit == USAGE_REQUEST ? 0 : PRICE_NONE;
}

/* Does it take a line to say what the unit costs? */
static bool step_says(const struct price *p, enum service_tier service, unsigned step,
                      enum usage_unit unit)
{
    int64_t charge = p->of[service].v[step].charge[unit];

    return charge != PRICE_NONE && charge != read_off(p, service, step, unit);
}

struct price_rows {
    struct arena *a;
    struct price_row *v;
    size_t n, cap;
};

static int row_put(struct price_rows *rows, const struct price_row *row)
{
    if (rows->n == rows->cap) {
        size_t cap = rows->cap ? rows->cap * 2 : 64;
        struct price_row *v = arena_array(rows->a, struct price_row, cap);

        if (!v)
            return err_origin(-ENOMEM);
        if (rows->n)
            memcpy(v, rows->v, rows->n * sizeof(*v));
        rows->v = v;
        rows->cap = cap;
    }
    rows->v[rows->n++] = *row;
    return 0;
}

static int rows_of(struct price_rows *rows, const struct catalog_target *t,
                   enum service_tier service)
{
    const struct price *p = t->price;
    const struct price_steps *steps = &p->of[service];

    for (unsigned step = 0; step < steps->n; step++)
        for (size_t u = 0; u < USAGE_UNITS; u++) {
            const struct price_row row = {
                .model = t->model,
                .provider = p == t->model->price ? NULL : t->account->provider->kind,
                .provider_label = p == t->model->price ? NULL : t->account->provider->label,
                .price = p->id,
                .service = service,
                .unit = (enum usage_unit)u,
                .above_input_tokens = steps->v[step].above_input_tokens,
                .charge = {steps->v[step].charge[u]},
                .effective_from_us = p->effective_from_us,
            };
            int r = step_says(p, service, step, row.unit) ? row_put(rows, &row) : 0;

            if (r)
                return err_trace(r);
        }
    return 0;
}

static bool listed_before(const struct catalog_model *m, size_t end)
{
    for (size_t i = 0; i < end; i++)
        if (m->targets[i].price == m->targets[end].price && catalog_target_serves(&m->targets[i]))
            return true;
    return false;
}

int price_list(const struct catalog *c, struct arena *a, struct price_row **ret, size_t *ret_n)
{
    struct price_rows rows = {.a = a};
    size_t n;
    const struct catalog_model *models = catalog_models(c, &n);

    for (size_t i = 0; i < n; i++) {
        const struct catalog_model *m = &models[i];

        for (size_t k = 0; catalog_model_served(m) && k < m->n_targets; k++) {
            bool listed = catalog_target_serves(&m->targets[k]) && !listed_before(m, k);

            for (enum service_tier s = 0; listed && s < SERVICE_TIERS; s++) {
                int r = rows_of(&rows, &m->targets[k], s);

                if (r)
                    return err_trace(r);
            }
        }
    }
    *ret = rows.v;
    *ret_n = rows.n;
    return 0;
}
