/* free_copy.c: see free_copy.h. */
#include "cache/free_copy.h"

static const struct wire_report_edit nothing = {.has_cost = true};

bool free_copy_whole(const struct dialect *d, struct str answer, struct buf *out)
{
    struct wire_report report;

    if (d->read_reply(answer, &report) != DIALECT_OK || report.error)
        return false;
    d->edit_reply(&report, &nothing, out);
    buf_join(out);
    return true;
}

static bool put_event(const struct dialect *d, const struct sse_event *e, bool told, struct buf *out)
{
    struct wire_report report = {.done = false};

    if (!e->ended)
        return false;
    if (!e->data.p)
        return true;
    if (d->read_event(e, &report) != DIALECT_OK || report.error)
        return false;
    if (told && report.llm.has_usage)
        d->edit_event(e, &report, &nothing, out);
    else
        buf_put_str(out, e->raw);
    return true;
}

bool free_copy_stream(const struct dialect *d, struct str events, bool told, struct buf *out)
{
    struct sse_event e;
    bool good = true;
    struct sse s;
    int r = SSE_OK;

    sse_init(&s);
    if (sse_push(&s, events) != SSE_OK)
        good = false;
    sse_end(&s);
    while (good && (r = sse_next(&s, &e)) == SSE_OK)
        good = put_event(d, &e, told, out);
    sse_done(&s);
    return good && r == SSE_E_END;
}
