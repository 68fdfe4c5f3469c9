/* ndjson.c: see ndjson.h. */
#include "translation/ndjson.h"

#include "base/bounds.h"

/* The buffer may hold one line that is nearly too long and one push behind it. */
void ndjson_init(struct ndjson *l)
{
    *l = (struct ndjson){.at = 0};
    buf_init(&l->in, 2 * BOUND_SSE_EVENT_BYTES);
}

void ndjson_done(struct ndjson *l)
{
    buf_done(&l->in);
}

int ndjson_push(struct ndjson *l, struct str bytes)
{
    assert(!l->ended);
    buf_consume(&l->in, l->at);
    l->scan -= l->at;
    l->at = 0;
    buf_put_str(&l->in, bytes);
    return buf_finish(&l->in) ? NDJSON_E_TOO_LARGE : NDJSON_OK;
}

void ndjson_end(struct ndjson *l)
{
    l->ended = true;
}

/* The next line with its end, or what is left of the last; false: it is not whole yet. */
static bool take(struct ndjson *l, struct str *ret)
{
    const char *end = l->scan < l->in.n ? memchr(l->in.p + l->scan, '\n', l->in.n - l->scan) : NULL;
    size_t to = end ? (size_t)(end - l->in.p) + 1 : l->in.n;

    l->scan = to;
    if ((!end && !l->ended) || to == l->at)
        return false;
    *ret = str_n(l->in.p + l->at, to - l->at);
    l->at = to;
    return true;
}

int ndjson_next(struct ndjson *l, struct sse_event *ret)
{
    struct str raw, line;

    while (take(l, &raw)) {
        if (raw.n > BOUND_SSE_EVENT_BYTES)
            return NDJSON_E_TOO_LARGE;
        line = str_trim(raw);
        if (!line.n)
            continue;
        *ret = (struct sse_event){.raw = raw, .data = line, .ended = raw.p[raw.n - 1] == '\n'};
        return NDJSON_OK;
    }
    if (l->ended)
        return NDJSON_E_END;
    return l->in.n - l->at > BOUND_SSE_EVENT_BYTES ? NDJSON_E_TOO_LARGE : NDJSON_E_MORE;
}
