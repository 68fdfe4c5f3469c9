/* framing.c: see framing.h. */
#include "translation/framing.h"

#include "base/bounds.h"

const char *framing_type(enum framing_kind kind)
{
    static const char *const types[] = {
        [FRAMING_SSE] = "text/event-stream",
        [FRAMING_FRAMES] = "application/vnd.amazon.eventstream",
        [FRAMING_LINES] = "application/x-ndjson",
    };

    assert((size_t)kind < ARRAY_LEN(types));
    return types[kind];
}

void framing_init(struct framing *f, enum framing_kind kind, size_t event_max)
{
    f->kind = kind;
    switch (kind) {
    case FRAMING_SSE:
        sse_init_large(&f->in.sse, event_max ? event_max : BOUND_SSE_EVENT_BYTES);
        break;
    case FRAMING_FRAMES:
        frames_init(&f->in.frames);
        break;
    case FRAMING_LINES:
        ndjson_init(&f->in.ndjson);
        break;
    }
}

void framing_done(struct framing *f)
{
    switch (f->kind) {
    case FRAMING_SSE:
        sse_done(&f->in.sse);
        break;
    case FRAMING_FRAMES:
        frames_done(&f->in.frames);
        break;
    case FRAMING_LINES:
        ndjson_done(&f->in.ndjson);
        break;
    }
}

int framing_push(struct framing *f, struct str bytes)
{
    bool fits = false;

    switch (f->kind) {
    case FRAMING_SSE:
        fits = sse_push(&f->in.sse, bytes) == SSE_OK;
        break;
    case FRAMING_FRAMES:
        fits = frames_push(&f->in.frames, bytes) == FRAMES_OK;
        break;
    case FRAMING_LINES:
        fits = ndjson_push(&f->in.ndjson, bytes) == NDJSON_OK;
        break;
    }
    return fits ? FRAMING_OK : FRAMING_E_TOO_LARGE;
}

void framing_end(struct framing *f)
{
    if (f->kind == FRAMING_SSE)
        sse_end(&f->in.sse);
    else if (f->kind == FRAMING_LINES)
        ndjson_end(&f->in.ndjson);
}

static int of_sse(int r)
{
    switch (r) {
    case SSE_OK:
        return FRAMING_OK;
    case SSE_E_MORE:
        return FRAMING_E_MORE;
    case SSE_E_END:
        return FRAMING_E_END;
    default:
        return FRAMING_E_TOO_LARGE;
    }
}

static int of_frames(int r)
{
    switch (r) {
    case FRAMES_OK:
        return FRAMING_OK;
    case FRAMES_E_MORE:
        return FRAMING_E_MORE;
    case FRAMES_E_TOO_LARGE:
        return FRAMING_E_TOO_LARGE;
    default:
        return FRAMING_E_BROKEN;
    }
}

static int of_ndjson(int r)
{
    switch (r) {
    case NDJSON_OK:
        return FRAMING_OK;
    case NDJSON_E_MORE:
        return FRAMING_E_MORE;
    case NDJSON_E_END:
        return FRAMING_E_END;
    default:
        return FRAMING_E_TOO_LARGE;
    }
}

int framing_next(struct framing *f, struct sse_event *ret)
{
    bool exception; /* the frame's type says so too */

    switch (f->kind) {
    case FRAMING_SSE:
        return of_sse(sse_next(&f->in.sse, ret));
    case FRAMING_FRAMES:
        return of_frames(frames_next(&f->in.frames, ret, &exception));
    case FRAMING_LINES:
        break;
    }
    return of_ndjson(ndjson_next(&f->in.ndjson, ret));
}
