/* request.c: a chat request in Cohere's format, and the bytes that an upstream gets for it. */
#include "base/err.h"
#include "translation/cohere/cohere.h"
#include "translation/request_edit.h"

enum {
    MODEL,
    MESSAGES,
    STREAM,
    LIMIT,
    TOOLS,
    DOCUMENTS,
    SCHEMA,
    OLD_SCHEMA,
    THINKING,
    IMAGE_PART,
    IMAGE_URL,
    MODELS,
    PROVIDER,
    WATCHES
};

static const struct field fields[WATCHES] = {
    [MODEL] = {"model", "must be a string", JSON_STRING},
    [MESSAGES] = {"messages", "must be an array", JSON_ARRAY},
    [STREAM] = {"stream", "must be true or false", JSON_BOOL},
    [LIMIT] = {"max_tokens", "must be a positive integer", JSON_INT},
    [TOOLS] = {"tools", "must be an array", JSON_ARRAY},
    [DOCUMENTS] = {"documents", "must be an array", JSON_ARRAY},
    [SCHEMA] = {.path = "response_format.json_schema"},
    [OLD_SCHEMA] = {.path = "response_format.schema"},
    [THINKING] = {.path = "thinking.type"},
    [IMAGE_PART] = {.path = "messages[].content[].image_url"},
    [IMAGE_URL] = {.path = "messages[].content[].image_url.url"},
    [MODELS] = {"models", "must be an array of model names", JSON_ARRAY},
    [PROVIDER] = {"provider", "must be an object", JSON_OBJECT},
};

static int fill(struct arena *a, struct str body, const struct json_watch w[WATCHES],
                const struct marks *m, struct llm_request *llm, struct json_fault *fault)
{
    uint64_t prompt = w[MESSAGES].bytes + w[TOOLS].bytes + w[DOCUMENTS].bytes;
    int r = wire_text(a, body, m->at[MODEL], &llm->model);

    if (r < 0)
        return err_trace(r);
    llm->stream = wire_true(body, m->at[STREAM]);
    llm->wants_usage = true; /* every stream of this format tells it */
    llm->choices = 1;
    llm->has_tools = field_given(m, TOOLS);
    llm->wants_schema = field_given(m, SCHEMA) || field_given(m, OLD_SCHEMA);
    llm->wants_reasoning = json_span_is(body, m->at[THINKING], "enabled");
    llm->models_json = field_raw(body, m, MODELS);
    llm->provider_json = field_raw(body, m, PROVIDER);
    llm->image_parts = w[IMAGE_PART].count;
    llm->text_bytes = body.n - MIN(w[IMAGE_URL].bytes, (uint64_t)body.n);
    llm->prompt_bytes = prompt - MIN(w[IMAGE_URL].bytes, prompt);
    llm->has_output_limit = field_given(m, LIMIT);
    return field_count(body, m, fields, LIMIT, 1, INT32_MAX, &llm->output_limit, fault);
}

int cohere_chat_read_request(struct arena *a, struct str body, struct wire_request *ret,
                             struct json_fault *fault)
{
    struct wire_request request = {.body = body};
    struct json_watch w[WATCHES];
    struct marks *m;
    int r = fields_read(a, body, fields, WATCHES, w, &m, fault);

    if (r != DIALECT_OK)
        return r;
    if (!field_given(m, MODEL) && !field_given(m, MODELS))
        return wire_wrong(fault, fields[MODEL].path, "is required");
    if (!field_given(m, MESSAGES))
        return wire_wrong(fault, fields[MESSAGES].path, "is required");
    request.marks = m;
    r = fill(a, body, w, m, &request.llm, fault);
    if (r == DIALECT_OK)
        *ret = request;
    return r;
}

/* Streams tell their figures unasked. */
void cohere_chat_edit_request(const struct wire_request *request,
                              const struct wire_request_edit *edit, struct buf *out)
{
    static const size_t ours[] = {MODELS, PROVIDER};
    const struct marks *m = request->marks;
    struct request_edit e;

    request_edit_begin(&e, request, m);
    request_edit_model(&e, m->at[MODEL], request->llm.model, edit->model);
    if (edit->output_limit && !field_given(m, LIMIT))
        request_edit_limit(&e, m->at[LIMIT], fields[LIMIT].path, edit->output_limit);
    request_edit_remove(&e, m, ours, ARRAY_LEN(ours));
    request_edit_end(&e, out);
}
