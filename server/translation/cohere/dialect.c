/* dialect.c: Cohere's chat as a table, and its embeddings: texts or pictures in, vectors of several
 * kinds out, never streamed. */
#include "base/bounds.h"
#include "translation/cohere/cohere.h"
#include "translation/figures.h"
#include "translation/openai_chat/chat.h"
#include "translation/plain.h"
#include "translation/report.h"
#include "translation/said.h"

const struct dialect cohere_chat = {
    .name = "cohere_chat",
    .read_request = cohere_chat_read_request,
    .edit_request = cohere_chat_edit_request,
    .read_reply = cohere_chat_read_reply,
    .edit_reply = wire_edit_reply,
    .edit_error = openai_chat_edit_error,
    .error_status = wire_error_status,
    .read_event = cohere_chat_read_event,
    .edit_event = wire_edit_event,
    .put_note = wire_put_note,
    .put_error = cohere_chat_put_error,
    .put_stop = cohere_chat_put_stop,
};

/* --- embeddings --- */

enum { TEXTS = PLAIN_OWN, INPUTS, IMAGES, EACH_IMAGE, EACH_INPUT_IMAGE, WATCHES };

static const struct field fields[WATCHES] = {
    PLAIN_FIELDS,
    [TEXTS] = {"texts", "must be an array", JSON_ARRAY},
    [INPUTS] = {"inputs", "must be an array", JSON_ARRAY},
    [IMAGES] = {"images", "must be an array", JSON_ARRAY},
    [EACH_IMAGE] = {.path = "images[]"},
    [EACH_INPUT_IMAGE] = {.path = "inputs[].content[].image_url.url"},
};

static const struct plain_shape shape = {.fields = fields, .n = WATCHES};

static int read_embed(struct arena *a, struct str body, struct wire_request *ret,
                      struct json_fault *fault)
{
    struct json_watch w[WATCHES];
    struct wire_request request;
    const struct marks *m;
    uint64_t pictures;
    int r = plain_read(a, body, &shape, w, &request, &m, fault);

    if (r != DIALECT_OK)
        return r;
    if (!field_given(m, TEXTS) && !field_given(m, INPUTS) && !field_given(m, IMAGES))
        return plain_lacks(fields, TEXTS, fault);
    pictures = w[EACH_IMAGE].bytes + w[EACH_INPUT_IMAGE].bytes;
    request.llm.image_parts = w[EACH_IMAGE].count + w[EACH_INPUT_IMAGE].count;
    request.llm.prompt_bytes = w[TEXTS].bytes + w[INPUTS].bytes -
                               MIN(w[EACH_INPUT_IMAGE].bytes, w[TEXTS].bytes + w[INPUTS].bytes);
    request.llm.text_bytes = body.n - MIN(pictures, (uint64_t)body.n);
    *ret = request;
    return DIALECT_OK;
}

enum { EMBEDDINGS, ERROR, TOKENS, IMAGE_TOKENS, REPORT_WATCHES };

static const char *const paths[REPORT_WATCHES] = {
    [EMBEDDINGS] = "embeddings",
    [ERROR] = "error",
    [TOKENS] = "meta.billed_units.input_tokens",
    [IMAGE_TOKENS] = "meta.billed_units.image_tokens",
};

static int read_vectors(struct str body, struct wire_report *ret)
{
    struct wire_report report;
    struct json_watch w[REPORT_WATCHES] = {0};
    int64_t tokens = 0, pictures = 0;
    bool told;

    for (size_t i = 0; i < REPORT_WATCHES; i++)
        w[i].path = paths[i];
    if (report_begin(body, w, REPORT_WATCHES, &report) != DIALECT_OK)
        return DIALECT_E_SYNTAX;
    report.error = wire_given(w[ERROR].span);
    report.has_data = report_has_list(&w[EMBEDDINGS]) ||
                      (w[EMBEDDINGS].span.n && w[EMBEDDINGS].span.kind == JSON_OBJECT);
    told = w[TOKENS].span.n && figure_round_up(json_span_str(body, w[TOKENS].span), &tokens);
    if (w[IMAGE_TOKENS].span.n &&
        figure_round_up(json_span_str(body, w[IMAGE_TOKENS].span), &pictures))
        told = true;
    report.llm.has_usage = told;
    report.llm.usage.n[USAGE_INPUT] = MIN(tokens + pictures, (int64_t)BOUND_USAGE_QUANTITY);
    *ret = report;
    return DIALECT_OK;
}

const struct dialect cohere_embed = {
    .name = "cohere_embed",
    .read_request = read_embed,
    .edit_request = plain_edit_request,
    .read_reply = read_vectors,
    .edit_reply = wire_edit_reply,
    .edit_error = openai_chat_edit_error,
    .error_status = wire_error_status,
};
