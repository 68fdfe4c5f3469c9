/* chat_read.c: a chat request in OpenAI's form, read whole. The names of members that other hosts
 * have added to the format (reasoning_content, cache_control, ...) are read where they mean what
 * the neutral form has. */
#include "translation/openai_chat/neutral.h"

#include "translation/tree.h"

static const struct tree_setting settings[] = {
    {CHAT_SET_TEMPERATURE, "temperature"},
    {CHAT_SET_TOP_P, "top_p"},
    {CHAT_SET_TOP_K, "top_k"},
    {CHAT_SET_MIN_P, "min_p"},
    {CHAT_SET_FREQUENCY_PENALTY, "frequency_penalty"},
    {CHAT_SET_PRESENCE_PENALTY, "presence_penalty"},
    {CHAT_SET_REPETITION_PENALTY, "repetition_penalty"},
    {CHAT_SET_SEED, "seed"},
    {CHAT_SET_CHOICES, "n"},
    {CHAT_SET_LOGPROBS, "logprobs"},
    {CHAT_SET_TOP_LOGPROBS, "top_logprobs"},
    {CHAT_SET_LOGIT_BIAS, "logit_bias"},
    {CHAT_SET_PARALLEL_TOOLS, "parallel_tool_calls"},
    {CHAT_SET_USER, "user"},
    {CHAT_SET_METADATA, "metadata"},
    {CHAT_SET_SERVICE_TIER, "service_tier"},
    {CHAT_SET_VERBOSITY, "verbosity"},
    {CHAT_SET_STORE, "store"},
    {CHAT_SET_CACHE_KEY, "prompt_cache_key"},
    {CHAT_SET_MODALITIES, "modalities"},
};

/* Read below, or by the gateway itself. */
static const char *const known[] = {
    "model", "messages", "tools", "tool_choice", "response_format", "reasoning_effort", "reasoning",
    "stop", "max_tokens", "max_completion_tokens", "stream", "stream_options", "temperature", "top_p",
    "top_k", "min_p", "frequency_penalty", "presence_penalty", "repetition_penalty", "seed", "n",
    "logprobs", "top_logprobs", "logit_bias", "parallel_tool_calls", "user", "metadata",
    "service_tier", "verbosity", "store", "prompt_cache_key", "modalities", "models", "provider",
    "usage", "route", NULL};

/* --- parts --- */

/* A data: URL is taken apart (RFC 2397); others stay. */
static void read_url(struct str url, struct chat_media *media)
{
    struct str rest = url, head;

    media->source = CHAT_URL;
    media->data = url;
    if (!str_starts(url, STR("data:")) || !str_split(&rest, ',', &head) || !rest.p ||
        !str_ends(head, STR(";base64")))
        return;
    media->source = CHAT_BASE64;
    media->data = rest;
    media->mime = str_n(head.p + 5, head.n - 5 - 7);
    if (!media->mime.n)
        media->mime = STR_NONE;
}

static void read_image(struct tree *t, struct node at, struct chat_part *part)
{
    struct node image = node_get(t, at, "image_url");

    part->kind = CHAT_IMAGE;
    if (node_is(image, JSON_STRING)) { /* as Mistral has it */
        read_url(node_text(t, image), &part->media);
        return;
    }
    image = tree_object(t, at, "image_url");
    read_url(tree_needs_text(t, image, "url"), &part->media);
    part->media.detail = tree_text(t, image, "detail");
}

/* {"data": base64, "format": "wav"} */
static void read_audio(struct tree *t, struct node at, struct chat_part *part)
{
    struct node audio = tree_object(t, at, "input_audio");
    struct str format = tree_needs_text(t, audio, "format");

    part->kind = CHAT_AUDIO;
    part->media.source = CHAT_BASE64;
    part->media.data = tree_needs_text(t, audio, "data");
    if (!tree_failed(t))
        part->media.mime = arena_strf(t->a, "audio/%.*s", STR_FMT(format));
}

