/* options.c: a request to Ollama: what stands beside its messages. */
#include "translation/ollama_chat/ollama.h"
#include "translation/openai_chat/neutral.h"
#include "translation/put.h"
#include "translation/tree.h"

static const struct tree_setting of_options[] = {
    {CHAT_SET_TEMPERATURE, "temperature"},
    {CHAT_SET_TOP_P, "top_p"},
    {CHAT_SET_TOP_K, "top_k"},
    {CHAT_SET_MIN_P, "min_p"},
    {CHAT_SET_FREQUENCY_PENALTY, "frequency_penalty"},
    {CHAT_SET_PRESENCE_PENALTY, "presence_penalty"},
    {CHAT_SET_REPETITION_PENALTY, "repeat_penalty"},
    {CHAT_SET_SEED, "seed"},
};
static const struct tree_setting of_root[] = {{CHAT_SET_LOGPROBS, "logprobs"},
                                              {CHAT_SET_TOP_LOGPROBS, "top_logprobs"}};

/* --- reading --- */

static void read_tool(struct tree *t, struct node at, struct chat_tool *tool)
{
    static const char *const of_function[] = {"name", "description", "parameters", NULL};
    static const char *const of_tool[] = {"type", "function", NULL};
    struct node fn = tree_object(t, at, "function");

    *tool = (struct chat_tool){.path = at.path, .strict = -1};
    tool->name = tree_needs_text(t, fn, "name");
    tool->description = tree_text(t, fn, "description");
    tool->schema = node_raw(t, tree_object(t, fn, "parameters"));
    tool->extra = tree_extras(t, fn, of_function);
    tool->outer = tree_extras(t, at, of_tool);
}

static void read_tools(struct tree *t, struct node root, struct chat_request *ret)
{
    struct node tools = tree_array(t, root, "tools");
    size_t n = node_length(tools);

    ret->tools = tree_array_of(t, struct chat_tool, n);
    for (size_t i = 0; i < n && !tree_failed(t); i++)
        read_tool(t, node_at(t, tools, i), &ret->tools[ret->n_tools++]);
}

/* "json", or a schema. */
static void read_format(struct tree *t, struct node root, struct chat_format *format)
{
    struct node at = node_get(t, root, "format");

    if (!node_given(at))
        return;
    format->path = at.path;
    if (node_is(at, JSON_OBJECT)) {
        format->kind = CHAT_FORMAT_SCHEMA;
        format->schema = node_raw(t, at);
    } else if (node_is(at, JSON_STRING) && str_eq_c(node_text(t, at), "json")) {
        format->kind = CHAT_FORMAT_JSON;
    } else {
        tree_wrong(t, at.path, "must be \"json\" or a JSON schema");
    }
}

/* True, false, or how hard. */
static void read_think(struct tree *t, struct node root, struct chat_reasoning *why)
{
    struct node at = node_get(t, root, "think");

    if (!node_given(at))
        return;
    why->path = at.path;
    if (node_is(at, JSON_STRING)) {
        struct str word = node_text(t, at);

        if (!openai_effort_parse(word, &why->effort))
            why->word = word;
        return;
    }
    if (tree_bool(t, root, "think") == 1)
        why->adaptive = true;
    else
        why->effort = CHAT_EFFORT_NONE;
}

static void read_stops(struct tree *t, struct node options, struct chat_request *ret)
{
    struct node stop = node_get(t, options, "stop");
    bool one = node_is(stop, JSON_STRING);
    size_t n = one ? 1 : node_length(stop);

    ret->stops_path = stop.path;
    ret->stops = tree_array_of(t, struct str, n);
    for (size_t i = 0; i < n && !tree_failed(t); i++)
        ret->stops[ret->n_stops++] = node_text(t, one ? stop : node_at(t, stop, i));
}

void ollama_read_options(struct tree *t, struct node root, struct chat_request *ret)
{
    static const char *const known[] = {"model", "messages", "tools", "format", "options", "stream",
                                        "think", "logprobs", "top_logprobs", NULL};
    static const char *const known_options[] = {
        "temperature", "top_p", "top_k", "min_p", "frequency_penalty", "presence_penalty",
        "repeat_penalty", "seed", "stop", "num_predict", NULL};
    struct node options = tree_object(t, root, "options");

    read_tools(t, root, ret);
    read_format(t, root, &ret->format);
    read_think(t, root, &ret->reasoning);
    read_stops(t, options, ret);
    ret->stream = tree_bool(t, root, "stream") != 0;
    ret->output_limit = tree_int(t, options, "num_predict", -2, -1); /* below 0: no end */
    tree_settings(t, options, of_options, ARRAY_LEN(of_options), ret->setting);
    tree_settings(t, root, of_root, ARRAY_LEN(of_root), ret->setting);
    ret->config = tree_extras(t, options, known_options);
    ret->extra = tree_extras(t, root, known);
}

