/* import_litellm_price.c: what an entry of LiteLLM's table costs.
 *
 * A price field is BASE[_above_Nk_tokens][_flex|_priority]: a unit, a step of input length and a
 * service tier, in USD per unit as a JSON number, read as text. Odd: some entries name a price twice
 * under two names; the first that is read counts. Batch prices are of a service that is not sold
 * here. What is not taken is told, by its field's name. */
#include <errno.h>
#include <inttypes.h>

#include "base/err.h"
#include "catalog/import_litellm.h"
#include "json/value.h"

#define SCALE 15 /* USD per unit to nano-dollars per million units */

static const struct {
    const char *field;
    enum usage_unit unit;
} units[] = {
    {"input_cost_per_token", USAGE_INPUT},
    {"cache_read_input_token_cost", USAGE_CACHED_INPUT},
    {"input_cost_per_token_cache_hit", USAGE_CACHED_INPUT},
    {"cache_creation_input_token_cost", USAGE_CACHE_WRITE_5M},
    {"cache_creation_input_token_cost_above_1hr", USAGE_CACHE_WRITE_1H},
    {"output_cost_per_token", USAGE_OUTPUT},
    {"output_cost_per_reasoning_token", USAGE_REASONING},
    {"input_cost_per_audio_token", USAGE_AUDIO_INPUT},
    {"output_cost_per_audio_token", USAGE_AUDIO_OUTPUT},
    {"input_cost_per_image_token", USAGE_IMAGE_INPUT},
    {"output_cost_per_image_token", USAGE_IMAGE_OUTPUT},
    {"output_cost_per_image", USAGE_IMAGE},
    {"input_cost_per_image", USAGE_IMAGE},
    {"input_cost_per_second", USAGE_SECOND},
    {"output_cost_per_second", USAGE_SECOND},
    {"output_cost_per_video_per_second", USAGE_SECOND},
    {"input_cost_per_character", USAGE_CHARACTER},
    {"output_cost_per_character", USAGE_CHARACTER},
    {"ocr_cost_per_page", USAGE_PAGE},
    {"input_cost_per_request", USAGE_REQUEST},
    {"input_cost_per_query", USAGE_REQUEST},
};

static const struct {
    const char *suffix;
    enum service_tier tier;
} services[] = {{"_flex", SERVICE_FLEX}, {"_priority", SERVICE_PRIORITY}};

/* Takes "_above_200k_tokens" off the name; *ret is 0 where there is none. */
static struct str take_step(struct str name, int64_t *ret)
{
    static const struct str mark = {"_above_", 7}, end = {"k_tokens", 8};
    struct str digits;
    int64_t thousands;

    *ret = 0;
    if (!str_ends(name, end))
        return name;
    for (size_t at = name.n - end.n; at > mark.n; at--) {
        digits = str_n(name.p + at, name.n - end.n - at);
        if (!str_ends(str_n(name.p, at), mark) || str_i64(digits, &thousands) != STR_OK ||
            thousands <= 0 || thousands > BOUND_MODEL_TOKENS / 1000)
            continue;
        *ret = thousands * 1000;
        return str_n(name.p, at - mark.n);
    }
    return name;
}

/* Names that mean another unit in models of a kind. */
static enum usage_unit unit_for(enum model_kind kind, struct str name, enum usage_unit unit)
{
    return kind == MODEL_RERANK && str_eq(name, STR("input_cost_per_query")) ? USAGE_SEARCH : unit;
}

/* What a field stands for; false: nothing that is sold here. */
static bool parse_field(enum model_kind kind, struct str name, struct price_figure *f)
{
    f->service = SERVICE_STANDARD;
    for (size_t i = 0; i < ARRAY_LEN(services); i++)
        if (str_ends(name, str_c(services[i].suffix))) {
            f->service = services[i].tier;
            name = str_n(name.p, name.n - strlen(services[i].suffix));
        }
    name = take_step(name, &f->above_input_tokens);
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (str_eq_c(name, units[i].field)) {
            f->unit = unit_for(kind, name, units[i].unit);
            /* Of chats it is what their prompts' images cost, which tokens say better. */
            return kind == MODEL_IMAGE || !str_eq(name, STR("input_cost_per_image"));
        }
    return false;
}

