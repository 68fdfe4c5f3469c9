/* dialect.c: OpenAI's embeddings format (API reference, "Create embeddings"). An answer has no text
 * and is never streamed; its usage object is read and edited as chat's. */
#include "translation/openai_chat/chat.h"
#include "translation/openai_chat/usage.h"
#include "translation/plain.h"
#include "translation/report.h"
#include "translation/said.h"

enum { INPUT = PLAIN_OWN, DIMENSIONS, OUTPUT_DIMENSION, WATCHES };

static const struct field fields[WATCHES] = {
    PLAIN_FIELDS,
    [INPUT] = {.path = "input"},
    [DIMENSIONS] = {.path = "dimensions"},
    [OUTPUT_DIMENSION] = {.path = "output_dimension"},
};

static const struct plain_shape shape = {.fields = fields, .n = WATCHES};

static int read_request(struct arena *a, struct str body, struct wire_request *ret,
                        struct json_fault *fault)
{
    struct json_watch w[WATCHES];
    struct wire_request request;
    const struct marks *m;
    int r = plain_read(a, body, &shape, w, &request, &m, fault);

    if (r == DIALECT_OK)
        r = plain_needs_input(fields, m, INPUT, fault);
    if (r != DIALECT_OK)
        return r;
    request.llm.prompt_bytes = w[INPUT].bytes;
    *ret = request;
    return DIALECT_OK;
}

/* Where the target has another name for the length, and the client did not know it. */
static void edit_request(const struct wire_request *request, const struct wire_request_edit *edit,
                         struct buf *out)
{
    const struct marks *m = request->marks;
    struct request_edit e;

    plain_edit_begin(&e, request, edit);
    if (edit->dimensions_name && field_given(m, DIMENSIONS) && !m->at[OUTPUT_DIMENSION].n)
        edit_rename(&e.edit, m->at[DIMENSIONS], edit->dimensions_name);
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
