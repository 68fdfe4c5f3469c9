/* object.c: see object.h. */
#include "responses/object.h"

#include "base/bounds.h"
#include "translation/edit.h"
#include "translation/wire.h"

enum { SELF, KEPT, PREVIOUS, MARKS };

static void put_previous(const struct object_marks *m, struct buf *out)
{
    if (m->previous_id.p)
        wire_put_string(out, m->previous_id);
    else
        buf_puts(out, "null");
}

bool object_mark(struct str doc, bool is_event, const struct object_marks *marks, struct buf *out)
{
    struct json_watch w[MARKS] = {
        [SELF] = {.path = "response"},
        [KEPT] = {.path = is_event ? "response.store" : "store"},
        [PREVIOUS] = {.path = is_event ? "response.previous_response_id" : "previous_response_id"},
    };
    struct json_scan_result found;
    struct json_fault fault;
    struct buf previous, front;
    struct edit e;
    bool ok;

    if (json_scan(doc, w, MARKS, &found, &fault) != JSON_OK || found.root_kind != JSON_OBJECT ||
        found.root_empty || (is_event && w[SELF].span.kind != JSON_OBJECT))
        return false;
    buf_init(&previous, KIB(4));
    buf_init(&front, KIB(4));
    put_previous(marks, &previous);
    edit_begin(&e, doc);
    if (w[PREVIOUS].span.n) {
        edit_replace(&e, w[PREVIOUS].span, buf_str(&previous));
    } else {
        buf_puts(&front, "\"previous_response_id\":");
        buf_put_str(&front, buf_str(&previous));
        buf_putc(&front, ',');
    }
    if (w[KEPT].span.n)
        edit_replace(&e, w[KEPT].span, marks->kept ? STR("true") : STR("false"));
    else
        buf_puts(&front, marks->kept ? "\"store\":true," : "\"store\":false,");
    edit_insert(&e, (is_event ? w[SELF].span.at : found.root_open) + 1, buf_str(&front));
    ok = buf_finish(&previous) == 0 && buf_finish(&front) == 0;
    if (ok)
        edit_apply(&e, out);
    buf_done(&previous);
    buf_done(&front);
    return ok;
}

bool object_is_id(struct str id)
{
    for (size_t i = 0; i < id.n; i++)
        if (id.p[i] <= ' ' || id.p[i] > '~')
            return false;
    return id.n > 0 && id.n <= BOUND_STORED_ID_BYTES;
}

struct str object_id(struct arena *a, struct str response)
{
    struct json_watch w = {.path = "id"};
    struct json_scan_result found;
    struct json_fault fault;
    struct str id = STR_NONE;

    if (json_scan(response, &w, 1, &found, &fault) != JSON_OK || w.span.kind != JSON_STRING ||
        !w.span.n || wire_text(a, response, w.span, &id) < 0)
        return STR_NONE;
    return object_is_id(id) ? id : STR_NONE;
}

struct str object_of_event(struct str event)
{
    struct json_watch w[] = {{.path = "type"}, {.path = "response"}};
    struct json_scan_result found;
    struct json_fault fault;

    if (json_scan(event, w, ARRAY_LEN(w), &found, &fault) != JSON_OK ||
        w[1].span.kind != JSON_OBJECT)
        return STR_NONE;
    if (!json_span_is(event, w[0].span, "response.completed") &&
        !json_span_is(event, w[0].span, "response.incomplete"))
        return STR_NONE;
    return json_span_str(event, w[1].span);
}