static int leave(struct import_entries *to, struct import_entry *e, const char *field)
{
    e->untaken = e->untaken.n
                     ? arena_strf(to->a, "%.*s, %s", STR_FMT(e->untaken), field)
                     : arena_str(to->a, str_c(field));
    return e->untaken.p ? 0 : err_origin(-ENOMEM);
}

static struct price_figure *figure_like(struct import_entry *e, const struct price_figure *f)
{
    for (size_t i = 0; i < e->n_figures; i++)
        if (e->figures[i].unit == f->unit && e->figures[i].service == f->service &&
            e->figures[i].above_input_tokens == f->above_input_tokens &&
            strcmp(e->figures[i].visual_kind, f->visual_kind) == 0)
            return &e->figures[i];
    return NULL;
}

static int take(struct import_entries *to, struct import_entry *e, const char *field,
                struct price_figure *f, struct str text)
{
    const struct price_figure *same = figure_like(e, f);

    if (money_parse_scaled(text, SCALE, &f->charge) != MONEY_OK || f->charge < 0) {
        import_refuse(e, arena_strf(to->a, "%s is %.*s: not an exact price", field, STR_FMT(text)));
        return 0;
    }
    if (f->charge > price_ceiling(f->unit, false)) {
        import_refuse(e, arena_strf(to->a, "%s is %.*s: absurd", field, STR_FMT(text)));
        return 0;
    }
    if (same)
        return same->charge == f->charge ? 0 : leave(to, e, field);
    return import_figure(to->a, e, f);
}

/* A price of nothing, or none at all. */
static bool is_nothing(const struct json_object *v)
{
    int64_t figure;

    if (json_kind(v) == JSON_OBJECT || json_kind(v) == JSON_ARRAY)
        return json_length(v) == 0;
    return json_kind(v) == JSON_NULL ||
           (money_parse_scaled(json_text(v), SCALE, &figure) == MONEY_OK && figure == 0);
}

/* A video of so many lines lies or stands. */
static const struct {
    const char *field, *sizes[2];
} sized[] = {
    {"output_cost_per_second_1080p", {"1920x1080", "1080x1920"}},
    {"output_cost_per_second_4k", {"3840x2160", "2160x3840"}},
};

/* Is it a price of a video's size? Then *ret_r is what came of taking it. */
static bool take_sized(struct import_entries *to, struct import_entry *e, const char *field,
                       struct str text, int *ret_r)
{
    size_t i = 0;

    while (i < ARRAY_LEN(sized) && strcmp(sized[i].field, field) != 0)
        i++;
    if (i == ARRAY_LEN(sized) || e->kind != MODEL_VIDEO)
        return false;
    *ret_r = 0;
    for (size_t k = 0; *ret_r == 0 && k < ARRAY_LEN(sized[i].sizes); k++) {
        struct price_figure f = {.unit = USAGE_SECOND};

        if (price_visual_kind_parse(str_c(sized[i].sizes[k]), f.visual_kind))
            *ret_r = take(to, e, field, &f, text);
    }
    return true;
}

struct reading {
    struct import_entries *to;
    struct import_entry *e;
    int r;
};

#define SEARCH_PRICES "search_context_cost_per_query"

static bool read_field(void *ctx, const char *key, struct json_object *v)
{
    struct reading *l = ctx;
    struct str name = str_c(key);
    struct price_figure f = {.charge = 0};

    if (str_eq_c(name, SEARCH_PRICES)) /* read when its provider is known */
        return true;
    if (json_kind(v) == JSON_NULL || (!str_ihas(name, STR("cost")) && !str_ihas(name, STR("pricing"))))
        return true;
    if (take_sized(l->to, l->e, key, json_text(v), &l->r))
        return l->r == 0;
    if (parse_field(l->e->kind, name, &f))
        l->r = take(l->to, l->e, key, &f, json_text(v));
    else if (!is_nothing(v))
        l->r = leave(l->to, l->e, key);
    return l->r == 0;
}

int import_litellm_prices(struct import_entries *to, struct import_entry *e,
                          const struct json_object *v)
{
    struct reading l = {.to = to, .e = e};

    json_each(v, read_field, &l);
    return l.r;
}

