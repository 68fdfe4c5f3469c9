/* report.h: what the readers and editors of replies have in common, whatever the format: the cost
 * and the members put into a document, events framed anew, figures found in a part of a document.
 *
 * Contracts of wire_*: those of the members of struct dialect (dialect.h). Any thread. */
#pragma once

#include "translation/dialect.h"
#include "translation/wire.h"

/* Reads the document once by the watches, which have their paths; it must be one object. *ret knows where
 * it ends, and nothing else yet. DIALECT_E_SYNTAX. */
int report_begin(struct str doc, struct json_watch *w, size_t n, struct wire_report *ret) _must_use_;
/* Reads an object of figures by itself, whose watches get these paths. False: it cannot be read. */
bool report_scan_figures(struct str object, const char *const *paths, struct json_watch *w,
                         size_t n) _must_use_;
/* Bytes of the watched strings without their quotes; a null has none. */
uint64_t report_text_bytes(const struct json_watch *w);
/* The inside of a plain string, escapes as they stand; p NULL for anything else. */
struct str report_inside(struct str doc, struct json_span s);
/* Is it there, and an array? */
static inline bool report_has_list(const struct json_watch *w)
{
    return w->span.n && w->span.kind == JSON_ARRAY;
}
/* How many searches of the web the usage tells of, where it does. */
static inline void report_put_searches(struct llm_report *r, bool told, int64_t n)
{
    r->usage.n[USAGE_SEARCH] = n;
    if (!told)
        r->silent |= LLM_SILENT(USAGE_SEARCH);
}
/* Where the figures stand: usage_at, and cost_at by its offset within the usage object. */
void report_place_usage(struct wire_report *report, struct json_span usage,
                        struct json_span cost_within);

/* usage.cost where usage_at is set, and the members at the root's end. */
void wire_edit_reply(const struct wire_report *report, const struct wire_report_edit *edit,
                     struct buf *out);
/* The same in an event; its raw bytes where nothing is put in. */
void wire_edit_event(const struct sse_event *event, const struct wire_report *report,
                     const struct wire_report_edit *edit, struct buf *out);
void wire_put_note(const struct wire_report_edit *edit, struct buf *out);
/* A document as the data of an event; type NULL: the event has none. */
void wire_put_event(const char *type, struct str document, struct buf *out);

/* Reads one usage object; false: there are no figures in it. */
typedef bool report_usage_reader(struct str object, struct llm_report *ret);
/* The last object under that name (with its quotes) in a fragment of a document that the reader
 * takes; false: none. */
bool report_find_usage(struct str part, struct str name, report_usage_reader *read,
                       struct llm_report *ret);
