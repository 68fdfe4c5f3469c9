/* count.c: Anthropic's count_tokens: a Messages request without what concerns the answer. */
#include "translation/anthropic_messages/bytes.h"
#include "translation/count_tokens.h"

static bool read_reply(struct str body, uint64_t *ret)
{
    return count_read(body, "input_tokens", ret);
}

static void put_reply(uint64_t tokens, struct buf *out)
{
    buf_puts(out, "{\"input_tokens\":");
    buf_put_u64(out, tokens);
    buf_putc(out, '}');
}

const struct count_dialect anthropic_count_tokens = {
    .name = "anthropic_count_tokens",
    .chat = &anthropic_messages,
    .read_request = anthropic_bytes_read_prompt,
    .edit_request = anthropic_bytes_edit_request,
    .read_reply = read_reply,
    .put_reply = put_reply,
};
