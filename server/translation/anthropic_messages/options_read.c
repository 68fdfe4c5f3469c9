/* options_read.c: what stands beside the messages of a request in Anthropic's format. */
#include "translation/anthropic_messages/messages.h"
#include "translation/tree.h"

static const struct tree_setting settings[] = {
    {CHAT_SET_TEMPERATURE, "temperature"},
    {CHAT_SET_TOP_P, "top_p"},
    {CHAT_SET_TOP_K, "top_k"},
    {CHAT_SET_SERVICE_TIER, "service_tier"},
};

static const char *const known[] = {
    "model", "messages", "system", "max_tokens", "stop_sequences", "stream", "tools",
    "tool_choice", "thinking", "output_config", "metadata", "temperature", "top_p", "top_k",
    "service_tier", NULL};

static void tool(struct tree *t, struct node at, struct chat_tool *ret)
{
    static const char *const of_tool[] = {"type", "name", "description", "input_schema", "strict",
                                          "cache_control", "eager_input_streaming", NULL};
    static const char *const hints[] = {"eager_input_streaming", NULL};
    struct str type = tree_text(t, at, "type"), ttl;
    struct node cache = tree_object(t, at, "cache_control");

    *ret = (struct chat_tool){.path = at.path, .strict = -1};
    if (type.p && !str_eq_c(type, "custom")) {
        ret->raw = node_raw(t, at);
        return;
    }
    ret->name = tree_needs_text(t, at, "name");
    ret->description = tree_text(t, at, "description");
    ret->schema = node_raw(t, tree_object(t, at, "input_schema"));
    ret->strict = tree_bool(t, at, "strict");
    if (node_given(cache)) {
        ttl = tree_text(t, cache, "ttl");
        ret->cache = ttl.p ? ttl : STR("5m");
    }
    ret->extra = tree_extras(t, at, of_tool);
    ret->quiet = tree_quiet(t, at, hints);
}

static void choice(struct tree *t, struct node root, struct chat_request *ret)
{
    struct node at = tree_object(t, root, "tool_choice");
    struct str type = node_given(at) ? tree_needs_text(t, at, "type") : STR_NONE;
    int alone = tree_bool(t, at, "disable_parallel_tool_use");

    ret->choice_path = at.path;
    if (!node_given(at))
        return;
    if (str_eq_c(type, "auto"))
        ret->choice = CHAT_CHOICE_AUTO;
    else if (str_eq_c(type, "none"))
        ret->choice = CHAT_CHOICE_NONE;
    else if (str_eq_c(type, "any"))
        ret->choice = CHAT_CHOICE_ANY;
    else if (str_eq_c(type, "tool"))
        ret->choice = CHAT_CHOICE_NAMED;
    else
        tree_wrong(t, at.path, "has a type that is none of auto, any, tool, none");
    if (ret->choice == CHAT_CHOICE_NAMED)
        ret->choice_name = tree_needs_text(t, at, "name");
    if (alone >= 0)
        ret->setting[CHAT_SET_PARALLEL_TOOLS] = (struct chat_value){
            .path = STR("tool_choice.disable_parallel_tool_use"),
            .raw = alone ? STR("false") : STR("true")};
}

static void thinking(struct tree *t, struct node root, struct chat_reasoning *ret)
{
    static const char *const of_thinking[] = {"type", "budget_tokens", "display", NULL};
    struct node at = tree_object(t, root, "thinking");
    struct str type, display;

    if (!node_given(at))
        return;
    ret->path = at.path;
    type = tree_needs_text(t, at, "type");
    if (str_eq_c(type, "enabled"))
        ret->budget = tree_int(t, at, "budget_tokens", 1, -1);
    else if (str_eq_c(type, "disabled"))
        ret->budget = 0;
    else if (str_eq_c(type, "adaptive"))
        ret->adaptive = true;
    else
        tree_wrong(t, at.path, "has a type that is none of enabled, adaptive, disabled");
    display = tree_text(t, at, "display");
    if (display.p)
        ret->shown = !str_eq_c(display, "omitted");
    ret->extra = tree_extras(t, at, of_thinking);
}

static bool effort(struct str word, enum chat_effort *ret)
{
    static const struct {
        const char *word;
        enum chat_effort effort;
    } words[] = {{"low", CHAT_EFFORT_LOW},     {"medium", CHAT_EFFORT_MEDIUM},
                 {"high", CHAT_EFFORT_HIGH},   {"xhigh", CHAT_EFFORT_XHIGH},
                 {"max", CHAT_EFFORT_MAX}};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq_c(word, words[i].word)) {
            *ret = words[i].effort;
            return true;
        }
    return false;
}

static void output_config(struct tree *t, struct node root, struct chat_request *ret)
{
    static const char *const of_config[] = {"effort", "format", NULL};
    struct node at = tree_object(t, root, "output_config"), form = tree_object(t, at, "format");
    struct str word = tree_text(t, at, "effort");

    if (word.p) {
        if (!ret->reasoning.path.p)
            ret->reasoning.path = STR("output_config.effort");
        if (!effort(word, &ret->reasoning.effort))
            tree_wrong(t, STR("output_config.effort"), "must be low, medium, high, xhigh or max");
    }
    if (node_given(form)) {
        ret->format.kind = CHAT_FORMAT_SCHEMA;
        ret->format.path = form.path;
        ret->format.schema = node_raw(t, tree_object(t, form, "schema"));
        ret->format.strict = 1;
        if (!ret->format.schema.p)
            tree_wrong(t, form.path, "needs schema");
    }
    ret->config = tree_extras(t, at, of_config);
}

static void stops(struct tree *t, struct node root, struct chat_request *ret)
{
    struct node at = tree_array(t, root, "stop_sequences");
    size_t n = node_length(at);

    ret->stops_path = at.path;
    ret->stops = tree_array_of(t, struct str, n);
    for (size_t i = 0; i < n && !tree_failed(t); i++)
        ret->stops[ret->n_stops++] = node_text(t, node_at(t, at, i));
}

void anthropic_read_options(struct tree *t, struct node root, struct chat_request *ret)
{
    static const char *const of_metadata[] = {"user_id", NULL};
    struct node tools = tree_array(t, root, "tools"), metadata = tree_object(t, root, "metadata");
    size_t n = node_length(tools);

    ret->output_limit = tree_int(t, root, "max_tokens", 1, -1);
    ret->stream = tree_bool(t, root, "stream") == 1;
    ret->tools = tree_array_of(t, struct chat_tool, n);
    for (size_t i = 0; i < n && !tree_failed(t); i++)
        tool(t, node_at(t, tools, i), &ret->tools[ret->n_tools++]);
    choice(t, root, ret);
    thinking(t, root, &ret->reasoning);
    output_config(t, root, ret);
    stops(t, root, ret);
    tree_settings(t, root, settings, ARRAY_LEN(settings), ret->setting);
    if (node_given(node_get(t, metadata, "user_id")))
        ret->setting[CHAT_SET_USER] = (struct chat_value){
            .path = STR("metadata.user_id"), .raw = tree_raw(t, metadata, "user_id")};
    ret->metadata = tree_extras(t, metadata, of_metadata);
    ret->extra = tree_extras(t, root, known);
}
