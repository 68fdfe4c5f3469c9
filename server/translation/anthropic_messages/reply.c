/* reply.c: a whole message, and the events of a streamed one, read.
 *
 * A stream's figures come twice: with its start, those of the prompt and a first count of the output
 * that says nothing of the answer; with message_delta, cumulative ones of both. Only the latter has
 * a place for the cost: clients keep what message_start says and take over what they know. */
#include "translation/anthropic_messages/bytes.h"
#include "translation/report.h"
#include "translation/wire.h"

enum { ID, TYPE, ERROR, CONTENT, FINISH, USAGE, START_USAGE, FIRST_TEXT, WATCHES = FIRST_TEXT + 6 };

static const char *const message_paths[WATCHES] = {
    [ID] = "id",
    [TYPE] = "type",
    [ERROR] = "error",
    [CONTENT] = "content",
    [FINISH] = "stop_reason",
    [USAGE] = "usage",
    [FIRST_TEXT] = "content[].text",
    "content[].thinking",
    "content[].input",
};

static const char *const event_paths[WATCHES] = {
    [ID] = "message.id",
    [TYPE] = "type",
    [ERROR] = "error",
    [FINISH] = "delta.stop_reason",
    [USAGE] = "usage",
    [START_USAGE] = "message.usage",
    [FIRST_TEXT] = "content_block.text",
    "content_block.thinking",
    "content_block.input",
    "delta.text",
    "delta.thinking",
    "delta.partial_json",
};

/* A path that one of the two has not is one that stands nowhere. */
static bool scan(struct str doc, const char *const paths[WATCHES], struct json_watch w[WATCHES],
                 struct wire_report *report)
{
    for (size_t i = 0; i < WATCHES; i++)
        w[i] = (struct json_watch){.path = paths[i] ? paths[i] : paths[TYPE]};
    if (report_begin(doc, w, WATCHES, report) != DIALECT_OK)
        return false;
    for (size_t i = 0; i < WATCHES; i++)
        if (!paths[i])
            w[i] = (struct json_watch){.path = NULL};
    report->error = wire_given(w[ERROR].span) || json_span_is(doc, w[TYPE].span, "error");
    report->llm.id = report_inside(doc, w[ID].span);
    report->llm.finish_reason = report_inside(doc, w[FINISH].span);
    for (size_t i = FIRST_TEXT; i < WATCHES; i++)
        report->llm.output_bytes += report_text_bytes(&w[i]);
    return true;
}

static bool read_usage(struct str doc, struct json_span at, struct wire_report *report,
                       struct json_span *ret_cost)
{
    return at.n && at.kind == JSON_OBJECT &&
           anthropic_usage_read(json_span_str(doc, at), &report->llm, ret_cost);
}

int anthropic_bytes_read_reply(struct str body, struct wire_report *ret)
{
    struct wire_report report = {.done = false};
    struct json_watch w[WATCHES];
    struct json_span cost;

    if (!scan(body, message_paths, w, &report))
        return DIALECT_E_SYNTAX;
    report.has_choices = report_has_list(&w[CONTENT]);
    if (read_usage(body, w[USAGE].span, &report, &cost))
        report_place_usage(&report, w[USAGE].span, cost);
    *ret = report;
    return DIALECT_OK;
}

int anthropic_bytes_read_event(const struct sse_event *event, struct wire_report *ret)
{
    struct wire_report report = {.bytes = event->data};
    struct json_watch w[WATCHES];
    struct json_span cost;

    if (!event->data.p) {
        *ret = report;
        return DIALECT_OK;
    }
    if (!scan(event->data, event_paths, w, &report))
        return DIALECT_E_SYNTAX;
    report.error = report.error || str_eq(event->type, STR("error"));
    report.done = json_span_is(event->data, w[TYPE].span, "message_stop");
    if (read_usage(event->data, w[USAGE].span, &report, &cost))
        report_place_usage(&report, w[USAGE].span, cost);
    else if (read_usage(event->data, w[START_USAGE].span, &report, &cost))
        report.llm.lacks_output = true;
    *ret = report;
    return DIALECT_OK;
}
