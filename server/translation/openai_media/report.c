/* report.c: answers and events of images, speech and transcriptions, see media.h. */
#include "translation/figures.h"
#include "translation/openai_media/media.h"
#include "translation/report.h"

enum { USAGE, COST, ERROR, TYPE, QUALITY, SIZE, DURATION, MADE, FIRST_TEXT, WATCHES = FIRST_TEXT + 3 };

static const char *const paths[MADE] = {
    [USAGE] = "usage", [COST] = "usage.cost",    [ERROR] = "error",       [TYPE] = "type",
    [SIZE] = "size",   [QUALITY] = "quality",    [DURATION] = "duration",
};

static void read_usage(struct str doc, const struct json_watch *w,
                       const struct media_classes *classes, struct wire_report *report)
{
    struct json_span usage = w[USAGE].span, cost = w[COST].span;
    struct llm_report *llm = &report->llm;
    int64_t seconds;

    if (usage.n && usage.kind == JSON_OBJECT &&
        media_usage_read(json_span_str(doc, usage), classes, llm)) {
        cost.at -= cost.n ? usage.at : 0;
        report_place_usage(report, usage, cost);
    }
    /* A whole transcription says how long the sound is, also where it has no usage object. */
    if ((llm->has_usage && llm->usage.n[USAGE_SECOND]) || !w[DURATION].span.n ||
        !figure_round_up(json_span_str(doc, w[DURATION].span), &seconds))
        return;
    if (!llm->has_usage)
        llm->lacks_prompt = llm->lacks_output = true;
    llm->has_usage = true;
    llm->usage.n[USAGE_SECOND] = seconds;
}

/* The paths of the form behind the usual ones; *ret_texts: where its texts begin. */
static size_t watch_form(const struct media_form *form, struct json_watch w[WATCHES])
{
    size_t n = FIRST_TEXT;

    w[MADE].path = form->made;
    for (size_t i = 0; i < ARRAY_LEN(form->texts) && form->texts[i]; i++)
        w[n++].path = form->texts[i];
    if (form->each)
        w[n++].path = form->each;
    return n;
}

int media_read_report(struct str doc, const struct media_form *form, struct wire_report *ret)
{
    struct wire_report report;
    struct json_watch w[WATCHES] = {0};
    size_t n = watch_form(form, w), texts = form->each ? n - 1 : n;

    for (size_t i = 0; i < MADE; i++)
        w[i].path = paths[i];
    if (report_begin(doc, w, n, &report) != DIALECT_OK)
        return DIALECT_E_SYNTAX;
    report.error = wire_given(w[ERROR].span);
    report.has_data = w[MADE].span.n && w[MADE].span.kind != JSON_NULL;
    report.llm.images = form->each ? w[n - 1].count : 0;
    report.llm.visual.quality = report_inside(doc, w[QUALITY].span);
    report.llm.visual.size = report_inside(doc, w[SIZE].span);
    for (size_t i = FIRST_TEXT; i < texts; i++)
        report.llm.output_bytes += report_text_bytes(&w[i]);
    read_usage(doc, w, &form->classes, &report);
    *ret = report;
    return DIALECT_OK;
}
