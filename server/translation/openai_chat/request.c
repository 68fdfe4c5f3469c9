/* request.c: a chat request read in one scan, and the bytes that an upstream gets for it.
 *
 * Odd: `models`, `provider`, `usage` and `route` are OpenRouter's names for what this gateway does
 * itself. They are read here and taken out, because other providers refuse unknown fields. */
#include "base/err.h"
#include "translation/openai_chat/chat.h"
#include "translation/plain.h"
#include "translation/searches.h"

enum {
    MESSAGES = PLAIN_OWN,
    STREAM,
    STREAM_OPTIONS,
    INCLUDE_USAGE,
    MAX_TOKENS,
    MAX_COMPLETION,
    CHOICES,
    SERVICE_TIER,
    MODALITIES,
    AUDIO,
    TOOLS,
    SEARCH_OPTIONS,
    PLUGINS,
    FORMAT_TYPE,
    EFFORT,
    ROUTER_EFFORT,
    ROUTER_BUDGET,
    ROUTER_THINKS,
    IMAGE_PART,
    IMAGE_URL,
    AUDIO_PART,
    AUDIO_DATA,
    FILE_PART,
    FILE_DATA,
    USAGE,
    USAGE_INCLUDE,
    ROUTE,
    WATCHES
};

static const struct field fields[WATCHES] = {
    PLAIN_FIELDS,
    [STREAM] = {"stream", "must be true or false", JSON_BOOL},
    [STREAM_OPTIONS] = {"stream_options", "must be an object", JSON_OBJECT},
    [INCLUDE_USAGE] = {"stream_options.include_usage", "must be true or false", JSON_BOOL},
    [MAX_TOKENS] = {"max_tokens", "must be a positive integer", JSON_INT},
    [MAX_COMPLETION] = {"max_completion_tokens", "must be a positive integer", JSON_INT},
    [CHOICES] = {"n", "must be an integer from 1 to 128", JSON_INT},
    [SERVICE_TIER] = {"service_tier", "must be auto, default, flex or priority", JSON_STRING},
    [MODALITIES] = {.path = "modalities"},
    [AUDIO] = {.path = "audio"},
    [TOOLS] = {.path = "tools"},
    [SEARCH_OPTIONS] = {.path = "web_search_options"},
    [PLUGINS] = {.path = "plugins"},
    [FORMAT_TYPE] = {.path = "response_format.type"},
    [EFFORT] = {.path = "reasoning_effort"},
    [ROUTER_EFFORT] = {.path = "reasoning.effort"},
    [ROUTER_BUDGET] = {.path = "reasoning.max_tokens"},
    [ROUTER_THINKS] = {.path = "reasoning.enabled"},
    [MESSAGES] = {"messages", "must be an array", JSON_ARRAY},
    [IMAGE_PART] = {.path = "messages[].content[].image_url"},
    [IMAGE_URL] = {.path = "messages[].content[].image_url.url"},
    [AUDIO_PART] = {.path = "messages[].content[].input_audio"},
    [AUDIO_DATA] = {.path = "messages[].content[].input_audio.data"},
    [FILE_PART] = {.path = "messages[].content[].file"},
    [FILE_DATA] = {.path = "messages[].content[].file.file_data"},
    [USAGE] = {.path = "usage"},
    [USAGE_INCLUDE] = {.path = "usage.include"},
    [ROUTE] = {.path = "route"},
};

static const struct plain_shape shape = {
    .fields = fields, .n = WATCHES, .needed = MESSAGES, .models_do = true};

enum { CHOICES_MAX = 128 }; /* OpenAI's own bound of n */

static int read_limits(struct str doc, const struct marks *m, struct llm_request *llm,
                       struct json_fault *fault)
{
    uint64_t v;
    int r;

    for (size_t i = MAX_TOKENS; i <= MAX_COMPLETION; i++) {
        v = 0;
        r = field_count(doc, m, fields, i, 1, INT32_MAX, &v, fault);
        if (r != DIALECT_OK)
            return r;
        llm->has_output_limit = llm->has_output_limit || v > 0;
        if (v > llm->output_limit)
            llm->limit_field = fields[i].path;
        llm->output_limit = MAX(llm->output_limit, v);
    }
    v = 1;
    r = field_count(doc, m, fields, CHOICES, 1, CHOICES_MAX, &v, fault);
    llm->choices = (uint32_t)v;
    return r;
}

static void read_media(struct str doc, const struct json_watch w[WATCHES], struct llm_request *llm)
{
    uint64_t inline_bytes = w[IMAGE_URL].bytes + w[AUDIO_DATA].bytes + w[FILE_DATA].bytes;
    uint64_t prompt = w[MESSAGES].bytes + w[TOOLS].bytes;

    llm->image_parts = w[IMAGE_PART].count;
    llm->audio_parts = w[AUDIO_PART].count;
    llm->audio_bytes = w[AUDIO_DATA].bytes;
    llm->file_parts = MIN(w[FILE_DATA].count, w[FILE_PART].count);
    llm->file_bytes = w[FILE_DATA].bytes;
    llm->files_elsewhere = w[FILE_PART].count - llm->file_parts;
    llm->text_bytes = doc.n - MIN(inline_bytes, (uint64_t)doc.n);
    llm->prompt_bytes = prompt - MIN(inline_bytes, prompt);
}

