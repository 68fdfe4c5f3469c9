/* config_read.c: the tools and settings of a generateContent request. */
#include "translation/gemini/gemini.h"
#include "translation/tree.h"

static void declaration(struct tree *t, struct node at, struct chat_tool *tool)
{
    static const char *const of_declaration[] = {"name", "description", "parameters",
                                                 "parametersJsonSchema", "parameters_json_schema",
                                                 NULL};
    struct node schema = gemini_get(t, at, "parametersJsonSchema", "parameters_json_schema");
    struct node own = tree_object(t, at, "parameters");

    *tool = (struct chat_tool){.path = at.path, .strict = -1};
    tool->name = tree_needs_text(t, at, "name");
    tool->description = tree_text(t, at, "description");
    tool->schema = node_given(schema) ? node_raw(t, schema) : gemini_plain_schema(t, own);
    tool->own_schema = node_raw(t, own);
    tool->extra = tree_extras(t, at, of_declaration);
}

/* One object counts as a list of one. */
static size_t objects(struct node list)
{
    return node_is(list, JSON_OBJECT) ? 1 : node_length(list);
}

static struct node object_at(struct tree *t, struct node list, size_t i)
{
    return node_is(list, JSON_OBJECT) ? list : node_at(t, list, i);
}

/* A tool object holds declarations, or one of Google's own tools, or both. */
static size_t count_tools(struct tree *t, struct node tools)
{
    size_t n = 0;

    for (size_t i = 0; i < objects(tools); i++)
        n += 1 + node_length(gemini_get(t, object_at(t, tools, i), "functionDeclarations",
                                        "function_declarations"));
    return n;
}

static void read_choice(struct tree *t, struct node root, struct chat_request *ret)
{
    struct node config = gemini_get(t, root, "toolConfig", "tool_config");
    struct node at = gemini_get(t, config, "functionCallingConfig", "function_calling_config");
    struct node names = gemini_get(t, at, "allowedFunctionNames", "allowed_function_names");
    struct str mode = tree_text(t, at, "mode");

    ret->choice_raw = node_raw(t, config);
    if (!mode.p)
        return;
    ret->choice_path = at.path;
    if (str_eq_c(mode, "NONE"))
        ret->choice = CHAT_CHOICE_NONE;
    else if (str_eq_c(mode, "ANY"))
        ret->choice = node_length(names) == 1 ? CHAT_CHOICE_NAMED : CHAT_CHOICE_ANY;
    else if (str_eq_c(mode, "AUTO") || str_eq_c(mode, "VALIDATED"))
        ret->choice = CHAT_CHOICE_AUTO;
    else if (!str_eq_c(mode, "MODE_UNSPECIFIED"))
        tree_wrong(t, at.path, "has a mode that is none of AUTO, ANY, NONE, VALIDATED");
    if (ret->choice == CHAT_CHOICE_NAMED)
        ret->choice_name = node_text(t, node_at(t, names, 0));
}

void gemini_read_tools(struct tree *t, struct node root, struct chat_request *ret)
{
    static const char *const of_tool[] = {"functionDeclarations", "function_declarations", NULL};
    struct node tools = node_get(t, root, "tools");

    if (node_given(tools) && !node_is(tools, JSON_ARRAY) && !node_is(tools, JSON_OBJECT))
        tree_wrong(t, tools.path, "must be an array");
    ret->tools = tree_array_of(t, struct chat_tool, count_tools(t, tools));
    for (size_t i = 0; i < objects(tools) && !tree_failed(t); i++) {
        struct node at = object_at(t, tools, i);
        struct node list = gemini_get(t, at, "functionDeclarations", "function_declarations");

        for (size_t k = 0; k < node_length(list) && !tree_failed(t); k++)
            declaration(t, node_at(t, list, k), &ret->tools[ret->n_tools++]);
        if (tree_extras(t, at, of_tool).n && !tree_failed(t))
            ret->tools[ret->n_tools++] =
                (struct chat_tool){.path = at.path, .raw = node_raw(t, at), .strict = -1};
    }
    read_choice(t, root, ret);
}

/* --- settings --- */

static const struct {
    enum chat_setting which;
    const char *camel, *snake;
} settings[] = {
    {CHAT_SET_TEMPERATURE, "temperature", "temperature"},
    {CHAT_SET_TOP_P, "topP", "top_p"},
    {CHAT_SET_TOP_K, "topK", "top_k"},
    {CHAT_SET_CHOICES, "candidateCount", "candidate_count"},
    {CHAT_SET_PRESENCE_PENALTY, "presencePenalty", "presence_penalty"},
    {CHAT_SET_FREQUENCY_PENALTY, "frequencyPenalty", "frequency_penalty"},
    {CHAT_SET_SEED, "seed", "seed"},
    {CHAT_SET_LOGPROBS, "responseLogprobs", "response_logprobs"},
    {CHAT_SET_TOP_LOGPROBS, "logprobs", "logprobs"},
    {CHAT_SET_MODALITIES, "responseModalities", "response_modalities"},
};

