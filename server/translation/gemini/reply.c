/* reply.c: a whole answer, or a chunk of a streamed one, which is an answer in small. */
#include "translation/gemini/bytes.h"
#include "translation/report.h"
#include "translation/wire.h"

enum { ID, ERROR, CANDIDATES, FINISH, BLOCKED, FEEDBACK, USAGE, FIRST_TEXT, WATCHES = FIRST_TEXT + 3 };

static const char *const paths[WATCHES] = {
    [ID] = "responseId",
    [ERROR] = "error",
    [CANDIDATES] = "candidates",
    [FINISH] = "candidates[].finishReason",
    [BLOCKED] = "promptFeedback.blockReason",
    [FEEDBACK] = "promptFeedback",
    [USAGE] = "usageMetadata",
    [FIRST_TEXT] = "candidates[].content.parts[].text",
    "candidates[].content.parts[].functionCall.args",
    "candidates[].content.parts[].executableCode.code",
};

/* The cost goes where the last figures are. */
static void read_usage(struct str doc, const struct json_watch *w, bool final,
                       struct wire_report *report)
{
    struct json_span cost;

    if (!w->span.n || w->span.kind != JSON_OBJECT ||
        !gemini_usage_read(json_span_str(doc, w->span), final, &report->llm, &cost))
        return;
    if (final)
        report_place_usage(report, w->span, cost);
}

static int read(struct str doc, bool whole, struct wire_report *ret)
{
    struct wire_report report;
    struct json_watch w[WATCHES] = {0};

    for (size_t i = 0; i < WATCHES; i++)
        w[i].path = paths[i];
    if (report_begin(doc, w, WATCHES, &report) != DIALECT_OK)
        return DIALECT_E_SYNTAX;
    report.error = wire_given(w[ERROR].span);
    report.llm.id = report_inside(doc, w[ID].span);
    report.llm.finish_reason = report_inside(doc, w[FINISH].span);
    if (!report.llm.finish_reason.n) /* a prompt that is refused has no candidates */
        report.llm.finish_reason = report_inside(doc, w[BLOCKED].span);
    for (size_t i = FIRST_TEXT; i < WATCHES; i++)
        report.llm.output_bytes += report_text_bytes(&w[i]);
    report.has_choices = report_has_list(&w[CANDIDATES]) || wire_given(w[FEEDBACK].span);
    read_usage(doc, &w[USAGE], whole || report.llm.finish_reason.n, &report);
    *ret = report;
    return DIALECT_OK;
}

int gemini_bytes_read_reply(struct str body, struct wire_report *ret)
{
    return read(body, true, ret);
}

int gemini_bytes_read_event(const struct sse_event *event, struct wire_report *ret)
{
    if (!event->data.p) {
        *ret = (struct wire_report){.bytes = event->data};
        return DIALECT_OK;
    }
    return read(event->data, false, ret);
}
