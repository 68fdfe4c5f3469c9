/* neutral.c: the table of neutral.h. */
#include "translation/openai_chat/neutral.h"

const struct chat_dialect openai_chat_neutral = {
    .name = "openai_chat",
    .read_request = openai_chat_read,
    .write_request = openai_chat_write,
    .read_answer = openai_chat_read_answer,
    .write_answer = openai_chat_write_answer,
    .reader_new = openai_chat_reader,
    .read_event = openai_chat_read_events,
    .writer_new = openai_chat_writer,
    .write_event = openai_chat_write_event,
};
