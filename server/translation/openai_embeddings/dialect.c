/* dialect.c: OpenAI's embeddings format (API reference, "Create embeddings"). An answer has no text
 * and is never streamed; its usage object is read and edited as chat's. */
#include "translation/openai_chat/chat.h"
#include "translation/openai_chat/usage.h"
#include "translation/plain.h"
#include "translation/report.h"
#include "translation/said.h"

enum { INPUT = PLAIN_OWN, WATCHES };

static const struct field fields[WATCHES] = {PLAIN_FIELDS, [INPUT] = {.path = "input"}};

static int read_request(struct arena *a, struct str body, struct wire_request *ret,
                        struct json_fault *fault)
{
    struct json_watch w[WATCHES];
    struct wire_request request;
    const struct marks *m;
    int r = plain_read(a, body, fields, WATCHES, w, &request, &m, fault);

    if (r == DIALECT_OK)
        r = plain_needs_input(fields, m, INPUT, fault);
    if (r != DIALECT_OK)
        return r;
    request.llm.prompt_bytes = w[INPUT].bytes;
    *ret = request;
    return DIALECT_OK;
}

const struct dialect openai_embeddings = {
    .name = "openai_embeddings",
    .read_request = read_request,
    .edit_request = plain_edit_request,
    .read_reply = openai_chat_read_reply,
    .edit_reply = wire_edit_reply,
    .find_usage = openai_usage_find,
    .edit_error = openai_chat_edit_error,
    .error_status = wire_error_status,
};