static void read_file(struct tree *t, struct node at, struct chat_part *part)
{
    struct node file = tree_object(t, at, "file");
    struct str data = tree_text(t, file, "file_data"), id = tree_text(t, file, "file_id");

    part->kind = CHAT_DOCUMENT;
    part->media.name = tree_text(t, file, "filename");
    if (id.p) {
        part->media.source = CHAT_FILE;
        part->media.data = id;
    } else if (data.p) {
        read_url(data, &part->media);
    } else {
        tree_wrong(t, at.path, "needs file.file_id or file.file_data");
    }
}

struct str openai_read_cache(struct tree *t, struct node at)
{
    struct node cache = tree_object(t, at, "cache_control");
    struct str ttl;

    if (!node_given(cache))
        return STR_NONE;
    ttl = tree_text(t, cache, "ttl");
    return ttl.p ? ttl : STR("5m");
}

static void read_part(struct tree *t, struct node at, struct chat_part *part)
{
    static const char *const of_part[] = {"type", "text", "refusal", "image_url", "input_audio",
                                          "file", "cache_control", NULL};
    struct str type = tree_needs_text(t, at, "type");

    *part = (struct chat_part){.path = at.path};
    part->cache = openai_read_cache(t, at);
    part->extra = tree_extras(t, at, of_part);
    if (str_eq_c(type, "text")) {
        part->text = tree_needs_text(t, at, "text");
    } else if (str_eq_c(type, "refusal")) {
        part->kind = CHAT_REFUSAL;
        part->text = tree_needs_text(t, at, "refusal");
    } else if (str_eq_c(type, "image_url")) {
        read_image(t, at, part);
    } else if (str_eq_c(type, "input_audio")) {
        read_audio(t, at, part);
    } else if (str_eq_c(type, "file")) {
        read_file(t, at, part);
    } else {
        part->kind = CHAT_FOREIGN;
        part->raw = node_raw(t, at);
        part->extra = (struct chat_extras){0};
    }
}

/* --- messages --- */

static void put_text_part(struct chat_message *m, enum chat_part_kind kind, struct str path,
                          struct str text)
{
    if (text.p)
        m->parts[m->n_parts++] = (struct chat_part){.kind = kind, .path = path, .text = text};
}

static void read_calls(struct tree *t, struct node calls, struct chat_message *m)
{
    for (size_t i = 0; i < node_length(calls) && !tree_failed(t); i++) {
        struct node at = node_at(t, calls, i), fn = tree_object(t, at, "function");
        struct node own = tree_object(t, at, "custom");
        bool custom = node_given(own);
        struct chat_part *part = &m->parts[m->n_parts++];

        *part = (struct chat_part){.kind = CHAT_TOOL_CALL, .path = at.path};
        part->tool.custom = custom;
        part->tool.id = tree_needs_text(t, at, "id");
        part->tool.name = tree_needs_text(t, custom ? own : fn, "name");
        part->tool.arguments = tree_text(t, custom ? own : fn, custom ? "input" : "arguments");
    }
}

static void read_content(struct tree *t, struct node content, struct chat_message *m)
{
    if (node_is(content, JSON_STRING)) {
        m->plain = true;
        put_text_part(m, CHAT_TEXT, content.path, node_text(t, content));
        return;
    }
    if (node_given(content) && !node_is(content, JSON_ARRAY))
        tree_wrong(t, content.path, "must be a string or an array of parts");
    for (size_t i = 0; i < node_length(content) && !tree_failed(t); i++)
        read_part(t, node_at(t, content, i), &m->parts[m->n_parts++]);
}

/* A tool's message is one result; its content stands inside. */
static void wrap_result(struct tree *t, struct node at, struct chat_message *m)
{
    struct chat_part *result = tree_array_of(t, struct chat_part, 1);

    if (!result)
        return;
    *result = (struct chat_part){
        .kind = CHAT_TOOL_RESULT, .path = at.path, .parts = m->parts, .n_parts = m->n_parts};
    result->tool.id = tree_needs_text(t, at, "tool_call_id");
    m->parts = result;
    m->n_parts = 1;
}

static bool read_role(struct str role, enum chat_role *ret)
{
    static const char *const names[] = {[CHAT_SYSTEM] = "system", [CHAT_DEVELOPER] = "developer",
                                        [CHAT_USER] = "user", [CHAT_ASSISTANT] = "assistant",
                                        [CHAT_TOOL] = "tool"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_c(role, names[i])) {
            *ret = (enum chat_role)i;
            return true;
        }
    return false;
}

