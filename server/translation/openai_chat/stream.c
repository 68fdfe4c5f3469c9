/* stream.c: the events of a streamed chat answer. A chunk is a whole answer in small, so it is read
 * by the same code; only the frame around it is made here. */
#include "json/write.h"
#include "translation/openai_chat/chat.h"
#include "translation/report.h"

int openai_read_chunk(const struct sse_event *event, enum openai_report kind,
                      struct wire_report *ret)
{
    struct wire_report report = {.bytes = event->data};

    if (!event->data.p) {
        *ret = report;
        return DIALECT_OK;
    }
    if (str_eq(str_trim(event->data), STR("[DONE]"))) {
        report.done = true;
        *ret = report;
        return DIALECT_OK;
    }
    if (openai_chat_read_report(event->data, kind, &report) != DIALECT_OK)
        return DIALECT_E_SYNTAX;
    report.error = report.error || str_eq(event->type, STR("error"));
    *ret = report;
    return DIALECT_OK;
}

int openai_chat_read_event(const struct sse_event *event, struct wire_report *ret)
{
    return openai_read_chunk(event, OPENAI_DELTA, ret);
}

/* No end mark behind it: a stream that failed must not look like a whole one. */
void openai_chat_put_error(struct str document, struct buf *out)
{
    wire_put_event(NULL, document, out);
}

/* The member of a choice in which its text would stand. */
static void put_nothing(struct json_writer *w, enum openai_report kind)
{
    if (kind == OPENAI_TEXT) {
        json_key(w, "text");
        json_cstr(w, "");
        return;
    }
    json_key(w, "delta");
    json_open_object(w);
    json_close_object(w);
}

void openai_put_stop(const struct wire_stop *stop, enum openai_report kind, struct buf *out)
{
    struct json_writer w;

    buf_puts(out, "data: ");
    json_begin(&w, out);
    json_open_object(&w);
    json_key(&w, "id");
    json_str(&w, stop->id.p ? stop->id : STR(""));
    json_key(&w, "object");
    json_cstr(&w, kind == OPENAI_TEXT ? "text_completion" : "chat.completion.chunk");
    json_key(&w, "created");
    json_int(&w, stop->created_s);
    json_key(&w, "model");
    json_str(&w, stop->model.p ? stop->model : STR(""));
    json_key(&w, "choices");
    json_open_array(&w);
    for (uint32_t i = 0; i < stop->choices; i++) {
        json_open_object(&w);
        json_key(&w, "index");
        json_int(&w, i);
        put_nothing(&w, kind);
        json_key(&w, "finish_reason");
        json_cstr(&w, stop->reason);
        json_close_object(&w);
    }
    json_close_array(&w);
    json_close_object(&w);
    buf_puts(out, "\n\n");
}

void openai_chat_put_stop(const struct wire_stop *stop, struct buf *out)
{
    openai_put_stop(stop, OPENAI_DELTA, out);
}
