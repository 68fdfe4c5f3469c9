/* dialect.c: the generateContent format as a table. */
#include "translation/gemini/bytes.h"
#include "translation/report.h"
#include "translation/said.h"

const struct dialect gemini = {
    .name = "gemini",
    .read_request = gemini_bytes_read_request,
    .edit_request = gemini_bytes_edit_request,
    .read_reply = gemini_bytes_read_reply,
    .edit_reply = wire_edit_reply,
    .find_usage = gemini_usage_find,
    .edit_error = gemini_bytes_edit_error,
    .error_status = wire_error_status,
    .read_event = gemini_bytes_read_event,
    .edit_event = wire_edit_event,
    .put_note = wire_put_note,
    .put_error = gemini_bytes_put_error,
    .put_stop = gemini_bytes_put_stop,
    .early_usage = true,
};
