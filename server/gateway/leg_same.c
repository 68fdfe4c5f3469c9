/* leg_same.c: client and upstream speak the same format: bytes pass, see dialect.h. */
#include "gateway/call_flow.h"

static const struct dialect *dialect_of(const struct call *c)
{
    return c->endpoint->format->dialect;
}

static int put_request(struct call *c, const struct catalog_target *target,
                       const struct wire_request_edit *edit, struct buf *out,
                       struct json_fault *fault)
{
    (void)target;
    (void)fault;
    dialect_of(c)->edit_request(&c->wire, edit, out);
    return LEG_OK;
}

static int read_whole(struct call *c, struct str body, struct wire_report *ret)
{
    if (call_is_text(c)) {
        *ret = (struct wire_report){.bytes = body, .has_data = true};
        ret->llm.output_bytes = body.n;
        return LEG_OK;
    }
    return dialect_of(c)->read_reply(body, ret) == DIALECT_OK ? LEG_OK : LEG_E_BAD;
}

static void put_whole(struct call *c, const struct wire_report *report,
                      const struct wire_report_edit *edit, struct buf *out)
{
    if (call_is_text(c))
        buf_put_str(out, report->bytes);
    else
        dialect_of(c)->edit_reply(report, edit, out);
}

static int read_event(struct call *c, const struct sse_event *event, struct wire_report *ret)
{
    if (!event)
        return LEG_OK;
    if (repeat_take(&c->leg.repeat, event, ret))
        return LEG_OK;
    if (dialect_of(c)->read_event(event, ret) != DIALECT_OK)
        return LEG_E_BAD;
    repeat_note(&c->leg.repeat, event, ret);
    return LEG_OK;
}

static bool is_idle(const struct call *c, const struct sse_event *event)
{
    (void)c;
    return !event->data.p;
}

static void put_event(struct call *c, const struct sse_event *event,
                      const struct wire_report *report, struct buf *out)
{
    struct wire_report_edit edit = {.has_cost = true};

    if (!report->llm.has_usage)
        buf_put_str(out, event->raw);
    else if (c->wire.llm.wants_usage && call_money_price(c, &edit.cost) == 0)
        dialect_of(c)->edit_event(event, report, &edit, out);
    else if (!report->usage_only)
        buf_put_str(out, event->raw);
    else
        return;
    if (!event->ended)
        buf_puts(out, "\n\n");
}

/* The cost, where no usage object that the client has seen could carry it. */
static void note_cost(struct call *c, struct buf *out)
{
    struct wire_report_edit edit = {
        .has_cost = !(c->wire.llm.wants_usage && c->last.has_usage),
        .cost = c->record.charge_nano,
        .members = call_trace_member(c),
    };

    if (edit.has_cost || edit.members.p)
        dialect_of(c)->put_note(&edit, out);
}

static void put_end(struct call *c, const struct sse_event *event,
                    const struct wire_report *report, struct buf *out)
{
    note_cost(c, out);
    if (event && report->llm.has_usage)
        put_event(c, event, report, out);
    else if (event && event->ended)
        buf_put_str(out, event->raw);
    else if (event && dialect_of(c)->end_mark)
        buf_puts(out, dialect_of(c)->end_mark);
}

static void put_stop(struct call *c, const struct wire_stop *stop, struct buf *out)
{
    dialect_of(c)->put_stop(stop, out);
}

const struct leg_kind leg_same = {
    .put_request = put_request,
    .read_whole = read_whole,
    .put_whole = put_whole,
    .read_event = read_event,
    .is_idle = is_idle,
    .put_event = put_event,
    .put_end = put_end,
    .put_stop = put_stop,
};
