/* stream.c: what the gateway itself says in a stream of this format. */
#include "json/write.h"
#include "translation/anthropic_messages/bytes.h"
#include "translation/report.h"

void anthropic_bytes_put_error(struct str document, struct buf *out)
{
    wire_put_event("error", document, out);
}

/* The block that is open stays so: clients close what they have at the stop reason. */
void anthropic_bytes_put_stop(const struct wire_stop *stop, struct buf *out)
{
    struct json_writer w;
    struct buf doc;

    buf_init(&doc, 1024);
    json_begin(&w, &doc);
    json_open_object(&w);
    json_key(&w, "type");
    json_cstr(&w, "message_delta");
    json_key(&w, "delta");
    json_raw(&w, STR("{\"stop_reason\":\"max_tokens\",\"stop_sequence\":null}"));
    json_key(&w, "usage");
    json_open_object(&w);
    json_key(&w, "output_tokens");
    json_int(&w, usage_sum(&stop->usage, USAGE_COVERS_OUTPUT));
    json_close_object(&w);
    json_close_object(&w);
    wire_put_event("message_delta", buf_str(&doc), out);
    buf_done(&doc);
}
