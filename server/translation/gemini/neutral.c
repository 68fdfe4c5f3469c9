/* neutral.c: the table of gemini.h. */
#include "translation/gemini/gemini.h"

const struct chat_dialect gemini_neutral = {
    .name = "gemini",
    .read_request = gemini_read_request,
    .write_request = gemini_write_request,
    .read_answer = gemini_read_answer,
    .write_answer = gemini_write_answer,
    .reader_new = gemini_reader,
    .read_event = gemini_read_event,
    .writer_new = gemini_writer,
    .write_event = gemini_write_event,
};
