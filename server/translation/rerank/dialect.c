/* dialect.c: rerank: a query and documents in, their order out.
 *
 * Sources: Cohere's API reference ("Rerank", versions 1 and 2), and those of Jina, Voyage, Together
 * and vLLM, which have its fields. An answer is a list of `results`, of `data` at Voyage. Cohere tells
 * the search units that it bills in `meta.billed_units`, OpenRouter in `usage`, the others tokens there; where only the
 * sum is told it is the prompt. Cohere's documentation of prices: one search unit is a query with up
 * to 100 documents. Never streamed. */
#include "translation/figures.h"
#include "translation/openai_chat/chat.h"
#include "translation/plain.h"
#include "translation/report.h"
#include "translation/said.h"

enum { QUERY = PLAIN_OWN, DOCUMENTS, EACH, WATCHES };

static const struct field fields[WATCHES] = {
    PLAIN_FIELDS,
    [QUERY] = {"query", "must be a string", JSON_STRING},
    [DOCUMENTS] = {"documents", "must be an array", JSON_ARRAY},
    [EACH] = {.path = "documents[]"},
};

static const struct plain_shape shape = {.fields = fields, .n = WATCHES, .needed = DOCUMENTS};

static int read_request(struct arena *a, struct str body, struct wire_request *ret,
                        struct json_fault *fault)
{
    struct json_watch w[WATCHES];
    struct wire_request request;
    const struct marks *m;
    int r = plain_read(a, body, &shape, w, &request, &m, fault);

    if (r != DIALECT_OK)
        return r;
    request.llm.documents = w[EACH].count;
    request.llm.query_bytes = w[QUERY].bytes;
    request.llm.text_bytes = request.llm.prompt_bytes = w[DOCUMENTS].bytes;
    *ret = request;
    return DIALECT_OK;
}

enum { RESULTS, DATA, ERROR, USAGE, TOTAL, PROMPT, SEARCHES, SEARCHES_OPENROUTER, BILLED, COST, REPORT_WATCHES };

static const char *const paths[REPORT_WATCHES] = {
    [RESULTS] = "results",
    [DATA] = "data",
    [ERROR] = "error",
    [USAGE] = "usage",
    [TOTAL] = "usage.total_tokens",
    [PROMPT] = "usage.prompt_tokens",
    [SEARCHES] = "meta.billed_units.search_units",
    [SEARCHES_OPENROUTER] = "usage.search_units",
    [BILLED] = "meta.billed_units.input_tokens",
    [COST] = "usage.cost",
};

static void read_usage(struct str doc, const struct json_watch *w, struct wire_report *report)
{
    int64_t prompt = 0, searches = 0;
    bool has_prompt = figure_read(doc, &w[PROMPT], &prompt) == FIGURE_GOOD ||
                      figure_read(doc, &w[TOTAL], &prompt) == FIGURE_GOOD ||
                      figure_read(doc, &w[BILLED], &prompt) == FIGURE_GOOD;
    size_t searched = w[SEARCHES].span.n ? SEARCHES : SEARCHES_OPENROUTER;
    bool has_searches = w[searched].span.n &&
                        figure_round_up(json_span_str(doc, w[searched].span), &searches);
    struct json_span cost = w[COST].span;

    if (!has_prompt && !has_searches)
        return;
    report->llm.has_usage = true;
    report->llm.lacks_prompt = !has_prompt;
    report->llm.usage.n[USAGE_INPUT] = prompt;
    report->llm.usage.n[USAGE_SEARCH] = searches;
    cost.at -= cost.n ? w[USAGE].span.at : 0;
    if (w[PROMPT].span.n || w[TOTAL].span.n || w[SEARCHES_OPENROUTER].span.n) /* the cost goes behind them */
        report_place_usage(report, w[USAGE].span, cost);
}

static int read_reply(struct str body, struct wire_report *ret)
{
    struct wire_report report;
    struct json_watch w[REPORT_WATCHES] = {0};

    for (size_t i = 0; i < REPORT_WATCHES; i++)
        w[i].path = paths[i];
    if (report_begin(body, w, REPORT_WATCHES, &report) != DIALECT_OK)
        return DIALECT_E_SYNTAX;
    report.error = wire_given(w[ERROR].span);
    report.has_data = report_has_list(&w[RESULTS]) || report_has_list(&w[DATA]);
    read_usage(body, w, &report);
    *ret = report;
    return DIALECT_OK;
}

const struct dialect rerank = {
    .name = "rerank",
    .read_request = read_request,
    .edit_request = plain_edit_request,
    .read_reply = read_reply,
    .edit_reply = wire_edit_reply,
    .edit_error = openai_chat_edit_error,
    .error_status = wire_error_status,
};
