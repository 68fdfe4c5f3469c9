/* dialect.c: the Messages format as a table. */
#include "translation/anthropic_messages/bytes.h"
#include "translation/report.h"
#include "translation/said.h"

const struct dialect anthropic_messages = {
    .name = "anthropic_messages",
    .read_request = anthropic_bytes_read_request,
    .edit_request = anthropic_bytes_edit_request,
    .read_reply = anthropic_bytes_read_reply,
    .edit_reply = wire_edit_reply,
    .find_usage = anthropic_usage_find,
    .edit_error = anthropic_bytes_edit_error,
    .error_status = wire_error_status,
    .read_event = anthropic_bytes_read_event,
    .edit_event = wire_edit_event,
    .put_note = wire_put_note,
    .put_error = anthropic_bytes_put_error,
    .put_stop = anthropic_bytes_put_stop,
    .early_usage = true,
    .end_mark = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
};
