/* stream.c: what the gateway itself says in a stream of this format. */
#include "base/bounds.h"
#include "translation/gemini/bytes.h"
#include "translation/gemini/gemini.h"
#include "translation/put.h"
#include "translation/report.h"

/* Google's libraries take data with an error object for a failure. */
void gemini_bytes_put_error(struct str document, struct buf *out)
{
    wire_put_event(NULL, document, out);
}

void gemini_bytes_put_stop(const struct wire_stop *stop, struct buf *out)
{
    const struct chat_frame without_cost = {.has_cost = false};
    struct json_writer w;
    struct buf doc;

    buf_init(&doc, KIB(64));
    json_begin(&w, &doc);
    json_open_object(&w);
    json_key(&w, "candidates");
    json_open_array(&w);
    for (uint32_t i = 0; i < stop->choices; i++) {
        json_open_object(&w);
        put_raw(&w, "content", STR("{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"}"));
        put_word(&w, "finishReason", "MAX_TOKENS");
        put_int(&w, "index", i);
        json_close_object(&w);
    }
    json_close_array(&w);
    gemini_put_usage(&w, &stop->usage, &without_cost);
    put_text(&w, "modelVersion", stop->model);
    put_text(&w, "responseId", stop->id);
    json_close_object(&w);
    wire_put_event(NULL, buf_str(&doc), out);
    buf_done(&doc);
}
