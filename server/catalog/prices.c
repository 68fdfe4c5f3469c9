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

static bool is_same_place(const struct price_figure *a, const struct price_figure *b)
{
    return a->service == b->service && a->unit == b->unit &&
           a->above_input_tokens == b->above_input_tokens &&
           strcmp(a->visual_kind, b->visual_kind) == 0;
}

/* Images of any kind are images, and seconds of any size seconds. */
static bool has_unit(const struct price_draft *d, enum service_tier service, enum usage_unit unit)
{
    for (size_t i = 0; i < d->n_figures; i++)
        if (d->figures[i].service == service && d->figures[i].unit == unit &&
            d->figures[i].above_input_tokens == 0)
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

/* What a model of this kind is sold by: a thing, or tokens of input and, where it has one, output.
 * USAGE_UNITS: it has none. */
static const struct {
    enum usage_unit thing, output;
    const char *sentence; /* NULL: it is sold by tokens only */
    bool only;            /* it is not sold by tokens */
} sold_by[MODEL_KINDS] = {
    [MODEL_CHAT] = {USAGE_UNITS, USAGE_OUTPUT, NULL},
    [MODEL_EMBEDDING] = {USAGE_UNITS, USAGE_UNITS, NULL},
    [MODEL_COMPLETION] = {USAGE_UNITS, USAGE_OUTPUT, NULL},
    [MODEL_IMAGE] = {USAGE_IMAGE, USAGE_IMAGE_OUTPUT,
                     "The price of an image, or of input and output tokens, is needed."},
    [MODEL_SPEECH] = {USAGE_CHARACTER, USAGE_AUDIO_OUTPUT,
                      "The price of characters, or of input and output tokens, is needed."},
    [MODEL_TRANSCRIPTION] = {USAGE_SECOND, USAGE_OUTPUT,
                             "The price of a second, or of input and output tokens, is needed."},
    [MODEL_MODERATION] = {USAGE_REQUEST, USAGE_UNITS,
                          "The price of a request, or of input tokens, is needed."},
    [MODEL_RERANK] = {USAGE_SEARCH, USAGE_UNITS,
                      "The price of a search, or of input tokens, is needed."},
    [MODEL_OCR] = {USAGE_PAGE, USAGE_UNITS, "The price of a page, or of input tokens, is needed."},
    [MODEL_VIDEO] = {USAGE_SECOND, USAGE_UNITS, "The price of a second is needed.", .only = true},
};

static int needed_check(const struct price_draft *d, const struct price *whole,
                        enum model_kind kind, struct identity_fault *fault)
{
    enum usage_unit thing = sold_by[kind].thing, output = sold_by[kind].output;

    for (enum service_tier s = 0; s < SERVICE_TIERS; s++) {
        if (!price_sells(whole, s) || (thing < USAGE_UNITS && has_unit(d, s, thing)))
            continue;
        if (sold_by[kind].only || (!has_unit(d, s, USAGE_INPUT) && sold_by[kind].sentence))
            return identity_fault_set(fault, usage_unit_info(thing)->name, sold_by[kind].sentence);
        if (!has_unit(d, s, USAGE_INPUT))
            return identity_fault_set(fault, needed[s].input, needed[s].input_sentence);
        if (output < USAGE_UNITS && !has_unit(d, s, output) && !has_unit(d, s, USAGE_OUTPUT))
            return identity_fault_set(fault, needed[s].output, needed[s].output_sentence);
    }
    return CHANGE_OK;
}

/* A figure that the ones before it leave room for. */
static int place_check(const struct price_draft *d, size_t i, struct price *whole,
                       struct identity_fault *fault)
{
    const struct price_figure *f = &d->figures[i];

    for (size_t k = 0; k < i; k++)
        if (is_same_place(&d->figures[k], f))
            return identity_fault_set(fault, usage_unit_info(f->unit)->name,
                                      "This unit has two prices for the same length of input.");
    if (price_set(whole, f) == PRICE_SET_OK)
        return CHANGE_OK;
    if (f->visual_kind[0] && f->unit == USAGE_SECOND)
        return identity_fault_set(fault, "second",
                                  "Seconds of a video have at most 32 prices by size, such as "
                                  "1280x720, of the standard tier and for any input, and none beside "
                                  "those of images.");
    if (f->visual_kind[0])
        return identity_fault_set(fault, "image",
                                  "Images have at most 32 prices by quality and size, of the "
                                  "standard tier and for any input, and none beside those of a video.");
    return identity_fault_set(fault, "above_input_tokens",
                              "A price has at most four steps of input length.");
}

int price_draft_check(const struct price_draft *d, enum model_kind kind,
                      struct identity_fault *fault)
{
    struct price whole;
    int r;

    price_init(&whole, (struct price_id){0});
    for (size_t i = 0; i < d->n_figures; i++) {
        r = price_figure_check(&d->figures[i], d->override, fault);
        if (r)
            return r;
        r = place_check(d, i, &whole, fault);
        if (r)
            return r;
    }
    if (whole.n_visuals && whole.visual_unit == USAGE_SECOND && kind != MODEL_VIDEO)
        return identity_fault_set(fault, "second", "Only the seconds of videos have prices by size.");
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

static struct price_row row_of(const struct catalog_target *t, enum service_tier service)
{
    const struct price *p = t->price;
    bool whole = p == t->model->price;

    return (struct price_row){
        .model = t->model,
        .provider = whole ? NULL : t->account->provider->kind,
        .provider_label = whole ? NULL : t->account->provider->label,
        .price = p->id,
        .service = service,
        .visual_kind = "",
        .effective_from_us = p->effective_from_us,
    };
}

/* Images by quality and size, seconds of a video by size. */
static int visual_rows(struct price_rows *rows, const struct catalog_target *t)
{
    struct price_row row = row_of(t, SERVICE_STANDARD);
    int r = 0;

    row.unit = t->price->visual_unit;
    for (unsigned i = 0; r == 0 && i < t->price->n_visuals; i++) {
        row.visual_kind = t->price->visual[i].kind;
        row.charge = (struct money){t->price->visual[i].charge};
        r = row_put(rows, &row);
    }
    return r;
}

static int rows_of(struct price_rows *rows, const struct catalog_target *t,
                   enum service_tier service)
{
    const struct price *p = t->price;
    const struct price_steps *steps = &p->of[service];

    for (unsigned step = 0; step < steps->n; step++)
        for (size_t u = 0; u < USAGE_UNITS; u++) {
            struct price_row row = row_of(t, service);
            int r = 0;

            row.unit = (enum usage_unit)u;
            row.above_input_tokens = steps->v[step].above_input_tokens;
            row.charge = (struct money){steps->v[step].charge[u]};
            if (step_says(p, service, step, row.unit))
                r = row_put(rows, &row);

            if (r)
                return err_trace(r);
        }
    return service == SERVICE_STANDARD ? visual_rows(rows, t) : 0;
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
