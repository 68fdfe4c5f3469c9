/* import_litellm.c: LiteLLM's public price table (model_prices_and_context_window.json).
 *
 * One object of entries; the key is LiteLLM's name ("groq/llama-3.3-70b-versatile"), prices are USD
 * per token as JSON numbers, read as text: value * 1e15 is nano-dollars per million. A name loses
 * LiteLLM's own prefix and keeps everything else, so it is what the provider calls the model.
 * Batch, flex and priority prices are of service tiers that are not sold here. An entry of a
 * provider or mode that is not served here is skipped; one that would be sold below its cost,
 * because it charges for something that is not counted, is refused, as are prices that are absurd
 * or zero. */
#include <errno.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/err.h"
#include "catalog/import_entry.h"
#include "catalog/models.h"
#include "json/value.h"

#define SCALE 15 /* USD per unit to nano-dollars per million units */

static const struct {
    const char *litellm, *kind, *vendor; /* vendor NULL: the provider hosts others' models */
} hosts[] = {
    {"openai", "openai", "OpenAI"},
    {"anthropic", "anthropic", "Anthropic"},
    {"gemini", "google", "Google"},
    {"mistral", "mistral", "Mistral"},
    {"deepseek", "deepseek", "DeepSeek"},
    {"xai", "xai", "xAI"},
    {"perplexity", "perplexity", "Perplexity"},
    {"groq", "groq", NULL},
    {"cerebras", "cerebras", NULL},
    {"together_ai", "together", NULL},
    {"fireworks_ai", "fireworks", NULL},
    {"deepinfra", "deepinfra", NULL},
    {"openrouter", "openrouter", NULL},
    {"ollama", "ollama", NULL},
};

/* Who made a hosted model, by a word of its name; the first that fits. */
static const struct {
    const char *word, *vendor;
} makers[] = {
    {"deepseek", "DeepSeek"}, {"llama", "Meta"},        {"gpt", "OpenAI"},
    {"claude", "Anthropic"},  {"gemini", "Google"},     {"gemma", "Google"},
    {"grok", "xAI"},          {"qwen", "Qwen"},         {"qwq", "Qwen"},
    {"kimi", "Moonshot AI"},  {"glm", "Z.ai"},          {"minimax", "MiniMax"},
    {"mistral", "Mistral"},   {"mixtral", "Mistral"},   {"devstral", "Mistral"},
    {"codestral", "Mistral"}, {"ministral", "Mistral"}, {"nova", "Amazon"},
    {"command", "Cohere"},    {"nemotron", "NVIDIA"},   {"phi", "Microsoft"},
    {"mercury", "Inception"}, {"jamba", "AI21 Labs"},   {"sonar", "Perplexity"},
};

/* The fields of a price. With a step of input length they end in "_above_200k_tokens" instead. */
static const struct {
    const char *field;
    enum usage_unit unit;
} prices[] = {
    {"input_cost_per_token", USAGE_INPUT},
    {"cache_read_input_token_cost", USAGE_CACHED_INPUT},
    {"cache_creation_input_token_cost", USAGE_CACHE_WRITE_5M},
    {"cache_creation_input_token_cost_above_1hr", USAGE_CACHE_WRITE_1H},
    {"output_cost_per_token", USAGE_OUTPUT},
    {"output_cost_per_reasoning_token", USAGE_REASONING},
    {"input_cost_per_audio_token", USAGE_AUDIO_INPUT},
    {"output_cost_per_audio_token", USAGE_AUDIO_OUTPUT},
    {"input_cost_per_request", USAGE_REQUEST},
};

static const struct {
    const char *suffix;
    int64_t tokens;
} steps[] = {
    {"_above_128k_tokens", 128000}, {"_above_200k_tokens", 200000}, {"_above_256k_tokens", 256000},
    {"_above_272k_tokens", 272000}, {"_above_512k_tokens", 512000},
};

/* What some entries charge for and nothing here counts. */
static const char *const uncounted[] = {"tiered_pricing", "citation_cost_per_token",
                                        "input_cost_per_second", "output_cost_per_second",
                                        "input_cost_per_character"};

static const char *const ability_flags[] = {
#define ABILITY(ident, name, label, litellm) litellm,
#include "catalog/ability.def"
#undef ABILITY
};

static bool text_has(struct str s, const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; i + n <= s.n; i++)
        if (str_ieq(str_n(s.p + i, n), str_n(word, n)))
            return true;
    return false;
}

static const char *maker_of(struct str name, const char *otherwise)
{
    for (size_t i = 0; i < ARRAY_LEN(makers); i++)
        if (text_has(name, makers[i].word))
            return makers[i].vendor;
    return otherwise;
}

/* One price, if the entry names it. */
static int read_price(struct import_entries *to, struct import_entry *e,
                      const struct json_object *v, const char *field, enum usage_unit unit,
                      int64_t above)
{
    const struct json_object *figure = json_get(v, field);
    struct str text = json_text(figure);
    int64_t nano = 0;

    if (!figure || json_kind(figure) == JSON_NULL)
        return 0;
    if (money_parse_scaled(text, SCALE, &nano) != MONEY_OK || nano < 0)
        import_refuse(e, arena_strf(to->a, "%s is %.*s: not an exact price", field, STR_FMT(text)));
    else if (nano > price_ceiling(unit, false))
        import_refuse(e, arena_strf(to->a, "%s is %.*s: absurd", field, STR_FMT(text)));
    else
        return import_figure(to->a, e, unit, above, nano);
    return 0;
}

