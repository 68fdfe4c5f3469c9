/* count.c: Google's countTokens: contents alone, or a whole generateContent request in a member of
 * its own, which names the model again. */
#include <stdio.h>

#include "translation/count_tokens.h"
#include "translation/fields.h"
#include "translation/gemini/bytes.h"

enum { CONTENTS, NESTED, NESTED_SNAKE, MODEL, MODEL_SNAKE, WATCHES };

static const struct field fields[WATCHES] = {
    [CONTENTS] = {.path = "contents"},
    [NESTED] = {"generateContentRequest", "must be an object", JSON_OBJECT},
    [NESTED_SNAKE] = {"generate_content_request", "must be an object", JSON_OBJECT},
    [MODEL] = {"generateContentRequest.model", "must be a string", JSON_STRING},
    [MODEL_SNAKE] = {"generate_content_request.model", "must be a string", JSON_STRING},
};

/* The path of a fault within the member, as the client has it. */
static void prefix(const char *member, struct json_fault *fault)
{
    struct json_fault inner = *fault;
    size_t room = sizeof(fault->path) - 1 - strlen(member) - 1;

    (void)snprintf(fault->path, sizeof(fault->path), "%s%s%.*s", member, inner.path[0] ? "." : "",
                   (int)room, inner.path);
}

static int read_request(struct arena *a, struct str body, struct wire_request *ret,
                        struct json_fault *fault)
{
    struct wire_request request = {0};
    struct json_watch w[WATCHES];
    struct marks *m;
    size_t nested;
    int r = fields_read(a, body, fields, WATCHES, w, &m, fault);

    if (r != DIALECT_OK)
        return r;
    nested = field_given(m, NESTED) ? NESTED : NESTED_SNAKE;
    if (!field_given(m, nested)) {
        r = gemini_bytes_read_request(a, body, &request, fault);
    } else if (field_given(m, CONTENTS)) {
        return wire_wrong(fault, "contents", "stands beside generateContentRequest");
    } else {
        r = gemini_bytes_read_request(a, field_raw(body, m, nested), &request, fault);
        if (r > 0)
            prefix(fields[nested].path, fault);
    }
    if (r != DIALECT_OK)
        return r;
    request.body = body;
    request.marks = m;
    *ret = request;
    return DIALECT_OK;
}

static void edit_request(const struct wire_request *request, const struct wire_request_edit *edit,
                         struct buf *out)
{
    const struct marks *m = request->marks;
    struct json_span at = field_given(m, MODEL) ? m->at[MODEL] : m->at[MODEL_SNAKE];

    if (!wire_given(at)) {
        buf_put_str(out, request->body);
        return;
    }
    buf_put(out, request->body.p, at.at);
    gemini_put_model(edit->model, out);
    buf_put(out, request->body.p + at.at + at.n, request->body.n - at.at - at.n);
}

static bool read_reply(struct str body, uint64_t *ret)
{
    return count_read(body, "totalTokens", ret);
}

static void put_reply(uint64_t tokens, struct buf *out)
{
    buf_puts(out, "{\"totalTokens\":");
    buf_put_u64(out, tokens);
    buf_putc(out, '}');
}

const struct count_dialect gemini_count_tokens = {
    .name = "gemini_count_tokens",
    .chat = &gemini,
    .read_request = read_request,
    .edit_request = edit_request,
    .read_reply = read_reply,
    .put_reply = put_reply,
};
