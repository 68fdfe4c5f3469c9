/* dialect.c: pages of a document read into text, as Mistral has it (docs.mistral.ai/api, "OCR"; the
 * models of its clients: OCRRequest, OCRResponse, OCRUsageInfo).
 *
 * Odd: `pages` may be text, or hold text ("0-5"), and then does not say how many they are. What
 * annotations cost is another price for a page, which is not counted here, so they are refused. Never
 * streamed. */
#include "translation/figures.h"
#include "translation/openai_chat/chat.h"
#include "translation/plain.h"
#include "translation/report.h"
#include "translation/said.h"

enum { DOCUMENT = PLAIN_OWN, PICTURE, PAGES, EACH, BOXES, WHOLE, WATCHES };

static const struct field fields[WATCHES] = {
    PLAIN_FIELDS,
    [DOCUMENT] = {"document", "must be an object", JSON_OBJECT},
    [PICTURE] = {.path = "document.image_url"},
    [PAGES] = {.path = "pages"},
    [EACH] = {.path = "pages[]"},
    [BOXES] = {.path = "bbox_annotation_format"},
    [WHOLE] = {.path = "document_annotation_format"},
};

static const struct plain_shape shape = {.fields = fields, .n = WATCHES, .needed = DOCUMENT};

/* How many pages the request names; 0: it does not say. */
static uint64_t pages_named(struct str body, const struct marks *m, const struct json_watch *each)
{
    if (field_given(m, PICTURE))
        return 1;
    if (m->at[PAGES].kind == JSON_INT)
        return 1;
    if (m->at[PAGES].kind != JSON_ARRAY || str_find(json_span_str(body, m->at[PAGES]), '"') >= 0)
        return 0;
    return each->count;
}

static int read_request(struct arena *a, struct str body, struct wire_request *ret,
                        struct json_fault *fault)
{
    struct json_watch w[WATCHES];
    struct wire_request request;
    const struct marks *m;
    int r = plain_read(a, body, &shape, w, &request, &m, fault);

    if (r != DIALECT_OK)
        return r;
    for (size_t i = BOXES; i <= WHOLE; i++)
        if (field_given(m, i))
            return wire_wrong(fault, fields[i].path, "annotations are not sold here");
    request.llm.pages = pages_named(body, m, &w[EACH]);
    request.llm.prompt_bytes = w[DOCUMENT].bytes;
    *ret = request;
    return DIALECT_OK;
}

static bool read_usage(struct str object, struct llm_report *ret)
{
    struct json_watch w[] = {{.path = "pages_processed"}};
    struct json_scan_result result;
    struct json_fault fault;
    int64_t pages = 0;

    if (json_scan(object, w, ARRAY_LEN(w), &result, &fault) != JSON_OK ||
        figure_read(object, &w[0], &pages) != FIGURE_GOOD)
        return false;
    ret->has_usage = ret->lacks_prompt = ret->lacks_output = true;
    ret->usage = (struct usage){.n = {[USAGE_PAGE] = pages}};
    return true;
}

static bool find_usage(struct str part, struct llm_report *ret)
{
    return report_find_usage(part, STR("\"usage_info\""), read_usage, ret);
}

enum { ANSWERED, ANSWERED_EACH, INFO, ERROR, REPORT_WATCHES };

static const char *const paths[REPORT_WATCHES] = {[ANSWERED] = "pages",
                                                  [ANSWERED_EACH] = "pages[]",
                                                  [INFO] = "usage_info",
                                                  [ERROR] = "error"};

static int read_reply(struct str body, struct wire_report *ret)
{
    struct wire_report report;
    struct json_watch w[REPORT_WATCHES] = {0};

    for (size_t i = 0; i < REPORT_WATCHES; i++)
        w[i].path = paths[i];
    if (report_begin(body, w, REPORT_WATCHES, &report) != DIALECT_OK)
        return DIALECT_E_SYNTAX;
    report.error = wire_given(w[ERROR].span);
    report.has_data = report_has_list(&w[ANSWERED]);
    report.llm.pages = w[ANSWERED_EACH].count;
    if (w[INFO].span.kind == JSON_OBJECT)
        (void)read_usage(json_span_str(body, w[INFO].span), &report.llm);
    *ret = report;
    return DIALECT_OK;
}

const struct dialect ocr = {
    .name = "ocr",
    .read_request = read_request,
    .edit_request = plain_edit_request,
    .read_reply = read_reply,
    .edit_reply = wire_edit_reply,
    .find_usage = find_usage,
    .edit_error = openai_chat_edit_error,
    .error_status = wire_error_status,
};
