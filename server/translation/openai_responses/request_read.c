/* request_read.c: a request in the Responses format. */
#include "translation/openai_chat/neutral.h"
#include "translation/openai_responses/responses.h"
#include "translation/tree.h"

static const struct tree_setting settings[] = {
    {CHAT_SET_TEMPERATURE, "temperature"},
    {CHAT_SET_TOP_P, "top_p"},
    {CHAT_SET_TOP_LOGPROBS, "top_logprobs"},
    {CHAT_SET_PARALLEL_TOOLS, "parallel_tool_calls"},
    {CHAT_SET_USER, "user"},
    {CHAT_SET_METADATA, "metadata"},
    {CHAT_SET_SERVICE_TIER, "service_tier"},
    {CHAT_SET_STORE, "store"},
    {CHAT_SET_CACHE_KEY, "prompt_cache_key"},
};

/* `store` and `previous_response_id` are the gateway's own matter: it keeps answers itself. */
static const char *const known[] = {
    "model", "input", "instructions", "tools", "tool_choice", "text", "reasoning", "stream",
    "max_output_tokens", "temperature", "top_p", "top_logprobs", "parallel_tool_calls", "user",
    "metadata", "service_tier", "store", "prompt_cache_key", "models", "provider", NULL};

static void tool(struct tree *t, struct node at, struct chat_tool *ret)
{
    static const char *const of_tool[] = {"type", "name", "description", "parameters", "strict",
                                          NULL};
    struct str type = tree_needs_text(t, at, "type");

    *ret = (struct chat_tool){.path = at.path, .strict = -1};
    if (!str_eq_c(type, "function")) {
        ret->raw = node_raw(t, at);
        return;
    }
    ret->name = tree_needs_text(t, at, "name");
    ret->description = tree_text(t, at, "description");
    ret->schema = node_raw(t, tree_object(t, at, "parameters"));
    ret->strict = tree_bool(t, at, "strict");
    ret->extra = tree_extras(t, at, of_tool);
}

static void choice(struct tree *t, struct node root, struct chat_request *ret)
{
    struct node at = node_get(t, root, "tool_choice");
    struct str word = node_is(at, JSON_STRING) ? node_text(t, at) : STR_NONE;

    ret->choice_path = at.path;
    if (!node_given(at))
        return;
    if (str_eq_c(word, "auto"))
        ret->choice = CHAT_CHOICE_AUTO;
    else if (str_eq_c(word, "none"))
        ret->choice = CHAT_CHOICE_NONE;
    else if (str_eq_c(word, "required"))
        ret->choice = CHAT_CHOICE_ANY;
    else if (word.p)
        tree_wrong(t, at.path, "must be auto, none, required or a tool");
    else if (str_eq_c(tree_text(t, at, "type"), "function"))
        ret->choice = CHAT_CHOICE_NAMED;
    if (ret->choice == CHAT_CHOICE_NAMED)
        ret->choice_name = tree_needs_text(t, at, "name");
    else if (!word.p)
        ret->choice_raw = node_raw(t, at);
}

static void format(struct tree *t, struct node text, struct chat_format *ret)
{
    static const char *const of_format[] = {"type", "name", "description", "schema", "strict",
                                            NULL};
    struct node at = tree_object(t, text, "format");
    struct str type = node_given(at) ? tree_needs_text(t, at, "type") : STR_NONE;

    ret->strict = -1;
    if (!node_given(at))
        return;
    ret->path = at.path;
    if (str_eq_c(type, "text"))
        ret->kind = CHAT_FORMAT_TEXT;
    else if (str_eq_c(type, "json_object"))
        ret->kind = CHAT_FORMAT_JSON;
    else if (str_eq_c(type, "json_schema"))
        ret->kind = CHAT_FORMAT_SCHEMA;
    else
        tree_wrong(t, at.path, "has a type that is none of text, json_object, json_schema");
    if (ret->kind != CHAT_FORMAT_SCHEMA)
        return;
    ret->name = tree_needs_text(t, at, "name");
    ret->description = tree_text(t, at, "description");
    ret->schema = node_raw(t, tree_object(t, at, "schema"));
    ret->strict = tree_bool(t, at, "strict");
    if (tree_extras(t, at, of_format).n)
        tree_wrong(t, at.path, "has a member that no format has");
}

