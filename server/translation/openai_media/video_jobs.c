/* video_jobs.c: OpenAI's jobs that make videos, once they were made.
 *
 * Source: developers.openai.com/api/reference, "Videos": GET /videos/{id} with `status` (queued,
 * in_progress, completed, failed) and `error`, GET /videos/{id}/content with `variant`, DELETE
 * /videos/{id}. The same at Azure's v1 surface and at servers that speak this API. */
#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "translation/figures.h"
#include "translation/report.h"
#include "translation/video.h"
#include "translation/video_dialect.h"

static const char *const variants[VIDEO_VARIANTS] = {
    [VIDEO_VARIANT_VIDEO] = "video",
    [VIDEO_VARIANT_THUMBNAIL] = "thumbnail",
    [VIDEO_VARIANT_SPRITESHEET] = "spritesheet",
};

/* Of the year 9999. */
#define LAST_S INT64_C(253402300799)

/* Ids go into paths as they are: a segment of RFC 3986 3.3 without escapes. */
static bool is_id(struct str id)
{
    bool dots = true;

    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!letter && (c == '\0' || !strchr("-._~!$&'()*+,;=:@", c)))
            return false;
        dots = dots && c == '.';
    }
    return !dots && id.n <= VIDEO_ID_BYTES;
}

/* The way's address, without its query, and the query that an account may have. */
static void part(struct str url, struct str *ret_path, struct str *ret_query)
{
    ssize_t at = str_find(url, '?');

    *ret_path = at < 0 ? url : str_n(url.p, (size_t)at);
    *ret_query = at < 0 ? STR_NONE : str_n(url.p + at + 1, url.n - (size_t)at - 1);
}

static struct str address(struct arena *a, struct str url, const struct video_ask *what)
{
    struct str path, query;
    bool content = what->what == VIDEO_ASK_CONTENT, variant = content && what->variant;

    part(url, &path, &query);
    return arena_strf(a, "%.*s/%.*s%s%s%s%s%s%.*s", STR_FMT(path), STR_FMT(what->id),
                      content ? "/content" : "", variant || query.n ? "?" : "",
                      variant ? "variant=" : "", variant ? variants[what->variant] : "",
                      variant && query.n ? "&" : "", STR_FMT(query));
}

static int ask(struct arena *a, struct str url, const struct video_ask *what, struct video_request *ret)
{
    struct video_request request = {
        .method = what->what == VIDEO_ASK_DELETE ? "DELETE" : "GET",
        .url = address(a, url, what),
    };

    if (!request.url.p)
        return err_origin(-ENOMEM);
    *ret = request;
    return VIDEO_OK;
}

enum { ID, STATUS, PROGRESS, SECONDS, SIZE, EXPIRES, CODE, MESSAGE, WATCHES };

static const char *const paths[WATCHES] = {
    [ID] = "id",           [STATUS] = "status",      [PROGRESS] = "progress",
    [SECONDS] = "seconds", [SIZE] = "size",          [EXPIRES] = "expires_at",
    [CODE] = "error.code", [MESSAGE] = "error.message",
};

static const struct {
    const char *word;
    enum video_state state;
} states[] = {
    {"queued", VIDEO_QUEUED},       {"in_progress", VIDEO_IN_PROGRESS},
    {"completed", VIDEO_COMPLETED}, {"failed", VIDEO_FAILED},
};

static bool read_word(struct str body, struct json_span span, enum video_state *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        if (json_span_is(body, span, states[i].word)) {
            *ret = states[i].state;
            return true;
        }
    return false;
}

/* Numbers that are none are as good as not said. */
static void read_figures(struct str body, const struct json_watch w[WATCHES], struct video_told *told)
{
    uint64_t number;
    int64_t seconds;

    told->progress = json_span_u64(body, w[PROGRESS].span, &number) && number <= 100 ? (int)number : -1;
    if (json_span_u64(body, w[EXPIRES].span, &number) && number <= LAST_S)
        told->expires_s = (int64_t)number;
    if (w[SECONDS].span.n && figure_round_up(json_span_str(body, w[SECONDS].span), &seconds) &&
        seconds <= VIDEO_SECONDS_MOST)
        told->seconds = (uint64_t)seconds;
}

static int read_texts(struct arena *a, struct str body, const struct json_watch w[WATCHES],
                      struct video_told *told)
{
    const struct {
        unsigned at;
        struct str *to;
    } texts[] = {{ID, &told->id}, {CODE, &told->error_code}, {MESSAGE, &told->error_message}};

    told->size = report_inside(body, w[SIZE].span);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (w[texts[i].at].span.kind == JSON_STRING &&
            wire_text(a, body, w[texts[i].at].span, texts[i].to) < 0)
            return err_origin(-ENOMEM);
    return VIDEO_OK;
}

static int read_state(struct arena *a, struct str body, struct video_told *ret)
{
    struct json_watch w[WATCHES] = {0};
    struct json_scan_result result;
    struct json_fault fault;
    struct video_told told = {.progress = -1};

    for (size_t i = 0; i < WATCHES; i++)
        w[i].path = paths[i];
    if (json_scan(body, w, WATCHES, &result, &fault) != JSON_OK ||
        !read_word(body, w[STATUS].span, &told.state))
        return VIDEO_E_BAD;
    read_figures(body, w, &told);
    if (read_texts(a, body, w, &told) < 0)
        return err_origin(-ENOMEM);
    if (told.id.p && !is_id(told.id))
        return VIDEO_E_BAD;
    *ret = told;
    return VIDEO_OK;
}

const struct video_dialect openai_video_jobs = {.ask = ask, .read_state = read_state};
