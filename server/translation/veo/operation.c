/* operation.c: what an operation that makes a video tells of it.
 *
 * Source: google.longrunning.Operation, with an `error` (google.rpc.Status) or a `response`. Odd: a video
 * that was filtered out is no error: the operation is done, has no videos and tells the reasons. */
#include <errno.h>

#include "base/err.h"
#include "translation/veo/veo.h"

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '/';
}

bool veo_is_name(struct str name)
{
    char before = '/';

    for (size_t i = 0; i < name.n; before = name.p[i++]) {
        char c = name.p[i];

        if (!is_plain(c))
            return false;
        if (before == '/' && (c == '/' || c == '.'))
            return false;
    }
    return before != '/' && name.n <= VIDEO_ID_BYTES;
}

struct str veo_url(struct arena *a, struct str url, const char *last, struct str by)
{
    struct str mark = str_c(last);

    for (size_t i = 0; i + mark.n <= url.n; i++)
        if (str_starts(str_n(url.p + i, url.n - i), mark))
            return arena_strf(a, "%.*s%.*s%.*s", (int)i, url.p, STR_FMT(by),
                              (int)(url.n - i - mark.n), url.p + i + mark.n);
    return STR_NONE;
}

enum { NAME, DONE, CODE, MESSAGE, VIDEOS, REASONS, WATCHES };

/* google.rpc.Code, as words of OpenAI's errors. */
static const char *code_word(struct str body, struct json_span code)
{
    uint64_t n = 0;

    if (!json_span_u64(body, code, &n))
        return "provider_error";
    return n == 3    ? "invalid_request"
           : n == 8  ? "rate_limit_exceeded"
           : n == 13 ? "internal_error"
           : n == 14 ? "unavailable"
                     : "provider_error";
}

static int read_failure(struct arena *a, struct str body, const struct json_watch w[WATCHES],
                        struct video_told *told)
{
    bool error = wire_given(w[CODE].span) || wire_given(w[MESSAGE].span);
    struct json_span text = error ? w[MESSAGE].span : w[REASONS].span;

    told->state = VIDEO_FAILED;
    told->error_code = str_c(error             ? code_word(body, w[CODE].span)
                             : w[REASONS].count ? "moderation_blocked"
                                               : "no_video");
    told->error_message = STR("The provider made no video, and does not say why.");
    if (text.kind == JSON_STRING && wire_text(a, body, text, &told->error_message) < 0)
        return err_origin(-ENOMEM);
    return VIDEO_OK;
}

int veo_read_state(struct arena *a, struct str body, const struct veo_paths *paths, struct video_told *ret)
{
    struct json_watch w[WATCHES] = {
        [NAME] = {.path = "name"},          [DONE] = {.path = "done"},
        [CODE] = {.path = "error.code"},    [MESSAGE] = {.path = "error.message"},
        [VIDEOS] = {.path = paths->videos}, [REASONS] = {.path = paths->reasons},
    };
    struct json_scan_result result;
    struct json_fault fault;
    struct video_told told = {.state = VIDEO_IN_PROGRESS, .progress = -1};

    if (json_scan(body, w, WATCHES, &result, &fault) != JSON_OK || w[NAME].span.kind != JSON_STRING)
        return VIDEO_E_BAD;
    if (wire_text(a, body, w[NAME].span, &told.id) < 0)
        return err_origin(-ENOMEM);
    if (!veo_is_name(told.id))
        return VIDEO_E_BAD;
    if (wire_true(body, w[DONE].span) && w[VIDEOS].count) {
        told.state = VIDEO_COMPLETED;
        told.progress = 100;
    } else if (wire_true(body, w[DONE].span) && read_failure(a, body, w, &told) < 0) {
        return err_origin(-ENOMEM);
    }
    *ret = told;
    return VIDEO_OK;
}
