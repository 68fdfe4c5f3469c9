/* neutral.c: the table of converse.h. No client speaks this format, so nothing writes its answers. */
#include "translation/bedrock_converse/converse.h"

const struct chat_dialect bedrock_converse_neutral = {
    .name = "bedrock_converse",
    .read_request = converse_read_request,
    .write_request = converse_write_request,
    .read_answer = converse_read_answer,
    .reader_new = converse_reader,
    .read_event = converse_read_event,
};