/* Is the unit counted in calls of such a model? Tokens of every class and requests are in all. */
static bool is_counted(enum model_kind kind, enum usage_unit unit)
{
    static const enum usage_unit things[MODEL_KINDS] = {
        [MODEL_CHAT] = USAGE_REQUEST,           [MODEL_EMBEDDING] = USAGE_REQUEST,
        [MODEL_COMPLETION] = USAGE_REQUEST,     [MODEL_IMAGE] = USAGE_IMAGE,
        [MODEL_SPEECH] = USAGE_CHARACTER,       [MODEL_MODERATION] = USAGE_REQUEST,
        [MODEL_TRANSCRIPTION] = USAGE_SECOND,   [MODEL_RERANK] = USAGE_SEARCH,
        [MODEL_OCR] = USAGE_PAGE,               [MODEL_VIDEO] = USAGE_SECOND,
    };

    return usage_unit_info(unit)->covers != USAGE_COVERS_OTHER || unit == USAGE_REQUEST ||
           unit == things[kind];
}

static void drop(struct import_entry *e, size_t i)
{
    memmove(&e->figures[i], &e->figures[i + 1], (e->n_figures - i - 1) * sizeof(e->figures[0]));
    e->n_figures--;
}

/* Has what is made a price by its tokens? Then that is what is paid. */
static bool is_paid_by_tokens(struct import_entry *e)
{
    static const enum usage_unit made[] = {USAGE_IMAGE_OUTPUT, USAGE_AUDIO_OUTPUT};

    for (size_t i = 0; i < ARRAY_LEN(made); i++) {
        const struct price_figure like = {.unit = made[i]};
        const struct price_figure *found = figure_like(e, &like);

        if (found && found->charge)
            return true;
    }
    return false;
}

/* Images and seconds made are paid as their tokens where those have a price. */
static int judge_uncounted(struct import_entries *to, struct import_entry *e)
{
    bool by_tokens = is_paid_by_tokens(e);

    for (size_t i = 0; i < e->n_figures;) {
        const struct price_figure f = e->figures[i];
        bool stands_in = (f.unit == USAGE_IMAGE || f.unit == USAGE_SECOND) && by_tokens;

        if (!stands_in && is_counted(e->kind, f.unit)) {
            i++;
            continue;
        }
        if (f.charge && !stands_in)
            import_refuse(e, arena_strf(to->a, "it charges for %s, which its calls are not counted in",
                                        usage_unit_info(f.unit)->label));
        drop(e, i);
    }
    return 0;
}

/* What a service tier costs for short input: its figure, else that of what stands in for it. */
static int64_t base_of(struct import_entry *e, enum service_tier tier, enum usage_unit unit)
{
    for (;;) {
        const struct price_figure like = {.unit = unit, .service = tier};
        const struct price_figure *found = figure_like(e, &like);
        enum usage_unit fallback = usage_unit_info(unit)->fallback;

        if (found || fallback == unit)
            return found ? found->charge : 0;
        unit = fallback;
    }
}

/* Would its long input, of which the file says nothing, be sold for less than standard's? */
static bool is_below_standard(struct import_entry *e, enum service_tier tier)
{
    for (size_t i = 0; i < e->n_figures; i++) {
        const struct price_figure *f = &e->figures[i];
        struct price_figure same = *f;

        same.service = tier;
        if (f->service == SERVICE_STANDARD && f->above_input_tokens && !figure_like(e, &same) &&
            base_of(e, tier, f->unit) < f->charge)
            return true;
    }
    return false;
}

static bool is_sold_whole(struct import_entry *e, enum service_tier tier)
{
    const struct price_figure input = {.unit = USAGE_INPUT, .service = tier};
    const struct price_figure output = {.unit = USAGE_OUTPUT, .service = tier};

    return figure_like(e, &input) && (!model_kind_writes(e->kind) || figure_like(e, &output)) &&
           !is_below_standard(e, tier);
}

/* A service tier is sold whole or not at all. */
static int judge_services(struct import_entries *to, struct import_entry *e)
{
    for (size_t k = 0; k < ARRAY_LEN(services); k++) {
        size_t before = e->n_figures;

        if (is_sold_whole(e, services[k].tier))
            continue;
        for (size_t i = 0; i < e->n_figures;) {
            if (e->figures[i].service == services[k].tier)
                drop(e, i);
            else
                i++;
        }
        if (e->n_figures < before && leave(to, e, service_tier_name(services[k].tier)) < 0)
            return err_origin(-ENOMEM);
    }
    return 0;
}