/* OpenRouter's list has what reasoning_content has too, with the signatures; the first thoughts of
 * the list are those of the string when it tells a signature only. */
static void read_thoughts(struct tree *t, struct node at, struct chat_message *m)
{
    static const char *const quiet[] = {"reasoning_details", NULL};
    struct node list = tree_array(t, at, "reasoning_details");
    struct str words = tree_text(t, at, "reasoning_content");

    if (!node_length(list))
        put_text_part(m, CHAT_THINKING, at.path, words);
    for (size_t i = 0; i < node_length(list) && !tree_failed(t); i++) {
        struct node one = node_at(t, list, i);
        struct str data = tree_text(t, one, "data"), text = tree_text(t, one, "text");
        struct chat_part *part = &m->parts[m->n_parts++];

        *part = (struct chat_part){.kind = data.p ? CHAT_REDACTED : CHAT_THINKING,
                                   .path = one.path,
                                   .text = data.p ? data : text};
        part->signature = tree_text(t, one, "signature");
        if (!part->text.p)
            part->text = i == 0 && words.p ? words : STR("");
    }
    m->quiet = tree_quiet(t, at, quiet);
}

static bool is_false(struct node at)
{
    return node_is(at, JSON_BOOL) && !json_true(at.v);
}

static void read_message(struct tree *t, struct node at, struct chat_message *m)
{
    static const char *const of_message[] = {"prefix", "role", "content", "name", "refusal", "tool_calls",
                                             "tool_call_id", "reasoning_content", "reasoning_details",
                                             NULL};
    struct node content = node_get(t, at, "content"), calls = tree_array(t, at, "tool_calls");

    *m = (struct chat_message){.path = at.path};
    if (!read_role(tree_needs_text(t, at, "role"), &m->role))
        tree_wrong(t, node_get(t, at, "role").path,
                   "must be system, developer, user, assistant or tool");
    m->name = tree_text(t, at, "name");
    /* Mistral's library says of every turn of the assistant that the answer does not begin with it. */
    m->extra = tree_extras(t, at, of_message + !is_false(node_get(t, at, "prefix")));
    /* content as one string, thoughts and a refusal are a part each */
    m->parts = tree_array_of(t, struct chat_part,
                             node_length(content) + node_length(calls) +
                                 node_length(node_get(t, at, "reasoning_details")) + 3);
    if (!m->parts)
        return;
    read_thoughts(t, at, m);
    read_content(t, content, m);
    put_text_part(m, CHAT_REFUSAL, at.path, tree_text(t, at, "refusal"));
    read_calls(t, calls, m);
    if (m->role == CHAT_TOOL)
        wrap_result(t, at, m);
}

static void read_messages(struct tree *t, struct node root, struct chat_request *ret)
{
    struct node messages = tree_array(t, root, "messages");
    size_t n = node_length(messages);

    if (!node_given(messages))
        tree_wrong(t, STR("messages"), "is required");
    ret->messages = tree_array_of(t, struct chat_message, n);
    for (size_t i = 0; i < n && !tree_failed(t); i++)
        read_message(t, node_at(t, messages, i), &ret->messages[ret->n_messages++]);
}

int openai_chat_read(struct arena *a, struct str body, struct chat_request *ret,
                     struct json_fault *fault)
{
    struct chat_request request = {
        .wire = "openai_chat", .output_limit = -1, .reasoning = {.budget = -1, .shown = -1}};
    struct tree t;
    struct node root = tree_open(&t, a, body, fault);
    int64_t older = tree_int(&t, root, "max_tokens", 1, -1);
    int64_t newer = tree_int(&t, root, "max_completion_tokens", 1, -1);

    request.output_limit = MAX(older, newer);
    request.stream = tree_bool(&t, root, "stream") == 1;
    read_messages(&t, root, &request);
    openai_read_tools(&t, root, &request);
    openai_read_format(&t, root, &request);
    tree_settings(&t, root, settings, ARRAY_LEN(settings), request.setting);
    request.extra = tree_extras(&t, root, known);
    tree_close(&t);
    if (t.r == CHAT_OK)
        *ret = request;
    return t.r;
}
