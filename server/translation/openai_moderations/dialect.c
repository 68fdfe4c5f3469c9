/* dialect.c: OpenAI's moderations (API reference, "Create moderation"). OpenAI tells no usage with
 * them; some compatible servers do. Never streamed. */
#include "translation/openai_chat/chat.h"
#include "translation/openai_media/media.h"
#include "translation/plain.h"
#include "translation/report.h"
#include "translation/said.h"

enum { INPUT = PLAIN_OWN, PICTURE, PICTURE_URL, WATCHES };

static const struct field fields[WATCHES] = {
    PLAIN_FIELDS,
    [INPUT] = {.path = "input"},
    [PICTURE] = {.path = "input[].image_url"},
    [PICTURE_URL] = {.path = "input[].image_url.url"},
};

static const struct plain_shape shape = {.fields = fields, .n = WATCHES};

static const struct media_form form = {.classes = {USAGE_INPUT, USAGE_OUTPUT}, .made = "results"};

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
    request.llm.pictures = w[PICTURE].count;
    request.llm.text_bytes = request.llm.prompt_bytes = w[INPUT].bytes - w[PICTURE_URL].bytes;
    *ret = request;
    return DIALECT_OK;
}

static int read_reply(struct str body, struct wire_report *ret)
{
    return media_read_report(body, &form, ret);
}

const struct dialect openai_moderations = {
    .name = "openai_moderations",
    .read_request = read_request,
    .edit_request = plain_edit_request,
    .read_reply = read_reply,
    .edit_reply = wire_edit_reply,
    .edit_error = openai_chat_edit_error,
    .error_status = wire_error_status,
};