/* --- writing --- */

static void put_tool(struct json_writer *w, const struct chat_tool *tool, bool own,
                     struct chat_losses *losses)
{
    if (tool->raw.p)
        return;
    json_open_object(w);
    put_word(w, "type", "function");
    json_key(w, "function");
    json_open_object(w);
    put_text(w, "name", tool->name);
    put_text(w, "description", tool->description);
    put_raw(w, "parameters",
            tool->schema.p ? tool->schema : STR("{\"type\":\"object\",\"properties\":{}}"));
    if (own)
        put_extras(w, &tool->extra);
    json_close_object(w);
    if (own)
        put_extras(w, &tool->outer);
    json_close_object(w);
    if (own)
        return;
    chat_lose_extras(losses, &tool->extra);
    chat_lose_extras(losses, &tool->outer);
}

/* No tool may be called: none is named. That one has to be called cannot be said. */
static void put_tools(struct json_writer *w, const struct chat_request *r, bool own,
                      struct chat_losses *losses)
{
    chat_lose_own_tools(losses, r);
    if (r->choice == CHAT_CHOICE_ANY || r->choice == CHAT_CHOICE_NAMED)
        chat_lose(losses, r->choice_path);
    if (!chat_plain_tools(r) || r->choice == CHAT_CHOICE_NONE)
        return;
    json_key(w, "tools");
    json_open_array(w);
    for (size_t i = 0; i < r->n_tools; i++)
        put_tool(w, &r->tools[i], own, losses);
    json_close_array(w);
}

static void put_format(struct json_writer *w, const struct chat_format *f)
{
    if (f->kind == CHAT_FORMAT_SCHEMA && f->schema.p)
        put_raw(w, "format", f->schema);
    else if (f->kind == CHAT_FORMAT_JSON || f->kind == CHAT_FORMAT_SCHEMA)
        put_word(w, "format", "json");
}

/* Three words, of which models that only think or do not take any for yes. */
static void put_think(struct json_writer *w, const struct chat_request *r,
                      struct chat_losses *losses)
{
    static const char *const words[] = {
        [CHAT_EFFORT_DEFAULT] = NULL, [CHAT_EFFORT_NONE] = NULL,  [CHAT_EFFORT_MINIMAL] = "low",
        [CHAT_EFFORT_LOW] = "low",    [CHAT_EFFORT_MEDIUM] = "medium", [CHAT_EFFORT_HIGH] = "high",
        [CHAT_EFFORT_XHIGH] = "high", [CHAT_EFFORT_MAX] = "high"};
    enum chat_effort effort = openai_effort_of(r);

    if (effort == CHAT_EFFORT_NONE)
        put_flag(w, "think", 0);
    else if (effort != CHAT_EFFORT_DEFAULT)
        put_word(w, "think", words[effort]);
    else if (r->reasoning.adaptive)
        put_flag(w, "think", 1);
    if (r->reasoning.word.p)
        chat_lose(losses, r->reasoning.path);
    chat_lose_extras(losses, &r->reasoning.extra);
}

/* Those that the format has are written; the rest is lost where it says something. */
static void put_settings(struct json_writer *w, const struct chat_request *r,
                         const struct tree_setting *settings, size_t n,
                         bool said[CHAT_SETTINGS])
{
    for (size_t i = 0; i < n; i++) {
        put_raw(w, settings[i].name, r->setting[settings[i].which].raw);
        said[settings[i].which] = true;
    }
}

void ollama_put_options(struct json_writer *w, const struct chat_request *r,
                        const struct chat_target *target, bool own, struct chat_losses *losses)
{
    int64_t limit = r->output_limit > 0 ? r->output_limit : target->output_limit;
    bool said[CHAT_SETTINGS] = {false};

    put_tools(w, r, own, losses);
    put_format(w, &r->format);
    put_think(w, r, losses);
    json_key(w, "options");
    json_open_object(w);
    if (limit > 0)
        put_int(w, "num_predict", limit);
    put_settings(w, r, of_options, ARRAY_LEN(of_options), said);
    put_stops(w, r);
    if (own)
        put_extras(w, &r->config);
    json_close_object(w);
    put_settings(w, r, of_root, ARRAY_LEN(of_root), said);
    put_flag(w, "stream", r->stream);
    if (own) {
        put_extras(w, &r->extra);
        return;
    }
    for (size_t i = 0; i < CHAT_SETTINGS; i++)
        if (!said[i])
            chat_lose_setting(losses, r, (enum chat_setting)i);
    chat_lose_extras(losses, &r->config);
    chat_lose_extras(losses, &r->metadata);
    chat_lose_extras(losses, &r->extra);
}