static const char *const of_config[] = {
    "temperature", "topP", "top_p", "topK", "top_k", "candidateCount", "candidate_count",
    "presencePenalty", "presence_penalty", "frequencyPenalty", "frequency_penalty", "seed",
    "responseLogprobs", "response_logprobs", "logprobs", "responseModalities",
    "response_modalities", "maxOutputTokens", "max_output_tokens", "stopSequences",
    "stop_sequences", "responseMimeType", "response_mime_type", "responseSchema",
    "response_schema", "responseJsonSchema", "response_json_schema", "thinkingConfig",
    "thinking_config", NULL};

static void read_settings(struct tree *t, struct node config, struct chat_value *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        bool camel = node_given(node_get(t, config, settings[i].camel));
        struct tree_setting one = {settings[i].which,
                                   camel ? settings[i].camel : settings[i].snake};

        tree_settings(t, config, &one, 1, ret);
    }
}

static void read_format(struct tree *t, struct node config, struct chat_format *format)
{
    struct str mime = node_text(t, gemini_get(t, config, "responseMimeType", "response_mime_type"));
    struct node schema = gemini_get(t, config, "responseJsonSchema", "response_json_schema");
    struct node own = gemini_get(t, config, "responseSchema", "response_schema");

    format->path = config.path;
    if (node_given(schema) || node_given(own)) {
        format->kind = CHAT_FORMAT_SCHEMA;
        format->schema = node_given(schema) ? node_raw(t, schema) : gemini_plain_schema(t, own);
        format->own_schema = node_raw(t, own);
    } else if (str_eq_c(mime, "application/json")) {
        format->kind = CHAT_FORMAT_JSON;
    } else if (str_eq_c(mime, "text/plain")) {
        format->kind = CHAT_FORMAT_TEXT;
    } else if (mime.p) {
        tree_wrong(t, config.path, "has a responseMimeType that is neither JSON nor plain text");
    }
}

static bool level(struct str word, enum chat_effort *ret)
{
    static const struct {
        const char *word;
        enum chat_effort effort;
    } words[] = {{"minimal", CHAT_EFFORT_MINIMAL}, {"low", CHAT_EFFORT_LOW},
                 {"medium", CHAT_EFFORT_MEDIUM},   {"high", CHAT_EFFORT_HIGH}};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_ieq(word, str_c(words[i].word))) {
            *ret = words[i].effort;
            return true;
        }
    return false;
}

static void read_thinking(struct tree *t, struct node config, struct chat_reasoning *ret)
{
    static const char *const of_thinking[] = {"thinkingBudget", "thinking_budget", "thinkingLevel",
                                              "thinking_level", "includeThoughts",
                                              "include_thoughts", NULL};
    struct node at = gemini_get(t, config, "thinkingConfig", "thinking_config");
    struct node budget = gemini_get(t, at, "thinkingBudget", "thinking_budget");
    struct node shown = gemini_get(t, at, "includeThoughts", "include_thoughts");
    struct str word = node_text(t, gemini_get(t, at, "thinkingLevel", "thinking_level"));

    if (!node_given(at))
        return;
    ret->path = at.path;
    if (node_is(budget, JSON_INT) && json_i64(budget.v) >= 0)
        ret->budget = json_i64(budget.v);
    else if (node_is(budget, JSON_INT))
        ret->adaptive = true; /* -1: the model decides */
    else if (node_given(budget))
        tree_wrong(t, budget.path, "must be an integer");
    if (word.p && !level(word, &ret->effort))
        ret->word = word;
    if (node_is(shown, JSON_BOOL))
        ret->shown = json_true(shown.v);
    ret->extra = tree_extras(t, at, of_thinking);
}

void gemini_read_config(struct tree *t, struct node root, struct chat_request *ret)
{
    static const char *const known[] = {"contents", "systemInstruction", "system_instruction",
                                        "tools", "toolConfig", "tool_config", "generationConfig",
                                        "generation_config", "safetySettings", "safety_settings",
                                        "model", NULL};
    struct node config = gemini_get(t, root, "generationConfig", "generation_config");
    struct node limit = gemini_get(t, config, "maxOutputTokens", "max_output_tokens");
    struct node stops = gemini_get(t, config, "stopSequences", "stop_sequences");
    struct node safety = gemini_get(t, root, "safetySettings", "safety_settings");
    size_t n = node_length(stops);

    if (node_given(config) && !node_is(config, JSON_OBJECT))
        tree_wrong(t, config.path, "must be an object");
    if (node_given(limit) && (!node_is(limit, JSON_INT) || json_i64(limit.v) < 1))
        tree_wrong(t, limit.path, "must be a positive integer");
    else if (node_given(limit))
        ret->output_limit = json_i64(limit.v);
    ret->stops_path = stops.path;
    ret->stops = tree_array_of(t, struct str, n);
    for (size_t i = 0; i < n && !tree_failed(t); i++)
        ret->stops[ret->n_stops++] = node_text(t, node_at(t, stops, i));
    read_settings(t, config, ret->setting);
    read_format(t, config, &ret->format);
    read_thinking(t, config, &ret->reasoning);
    if (node_given(safety))
        ret->setting[CHAT_SET_SAFETY] =
            (struct chat_value){.path = safety.path, .raw = node_raw(t, safety)};
    ret->config = tree_extras(t, config, of_config);
    ret->extra = tree_extras(t, root, known);
}
