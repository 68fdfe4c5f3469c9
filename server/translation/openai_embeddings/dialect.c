/* dialect.c: OpenAI's embeddings format (API reference, "Create embeddings"). An answer has no text
 * and is never streamed; its usage object is read and edited as chat's. */
#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "translation/edit.h"
#include "translation/openai_chat/chat.h"
#include "translation/openai_chat/usage.h"
#include "translation/wire.h"

enum { MODEL, INPUT, MODELS, PROVIDER, WATCHES };

static const char *const paths[WATCHES] = {
    [MODEL] = "model", [INPUT] = "input", [MODELS] = "models", [PROVIDER] = "provider"};

struct marks {
    struct json_span at[WATCHES];
    uint32_t root_open;
};

static int check(const struct marks *m, struct json_fault *fault)
{
    if (m->at[MODEL].kind != JSON_STRING)
        return wire_wrong(fault, "model",
                          wire_given(m->at[MODEL]) ? "must be a string" : "is required");
    if (!wire_given(m->at[INPUT]))
        return wire_wrong(fault, "input", "is required");
    if (m->at[INPUT].kind != JSON_STRING && m->at[INPUT].kind != JSON_ARRAY)
        return wire_wrong(fault, "input", "must be a string or an array");
    if (wire_given(m->at[MODELS]) && m->at[MODELS].kind != JSON_ARRAY)
        return wire_wrong(fault, "models", "must be an array of model names");
    if (wire_given(m->at[PROVIDER]) && m->at[PROVIDER].kind != JSON_OBJECT)
        return wire_wrong(fault, "provider", "must be an object");
    return DIALECT_OK;
}

static int read_request(struct arena *a, struct str body, struct wire_request *ret,
                        struct json_fault *fault)
{
    struct marks *m = arena_new0(a, struct marks);
    struct wire_request request = {.body = body, .marks = m};
    struct json_watch w[WATCHES] = {0};
    struct json_scan_result result;
    int r;

    if (!m)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < WATCHES; i++)
        w[i].path = paths[i];
    r = json_scan(body, w, WATCHES, &result, fault);
    if (r != JSON_OK)
        return r < 0 ? err_trace(r) : DIALECT_E_SYNTAX;
    if (result.root_kind != JSON_OBJECT)
        return wire_wrong(fault, "model", "the body must be an object with a model");
    m->root_open = result.root_open;
    for (size_t i = 0; i < WATCHES; i++)
        m->at[i] = w[i].span;
    r = check(m, fault);
    if (r != DIALECT_OK)
        return r;
    r = wire_text(a, body, m->at[MODEL], &request.llm.model);
    if (r < 0)
        return err_trace(r);
    request.llm.choices = 1;
    request.llm.text_bytes = body.n;
    request.llm.prompt_bytes = w[INPUT].bytes;
    if (wire_given(m->at[MODELS]))
        request.llm.models_json = json_span_str(body, m->at[MODELS]);
    if (wire_given(m->at[PROVIDER]))
        request.llm.provider_json = json_span_str(body, m->at[PROVIDER]);
    *ret = request;
    return DIALECT_OK;
}

static void edit_request(const struct wire_request *request, const struct wire_request_edit *edit,
                         struct buf *out)
{
    const struct marks *m = request->marks;
    struct buf model;
    struct edit e;

    buf_init(&model, KIB(8));
    edit_begin(&e, request->body);
    if (!str_eq(edit->model, request->llm.model)) {
        wire_put_string(&model, edit->model);
        edit_replace(&e, m->at[MODEL], buf_str(&model));
    }
    for (size_t i = MODELS; i <= PROVIDER; i++)
        if (m->at[i].n)
            edit_remove(&e, m->at[i]);
    if (buf_finish(&model) < 0)
        out->err = -ENOMEM;
    edit_apply(&e, out);
    buf_done(&model);
}

const struct dialect openai_embeddings = {
    .name = "openai_embeddings",
    .read_request = read_request,
    .edit_request = edit_request,
    .read_reply = openai_chat_read_reply,
    .edit_reply = openai_chat_edit_reply,
    .find_usage = openai_usage_find,
    .edit_error = openai_chat_edit_error,
    .error_status = openai_chat_error_status,
};
