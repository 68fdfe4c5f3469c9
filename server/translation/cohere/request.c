/* request.c: a chat request in Cohere's format, and the bytes that an upstream gets for it. */
#include "translation/cohere/cohere.h"
#include "translation/plain.h"

enum {
    MESSAGES = PLAIN_OWN,
    STREAM,
    LIMIT,
    TOOLS,
    DOCUMENTS,
    SCHEMA,
    OLD_SCHEMA,
    THINKING,
    IMAGE_PART,
    IMAGE_URL,
    WATCHES
};

static const struct field fields[WATCHES] = {
    PLAIN_FIELDS,
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
};

static const struct plain_shape shape = {
    .fields = fields, .n = WATCHES, .needed = MESSAGES, .models_do = true};

static int fill(struct str body, const struct json_watch w[WATCHES], const struct marks *m,
                struct llm_request *llm, struct json_fault *fault)
{
    uint64_t prompt = w[MESSAGES].bytes + w[TOOLS].bytes + w[DOCUMENTS].bytes;

    llm->stream = wire_true(body, m->at[STREAM]);
    llm->wants_usage = true; /* every stream of this format tells it */
    llm->has_tools = field_given(m, TOOLS);
    llm->wants_schema = field_given(m, SCHEMA) || field_given(m, OLD_SCHEMA);
    llm->wants_reasoning = json_span_is(body, m->at[THINKING], "enabled");
    llm->image_parts = w[IMAGE_PART].count;
    llm->text_bytes = body.n - MIN(w[IMAGE_URL].bytes, (uint64_t)body.n);
    llm->prompt_bytes = prompt - MIN(w[IMAGE_URL].bytes, prompt);
    llm->has_output_limit = field_given(m, LIMIT);
    return field_count(body, m, fields, LIMIT, 1, INT32_MAX, &llm->output_limit, fault);
}

int cohere_chat_read_request(struct arena *a, struct str body, struct wire_request *ret,
                             struct json_fault *fault)
{
    struct json_watch w[WATCHES];
    struct wire_request request;
    const struct marks *m;
    int r = plain_read(a, body, &shape, w, &request, &m, fault);

    if (r == DIALECT_OK)
        r = fill(body, w, m, &request.llm, fault);
    if (r == DIALECT_OK)
        *ret = request;
    return r;
}

/* Streams tell their figures unasked. */
void cohere_chat_edit_request(const struct wire_request *request,
                              const struct wire_request_edit *edit, struct buf *out)
{
    plain_edit_limited(request, edit, fields, LIMIT, out);
}
