/* words.c: see words.h. */
#include "catalog/words.h"

static const char *const ability_names[] = {
#define ABILITY(ident, name, label, litellm) #name,
#include "catalog/ability.def"
#undef ABILITY
};
static const char *const ability_labels[] = {
#define ABILITY(ident, name, label, litellm) label,
#include "catalog/ability.def"
#undef ABILITY
};
static const char *const kind_names[MODEL_KINDS] = {
    "chat", "embedding", "completion", "image", "speech", "transcription", "moderation", "rerank",
    "ocr",  "video"};
static const struct {
    const char *family, *label;
} kinds[MODEL_KINDS] = {
    [MODEL_CHAT] = {"openai-chat", "Chat"},
    [MODEL_EMBEDDING] = {"openai-embeddings", "Embeddings"},
    [MODEL_COMPLETION] = {"openai-completions", "Completions"},
    [MODEL_IMAGE] = {"openai-images", "Images"},
    [MODEL_SPEECH] = {"openai-speech", "Speech"},
    [MODEL_TRANSCRIPTION] = {"openai-transcriptions", "Transcription"},
    [MODEL_MODERATION] = {"openai-moderations", "Moderation"},
    [MODEL_RERANK] = {"rerank", "Rerank"},
    [MODEL_OCR] = {"ocr", "Pages to text (OCR)"},
    [MODEL_VIDEO] = {"openai-video", "Video"},
};
static const char *const trigger_names[] = {"connect",        "timeout",        "rate_limited",
                                            "server_error",   "bad_reply",      "credential",
                                            "context_length", "content_policy"};

const char *ability_name(enum ability a)
{
    assert((size_t)a < ARRAY_LEN(ability_names));
    return ability_names[a];
}

const char *ability_label(enum ability a)
{
    assert((size_t)a < ARRAY_LEN(ability_labels));
    return ability_labels[a];
}

const char *model_kind_name(enum model_kind k)
{
    assert((size_t)k < ARRAY_LEN(kind_names));
    return kind_names[k];
}

const char *model_kind_family(enum model_kind k)
{
    assert((size_t)k < ARRAY_LEN(kinds));
    return kinds[k].family;
}

const char *model_kind_label(enum model_kind k)
{
    assert((size_t)k < ARRAY_LEN(kinds));
    return kinds[k].label;
}

const char *route_trigger_name(enum route_trigger t)
{
    assert((size_t)t < ARRAY_LEN(trigger_names));
    return trigger_names[t];
}

static const struct {
    const char *name, *label;
} strategies[ROUTE_STRATEGIES] = {
    [STRATEGY_PRIORITY] = {"priority", "by priority, weights among equals"},
    [STRATEGY_WEIGHTED] = {"weighted", "by weight alone"},
    [STRATEGY_CHEAPEST] = {"cheapest", "the one that costs you least first"},
    [STRATEGY_FASTEST] = {"fastest", "the one that begins to answer soonest first"},
}, policies[DATA_POLICIES] = {
    [DATA_UNKNOWN] = {"unknown", "not known"},
    [DATA_NO_TRAINING] = {"no_training", "does not learn from it"},
    [DATA_NO_RETENTION] = {"no_retention", "does not learn from it, nor keep it"},
};

const char *route_strategy_name(enum route_strategy s)
{
    assert(s < ROUTE_STRATEGIES);
    return strategies[s].name;
}

const char *route_strategy_label(enum route_strategy s)
{
    assert(s < ROUTE_STRATEGIES);
    return strategies[s].label;
}

const char *data_policy_name(enum data_policy p)
{
    assert(p < DATA_POLICIES);
    return policies[p].name;
}

const char *data_policy_label(enum data_policy p)
{
    assert(p < DATA_POLICIES);
    return policies[p].label;
}

static int word_index(struct str word, const char *const *words, size_t n, size_t *ret)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_c(word, words[i])) {
            *ret = i;
            return WORD_OK;
        }
    return WORD_E_UNKNOWN;
}

int ability_parse(struct str name, enum ability *ret)
{
    size_t i;

    if (word_index(name, ability_names, ARRAY_LEN(ability_names), &i) != WORD_OK)
        return WORD_E_UNKNOWN;
    *ret = (enum ability)i;
    return WORD_OK;
}

int model_kind_parse(struct str name, enum model_kind *ret)
{
    size_t i;

    if (word_index(name, kind_names, ARRAY_LEN(kind_names), &i) != WORD_OK)
        return WORD_E_UNKNOWN;
    *ret = (enum model_kind)i;
    return WORD_OK;
}

int route_trigger_parse(struct str name, enum route_trigger *ret)
{
    size_t i;

    if (word_index(name, trigger_names, ARRAY_LEN(trigger_names), &i) != WORD_OK)
        return WORD_E_UNKNOWN;
    *ret = (enum route_trigger)i;
    return WORD_OK;
}

int route_strategy_parse(struct str name, enum route_strategy *ret)
{
    for (unsigned i = 0; i < ROUTE_STRATEGIES; i++)
        if (str_eq_c(name, strategies[i].name)) {
            *ret = (enum route_strategy)i;
            return WORD_OK;
        }
    return WORD_E_UNKNOWN;
}

int data_policy_parse(struct str name, enum data_policy *ret)
{
    for (unsigned i = 0; i < DATA_POLICIES; i++)
        if (str_eq_c(name, policies[i].name)) {
            *ret = (enum data_policy)i;
            return WORD_OK;
        }
    return WORD_E_UNKNOWN;
}

size_t ability_words(uint32_t bits, struct str ret[ABILITIES])
{
    size_t n = 0;

    for (size_t i = 0; i < ABILITIES; i++)
        if (bits & ABILITY_BIT(i))
            ret[n++] = str_c(ability_name((enum ability)i));
    return n;
}

size_t trigger_words(uint32_t bits, struct str ret[ROUTE_TRIGGERS])
{
    size_t n = 0;

    for (size_t i = 0; i < ROUTE_TRIGGERS; i++)
        if (bits & TRIGGER_BIT(i))
            ret[n++] = str_c(route_trigger_name((enum route_trigger)i));
    return n;
}

uint32_t ability_bits(struct str words)
{
    uint32_t bits = 0;
    struct str word;
    enum ability a;

    while (str_split(&words, ',', &word))
        if (ability_parse(word, &a) == WORD_OK)
            bits |= ABILITY_BIT(a);
    return bits;
}

uint32_t trigger_bits(struct str words)
{
    uint32_t bits = 0;
    struct str word;
    enum route_trigger t;

    while (str_split(&words, ',', &word))
        if (route_trigger_parse(word, &t) == WORD_OK)
            bits |= TRIGGER_BIT(t);
    return bits;
}

uint32_t ability_bits_of(const struct str *words, size_t n)
{
    uint32_t bits = 0;
    enum ability a;

    for (size_t i = 0; i < n; i++)
        if (ability_parse(words[i], &a) == WORD_OK)
            bits |= ABILITY_BIT(a);
    return bits;
}
