/* dialect.c: OpenAI's embeddings format (API reference, "Create embeddings"). An answer has no text
 * and is never streamed; its usage object is read and edited as chat's. */
#include "base/err.h"
#include "translation/openai_chat/chat.h"
#include "translation/openai_chat/usage.h"
#include "translation/report.h"
#include "translation/request_edit.h"
#include "translation/said.h"

enum { MODEL, INPUT, MODELS, PROVIDER, WATCHES };

static const struct field fields[WATCHES] = {
    [MODEL] = {"model", "must be a string", JSON_STRING},
    [INPUT] = {.path = "input"},
    [MODELS] = {"models", "must be an array of model names", JSON_ARRAY},
    [PROVIDER] = {"provider", "must be an object", JSON_OBJECT},
};

static int check(const struct marks *m, struct json_fault *fault)
{
    if (!field_given(m, MODEL))
        return wire_wrong(fault, "model", "is required");
    if (!field_given(m, INPUT))
        return wire_wrong(fault, "input", "is required");
    if (m->at[INPUT].kind != JSON_STRING && m->at[INPUT].kind != JSON_ARRAY)
        return wire_wrong(fault, "input", "must be a string or an array");
    return DIALECT_OK;
}

static int read_request(struct arena *a, struct str body, struct wire_request *ret,
                        struct json_fault *fault)
{
    struct wire_request request = {.body = body};
    struct json_watch w[WATCHES];
    struct marks *m;
    int r = fields_read(a, body, fields, WATCHES, w, &m, fault);

    if (r == DIALECT_OK)
        r = check(m, fault);
    if (r != DIALECT_OK)
        return r;
    r = wire_text(a, body, m->at[MODEL], &request.llm.model);
    if (r < 0)
        return err_trace(r);
    request.marks = m;
    request.llm.choices = 1;
    request.llm.text_bytes = body.n;
    request.llm.prompt_bytes = w[INPUT].bytes;
    request.llm.models_json = field_raw(body, m, MODELS);
    request.llm.provider_json = field_raw(body, m, PROVIDER);
    *ret = request;
    return DIALECT_OK;
}

static void edit_request(const struct wire_request *request, const struct wire_request_edit *edit,
                         struct buf *out)
{
    static const size_t ours[] = {MODELS, PROVIDER};
    const struct marks *m = request->marks;
    struct request_edit e;

    request_edit_begin(&e, request, m);
    request_edit_model(&e, m->at[MODEL], request->llm.model, edit->model);
    request_edit_remove(&e, m, ours, ARRAY_LEN(ours));
    request_edit_end(&e, out);
}

const struct dialect openai_embeddings = {
    .name = "openai_embeddings",
    .read_request = read_request,
    .edit_request = edit_request,
    .read_reply = openai_chat_read_reply,
    .edit_reply = wire_edit_reply,
    .find_usage = openai_usage_find,
    .edit_error = openai_chat_edit_error,
    .error_status = wire_error_status,
};
