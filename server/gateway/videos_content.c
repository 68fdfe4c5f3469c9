/* videos_content.c: the bytes of a video: they pass as they come, as fast as the client takes them.
 *
 * A provider may send elsewhere for them: that is followed a few times, to public addresses, and without the
 * credential. One that only tells of them: videos_found.c. */
#include "base/bounds.h"
#include "base/clock.h"
#include "gateway/videos.h"

enum { REDIRECTS_MAX = 3, CONNECT_MS = 5000, SILENCE_MS = 60000 };

static void fail(struct videos_ask *ask, enum problem_code code, const char *sentence)
{
    struct problem p = problem_of(code);

    p.message = str_c(sentence);
    videos_fail(ask, &p);
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* What players know, and nothing that a browser would run. */
static const char *type_of(struct videos_ask *ask, struct str said)
{
    bool known = str_starts(said, STR("video/")) || str_starts(said, STR("image/png")) ||
                 str_starts(said, STR("image/jpeg")) || str_starts(said, STR("image/webp"));
    const char *type = known ? arena_cstr(ask->r->arena, said) : NULL;

    return type ? type : "application/octet-stream";
}

static void drained(struct request *r)
{
    struct videos_ask *ask = r->user;

    if (!ask || !ask->full)
        return;
    ask->full = false;
    if (ask->fetch)
        fetch_resume(ask->fetch);
    else if (ask->rest.n)
        videos_pour(ask);
}

void videos_content_begin(struct videos_ask *ask, struct str content_type)
{
    struct response response = {.status = 200, .content_type = type_of(ask, content_type)};

    ask->streams = true;
    atomic_fetch_add_explicit(&ask->g->metrics.in_flight, 1, memory_order_relaxed); /* draining waits for it */
    request_stream_on_drained(ask->r, drained);
    (void)!request_stream_begin(ask->r, &response);
}

static void head_came(struct fetch *f, const struct fetch_head *head, void *ctx)
{
    struct videos_ask *ask = ctx;

    (void)f;
    ask->status = head->status;
    ask->location = STR_NONE;
    for (size_t i = 0; is_redirect(head->status) && i < head->header_count; i++)
        if (str_eq_c(str_c(head->headers[i].name), "location"))
            ask->location = arena_str(ask->r->arena, head->headers[i].value);
    if (head->status == 200)
        videos_content_begin(ask, head->content_type);
}

static bool bytes_came(struct fetch *f, struct str bytes, void *ctx)
{
    struct videos_ask *ask = ctx;

    (void)f;
    if (!ask->streams)
        return true; /* the text of an error, which is the provider's own */
    ask->full = request_stream_write(ask->r, bytes) == STREAM_E_FULL;
    return !ask->full;
}

static void done(struct fetch *f, enum fetch_fault fault, void *ctx);

static const struct fetch_callbacks callbacks = {.head = head_came, .chunk = bytes_came, .done = done};

/* False: it is not followed. */
static bool follow(struct videos_ask *ask)
{
    const struct fetch_request request = {
        .method = "GET",
        .url = ask->location.p,
        .network = GUARD_PUBLIC,
        .connect_timeout_ms = CONNECT_MS,
        .first_byte_timeout_ms = SILENCE_MS,
        .idle_timeout_ms = SILENCE_MS,
        .reply_max = VIDEO_CONTENT_BYTES,
    };

    if (!ask->location.n || ask->redirects++ >= REDIRECTS_MAX)
        return false;
    return fetch_start(ask->g->fetcher, &request, &callbacks, ask, &ask->fetch) == FETCH_START_OK;
}

void videos_content_tell(struct videos_ask *ask, enum fetch_fault fault)
{
    if (fault == FETCH_E_TIMEOUT_CONNECT || fault == FETCH_E_TIMEOUT_FIRST_BYTE)
        fail(ask, PROBLEM_UPSTREAM_TIMEOUT, "The provider did not answer in time.");
    else if (ask->status == 404 || ask->status == 410)
        fail(ask, PROBLEM_NOT_FOUND, "The provider has no such content of the video, or has it no more.");
    else if (ask->status == 429)
        fail(ask, PROBLEM_UPSTREAM_LIMIT, "The provider gives out no more content for the moment.");
    else
        fail(ask, PROBLEM_UPSTREAM, "The provider did not give out the content.");
}

static void done(struct fetch *f, enum fetch_fault fault, void *ctx)
{
    struct videos_ask *ask = ctx;

    (void)f;
    ask->fetch = NULL;
    if (!ask->streams) {
        if (fault != FETCH_DONE || !is_redirect(ask->status) || !follow(ask))
            videos_content_tell(ask, fault);
        return;
    }
    if (fault == FETCH_DONE)
        request_stream_end(ask->r);
    else
        request_stream_abort(ask->r);
    videos_end(ask);
}

void videos_content_at(struct videos_ask *ask, struct str url)
{
    struct video_exchange x = {.request = {.url = NULL}};

    if (video_ask_at(ask->g->services, ask->catalog, ask->r->arena, &ask->row, url, &x) != VIDEO_ASK_OK ||
        fetch_start(ask->g->fetcher, &x.request, &callbacks, ask, &ask->fetch) != FETCH_START_OK)
        fail(ask, PROBLEM_UPSTREAM, "The provider did not give out the content.");
}

static bool start(struct videos_ask *ask, int *ret_outcome)
{
    const struct video_dialect *d = video_ask_dialect(ask->catalog, &ask->row);
    const struct video_ask what = {
        .what = VIDEO_ASK_CONTENT, .id = ask->row.upstream_id, .variant = ask->variant};

    return videos_fetch(ask, &what, d && d->find_content ? &videos_found : &callbacks, ret_outcome);
}

void videos_content(struct videos_ask *ask)
{
    const struct video_job *j = &ask->row;
    int outcome;

    if (j->state == VIDEO_FAILED)
        fail(ask, PROBLEM_BAD_REQUEST, "The video has failed, so it has no content.");
    else if (j->state != VIDEO_COMPLETED)
        fail(ask, PROBLEM_BAD_REQUEST, "The video is not ready yet. Ask GET /v1/videos/{id} for its status.");
    else if (j->expires_us && j->expires_us <= clock_wall_us())
        fail(ask, PROBLEM_NOT_FOUND, "The video has expired: its provider has the content no more.");
    else if (!ask->catalog)
        fail(ask, PROBLEM_BUSY, "Videos cannot be looked up right now. Try again shortly.");
    else if (!start(ask, &outcome)) {
        if (outcome == VIDEO_ASK_E_GONE)
            fail(ask, PROBLEM_NOT_FOUND, "The provider account that made the video was removed, and its content with it.");
        else if (outcome == VIDEO_ASK_E_UNSUPPORTED)
            fail(ask, PROBLEM_UNSUPPORTED, "The video's provider has no such variant of it.");
        else
            fail(ask, PROBLEM_UPSTREAM, "The provider cannot be asked for the content right now.");
    }
}
