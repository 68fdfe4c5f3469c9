/* neutral.c: the table of messages.h. */
#include "translation/anthropic_messages/messages.h"

const struct chat_dialect anthropic_messages_neutral = {
    .name = "anthropic_messages",
    .read_request = anthropic_read_request,
    .write_request = anthropic_write_request,
    .read_answer = anthropic_read_answer,
    .write_answer = anthropic_write_answer,
    .reader_new = anthropic_reader,
    .read_event = anthropic_read_event,
    .writer_new = anthropic_writer,
    .write_event = anthropic_write_event,
};