static bool wants_effort(struct str doc, const struct marks *m, size_t which)
{
    return field_given(m, which) && !json_span_is(doc, m->at[which], "none");
}

/* As OpenAI asks for it, or as OpenRouter does, who may say so in three ways and take it back by one. */
static bool wants_reasoning(struct str doc, const struct marks *m)
{
    if (field_given(m, ROUTER_THINKS) && !wire_true(doc, m->at[ROUTER_THINKS]))
        return false;
    return wants_effort(doc, m, EFFORT) || wants_effort(doc, m, ROUTER_EFFORT) ||
           field_given(m, ROUTER_BUDGET) || field_given(m, ROUTER_THINKS);
}

/* OpenAI's own models that search do so for each question, and tell nothing of it. */
static int read_searches(struct arena *a, struct str doc, const struct marks *m,
                         struct llm_request *llm)
{
    int r = searches_read(a, "tools", field_raw(doc, m, TOOLS), searches_chat_tool, llm);

    if (r == 0)
        r = searches_read(a, "plugins", field_raw(doc, m, PLUGINS), searches_plugin, llm);
    if (r == 0 && field_given(m, SEARCH_OPTIONS)) {
        searches_ask(llm, STR("web_search_options"), SEARCHES_UNBOUND);
        llm->searches_always = true;
    }
    return r;
}

static int fill(struct arena *a, struct str doc, const struct json_watch w[WATCHES],
                const struct marks *m, struct llm_request *llm, struct json_fault *fault)
{
    int r = read_searches(a, doc, m, llm);

    if (r < 0)
        return err_trace(r);
    llm->stream = wire_true(doc, m->at[STREAM]);
    llm->wants_usage = wire_true(doc, m->at[INCLUDE_USAGE]) || wire_true(doc, m->at[USAGE_INCLUDE]);
    llm->has_tools = field_given(m, TOOLS);
    llm->wants_schema = json_span_is(doc, m->at[FORMAT_TYPE], "json_schema");
    llm->wants_reasoning = wants_reasoning(doc, m);
    llm->wants_audio = field_given(m, AUDIO) || (field_given(m, MODALITIES) &&
                                           str_ihas(field_raw(doc, m, MODALITIES), STR("\"audio\"")));
    read_media(doc, w, llm);
    r = read_limits(doc, m, llm, fault);
    return r == DIALECT_OK ? plain_service(a, doc, m, fields, SERVICE_TIER, &llm->service, fault) : r;
}

int openai_chat_read_request(struct arena *a, struct str body, struct wire_request *ret,
                             struct json_fault *fault)
{
    struct json_watch w[WATCHES];
    struct wire_request request;
    const struct marks *m;
    int r = plain_read(a, body, &shape, w, &request, &m, fault);

    if (r == DIALECT_OK)
        r = fill(a, body, w, m, &request.llm, fault);
    if (r == DIALECT_OK)
        *ret = request;
    return r;
}

/* The limit under the target's own name. What the client gave under another name is renamed. */
static void set_limit(const struct marks *m, const struct wire_request_edit *edit,
                      struct request_edit *e)
{
    size_t named = MAX_COMPLETION, other = MAX_TOKENS;
    bool client_gave = field_given(m, MAX_TOKENS) || field_given(m, MAX_COMPLETION), has_null;

    if (!edit->limit_name) {
        assert(client_gave || !edit->output_limit);
        return;
    }
    if (str_eq_c(STR("max_tokens"), edit->limit_name)) {
        named = MAX_TOKENS;
        other = MAX_COMPLETION;
    }
    has_null = str_eq_c(str_c(fields[named].path), edit->limit_name) && m->at[named].n;
    if (field_given(m, other) && !m->at[named].n)
        edit_rename(&e->edit, m->at[other], edit->limit_name);
    else if (!client_gave && edit->output_limit)
        request_edit_limit(e, has_null ? m->at[named] : (struct json_span){.n = 0},
                           edit->limit_name, edit->output_limit);
}

void openai_chat_edit_request(const struct wire_request *request,
                              const struct wire_request_edit *edit, struct buf *out)
{
    static const size_t ours[] = {USAGE, ROUTE};
    const struct marks *m = request->marks;
    struct request_edit e;

    plain_edit_begin(&e, request, edit);
    if (edit->ask_usage && request->llm.stream && !wire_true(request->body, m->at[INCLUDE_USAGE]))
        request_edit_ask_usage(&e, m->at[STREAM_OPTIONS], m->at[INCLUDE_USAGE]);
    set_limit(m, edit, &e);
    request_edit_remove(&e, m, ours, ARRAY_LEN(ours));
    request_edit_end(&e, out);
}
