/* vertex.c: videos at Vertex AI (docs.cloud.google.com, "Veo on Vertex AI API"): POST
 * .../models/M:predictLongRunning names an operation, and POST .../models/M:fetchPredictOperation tells of
 * it, with the video in it as base64, since no bucket is named that it could be put into. */
#include <errno.h>

#include "base/err.h"
#include "translation/report.h"
#include "translation/veo/veo.h"

#define VIDEO_BYTES "response.videos[].bytesBase64Encoded"

static const struct veo_paths paths = {VIDEO_BYTES, "response.raiMediaFilteredReasons[]"};
static const struct veo_host host = {.is_vertex = true};

static int write_request(const struct video_prompt *p, struct str model, struct buf *out,
                         struct chat_losses *losses, struct json_fault *fault)
{
    return veo_write(p, &host, model, out, losses, fault);
}

/* M of "projects/P/locations/L/publishers/google/models/M/operations/O". */
static struct str model_in(struct str name)
{
    const struct str mark = STR("/models/");

    for (size_t i = 0; i + mark.n < name.n; i++) {
        struct str rest = str_n(name.p + i, name.n - i);
        size_t end = mark.n;

        if (!str_starts(rest, mark))
            continue;
        while (end < rest.n && rest.p[end] != '/')
            end++;
        return str_n(rest.p + mark.n, end - mark.n);
    }
    return STR_NONE;
}

static int ask(struct arena *a, struct str url, const struct video_ask *what, struct video_request *ret)
{
    struct video_request request = {.method = "POST"};
    struct str model = model_in(what->id);

    if (what->what == VIDEO_ASK_DELETE || what->variant != VIDEO_VARIANT_VIDEO || !model.n)
        return VIDEO_E_UNSUPPORTED;
    request.url = veo_url(a, url, "{model}:predictLongRunning",
                          arena_strf(a, "%.*s:fetchPredictOperation", STR_FMT(model)));
    /* Names have no character that JSON escapes. */
    request.body = arena_strf(a, "{\"operationName\":\"%.*s\"}", STR_FMT(what->id));
    if (!request.url.p || !request.body.p)
        return err_origin(-ENOMEM);
    *ret = request;
    return VIDEO_OK;
}

static int read_state(struct arena *a, struct str body, struct video_told *ret)
{
    return veo_read_state(a, body, &paths, ret);
}

static int find_content(struct arena *a, struct str body, struct video_content *ret)
{
    struct json_watch w = {.path = VIDEO_BYTES};
    struct json_scan_result result;
    struct json_fault fault;

    (void)a;
    if (json_scan(body, &w, 1, &result, &fault) != JSON_OK || w.span.kind != JSON_STRING)
        return VIDEO_E_BAD;
    *ret = (struct video_content){.base64 = report_inside(body, w.span)};
    return ret->base64.n ? VIDEO_OK : VIDEO_E_BAD;
}

const struct video_dialect vertex_video_jobs = {
    .write_request = write_request, .ask = ask, .read_state = read_state, .find_content = find_content};
