/* images.c: OpenAI's images: made of words ("Create image"), and of other images ("Create image
 * edit"), which come as a form or, by address, as JSON. Answers and streams are the same.
 *
 * Others say how large an image is by `width` and `height` (Together). */
#include "base/err.h"
#include "translation/openai_chat/chat.h"
#include "translation/openai_media/media.h"
#include "translation/plain.h"
#include "translation/report.h"
#include "translation/said.h"

enum { PROMPT = PLAIN_OWN, COUNT, QUALITY, SIZE, WIDTH, HEIGHT, STREAM, IMAGE, IMAGES, WATCHES };

static const struct field fields[WATCHES] = {
    PLAIN_FIELDS,
    [PROMPT] = {"prompt", "must be a string", JSON_STRING},
    [COUNT] = {"n", "must be an integer from 1 to 10", JSON_INT},
    [QUALITY] = {"quality", "must be a string", JSON_STRING},
    [SIZE] = {"size", "must be a string", JSON_STRING},
    [WIDTH] = {"width", "must be a positive integer", JSON_INT},
    [HEIGHT] = {"height", "must be a positive integer", JSON_INT},
    [STREAM] = {"stream", "must be true or false", JSON_BOOL},
    [IMAGE] = {.path = "image"},
    [IMAGES] = {.path = "images[]"},
};

static const struct plain_shape shape = {.fields = fields, .n = WATCHES, .needed = PROMPT};

enum { COUNT_MAX = 10, EDGE_MAX = 65536 }; /* OpenAI's bound of n; no image is that wide */

static const struct media_form whole = {
    .classes = {USAGE_INPUT, USAGE_IMAGE_OUTPUT}, .made = "data", .each = "data[]"};
static const struct media_form event_form = {
    .classes = {USAGE_INPUT, USAGE_IMAGE_OUTPUT}, .made = "b64_json", .image_event = ".completed"};

static int read_size(struct arena *a, struct str body, const struct marks *m,
                     struct llm_request *llm, struct json_fault *fault)
{
    uint64_t width = 0, height = 0;
    int r = wire_text(a, body, m->at[QUALITY], &llm->visual.quality);

    if (r == 0)
        r = wire_text(a, body, m->at[SIZE], &llm->visual.size);
    if (r < 0)
        return err_trace(r);
    r = field_count(body, m, fields, WIDTH, 1, EDGE_MAX, &width, fault);
    if (r == DIALECT_OK)
        r = field_count(body, m, fields, HEIGHT, 1, EDGE_MAX, &height, fault);
    if (r == DIALECT_OK && width && height && !llm->visual.size.p)
        llm->visual.size =
            arena_strf(a, "%llux%llu", (unsigned long long)width, (unsigned long long)height);
    return r;
}

static int read_request(struct arena *a, struct str body, struct wire_request *ret,
                        struct json_fault *fault)
{
    struct json_watch w[WATCHES];
    struct wire_request request;
    const struct marks *m;
    uint64_t count = 1;
    int r = plain_read(a, body, &shape, w, &request, &m, fault);

    if (r == DIALECT_OK)
        r = field_count(body, m, fields, COUNT, 1, COUNT_MAX, &count, fault);
    if (r == DIALECT_OK)
        r = read_size(a, body, m, &request.llm, fault);
    if (r != DIALECT_OK)
        return r;
    request.llm.choices = (uint32_t)count;
    request.llm.stream = wire_true(body, m->at[STREAM]);
    request.llm.wants_usage = true;
    request.llm.pictures = w[IMAGES].count + field_given(m, IMAGE);
    request.llm.text_bytes = request.llm.prompt_bytes = w[PROMPT].bytes;
    *ret = request;
    return DIALECT_OK;
}

static int read_form(struct arena *a, struct str content_type, struct str body,
                     struct wire_request *ret, struct json_fault *fault)
{
    struct wire_request request;
    const struct form_body *form;
    uint64_t count = 1;
    int r = media_read_form(a, content_type, body, "prompt", &request, &form, fault);

    if (r == DIALECT_OK)
        r = form_body_count(form, "n", 1, COUNT_MAX, &count, fault);
    if (r == DIALECT_OK)
        r = form_body_bool(form, "stream", &request.llm.stream, fault);
    if (r != DIALECT_OK)
        return r;
    request.llm.pictures = form_body_files(form);
    if (!request.llm.pictures)
        return wire_wrong(fault, "image", "is required");
    request.llm.choices = (uint32_t)count;
    request.llm.wants_usage = true;
    request.llm.visual.quality = form_body_value(form, "quality");
    request.llm.visual.size = form_body_value(form, "size");
    *ret = request;
    return DIALECT_OK;
}

static int read_reply(struct str body, struct wire_report *ret)
{
    return media_read_report(body, &whole, ret);
}

static int read_event(const struct sse_event *event, struct wire_report *ret)
{
    return media_read_event(event, &event_form, ret);
}

static bool read_usage(struct str object, struct llm_report *ret)
{
    return media_usage_read(object, &whole.classes, ret);
}

static bool find_usage(struct str part, struct llm_report *ret)
{
    return report_find_usage(part, STR("\"usage\""), read_usage, ret);
}

#define COMMON                                                                      \
    .read_request = read_request, .edit_request = media_edit_request,               \
    .read_reply = read_reply, .edit_reply = wire_edit_reply, .find_usage = find_usage, \
    .edit_error = openai_chat_edit_error, .error_status = wire_error_status,        \
    .read_event = read_event, .edit_event = wire_edit_event, .put_note = wire_put_note, \
    .put_error = media_put_error, .put_stop = media_put_stop, .image_events = true

const struct dialect openai_images = {.name = "openai_images", COMMON};

const struct dialect openai_image_edits = {
    .name = "openai_image_edits", COMMON, .read_form = read_form};
