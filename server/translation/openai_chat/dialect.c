/* dialect.c: the chat-completions format as a table. */
#include "translation/openai_chat/chat.h"
#include "translation/openai_chat/usage.h"
#include "translation/report.h"
#include "translation/said.h"

const struct dialect openai_chat = {
    .name = "openai_chat",
    .read_request = openai_chat_read_request,
    .edit_request = openai_chat_edit_request,
    .read_reply = openai_chat_read_reply,
    .edit_reply = wire_edit_reply,
    .find_usage = openai_usage_find,
    .edit_error = openai_chat_edit_error,
    .error_status = wire_error_status,
    .read_event = openai_chat_read_event,
    .edit_event = wire_edit_event,
    .put_note = wire_put_note,
    .put_error = openai_chat_put_error,
    .put_stop = openai_chat_put_stop,
    .end_mark = "data: [DONE]\n\n",
};