static void reasoning(struct tree *t, struct node root, struct chat_reasoning *ret)
{
    static const char *const of_reasoning[] = {"effort", "summary", NULL};
    struct node at = tree_object(t, root, "reasoning");
    struct str word = tree_text(t, at, "effort"), shown = tree_text(t, at, "summary");

    if (!node_given(at))
        return;
    ret->path = at.path;
    if (word.p && !openai_effort_parse(word, &ret->effort))
        ret->word = word;
    if (shown.p) {
        ret->shown = 1;
        ret->summary = shown;
    }
    ret->extra = tree_extras(t, at, of_reasoning);
}

void responses_read_options(struct tree *t, struct node root, struct chat_request *ret)
{
    static const char *const of_text[] = {"format", "verbosity", NULL};
    static const struct tree_setting of_text_settings[] = {{CHAT_SET_VERBOSITY, "verbosity"}};
    struct node tools = tree_array(t, root, "tools"), text = tree_object(t, root, "text");
    size_t n = node_length(tools);

    ret->output_limit = tree_int(t, root, "max_output_tokens", 1, -1);
    ret->stream = tree_bool(t, root, "stream") == 1;
    ret->tools = tree_array_of(t, struct chat_tool, n);
    for (size_t i = 0; i < n && !tree_failed(t); i++)
        tool(t, node_at(t, tools, i), &ret->tools[ret->n_tools++]);
    choice(t, root, ret);
    format(t, text, &ret->format);
    reasoning(t, root, &ret->reasoning);
    tree_settings(t, root, settings, ARRAY_LEN(settings), ret->setting);
    tree_settings(t, text, of_text_settings, 1, ret->setting);
    ret->config = tree_extras(t, text, of_text);
    ret->extra = tree_extras(t, root, known);
}

int responses_read_request(struct arena *a, struct str body, struct chat_request *ret,
                           struct json_fault *fault)
{
    struct chat_request request = {.wire = "openai_responses",
                                   .output_limit = -1,
                                   .reasoning = {.budget = -1, .shown = -1}};
    struct tree t;
    struct node root = tree_open(&t, a, body, fault), input = node_get(&t, root, "input");
    struct node system = node_get(&t, root, "instructions");
    bool plain = node_is(input, JSON_STRING);
    size_t n = plain ? 1 : node_length(input);

    if (!tree_failed(&t) && !plain && !node_is(input, JSON_ARRAY))
        tree_wrong(&t, STR("input"), "must be a string or an array of items");
    request.messages = tree_array_of(&t, struct chat_message, n + 1);
    if (node_given(system) && !tree_failed(&t)) {
        struct chat_part *part = tree_array_of(&t, struct chat_part, 1);

        if (part)
            *part = (struct chat_part){.path = system.path, .text = node_text(&t, system)};
        request.messages[request.n_messages++] = (struct chat_message){
            .role = CHAT_SYSTEM, .path = system.path, .parts = part, .n_parts = 1, .plain = true};
    }
    for (size_t i = 0; i < n && !tree_failed(&t); i++) {
        struct chat_message *m = &request.messages[request.n_messages++];
        struct chat_part *part = plain ? tree_array_of(&t, struct chat_part, 1) : NULL;

        if (!plain) {
            responses_read_item(&t, node_at(&t, input, i), m);
        } else if (part) {
            *part = (struct chat_part){.path = input.path, .text = node_text(&t, input)};
            *m = (struct chat_message){
                .role = CHAT_USER, .path = input.path, .parts = part, .n_parts = 1, .plain = true};
        }
    }
    responses_read_options(&t, root, &request);
    tree_close(&t);
    if (t.r == CHAT_OK)
        *ret = request;
    return t.r;
}
