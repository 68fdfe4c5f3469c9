/* videos_found.c: content of a video that its provider does not give out when it is asked for it, but tells
 * of: where it is, or its bytes within the answer.
 *
 * A provider's own host gets the credential, any other gets none and has to have a public address. Bytes within
 * an answer are poured out of it as the client takes them. */
#include "base/base64.h"
#include "base/bounds.h"
#include "gateway/videos.h"

/* What is decoded at a time: whole groups of four. */
#define POUR_BYTES KIB(64)

void videos_pour(struct videos_ask *ask)
{
    bool good = true;
    struct buf piece;

    buf_init(&piece, POUR_BYTES);
    while (good && ask->rest.n && !ask->full) {
        size_t n = MIN(ask->rest.n, (size_t)POUR_BYTES);

        buf_reset(&piece);
        good = base64_read(str_n(ask->rest.p, n), &piece) && buf_finish(&piece) == 0;
        ask->rest = str_n(ask->rest.p + n, ask->rest.n - n);
        if (good)
            ask->full = request_stream_write(ask->r, buf_str(&piece)) == STREAM_E_FULL;
    }
    buf_done(&piece);
    if (good && ask->rest.n)
        return; /* the client takes them later */
    if (good)
        request_stream_end(ask->r);
    else
        request_stream_abort(ask->r);
    videos_end(ask);
}

static void begin_pouring(struct videos_ask *ask, struct str base64)
{
    ask->rest = base64;
    videos_content_begin(ask, STR("video/mp4"));
    videos_pour(ask);
}

static void found(struct fetch *f, enum fetch_fault fault, void *ctx)
{
    struct videos_ask *ask = ctx;
    const struct video_dialect *d = video_ask_dialect(ask->catalog, &ask->row);
    bool whole = fault == FETCH_DONE && ask->status == 200 && buf_finish(&ask->got) == 0;
    struct video_content content;

    (void)f;
    ask->fetch = NULL;
    if (!whole)
        videos_content_tell(ask, fault);
    else if (!d || !d->find_content ||
             d->find_content(ask->r->arena, buf_str(&ask->got), &content) != VIDEO_OK)
        videos_content_tell(ask, FETCH_DONE);
    else if (content.url.p)
        videos_content_at(ask, content.url);
    else
        begin_pouring(ask, content.base64);
}

const struct fetch_callbacks videos_found = {
    .head = videos_head_came, .chunk = videos_bytes_came, .done = found};
