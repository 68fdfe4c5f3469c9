/* neutral.c: the table of ollama.h. No client speaks this format, so nothing writes its answers. */
#include "translation/ollama_chat/ollama.h"

const struct chat_dialect ollama_chat_neutral = {
    .name = "ollama_chat",
    .read_request = ollama_read_request,
    .write_request = ollama_write_request,
    .read_answer = ollama_read_answer,
    .reader_new = ollama_reader,
    .read_event = ollama_read_event,
};