/* Left out, these would have calls sold below their cost. */
static void judge_untaken(struct import_entry *e, const struct json_object *v)
{
    static const char *const dear[] = {"tiered_pricing", "citation_cost_per_token"};

    for (size_t i = 0; i < ARRAY_LEN(dear); i++)
        if (json_has(v, dear[i]) && !is_nothing(json_get(v, dear[i])))
            import_refuse(e, STR("it charges for something that is not counted here"));
}

/* Of one search of the web, by how much of its finds the model is given; the first that is there. */
static struct str search_price(const struct json_object *prices, bool *ret_differ)
{
    static const char *const sizes[] = {"search_context_size_medium", "search_context_size_low",
                                        "search_context_size_high"};
    struct str first = STR_NONE;

    *ret_differ = false;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct str text = json_text(json_get(prices, sizes[i]));

        *ret_differ |= first.n && text.n && !str_eq(first, text);
        if (!first.n)
            first = text;
    }
    return first;
}

/* Models that search for each question, asked to or not, charge a fee for the request by that size
 * (Perplexity's Sonar, OpenAI's search models); all others for each search that they make. */
static int judge_searches(struct import_entries *to, struct import_entry *e,
                          const struct json_object *v)
{
    const struct json_object *prices = json_get(v, SEARCH_PRICES);
    struct price_figure f = {.unit = USAGE_SEARCH};
    bool differ;
    struct str text = search_price(prices, &differ);
    bool always = differ && (str_eq_c(e->vendor, "Perplexity") || str_ihas(e->name, STR("search")));
    int r;

    if (is_nothing(prices))
        return 0;
    if (!text.n || e->kind != MODEL_CHAT)
        return leave(to, e, SEARCH_PRICES);
    if (money_parse_scaled(text, SCALE, &f.charge) == MONEY_OK && !f.charge)
        return 0;
    e->abilities |= ABILITY_BIT(ABILITY_WEB_SEARCH);
    if (always)
        f.unit = USAGE_REQUEST;
    r = take(to, e, SEARCH_PRICES, &f, text);
    if (r == 0 && always)
        r = import_figure(to->a, e, &(struct price_figure){.unit = USAGE_SEARCH});
    return r == 0 && differ ? leave(to, e, SEARCH_PRICES " other than medium") : r;
}

static bool is_free(const struct import_entry *e)
{
    for (size_t i = 0; i < e->n_figures; i++)
        if (e->figures[i].charge)
            return false;
    return true;
}

/* What is no chat may be sold by something else than tokens. */
static void judge_things(struct import_entry *e)
{
    const struct price_draft draft = {.figures = e->figures, .n_figures = e->n_figures};
    struct identity_fault fault;

    if (is_free(e))
        import_refuse(e, STR("its price is zero; publish that by hand if it is meant"));
    else if (price_draft_check(&draft, e->kind, &fault) != CHANGE_OK)
        import_refuse(e, STR("it has no price of what its calls are counted in"));
}

int import_litellm_judge(struct import_entries *to, struct import_entry *e,
                         const struct json_object *v)
{
    const struct price_figure like_input = {.unit = USAGE_INPUT};
    const struct price_figure like_output = {.unit = USAGE_OUTPUT};
    const struct price_figure *input, *output;
    int r = judge_uncounted(to, e);

    judge_untaken(e, v);
    if (r == 0)
        r = judge_searches(to, e, v);
    if (r == 0)
        r = judge_services(to, e);
    if (!model_kind_writes(e->kind) && e->kind != MODEL_EMBEDDING) {
        judge_things(e);
        return r;
    }
    input = figure_like(e, &like_input);
    output = figure_like(e, &like_output);
    if (!input)
        import_refuse(e, STR("it has no price of input tokens"));
    else if (model_kind_writes(e->kind) && !output)
        import_refuse(e, STR("it has no price of output tokens"));
    else if (input->charge == 0 && (!output || output->charge == 0))
        import_refuse(e, STR("its price is zero; publish that by hand if it is meant"));
    return r;
}
