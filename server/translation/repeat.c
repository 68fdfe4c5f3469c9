/* repeat.c: see repeat.h. */
#include "translation/repeat.h"

/* A frame is some 250 bytes; what is much larger is rare, and not worth holding on to. */
enum { FRAME_MAX = 1024 };

void repeat_init(struct repeat *p)
{
    *p = (struct repeat){.before = 0};
    buf_init(&p->frame, FRAME_MAX);
}

void repeat_done(struct repeat *p)
{
    buf_done(&p->frame);
}

static bool may_repeat(const struct sse_event *event, const struct wire_report *r)
{
    return r->text.n && !event->type.p && event->ended && !r->done && !r->error &&
           !r->llm.has_usage && !r->llm.finish_reason.n && !r->llm.images &&
           r->llm.output_bytes == r->text.n - strlen("\"\"");
}

void repeat_note(struct repeat *p, const struct sse_event *event, const struct wire_report *report)
{
    struct str data = event->data;
    size_t behind = report->text.at + report->text.n - 1; /* its closing quote */

    buf_reset(&p->frame);
    if (!may_repeat(event, report))
        return;
    p->before = report->text.at + 1;
    buf_put(&p->frame, data.p, p->before);
    buf_put(&p->frame, data.p + behind, data.n - behind);
    if (buf_finish(&p->frame) < 0)
        buf_reset(&p->frame);
    p->close_from_end = data.n - report->close_at;
    p->has_choices = report->has_choices;
    p->has_data = report->has_data;
    p->has_service = report->llm.has_service;
    p->service = report->llm.service;
}

/* Text as it stands in JSON, without a quote or an escape. */
static bool is_plain(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];

        if (c < ' ' || c == '"' || c == '\\')
            return false;
    }
    return str_utf8(text);
}

bool repeat_take(const struct repeat *p, const struct sse_event *event, struct wire_report *ret)
{
    struct str data = event->data, text;
    size_t behind = p->frame.n - p->before;

    if (!p->frame.n || data.n < p->frame.n || event->type.p || !event->ended)
        return false;
    text = str_n(data.p + p->before, data.n - p->frame.n);
    if (memcmp(data.p, p->frame.p, p->before) != 0 ||
        memcmp(data.p + data.n - behind, p->frame.p + p->before, behind) != 0 || !is_plain(text))
        return false;
    *ret = (struct wire_report){
        .bytes = data,
        .llm = {.output_bytes = text.n, .has_service = p->has_service, .service = p->service},
        .has_choices = p->has_choices,
        .has_data = p->has_data,
        .text = {.at = (uint32_t)(p->before - 1), .n = (uint32_t)text.n + 2, .kind = JSON_STRING},
        .close_at = (uint32_t)(data.n - p->close_from_end),
    };
    return true;
}
