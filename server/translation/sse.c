/* sse.c: see sse.h. The first pass only looks for the blank line and keeps its place, so bytes that
 * come one by one are not read again; the fields are read when the event is whole. */
#include "translation/sse.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"

static const struct str mark = {"\xEF\xBB\xBF", 3};

/* The buffer may hold one event that is nearly too long and one push behind it. */
void sse_init_large(struct sse *s, size_t event_max)
{
    *s = (struct sse){.event_max = event_max};
    buf_init(&s->in, 2 * event_max);
    buf_init(&s->joined, event_max);
}

void sse_init(struct sse *s)
{
    sse_init_large(s, BOUND_SSE_EVENT_BYTES);
}

void sse_done(struct sse *s)
{
    buf_done(&s->in);
    buf_done(&s->joined);
}

int sse_push(struct sse *s, struct str bytes)
{
    int r;

    assert(!s->ended);
    if (s->at > 0) {
        buf_consume(&s->in, s->at);
        s->line -= s->at;
        s->scan -= s->at;
        s->at = 0;
    }
    buf_put_str(&s->in, bytes);
    r = buf_finish(&s->in);
    if (r == -EMSGSIZE)
        return SSE_E_TOO_LARGE;
    return r < 0 ? err_origin(r) : SSE_OK;
}

void sse_end(struct sse *s)
{
    s->ended = true;
}

/* Steps over a byte order mark at the very front; false while that is undecided. */
static bool pass_mark(struct sse *s)
{
    struct str head = str_n(s->in.p, MIN(s->in.n, mark.n));

    if (s->mark_passed)
        return true;
    if (head.n < mark.n && str_starts(mark, head) && !s->ended)
        return false;
    s->mark_passed = true;
    if (str_eq(head, mark))
        s->line = s->scan = mark.n;
    return true;
}

/* Bytes of the line end at offset i: 1 or 2, or 0 while it cannot be known. */
static size_t line_end_length(const struct buf *in, size_t i, bool ended)
{
    if (in->p[i] == '\n')
        return 1;
    if (i + 1 < in->n)
        return in->p[i + 1] == '\n' ? 2 : 1;
    return ended ? 1 : 0;
}

/* True when the event that begins at `at` is whole: `line` then stands behind its blank line. */
static bool find_end(struct sse *s)
{
    const struct buf *in = &s->in;

    for (;;) {
        size_t i = str_line_end(buf_str(in), s->scan);
        bool blank = i == s->line;
        size_t length = i < in->n ? line_end_length(in, i, s->ended) : 0;

        s->scan = i + length;
        if (!length)
            return false;
        s->line = s->scan;
        if (blank)
            return true;
    }
}

static void add_data(struct sse *s, struct str value, struct sse_event *e)
{
    if (!e->data.p) {
        e->data = value;
        return;
    }
    if (!s->joined.n)
        buf_put_str(&s->joined, e->data);
    buf_putc(&s->joined, '\n');
    buf_put_str(&s->joined, value);
    e->data = buf_str(&s->joined);
}

static void read_field(struct sse *s, struct str line, struct sse_event *e)
{
    ssize_t colon = str_find(line, ':');
    struct str name = line, value = STR("");

    if (colon == 0)
        return; /* comment */
    if (colon > 0) {
        name = str_n(line.p, (size_t)colon);
        value = str_n(line.p + colon + 1, line.n - (size_t)colon - 1);
        if (value.n && value.p[0] == ' ')
            value = str_n(value.p + 1, value.n - 1);
    }
    if (str_eq(name, STR("data")))
        add_data(s, value, e);
    else if (str_eq(name, STR("event")))
        e->type = value;
}

static int read_event(struct sse *s, struct str raw, bool ended, struct sse_event *ret)
{
    struct sse_event e = {.raw = raw, .ended = ended};
    size_t from = 0;
    int r;

    buf_reset(&s->joined);
    if (!s->begun && str_starts(raw, mark))
        from = mark.n;
    s->begun = true;
    for (size_t end; from < raw.n; from = end + 1) {
        end = str_line_end(raw, from);
        read_field(s, str_n(raw.p + from, end - from), &e);
    }
    r = buf_finish(&s->joined);
    if (r < 0)
        return err_origin(r);
    *ret = e;
    return SSE_OK;
}

int sse_next(struct sse *s, struct sse_event *ret)
{
    bool whole = pass_mark(s) && find_end(s);
    size_t end = whole ? s->line : s->in.n, n = end - s->at;
    struct str raw;

    if (n > s->event_max)
        return SSE_E_TOO_LARGE;
    if (!whole && !s->ended)
        return SSE_E_MORE;
    if (!n)
        return SSE_E_END;
    raw = str_n(s->in.p + s->at, n);
    s->at = end;
    return read_event(s, raw, whole, ret);
}
