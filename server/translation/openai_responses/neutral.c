/* neutral.c: the table of responses.h. */
#include "translation/openai_responses/responses.h"

const struct chat_dialect openai_responses_neutral = {
    .name = "openai_responses",
    .read_request = responses_read_request,
    .write_request = responses_write_request,
    .read_answer = responses_read_answer,
    .write_answer = responses_write_answer,
    .reader_new = responses_reader,
    .read_event = responses_read_event,
    .writer_new = responses_writer,
    .write_event = responses_write_event,
};
