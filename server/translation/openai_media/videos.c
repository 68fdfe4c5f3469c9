/* videos.c: OpenAI's jobs that make a video ("Create video"), whose answer is the job: a video that
 * is queued. A form, or JSON.
 *
 * Source: developers.openai.com/api/reference, "Videos": without `seconds` a video has four. Others
 * say how large it is by `width` and `height` (vLLM-Omni, docs.vllm.ai/projects/vllm-omni, "Videos
 * API"), and how long by `num_frames`, which is no length that is sold. Never streamed. */
#include <errno.h>

#include "base/err.h"
#include "translation/figures.h"
#include "translation/openai_chat/chat.h"
#include "translation/openai_media/media.h"
#include "translation/plain.h"
#include "translation/report.h"
#include "translation/said.h"
#include "translation/video.h"

enum { PROMPT = PLAIN_OWN, SECONDS, SIZE, WIDTH, HEIGHT, FRAMES, PICTURE, WATCHES };

static const char seconds_reason[] = "must be a whole number of seconds, from 1 to 3600";
static const char size_reason[] = "must be a size in pixels, such as \"1280x720\"";
static const char both_reason[] = "goes with the other edge, and without size";
static const char frames_reason[] = "is not sold here: say seconds";

static const struct field fields[WATCHES] = {
    PLAIN_FIELDS,
    [PROMPT] = {"prompt", "must be a string", JSON_STRING},
    [SECONDS] = {.path = "seconds"},
    [SIZE] = {"size", size_reason, JSON_STRING},
    [WIDTH] = {"width", "must be a positive integer", JSON_INT},
    [HEIGHT] = {"height", "must be a positive integer", JSON_INT},
    [FRAMES] = {.path = "num_frames"},
    [PICTURE] = {.path = "input_reference"},
};

static const struct plain_shape shape = {.fields = fields, .n = WATCHES, .needed = PROMPT};

/* What says how long and how large the video is, of either kind of body; p NULL: not said. */
struct measures {
    struct str seconds, size, width, height, frames;
};

/* Both edges by themselves. */
static int read_edges(struct arena *a, const struct measures *m, struct llm_request *llm,
                      struct json_fault *fault)
{
    struct video_size size;

    if (m->size.p || !m->width.p || !m->height.p)
        return wire_wrong(fault, fields[m->width.p ? WIDTH : HEIGHT].path, both_reason);
    llm->visual.size = arena_strf(a, "%.*sx%.*s", STR_FMT(m->width), STR_FMT(m->height));
    if (!llm->visual.size.p)
        return err_origin(-ENOMEM);
    if (!video_size_read(llm->visual.size, &size))
        return wire_wrong(fault, fields[WIDTH].path, fields[WIDTH].reason);
    return DIALECT_OK;
}

static int read_measures(struct arena *a, const struct measures *m, struct llm_request *llm,
                         struct json_fault *fault)
{
    struct video_size size;

    llm->seconds = VIDEO_SECONDS_DEFAULT;
    if (m->frames.p)
        return wire_wrong(fault, fields[FRAMES].path, frames_reason);
    if (m->seconds.p && (str_u64(m->seconds, &llm->seconds) != STR_OK || !llm->seconds ||
                         llm->seconds > VIDEO_SECONDS_MOST))
        return wire_wrong(fault, fields[SECONDS].path, seconds_reason);
    if (m->size.p && !video_size_read(m->size, &size))
        return wire_wrong(fault, fields[SIZE].path, size_reason);
    llm->visual.size = m->size;
    return m->width.p || m->height.p ? read_edges(a, m, llm, fault) : DIALECT_OK;
}

static int read_request(struct arena *a, struct str body, struct wire_request *ret,
                        struct json_fault *fault)
{
    struct json_watch w[WATCHES];
    struct wire_request request;
    const struct marks *m;
    struct measures said;
    int r = plain_read(a, body, &shape, w, &request, &m, fault);

    if (r != DIALECT_OK)
        return r;
    said = (struct measures){
        .seconds = m->at[SECONDS].kind == JSON_STRING ? report_inside(body, m->at[SECONDS])
                                                      : field_raw(body, m, SECONDS),
        .size = report_inside(body, m->at[SIZE]),
        .width = field_raw(body, m, WIDTH),
        .height = field_raw(body, m, HEIGHT),
        .frames = field_raw(body, m, FRAMES),
    };
    if (field_given(m, SECONDS) && !said.seconds.p)
        return wire_wrong(fault, fields[SECONDS].path, seconds_reason);
    if (field_given(m, SIZE) && !said.size.p)
        return wire_wrong(fault, fields[SIZE].path, size_reason);
    r = read_measures(a, &said, &request.llm, fault);
    if (r != DIALECT_OK)
        return r;
    request.llm.pictures = field_given(m, PICTURE);
    request.llm.text_bytes = request.llm.prompt_bytes = w[PROMPT].bytes;
    *ret = request;
    return DIALECT_OK;
}

static int read_form(struct arena *a, struct str content_type, struct str body,
                     struct wire_request *ret, struct json_fault *fault)
{
    struct wire_request request;
    const struct form_body *form;
    struct measures said;
    int r = media_read_form(a, content_type, body, fields[PROMPT].path, &request, &form, fault);

    if (r != DIALECT_OK)
        return r;
    said = (struct measures){
        .seconds = form_body_value(form, fields[SECONDS].path),
        .size = form_body_value(form, fields[SIZE].path),
        .width = form_body_value(form, fields[WIDTH].path),
        .height = form_body_value(form, fields[HEIGHT].path),
        .frames = form_body_value(form, fields[FRAMES].path),
    };
    r = read_measures(a, &said, &request.llm, fault);
    if (r != DIALECT_OK)
        return r;
    request.llm.pictures = form_body_files(form);
    *ret = request;
    return DIALECT_OK;
}

enum { ID, ERROR, LASTS, LARGE, REPORT_WATCHES };

static const char *const paths[REPORT_WATCHES] = {
    [ID] = "id", [ERROR] = "error", [LASTS] = "seconds", [LARGE] = "size"};

static int read_reply(struct str body, struct wire_report *ret)
{
    struct wire_report report;
    struct json_watch w[REPORT_WATCHES] = {0};
    struct llm_report *llm = &report.llm;
    int64_t seconds;

    for (size_t i = 0; i < REPORT_WATCHES; i++)
        w[i].path = paths[i];
    if (report_begin(body, w, REPORT_WATCHES, &report) != DIALECT_OK)
        return DIALECT_E_SYNTAX;
    report.error = wire_given(w[ERROR].span);
    llm->id = report_inside(body, w[ID].span);
    llm->visual.size = report_inside(body, w[LARGE].span);
    report.has_data = llm->id.n > 0;
    if (w[LASTS].span.n && figure_round_up(json_span_str(body, w[LASTS].span), &seconds)) {
        llm->has_usage = llm->lacks_prompt = llm->lacks_output = true;
        llm->usage.n[USAGE_SECOND] = seconds;
    }
    *ret = report;
    return DIALECT_OK;
}

const struct dialect openai_videos = {
    .name = "openai_videos",
    .read_request = read_request,
    .read_form = read_form,
    .edit_request = media_edit_request,
    .read_reply = read_reply,
    .edit_reply = wire_edit_reply,
    .edit_error = openai_chat_edit_error,
    .error_status = wire_error_status,
};
