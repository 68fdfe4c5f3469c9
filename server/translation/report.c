/* report.c: see report.h. */
#include "translation/report.h"

#include <errno.h>

#include "base/bounds.h"
#include "translation/edit.h"

int report_begin(struct str doc, struct json_watch *w, size_t n, struct wire_report *ret)
{
    struct json_scan_result result;
    struct json_fault fault;

    if (json_scan(doc, w, n, &result, &fault) != JSON_OK || result.root_kind != JSON_OBJECT)
        return DIALECT_E_SYNTAX;
    *ret = (struct wire_report){
        .bytes = doc, .close_at = result.root_close, .root_empty = result.root_empty};
    return DIALECT_OK;
}

bool report_scan_figures(struct str object, const char *const *paths, struct json_watch *w, size_t n)
{
    struct json_scan_result result;
    struct json_fault fault;

    for (size_t i = 0; i < n; i++)
        w[i].path = paths[i];
    return json_scan(object, w, n, &result, &fault) == JSON_OK;
}

uint64_t report_text_bytes(const struct json_watch *w)
{
    uint64_t overhead = 2 * (uint64_t)w->count;

    if (w->span.kind == JSON_NULL)
        overhead += 2;
    return w->bytes - MIN(w->bytes, overhead);
}

struct str report_inside(struct str doc, struct json_span s)
{
    if (!s.n || s.kind != JSON_STRING)
        return STR_NONE;
    return str_n(doc.p + s.at + 1, s.n - 2);
}

void report_place_usage(struct wire_report *report, struct json_span usage,
                        struct json_span cost_within)
{
    report->usage_at = usage;
    report->cost_at = cost_within;
    report->cost_at.at += usage.at;
}

/* --- what is put in --- */

void wire_edit_reply(const struct wire_report *report, const struct wire_report_edit *edit,
                     struct buf *out)
{
    struct buf cost, end;
    struct edit e;

    buf_init(&cost, 64);
    buf_init(&end, KIB(64));
    edit_begin(&e, report->bytes);
    if (edit->has_cost && report->usage_at.n) {
        if (!report->cost_at.n)
            buf_puts(&cost, ",\"cost\":");
        money_put(&cost, edit->cost, 0);
        if (report->cost_at.n)
            edit_replace(&e, report->cost_at, buf_str(&cost));
        else
            edit_insert(&e, report->usage_at.at + report->usage_at.n - 1, buf_str(&cost));
    }
    if (edit->members.p) {
        buf_puts(&end, report->root_empty ? "" : ",");
        buf_put_str(&end, edit->members);
        edit_insert(&e, report->close_at, buf_str(&end));
    }
    if (buf_finish(&cost) < 0 || buf_finish(&end) < 0)
        out->err = -ENOMEM;
    edit_apply(&e, out);
    buf_done(&cost);
    buf_done(&end);
}

/* A document over several lines needs the field's name on each of them. A CR ends a line too; within
 * JSON it can only be white space, and is left out. */
static void put_data(struct str doc, struct buf *out)
{
    struct str line, part;

    while (str_split(&doc, '\n', &line)) {
        buf_puts(out, "data: ");
        while (str_split(&line, '\r', &part))
            buf_put_str(out, part);
        buf_putc(out, '\n');
    }
    buf_putc(out, '\n');
}

static void put_type(struct str type, struct buf *out)
{
    if (!type.p)
        return;
    buf_puts(out, "event: ");
    buf_put_str(out, type);
    buf_putc(out, '\n');
}

void wire_put_event(const char *type, struct str document, struct buf *out)
{
    put_type(str_c(type), out);
    put_data(document, out);
}

void wire_edit_event(const struct sse_event *event, const struct wire_report *report,
                     const struct wire_report_edit *edit, struct buf *out)
{
    struct buf doc;

    if (!(edit->has_cost && report->usage_at.n) && !edit->members.p) {
        buf_put_str(out, event->raw);
        return;
    }
    buf_init(&doc, event->data.n + KIB(64));
    wire_edit_reply(report, edit, &doc);
    if (buf_finish(&doc) < 0)
        out->err = -ENOMEM;
    put_type(event->type, out);
    put_data(buf_str(&doc), out);
    buf_done(&doc);
}

void wire_put_note(const struct wire_report_edit *edit, struct buf *out)
{
    buf_puts(out, ": tollgate {");
    if (edit->has_cost) {
        buf_puts(out, "\"cost\":");
        money_put(out, edit->cost, 0);
    }
    if (edit->members.p) {
        buf_puts(out, edit->has_cost ? "," : "");
        buf_put_str(out, edit->members);
    }
    buf_puts(out, "}\n\n");
}

/* --- figures in a fragment --- */

/* A quote within a string is escaped, so the name with plain quotes can only be a name. */
bool report_find_usage(struct str part, struct str name, report_usage_reader *read,
                       struct llm_report *ret)
{
    for (size_t end = part.n; end >= name.n; end--) {
        struct str rest = str_n(part.p + end, part.n - end), object;

        if (memcmp(part.p + end - name.n, name.p, name.n) != 0)
            continue;
        rest = str_trim(rest);
        if (!rest.n || rest.p[0] != ':')
            continue;
        object = wire_object_at(str_trim(str_n(rest.p + 1, rest.n - 1)));
        if (object.p && read(object, ret))
            return true;
    }
    return false;
}