static int read_prices(struct import_entries *to, struct import_entry *e,
                       const struct json_object *v)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < ARRAY_LEN(prices); i++) {
        r = read_price(to, e, v, prices[i].field, prices[i].unit, 0);
        for (size_t k = 0; r == 0 && k < ARRAY_LEN(steps); k++) {
            struct str field = arena_strf(to->a, "%s%s", prices[i].field, steps[k].suffix);

            if (!field.p)
                return err_origin(-ENOMEM);
            r = read_price(to, e, v, field.p, prices[i].unit, steps[k].tokens);
        }
    }
    return r;
}

/* The figure of a unit for any length of input; -1: none. */
static int64_t figure_of(const struct import_entry *e, enum usage_unit unit)
{
    for (size_t i = 0; i < e->n_figures; i++)
        if (e->figures[i].unit == unit && e->figures[i].above_input_tokens == 0)
            return e->figures[i].charge;
    return -1;
}

static void judge_prices(struct import_entry *e, const struct json_object *v)
{
    int64_t input = figure_of(e, USAGE_INPUT), output = figure_of(e, USAGE_OUTPUT);

    for (size_t i = 0; i < ARRAY_LEN(uncounted); i++)
        if (json_has(v, uncounted[i]))
            import_refuse(e, STR("it charges for something that is not counted here"));
    if (json_has(v, "search_context_cost_per_query") &&
        (str_eq_c(e->vendor, "Perplexity") || text_has(e->name, "search")))
        import_refuse(e, STR("its fee for each search is not counted here"));
    if (input < 0)
        import_refuse(e, STR("it has no price of input tokens"));
    else if (e->kind == MODEL_CHAT && output < 0)
        import_refuse(e, STR("it has no price of output tokens"));
    else if (input == 0 && output <= 0)
        import_refuse(e, STR("its price is zero; publish that by hand if it is meant"));
}

static int64_t tokens_of(const struct json_object *v, const char *field, const char *otherwise)
{
    const struct json_object *given = json_get(v, field);
    int64_t n = 0;

    if (!given || json_kind(given) == JSON_NULL)
        given = json_get(v, otherwise);
    if (money_parse_scaled(json_text(given), 0, &n) != MONEY_OK) /* some are 2000000.0 */
        return 0;
    return n > 0 && n <= BOUND_MODEL_TOKENS ? n : 0;
}

static void read_facts(struct import_entry *e, const struct json_object *v)
{
    e->context_tokens = tokens_of(v, "max_input_tokens", "max_tokens");
    if (e->kind == MODEL_CHAT)
        e->max_output_tokens = tokens_of(v, "max_output_tokens", "max_tokens");
    for (size_t i = 0; i < ABILITIES; i++)
        if (json_true(json_get(v, ability_flags[i])))
            e->abilities |= ABILITY_BIT(i);
    e->description = STR("");
    e->note = STR("LiteLLM's price table");
}

static bool retired(const struct json_object *v)
{
    char today[CLOCK_RFC3339_SIZE];
    struct str date = json_text(json_get(v, "deprecation_date"));

    clock_rfc3339(clock_wall_us(), today);
    return date.n == 10 && str_cmp(date, str_n(today, 10)) <= 0;
}

/* Who serves it, as what, and under which name; or why it is not for us. */
static void read_place(struct import_entry *e, const struct json_object *v)
{
    struct str host = json_text(json_get(v, "litellm_provider"));
    size_t i = 0;

    while (i < ARRAY_LEN(hosts) && !str_eq_c(host, hosts[i].litellm))
        i++;
    if (i == ARRAY_LEN(hosts)) {
        import_skip(e, STR("there is no such kind of provider here"));
        return;
    }
    e->provider = provider_find(str_c(hosts[i].kind));
    if (str_starts(e->name, host) && e->name.n > host.n && e->name.p[host.n] == '/')
        e->name = str_n(e->name.p + host.n + 1, e->name.n - host.n - 1);
    e->upstream_model = e->name;
    e->vendor = str_c(hosts[i].vendor ? hosts[i].vendor : maker_of(e->name, e->provider->label));
    if (model_kind_parse(json_text(json_get(v, "mode")), &e->kind) != WORD_OK)
        import_skip(e, STR("its mode is not served here"));
    else if (e->kind == MODEL_EMBEDDING && !e->provider->embeddings_path)
        import_skip(e, STR("embeddings of this provider are not served here"));
    else if (str_starts(e->name, STR("ft:")))
        import_skip(e, STR("it stands for fine-tuned models, which have names of their own"));
    else if (retired(v))
        import_skip(e, STR("it is retired"));
    else if (!model_name_good(e->name))
        import_refuse(e, STR("its name cannot be a model's name"));
}

struct litellm_reader {
    struct import_entries *entries;
    int r;
};

static bool litellm_member(void *ctx, const char *key, struct json_object *v)
{
    struct litellm_reader *l = ctx;
    struct import_entry e = {.kind = MODEL_CHAT};

    if (strcmp(key, "sample_spec") == 0 || json_kind(v) != JSON_OBJECT)
        return true;
    e.entry = e.name = arena_str(l->entries->a, str_c(key));
    if (!e.name.p) {
        l->r = err_origin(-ENOMEM);
        return false;
    }
    l->r = read_prices(l->entries, &e, v); /* an absurd price is refused wherever it stands */
    if (l->r == 0 && !e.reason.p)
        read_place(&e, v);
    if (!e.reason.p) {
        read_facts(&e, v);
        judge_prices(&e, v);
    }
    if (l->r == 0)
        l->r = import_put(l->entries, &e);
    return l->r == 0;
}

int import_read_litellm(const struct json_object *root, struct import_entries *ret)
{
    struct litellm_reader l = {.entries = ret};

    json_each(root, litellm_member, &l);
    return l.r < 0 ? err_trace(l.r) : IMPORT_OK;
}
