/* embed.c: Google's embedContent and batchEmbedContents (Gemini API reference, "Embeddings"). The path
 * has the model; a batch names it again in each request, and it has to be the same one. An answer has
 * no text and is never streamed. */
#include "json/write.h"
#include "translation/elements.h"
#include "translation/gemini/bytes.h"
#include "translation/media.h"
#include "translation/report.h"
#include "translation/request_edit.h"
#include "translation/said.h"

enum { BODY, MODEL, FIRST_MEDIA, WATCHES = FIRST_MEDIA + 4 };

static const struct field single[WATCHES] = {
    [BODY] = {"content", "must be an object", JSON_OBJECT},
    [MODEL] = {"model", "must be a string", JSON_STRING},
    [FIRST_MEDIA] = {.path = "content.parts[].inlineData"},
    {.path = "content.parts[].inline_data"},
    {.path = "content.parts[].fileData"},
    {.path = "content.parts[].file_data"},
};

static const struct field batch[WATCHES] = {
    [BODY] = {"requests", "must be an array", JSON_ARRAY},
    [MODEL] = {"requests[].model", "must be a string", JSON_STRING},
    [FIRST_MEDIA] = {.path = "requests[].content.parts[].inlineData"},
    {.path = "requests[].content.parts[].inline_data"},
    {.path = "requests[].content.parts[].fileData"},
    {.path = "requests[].content.parts[].file_data"},
};

/* One member of a request of a batch. */
static struct json_span member(struct str request, const char *name)
{
    struct json_watch w = {.path = name};
    struct json_scan_result result;
    struct json_fault fault;

    if (json_scan(request, &w, 1, &result, &fault) != JSON_OK)
        return (struct json_span){.n = 0};
    return w.span;
}

static void count_batch(struct str requests, struct media *media)
{
    struct str rest = elements_of(requests), one;

    while (element_next(&rest, &one)) {
        struct json_span content = member(one, "content");

        if (content.n)
            gemini_count_media(json_span_str(one, content), media);
    }
}

static int read_request(struct arena *a, const struct field *fields, struct str body,
                        struct wire_request *ret, struct json_fault *fault)
{
    struct wire_request request = {.body = body, .llm = {.choices = 1}};
    struct media media = {.llm = &request.llm};
    struct json_watch w[WATCHES];
    struct marks *m;
    uint64_t seen = 0;
    struct str raw;
    int r = fields_read(a, body, fields, WATCHES, w, &m, fault);

    if (r != DIALECT_OK)
        return r;
    raw = field_raw(body, m, BODY);
    if (!raw.p)
        return wire_wrong(fault, fields[BODY].path, "is required");
    for (size_t i = FIRST_MEDIA; i < WATCHES; i++)
        seen += w[i].count;
    if (seen && fields == batch)
        count_batch(raw, &media);
    else if (seen)
        gemini_count_media(raw, &media);
    media_end(&media, body.n, raw.n);
    request.marks = m;
    *ret = request;
    return DIALECT_OK;
}

static int read_single(struct arena *a, struct str body, struct wire_request *ret,
                       struct json_fault *fault)
{
    return read_request(a, single, body, ret, fault);
}

static int read_batch(struct arena *a, struct str body, struct wire_request *ret,
                      struct json_fault *fault)
{
    return read_request(a, batch, body, ret, fault);
}

void gemini_put_model(struct str model, struct buf *out)
{
    buf_puts(out, str_find(model, '/') < 0 ? "\"models/" : "\"");
    json_escape(out, model);
    buf_putc(out, '"');
}

static void edit_single(const struct wire_request *request, const struct wire_request_edit *edit,
                        struct buf *out)
{
    const struct marks *m = request->marks;
    struct json_span at = m->at[MODEL];

    if (!wire_given(at)) {
        buf_put_str(out, request->body);
        return;
    }
    buf_put(out, request->body.p, at.at);
    gemini_put_model(edit->model, out);
    buf_put(out, request->body.p + at.at + at.n, request->body.n - at.at - at.n);
}

static void edit_batch(const struct wire_request *request, const struct wire_request_edit *edit,
                       struct buf *out)
{
    const struct marks *m = request->marks;
    struct str rest = elements_of(json_span_str(request->body, m->at[BODY])), one;
    const char *done = request->body.p;

    while (element_next(&rest, &one)) {
        struct json_span at = member(one, "model");

        if (!wire_given(at))
            continue;
        buf_put(out, done, (size_t)(one.p + at.at - done));
        gemini_put_model(edit->model, out);
        done = one.p + at.at + at.n;
    }
    buf_put(out, done, (size_t)(request->body.p + request->body.n - done));
}

static int read_reply(struct str body, struct wire_report *ret)
{
    struct wire_report report;
    struct json_watch w[] = {{.path = "embedding"}, {.path = "embeddings"}, {.path = "error"},
                             {.path = "usageMetadata"}};
    struct json_span cost;

    if (report_begin(body, w, ARRAY_LEN(w), &report) != DIALECT_OK)
        return DIALECT_E_SYNTAX;
    report.has_data = wire_given(w[0].span) || report_has_list(&w[1]);
    report.error = wire_given(w[2].span);
    if (w[3].span.n && w[3].span.kind == JSON_OBJECT &&
        gemini_usage_read(json_span_str(body, w[3].span), true, &report.llm, &cost))
        report_place_usage(&report, w[3].span, cost);
    *ret = report;
    return DIALECT_OK;
}

const struct dialect gemini_embed = {
    .name = "gemini_embed",
    .read_request = read_single,
    .edit_request = edit_single,
    .read_reply = read_reply,
    .edit_reply = wire_edit_reply,
    .find_usage = gemini_usage_find,
    .edit_error = gemini_bytes_edit_error,
    .error_status = wire_error_status,
};

const struct dialect gemini_embed_batch = {
    .name = "gemini_embed_batch",
    .read_request = read_batch,
    .edit_request = edit_batch,
    .read_reply = read_reply,
    .edit_reply = wire_edit_reply,
    .find_usage = gemini_usage_find,
    .edit_error = gemini_bytes_edit_error,
    .error_status = wire_error_status,
};
