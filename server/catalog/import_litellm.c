/* import_litellm.c: LiteLLM's public price table (model_prices_and_context_window.json).
 *
 * One object of entries; the key is LiteLLM's name ("groq/llama-3.3-70b-versatile"). A name loses
 * LiteLLM's own prefix and keeps everything else, so it is what the provider calls the model. Its
 * prices are read in import_litellm_price.c. An entry of a provider or mode that is not served here
 * is skipped; one that would be sold below its cost, because it charges for something that is not
 * counted, is refused, as are prices that are absurd or zero. */
#include <errno.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/err.h"
#include "catalog/import_litellm.h"
#include "catalog/models.h"
#include "json/value.h"

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
    {"text-completion-openai", "openai", "OpenAI"},
    {"cohere", "cohere", "Cohere"},
    {"voyage", "voyage", "Voyage AI"},
    {"jina_ai", "jina", "Jina AI"},
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

static const char *const ability_flags[] = {
#define ABILITY(ident, name, label, litellm) litellm,
#include "catalog/ability.def"
#undef ABILITY
};

static const char *maker_of(struct str name, const char *otherwise)
{
    for (size_t i = 0; i < ARRAY_LEN(makers); i++)
        if (str_ihas(name, str_c(makers[i].word)))
            return makers[i].vendor;
    return otherwise;
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

static int read_facts(struct arena *a, struct import_entry *e, const struct json_object *v)
{
    const struct json_object *sampling = json_get(v, "supports_sampling_params");
    const struct json_object *streams = json_get(v, ability_flags[ABILITY_STREAMING]);

    e->context_tokens = tokens_of(v, "max_input_tokens", "max_tokens");
    if (model_kind_writes(e->kind))
        e->max_output_tokens = tokens_of(v, "max_output_tokens", "max_tokens");
    for (size_t i = 0; i < ABILITIES; i++)
        if (json_true(json_get(v, ability_flags[i])))
            e->abilities |= ABILITY_BIT(i);
    if (json_kind(sampling) == JSON_BOOL && !json_true(sampling))
        e->abilities |= ABILITY_BIT(ABILITY_NO_SAMPLING);
    if (json_kind(streams) != JSON_BOOL)
        e->abilities |= ABILITY_BIT(ABILITY_STREAMING);
    e->description = STR("");
    e->note = STR("LiteLLM's price table");
    if (e->untaken.n) /* a note has room for 500 characters */
        e->note = arena_strf(a, "LiteLLM's price table; not taken: %.*s",
                             (int)MIN(e->untaken.n, (size_t)400), e->untaken.p);
    return e->note.p ? 0 : err_origin(-ENOMEM);
}

static bool retired(const struct json_object *v)
{
    char today[CLOCK_RFC3339_SIZE];
    struct str date = json_text(json_get(v, "deprecation_date"));

    clock_rfc3339(clock_wall_us(), today);
    return date.n == 10 && str_cmp(date, str_n(today, 10)) <= 0;
}

/* Does the provider serve models of that kind, as far as this program can ask it? Chats go to all. */
static bool is_asked(const struct provider *p, enum model_kind kind)
{
    static const struct wire_format *const formats[MODEL_KINDS] = {
        [MODEL_EMBEDDING] = &format_openai_embeddings,
        [MODEL_COMPLETION] = &format_openai_completions,
        [MODEL_IMAGE] = &format_openai_images,
        [MODEL_SPEECH] = &format_openai_speech,
        [MODEL_TRANSCRIPTION] = &format_openai_transcriptions,
        [MODEL_MODERATION] = &format_openai_moderations,
        [MODEL_RERANK] = &format_rerank_v1,
        [MODEL_OCR] = &format_ocr,
        [MODEL_VIDEO] = &format_openai_videos,
    };

    if (!formats[kind] || provider_way_of(p, formats[kind]))
        return true;
    for (size_t i = 0; kind == MODEL_VIDEO && i < PROVIDER_WAYS_MAX && p->ways[i].format; i++)
        if (format_can_translate(formats[kind], p->ways[i].format))
            return true;
    return false;
}

/* Models of sound that only take part in conversations over a socket. */
static bool is_realtime(const struct json_object *v)
{
    struct json_object *list = json_get(v, "supported_endpoints");

    for (size_t i = 0; i < json_length(list); i++)
        if (!str_starts(json_text(json_at(list, i)), STR("/v1/realtime")))
            return false;
    return json_length(list) > 0;
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
    if (!import_litellm_kind(v, &e->kind) || is_realtime(v))
        import_skip(e, STR("its mode is not served here"));
    else if (!is_asked(e->provider, e->kind))
        import_skip(e, STR("this provider's models of that kind are not served here"));
    else if (str_starts(e->name, STR("ft:")))
        import_skip(e, STR("it stands for fine-tuned models, which have names of their own"));
    else if (retired(v))
        import_skip(e, STR("it is retired"));
    else if (!model_name_good(e->name))
        import_refuse(e, STR("its name cannot be a model's name"));
}

struct litellm_reader {
    struct import_entries *entries;
    struct litellm_visual *visuals;
    size_t n_visuals, visuals_cap;
    int r;
};

/* A price of another entry's images or videos: kept until all models are known. */
static int keep_visual(struct litellm_reader *l, struct import_entry *e, const struct json_object *v)
{
    struct litellm_visual found[LITELLM_VISUALS];
    size_t n = e->provider ? import_litellm_visuals(e, v, found) : 0;

    if (!n)
        return 0;
    if (l->n_visuals + n > l->visuals_cap) {
        size_t cap = l->visuals_cap ? l->visuals_cap * 2 : 64;
        struct litellm_visual *more = arena_array(l->entries->a, struct litellm_visual, cap);

        if (!more)
            return err_origin(-ENOMEM);
        if (l->n_visuals)
            memcpy(more, l->visuals, l->n_visuals * sizeof(*more));
        l->visuals = more;
        l->visuals_cap = cap;
    }
    memcpy(&l->visuals[l->n_visuals], found, n * sizeof(found[0]));
    l->n_visuals += n;
    e->reason = STR_NONE; /* whatever was wrong with it as a model */
    e->refused = false;
    import_skip(e, STR("it is a price of a model's images or videos by their size"));
    return 0;
}

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
    (void)import_litellm_kind(v, &e.kind);
    /* An absurd price is refused wherever it stands. */
    l->r = import_litellm_prices(l->entries, &e, v);
    if (l->r == 0 && !e.reason.p)
        read_place(&e, v);
    if (l->r == 0)
        l->r = keep_visual(l, &e, v);
    if (l->r == 0 && !e.reason.p)
        l->r = import_litellm_judge(l->entries, &e, v);
    if (l->r == 0 && !e.reason.p)
        l->r = read_facts(l->entries->a, &e, v);
    if (l->r == 0)
        l->r = import_put(l->entries, &e);
    return l->r == 0;
}

int import_read_litellm(const struct json_object *root, struct import_entries *ret)
{
    struct litellm_reader l = {.entries = ret};

    json_each(root, litellm_member, &l);
    if (l.r == 0)
        l.r = import_litellm_put_visuals(ret, l.visuals, l.n_visuals);
    return l.r < 0 ? err_trace(l.r) : IMPORT_OK;
}
