/* request_edit.c: see request_edit.h. */
#include "translation/request_edit.h"

#include <errno.h>

#include "base/bounds.h"

enum { NAMES_BYTES = KIB(8), /* a model's name, and the members that are put in front */
       DIGITS_BYTES = 64 /* a limit, with its name */ };

void request_edit_begin(struct request_edit *e, const struct wire_request *request,
                        const struct marks *marks)
{
    buf_init(&e->front, NAMES_BYTES);
    buf_init(&e->model, NAMES_BYTES);
    buf_init(&e->digits, DIGITS_BYTES);
    edit_begin(&e->edit, request->body);
    e->root_open = marks->root_open;
}

void request_edit_model(struct request_edit *e, struct json_span at, struct str was,
                        struct str model)
{
    if (wire_given(at) && str_eq(model, was))
        return;
    if (at.n) {
        wire_put_string(&e->model, model);
        edit_replace(&e->edit, at, buf_str(&e->model));
        return;
    }
    buf_puts(&e->front, "\"model\":");
    wire_put_string(&e->front, model);
    buf_putc(&e->front, ',');
}

void request_edit_limit(struct request_edit *e, struct json_span at, const char *name,
                        uint64_t limit)
{
    if (at.n) {
        buf_put_u64(&e->digits, limit);
        edit_replace(&e->edit, at, buf_str(&e->digits));
        return;
    }
    buf_printf(&e->front, "\"%s\":", name);
    buf_put_u64(&e->front, limit);
    buf_putc(&e->front, ',');
}

void request_edit_ask_usage(struct request_edit *e, struct json_span options,
                            struct json_span include)
{
    struct str inside;

    if (include.n) {
        edit_replace(&e->edit, include, STR("true"));
    } else if (!options.n) {
        buf_puts(&e->front, "\"stream_options\":{\"include_usage\":true},");
    } else if (!wire_given(options)) {
        edit_replace(&e->edit, options, STR("{\"include_usage\":true}"));
    } else {
        inside = str_trim(str_n(e->edit.doc.p + options.at + 1, options.n - 2));
        edit_insert(&e->edit, options.at + 1,
                    inside.n ? STR("\"include_usage\":true,") : STR("\"include_usage\":true"));
    }
}

void request_edit_remove(struct request_edit *e, const struct marks *m, const size_t *which,
                         size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (m->at[which[i]].n)
            edit_remove(&e->edit, m->at[which[i]]);
}

void request_edit_end(struct request_edit *e, struct buf *out)
{
    if (e->front.n)
        edit_insert(&e->edit, e->root_open + 1, buf_str(&e->front));
    if (buf_finish(&e->front) < 0 || buf_finish(&e->model) < 0 || buf_finish(&e->digits) < 0)
        out->err = -ENOMEM;
    edit_apply(&e->edit, out);
    buf_done(&e->front);
    buf_done(&e->model);
    buf_done(&e->digits);
}
