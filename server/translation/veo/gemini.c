/* gemini.c: videos at the Gemini API (ai.google.dev/gemini-api/docs/veo): POST models/M:predictLongRunning
 * names an operation, GET of that name tells of it, and the video is a file that is fetched with the key
 * (for two days). Files of videos cannot be deleted by the name of their operation. */
#include <errno.h>

#include "base/err.h"
#include "translation/veo/veo.h"

#define VIDEO_URI "response.generateVideoResponse.generatedSamples[].video.uri"

static const struct veo_paths paths = {
    VIDEO_URI, "response.generateVideoResponse.raiMediaFilteredReasons[]"};
static const struct veo_host host = {.large_is_8 = true};

static int write_request(const struct video_prompt *p, struct str model, struct buf *out,
                         struct chat_losses *losses, struct json_fault *fault)
{
    return veo_write(p, &host, model, out, losses, fault);
}

static int ask(struct arena *a, struct str url, const struct video_ask *what, struct video_request *ret)
{
    struct video_request request = {.method = "GET"};

    if (what->what == VIDEO_ASK_DELETE || what->variant != VIDEO_VARIANT_VIDEO)
        return VIDEO_E_UNSUPPORTED;
    request.url = veo_url(a, url, "models/{model}:predictLongRunning", what->id);
    if (!request.url.p)
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
    struct json_watch w = {.path = VIDEO_URI};
    struct video_content content = {.url = STR_NONE};
    struct json_scan_result result;
    struct json_fault fault;

    if (json_scan(body, &w, 1, &result, &fault) != JSON_OK || w.span.kind != JSON_STRING)
        return VIDEO_E_BAD;
    if (wire_text(a, body, w.span, &content.url) < 0)
        return err_origin(-ENOMEM);
    content.url = arena_str(a, content.url);
    if (!content.url.p)
        return err_origin(-ENOMEM);
    *ret = content;
    return VIDEO_OK;
}

const struct video_dialect gemini_video_jobs = {
    .write_request = write_request, .ask = ask, .read_state = read_state, .find_content = find_content};
