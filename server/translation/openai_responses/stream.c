/* stream.c: what the gateway itself says in a stream of this format. Its events are numbered by the
 * provider; ours have no place in that row and are 0. */
#include <errno.h>

#include "base/bounds.h"
#include "translation/edit.h"
#include "translation/openai_responses/bytes.h"
#include "translation/openai_responses/responses.h"
#include "translation/put.h"
#include "translation/report.h"
#include "translation/said.h"

enum { FRONT_BYTES = KIB(64) };

static void put_member(const struct said *said, const char *name, size_t field, size_t root,
                       struct buf *out)
{
    struct json_span at = said->w[field].span;

    if (said->w[root].span.n)
        return;
    buf_printf(out, ",\"%s\":", name);
    if (at.n)
        buf_put_str(out, json_span_str(said->text, at));
    else
        buf_puts(out, "null");
}

/* OpenAI's reference has the members of an error at the root of the event, its servers have an error
 * object, and of its libraries some look for the one, some for the other: both are there. What has a
 * type at its root is an event already. */
void responses_bytes_put_error(struct str document, struct buf *out)
{
    struct said said;
    struct buf front, doc;
    struct edit e;

    if (said_read(document, &said) != SAID_OK || !said.is_json || said.w[SAID_ROOT_TYPE].span.n) {
        wire_put_event("error", document, out);
        return;
    }
    buf_init(&front, FRONT_BYTES);
    buf_init(&doc, document.n + FRONT_BYTES);
    buf_puts(&front, "\"type\":\"error\",\"sequence_number\":0");
    put_member(&said, "code", SAID_CODE, SAID_ROOT_CODE, &front);
    put_member(&said, "message", SAID_MESSAGE, SAID_ROOT_MESSAGE, &front);
    put_member(&said, "param", SAID_PARAM, SAID_ROOT_PARAM, &front);
    buf_puts(&front, str_trim(str_n(said.text.p + 1, said.text.n - 2)).n ? "," : "");
    edit_begin(&e, said.text);
    edit_insert(&e, 1, buf_str(&front));
    edit_apply(&e, &doc);
    if (buf_finish(&front) < 0 || buf_finish(&doc) < 0)
        out->err = -ENOMEM;
    wire_put_event("error", buf_str(&doc), out);
    buf_done(&front);
    buf_done(&doc);
}

/* The output that was shown is not repeated: nothing of it is kept here. */
void responses_bytes_put_stop(const struct wire_stop *stop, struct buf *out)
{
    const struct chat_frame without_cost = {.has_cost = false};
    const struct chat_choice cut = {.finish = CHAT_FINISH_LENGTH};
    const struct response_object object = {.id = stop->id.p ? stop->id : STR(""),
                                           .model = stop->model.p ? stop->model : STR(""),
                                           .created_s = stop->created_s,
                                           .status = "incomplete",
                                           .choice = &cut,
                                           .usage = &stop->usage};
    struct json_writer w;
    struct buf doc;

    buf_init(&doc, KIB(64));
    json_begin(&w, &doc);
    json_open_object(&w);
    put_word(&w, "type", "response.incomplete");
    put_int(&w, "sequence_number", 0);
    json_key(&w, "response");
    responses_put_object(&w, &object, &without_cost);
    json_close_object(&w);
    wire_put_event("response.incomplete", buf_str(&doc), out);
    buf_done(&doc);
}
