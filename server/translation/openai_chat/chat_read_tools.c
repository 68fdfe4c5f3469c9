/* chat_read_tools.c: the tools of an OpenAI chat request, the form of its answer, and how long it
 * is to think and to write. */
#include "translation/openai_chat/neutral.h"

#include "translation/tree.h"

static void read_tool(struct tree *t, struct node at, struct chat_tool *tool)
{
    static const char *const of_function[] = {"name", "description", "parameters", "strict", NULL};
    static const char *const of_tool[] = {"type", "function", "cache_control", NULL};
    struct str type = tree_needs_text(t, at, "type");
    struct node fn = tree_object(t, at, "function");

    *tool = (struct chat_tool){.path = at.path, .strict = -1};
    if (!str_eq_c(type, "function")) {
        tool->raw = node_raw(t, at);
        return;
    }
    if (!node_given(fn))
        tree_wrong(t, at.path, "needs function");
    tool->name = tree_needs_text(t, fn, "name");
    tool->description = tree_text(t, fn, "description");
    tool->schema = node_raw(t, tree_object(t, fn, "parameters"));
    tool->strict = tree_bool(t, fn, "strict");
    tool->cache = openai_read_cache(t, at);
    tool->extra = tree_extras(t, fn, of_function);
    tool->outer = tree_extras(t, at, of_tool);
}

static void read_choice(struct tree *t, struct node root, struct chat_request *ret)
{
    struct node choice = node_get(t, root, "tool_choice");

    ret->choice_path = choice.path;
    if (!node_given(choice))
        return;
    if (node_is(choice, JSON_STRING)) {
        struct str word = node_text(t, choice);

        if (str_eq_c(word, "auto"))
            ret->choice = CHAT_CHOICE_AUTO;
        else if (str_eq_c(word, "none"))
            ret->choice = CHAT_CHOICE_NONE;
        else if (str_eq_c(word, "required"))
            ret->choice = CHAT_CHOICE_ANY;
        else
            tree_wrong(t, choice.path, "must be auto, none, required or a function");
        return;
    }
    ret->choice = CHAT_CHOICE_NAMED;
    ret->choice_name = tree_text(t, tree_object(t, choice, "function"), "name");
    if (!ret->choice_name.p)
        tree_wrong(t, choice.path, "must be auto, none, required or a function");
}

void openai_read_tools(struct tree *t, struct node root, struct chat_request *ret)
{
    struct node tools = tree_array(t, root, "tools");
    size_t n = node_length(tools);

    ret->tools = tree_array_of(t, struct chat_tool, n);
    for (size_t i = 0; i < n && !tree_failed(t); i++)
        read_tool(t, node_at(t, tools, i), &ret->tools[ret->n_tools++]);
    read_choice(t, root, ret);
}

static void read_response_format(struct tree *t, struct node root, struct chat_format *format)
{
    struct node at = tree_object(t, root, "response_format");
    struct node schema = tree_object(t, at, "json_schema");
    struct str type;

    format->strict = -1;
    if (!node_given(at))
        return;
    format->path = at.path;
    type = tree_needs_text(t, at, "type");
    if (str_eq_c(type, "text")) {
        format->kind = CHAT_FORMAT_TEXT;
    } else if (str_eq_c(type, "json_object")) {
        format->kind = CHAT_FORMAT_JSON;
    } else if (str_eq_c(type, "json_schema")) {
        format->kind = CHAT_FORMAT_SCHEMA;
        format->name = tree_needs_text(t, schema, "name");
        format->description = tree_text(t, schema, "description");
        format->schema = node_raw(t, tree_object(t, schema, "schema"));
        format->strict = tree_bool(t, schema, "strict");
    } else {
        tree_wrong(t, at.path, "has a type that is none of text, json_object, json_schema");
    }
}

/* OpenRouter's object says the same and more: an effort or a number of tokens, whether there are to be
 * thoughts at all, and whether the answer leaves them out. */
static void read_reasoning(struct tree *t, struct node at, struct chat_reasoning *reasoning)
{
    static const char *const members[] = {"effort", "max_tokens", "enabled", "exclude", NULL};
    int enabled = tree_bool(t, at, "enabled"), excluded = tree_bool(t, at, "exclude");

    reasoning->budget = tree_int(t, at, "max_tokens", 1, -1);
    if (enabled == 0)
        reasoning->effort = CHAT_EFFORT_NONE;
    else if (enabled == 1 && reasoning->budget < 0)
        reasoning->effort = CHAT_EFFORT_MEDIUM;
    if (excluded >= 0)
        reasoning->shown = !excluded;
    reasoning->extra = tree_extras(t, at, members);
}

static void read_effort(struct tree *t, struct node root, struct chat_reasoning *reasoning)
{
    struct node at = tree_object(t, root, "reasoning");
    struct str word = tree_text(t, root, "reasoning_effort");

    if (word.p && node_given(at))
        tree_wrong(t, at.path, "cannot stand beside reasoning_effort");
    reasoning->path = word.p ? STR("reasoning_effort") : at.path;
    if (node_given(at)) {
        read_reasoning(t, at, reasoning);
        word = tree_text(t, at, "effort");
    }
    if (word.p && !openai_effort_parse(word, &reasoning->effort))
        reasoning->word = word;
}

static void read_stops(struct tree *t, struct node root, struct chat_request *ret)
{
    struct node stop = node_get(t, root, "stop");
    size_t n = node_is(stop, JSON_STRING) ? 1 : node_length(stop);

    if (!node_given(stop))
        return;
    ret->stops_path = stop.path;
    ret->stops = tree_array_of(t, struct str, n);
    if (!node_is(stop, JSON_STRING) && !node_is(stop, JSON_ARRAY))
        tree_wrong(t, stop.path, "must be a string or an array of strings");
    for (size_t i = 0; i < n && !tree_failed(t); i++)
        ret->stops[ret->n_stops++] =
            node_text(t, node_is(stop, JSON_STRING) ? stop : node_at(t, stop, i));
}

void openai_read_format(struct tree *t, struct node root, struct chat_request *ret)
{
    read_response_format(t, root, &ret->format);
    read_effort(t, root, &ret->reasoning);
    read_stops(t, root, ret);
}
