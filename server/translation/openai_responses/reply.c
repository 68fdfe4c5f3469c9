/* reply.c: a whole response, and the events of a streamed one, read. */
#include "translation/openai_chat/usage.h"
#include "translation/openai_responses/bytes.h"
#include "translation/report.h"
#include "translation/searches.h"
#include "translation/wire.h"

enum {
    TYPE,
    ID,
    ERROR,
    STATUS,
    REASON,
    OUTPUT,
    USAGE,
    TIER,
    SEARCHES,
    FIGURES,
    FIRST_TEXT = FIGURES + RESPONSES_USAGE_WATCHES,
    WATCHES = FIRST_TEXT + 6,
    ITEM = FIRST_TEXT + 1, /* of an event, as what follows */
    ACTION,
    EVENT_WATCHES
};

static const char *const whole_paths[WATCHES] = {
    [TYPE] = "object",
    [ID] = "id",
    [ERROR] = "error",
    [STATUS] = "status",
    [REASON] = "incomplete_details.reason",
    [OUTPUT] = "output",
    [USAGE] = "usage",
    [TIER] = "service_tier",
    [SEARCHES] = "tool_usage.web_search.num_requests",
    [FIGURES] = RESPONSES_USAGE_PATHS("usage."),
    [FIRST_TEXT] = "output[].content[].text",
    "output[].content[].refusal",
    "output[].summary[].text",
    "output[].arguments",
    "output[].input",
    "output[].code",
};

/* The response stands in few of the events; what the others add is their `delta`. */
static const char *const event_paths[EVENT_WATCHES] = {
    [TYPE] = "type",
    [ID] = "response.id",
    [ERROR] = "error",
    [STATUS] = "response.status",
    [REASON] = "response.incomplete_details.reason",
    [OUTPUT] = "response.error",
    [USAGE] = "response.usage",
    [TIER] = "response.service_tier",
    [SEARCHES] = "response.tool_usage.web_search.num_requests",
    [FIGURES] = RESPONSES_USAGE_PATHS("response.usage."),
    [FIRST_TEXT] = "delta",
    [ITEM] = "item.type",
    [ACTION] = "item.action.type",
};

static bool scan(struct str doc, const char *const *paths, size_t n, size_t texts,
                 struct json_watch *w, struct wire_report *report)
{
    for (size_t i = 0; i < n; i++)
        w[i].path = paths[i];
    if (report_begin(doc, w, n, report) != DIALECT_OK)
        return false;
    report->error = wire_given(w[ERROR].span);
    report->llm.id = report_inside(doc, w[ID].span);
    for (size_t i = FIRST_TEXT; i < FIRST_TEXT + texts; i++)
        if (w[i].span.n && w[i].span.kind == JSON_STRING)
            report->llm.output_bytes += report_text_bytes(&w[i]);
    return true;
}

/* What a response says once it has ended. */
static void read_end(struct str doc, const struct json_watch w[FIRST_TEXT],
                     struct wire_report *report)
{
    struct json_span cost, at = w[USAGE].span;
    struct str tier = report_inside(doc, w[TIER].span);

    report->llm.finish_reason = report_inside(doc, w[REASON].span);
    if (!report->llm.finish_reason.n)
        report->llm.finish_reason = report_inside(doc, w[STATUS].span);
    report->llm.has_service =
        tier.p && service_tier_read(tier, &report->llm.service) == SERVICE_OK;
    if (at.n && at.kind == JSON_OBJECT &&
        openai_usage_take(doc, w + FIGURES, RESPONSES_USAGE_WATCHES, &report->llm, &cost) ==
            OPENAI_USAGE_OK) {
        report->usage_at = at;
        report->cost_at = cost;
    }
    (void)responses_searches_read(doc, &w[SEARCHES], &report->llm);
}

int responses_bytes_read_reply(struct str body, struct wire_report *ret)
{
    struct wire_report report = {.done = false};
    struct json_watch w[WATCHES];

    if (!scan(body, whole_paths, WATCHES, WATCHES - FIRST_TEXT, w, &report))
        return DIALECT_E_SYNTAX;
    report.has_choices = report_has_list(&w[OUTPUT]);
    read_end(body, w, &report);
    if (report.has_choices)
        report.llm.searches = searches_of_output(json_span_str(body, w[OUTPUT].span));
    *ret = report;
    return DIALECT_OK;
}

int responses_bytes_read_event(const struct sse_event *event, struct wire_report *ret)
{
    struct wire_report report = {.bytes = event->data};
    struct json_watch w[EVENT_WATCHES];
    struct str doc = event->data;

    report.done = str_eq(str_trim(doc), STR("[DONE]")); /* of servers that are like OpenAI's */
    if (!doc.p || report.done) {
        *ret = report;
        return DIALECT_OK;
    }
    if (!scan(doc, event_paths, EVENT_WATCHES, 1, w, &report))
        return DIALECT_E_SYNTAX;
    report.done = json_span_is(doc, w[TYPE].span, "response.completed") ||
                  json_span_is(doc, w[TYPE].span, "response.incomplete");
    report.error = report.error || str_eq(event->type, STR("error")) ||
                   json_span_is(doc, w[TYPE].span, "error") ||
                   json_span_is(doc, w[TYPE].span, "response.failed");
    if (report.done || report.error)
        read_end(doc, w, &report);
    if (json_span_is(doc, w[TYPE].span, "response.output_item.done"))
        report.llm.searches = searches_item(doc, w[ITEM].span, w[ACTION].span);
    *ret = report;
    return DIALECT_OK;
}
