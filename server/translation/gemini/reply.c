/* reply.c: a whole answer, or a chunk of a streamed one, which is an answer in small. */
#include "translation/gemini/bytes.h"
#include "translation/report.h"
#include "translation/searches.h"
#include "translation/wire.h"

enum {
    ID,
    ERROR,
    CANDIDATES,
    FINISH,
    BLOCKED,
    FEEDBACK,
    USAGE,
    QUERIES,
    VERSION,
    FIGURES,
    FIRST_TEXT = FIGURES + GEMINI_USAGE_WATCHES,
    WATCHES = FIRST_TEXT + 3
};

static const char *const paths[WATCHES] = {
    [ID] = "responseId",
    [ERROR] = "error",
    [CANDIDATES] = "candidates",
    [FINISH] = "candidates[].finishReason",
    [BLOCKED] = "promptFeedback.blockReason",
    [FEEDBACK] = "promptFeedback",
    [USAGE] = "usageMetadata",
    [QUERIES] = "candidates[].groundingMetadata.webSearchQueries",
    [VERSION] = "modelVersion",
    [FIGURES] = GEMINI_USAGE_PATHS("usageMetadata."),
    [FIRST_TEXT] = "candidates[].content.parts[].text",
    "candidates[].content.parts[].functionCall.args",
    "candidates[].content.parts[].executableCode.code",
};

/* The cost goes where the last figures are. */
static void take_usage(struct str doc, const struct json_watch w[WATCHES], bool final,
                       struct wire_report *report)
{
    struct json_span at = w[USAGE].span, cost;

    if (!at.n || at.kind != JSON_OBJECT ||
        !gemini_usage_take(doc, w + FIGURES, final, &report->llm, &cost) || !final)
        return;
    report->usage_at = at;
    report->cost_at = cost;
}

/* The last list of a stream counts, as its last figures do. */
static void read_searches(struct str doc, const struct json_watch w[WATCHES], struct llm_report *r)
{
    uint32_t n = 0;

    if (w[QUERIES].count && report_has_list(&w[CANDIDATES]))
        n = searches_of_candidates(json_span_str(doc, w[CANDIDATES].span),
                                   report_inside(doc, w[VERSION].span));
    if (r->has_usage)
        report_put_searches(r, n > 0, n);
    else
        r->searches = n;
}

static int read(struct str doc, bool whole, struct wire_report *ret)
{
    struct wire_report report;
    struct json_watch w[WATCHES];

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
    take_usage(doc, w, whole || report.llm.finish_reason.n, &report);
    read_searches(doc, w, &report.llm);
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
