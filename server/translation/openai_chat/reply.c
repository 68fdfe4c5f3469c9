/* reply.c: a whole chat answer, or one chunk of a streamed one, read. */
#include "translation/openai_chat/chat.h"
#include "translation/openai_chat/usage.h"
#include "translation/report.h"

enum {
    ID,
    USAGE,
    ERROR,
    CHOICES,
    FINISH,
    DATA,
    SERVICE,
    FIGURES,
    FIRST_TEXT = FIGURES + OPENAI_USAGE_WATCHES,
    WATCHES = FIRST_TEXT + 5
};

#define HEAD_PATHS \
    [ID] = "id", [USAGE] = "usage", [ERROR] = "error", [CHOICES] = "choices", \
    [FINISH] = "choices[].finish_reason", [DATA] = "data", [SERVICE] = "service_tier", \
    [FIGURES] = OPENAI_USAGE_PATHS("usage.")

/* What a model has written stands in one of the last ones; a chunk's `delta` has a message's fields. */
static const char *const paths[][WATCHES] = {
    [OPENAI_WHOLE] = {HEAD_PATHS, [FIRST_TEXT] = "choices[].message.content",
                      "choices[].message.reasoning_content", "choices[].message.reasoning",
                      "choices[].message.refusal",
                      "choices[].message.tool_calls[].function.arguments"},
    [OPENAI_DELTA] = {HEAD_PATHS, [FIRST_TEXT] = "choices[].delta.content",
                      "choices[].delta.reasoning_content", "choices[].delta.reasoning",
                      "choices[].delta.refusal", "choices[].delta.tool_calls[].function.arguments"},
    [OPENAI_TEXT] = {HEAD_PATHS, [FIRST_TEXT] = "choices[].text"},
};

static bool is_empty_array(struct str doc, struct json_span s)
{
    return !s.n || (s.kind == JSON_ARRAY && !str_trim(str_n(doc.p + s.at + 1, s.n - 2)).n);
}

static void take_usage(struct str doc, const struct json_watch w[WATCHES],
                       struct wire_report *report)
{
    struct json_span at = w[USAGE].span, cost;

    if (at.kind != JSON_OBJECT || !at.n ||
        openai_usage_take(doc, w + FIGURES, OPENAI_USAGE_WATCHES, &report->llm, &cost) !=
            OPENAI_USAGE_OK)
        return;
    report->usage_at = at;
    report->cost_at = cost;
}

/* n 0: it is none, or it is several. */
static struct json_span only_text(const struct json_watch *w, size_t n)
{
    struct json_span only = {.n = 0};

    for (size_t i = 0; i < n; i++) {
        if (!w[i].span.n || (w[i].count == 1 && w[i].span.kind == JSON_NULL))
            continue;
        if (only.n || w[i].count != 1 || w[i].span.kind != JSON_STRING)
            return (struct json_span){.n = 0};
        only = w[i].span;
    }
    return only;
}

int openai_chat_read_report(struct str doc, enum openai_report kind, struct wire_report *ret)
{
    struct wire_report report;
    struct json_watch w[WATCHES];
    size_t n = 0;

    for (; n < WATCHES && paths[kind][n]; n++)
        w[n].path = paths[kind][n];
    if (report_begin(doc, w, n, &report) != DIALECT_OK)
        return DIALECT_E_SYNTAX;
    report.error = wire_given(w[ERROR].span);
    report.llm.id = report_inside(doc, w[ID].span);
    report.llm.finish_reason = report_inside(doc, w[FINISH].span);
    report.llm.has_service =
        service_tier_read(report_inside(doc, w[SERVICE].span), &report.llm.service) == SERVICE_OK;
    for (size_t i = FIRST_TEXT; i < n; i++)
        report.llm.output_bytes += report_text_bytes(&w[i]);
    report.text = only_text(w + FIRST_TEXT, n - FIRST_TEXT);
    take_usage(doc, w, &report);
    report.has_choices = report_has_list(&w[CHOICES]);
    report.has_data = report_has_list(&w[DATA]);
    report.usage_only = report.llm.has_usage && is_empty_array(doc, w[CHOICES].span);
    *ret = report;
    return DIALECT_OK;
}

int openai_chat_read_reply(struct str body, struct wire_report *ret)
{
    return openai_chat_read_report(body, OPENAI_WHOLE, ret);
}
