/* reply.c: a whole message, and the events of a streamed one, read.
 *
 * A stream's figures come twice: with its start, those of the prompt and a first count of the output
 * that says nothing of the answer, nor of searches; with message_delta, cumulative ones of all. Only
 * the latter has a place for the cost: clients keep what message_start says and take over what they
 * know. */
#include "translation/anthropic_messages/bytes.h"
#include "translation/report.h"
#include "translation/searches.h"
#include "translation/wire.h"

enum {
    ID,
    TYPE,
    ERROR,
    FINISH,
    USAGE,
    FIGURES,
    CONTENT = FIGURES + ANTHROPIC_USAGE_WATCHES, /* of a message */
    START_USAGE = CONTENT,                       /* of an event */
    FIRST_TEXT,
    MESSAGE_WATCHES = FIRST_TEXT + 3,
    BLOCK = FIRST_TEXT + 6, /* of an event */
    FOUND,
    EVENT_WATCHES,
};

static const char *const message_paths[MESSAGE_WATCHES] = {
    [ID] = "id",
    [TYPE] = "type",
    [ERROR] = "error",
    [FINISH] = "stop_reason",
    [USAGE] = "usage",
    [FIGURES] = ANTHROPIC_USAGE_PATHS("usage."),
    [CONTENT] = "content",
    [FIRST_TEXT] = "content[].text",
    "content[].thinking",
    "content[].input",
};

static const char *const event_paths[EVENT_WATCHES] = {
    [ID] = "message.id",
    [TYPE] = "type",
    [ERROR] = "error",
    [FINISH] = "delta.stop_reason",
    [USAGE] = "usage",
    [FIGURES] = ANTHROPIC_USAGE_PATHS("usage."),
    [START_USAGE] = "message.usage",
    [FIRST_TEXT] = "content_block.text",
    "content_block.thinking",
    "content_block.input",
    "delta.text",
    "delta.thinking",
    "delta.partial_json",
    [BLOCK] = "content_block.type",
    [FOUND] = "content_block.content",
};

static bool scan(struct str doc, const char *const *paths, size_t n, struct json_watch *w,
                 struct wire_report *report)
{
    size_t texts = MIN(n, (size_t)BLOCK);

    for (size_t i = 0; i < n; i++)
        w[i].path = paths[i];
    if (report_begin(doc, w, n, report) != DIALECT_OK)
        return false;
    report->error = wire_given(w[ERROR].span) || json_span_is(doc, w[TYPE].span, "error");
    report->llm.id = report_inside(doc, w[ID].span);
    report->llm.finish_reason = report_inside(doc, w[FINISH].span);
    for (size_t i = FIRST_TEXT; i < texts; i++)
        report->llm.output_bytes += report_text_bytes(&w[i]);
    return true;
}

/* True: it has figures, and the cost goes beside them. */
static bool take_usage(struct str doc, const struct json_watch *w, struct wire_report *report)
{
    struct json_span at = w[USAGE].span, cost;

    if (!at.n || at.kind != JSON_OBJECT ||
        !anthropic_usage_take(doc, w + FIGURES, &report->llm, &cost))
        return false;
    report->usage_at = at;
    report->cost_at = cost;
    return true;
}

/* The object in an event that begins a stream. */
static void read_start(struct str doc, struct json_span at, struct wire_report *report)
{
    struct json_span cost;

    if (at.n && at.kind == JSON_OBJECT &&
        anthropic_usage_read(json_span_str(doc, at), &report->llm, &cost)) {
        report->llm.lacks_output = true;
        report->llm.silent |= LLM_SILENT(USAGE_SEARCH);
    }
}

int anthropic_bytes_read_reply(struct str body, struct wire_report *ret)
{
    struct wire_report report = {.done = false};
    struct json_watch w[MESSAGE_WATCHES];

    if (!scan(body, message_paths, MESSAGE_WATCHES, w, &report))
        return DIALECT_E_SYNTAX;
    report.has_choices = report_has_list(&w[CONTENT]);
    (void)take_usage(body, w, &report);
    if (report.has_choices)
        report.llm.searches = searches_of_content(json_span_str(body, w[CONTENT].span));
    *ret = report;
    return DIALECT_OK;
}

int anthropic_bytes_read_event(const struct sse_event *event, struct wire_report *ret)
{
    struct wire_report report = {.bytes = event->data};
    struct json_watch w[EVENT_WATCHES];

    if (!event->data.p) {
        *ret = report;
        return DIALECT_OK;
    }
    if (!scan(event->data, event_paths, EVENT_WATCHES, w, &report))
        return DIALECT_E_SYNTAX;
    report.error = report.error || str_eq(event->type, STR("error"));
    report.done = json_span_is(event->data, w[TYPE].span, "message_stop");
    if (!take_usage(event->data, w, &report))
        read_start(event->data, w[START_USAGE].span, &report);
    if (json_span_is(event->data, w[TYPE].span, "content_block_start"))
        report.llm.searches = searches_block(event->data, w[BLOCK].span, w[FOUND].span);
    *ret = report;
    return DIALECT_OK;
}
