/* dialect.c: the Responses format as a table. */
#include "translation/openai_chat/chat.h"
#include "translation/openai_chat/usage.h"
#include "translation/openai_responses/bytes.h"
#include "translation/report.h"
#include "translation/said.h"

const struct dialect openai_responses = {
    .name = "openai_responses",
    .read_request = responses_bytes_read_request,
    .edit_request = responses_bytes_edit_request,
    .read_reply = responses_bytes_read_reply,
    .edit_reply = wire_edit_reply,
    .find_usage = responses_usage_find,
    .edit_error = openai_chat_edit_error,
    .error_status = wire_error_status,
    .read_event = responses_bytes_read_event,
    .edit_event = wire_edit_event,
    .put_note = wire_put_note,
    .put_error = responses_bytes_put_error,
    .put_stop = responses_bytes_put_stop,
};
