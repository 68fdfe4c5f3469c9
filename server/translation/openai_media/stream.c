/* stream.c: the events of streamed images, speech and transcriptions. Each says what it is in its
 * `type`; none but some compatible servers' ends with [DONE]. */
#include "translation/openai_media/media.h"
#include "translation/report.h"

static struct str type_of(struct str doc)
{
    struct json_watch w = {.path = "type"};
    struct json_scan_result result;
    struct json_fault fault;

    if (json_scan(doc, &w, 1, &result, &fault) != JSON_OK)
        return STR_NONE;
    return report_inside(doc, w.span);
}

int media_read_event(const struct sse_event *event, const struct media_form *form,
                     struct wire_report *ret)
{
    struct wire_report report = {.bytes = event->data};
    struct str type;

    if (!event->data.p) {
        *ret = report;
        return DIALECT_OK;
    }
    if (str_eq(str_trim(event->data), STR("[DONE]"))) {
        report.done = true;
        *ret = report;
        return DIALECT_OK;
    }
    if (media_read_report(event->data, form, &report) != DIALECT_OK)
        return DIALECT_E_SYNTAX;
    type = type_of(event->data);
    report.error = report.error || str_eq(event->type, STR("error")) || str_eq(type, STR("error"));
    report.done = form->last_event && str_ends(type, str_c(form->last_event));
    if (form->image_event && str_ends(type, str_c(form->image_event))) {
        report.llm.images = 1;
        report.llm.finish_reason = STR("completed"); /* what comes behind it is another one */
    }
    *ret = report;
    return DIALECT_OK;
}

void media_put_error(struct str document, struct buf *out)
{
    wire_put_event("error", document, out);
}

void media_put_stop(const struct wire_stop *stop, struct buf *out)
{
    (void)stop;
    (void)out;
}
