/* csv_stream.c: see csv_stream.h. */
#include "web/csv_stream.h"

#include "base/bounds.h"
#include "base/err.h"
#include "base/failpoint.h"

static int flush(struct csv_stream *s)
{
    int r = buf_finish(&s->block);

    if (r < 0)
        return err_trace(r);
    s->gone = failpoint_hit("export.write") || stream_write(s->stream, buf_str(&s->block)) != 0;
    buf_reset(&s->block);
    return s->gone;
}

int csv_stream_begin(struct web *w, struct str name, struct csv_stream *ret)
{
    int r;

    *ret = (struct csv_stream){0};
    r = web_stream(w, "text/csv; charset=utf-8", name, &ret->stream);
    if (r < 0)
        return err_trace(r);
    buf_init(&ret->block, KIB(256));
    return 0;
}

int csv_stream_row(struct csv_stream *s)
{
    return s->block.n < KIB(32) ? 0 : flush(s);
}

int csv_stream_end(struct csv_stream *s, int r)
{
    if (r == 0 && !s->gone)
        r = flush(s);
    buf_done(&s->block);
    stream_end(s->stream, r == 0);
    return r < 0 ? err_trace(r) : 0;
}
