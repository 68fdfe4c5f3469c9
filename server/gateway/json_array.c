/* json_array.c: see json_array.h. */
#include "gateway/json_array.h"

#include "translation/sse.h"

static void open_element(struct json_array *array, struct buf *out)
{
    buf_puts(out, array->begun ? ",\r\n" : "[");
    array->begun = true;
}

void json_array_turn(struct json_array *array, struct buf *events)
{
    struct sse_event e;
    struct sse sse;

    sse_init(&sse);
    if (sse_push(&sse, buf_str(events)) == SSE_OK) {
        buf_reset(events);
        sse_end(&sse);
        while (sse_next(&sse, &e) == SSE_OK)
            if (e.data.n && e.data.p[0] == '{') {
                open_element(array, events);
                buf_put_str(events, e.data);
            }
    }
    sse_done(&sse);
}

void json_array_end(struct json_array *array, struct buf *out)
{
    buf_puts(out, array->begun ? "]\r\n" : "[]\r\n");
}
