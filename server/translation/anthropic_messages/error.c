/* error.c: what a failed upstream has said, as Anthropic's error document. */
#include "translation/anthropic_messages/bytes.h"
#include "translation/said.h"
#include "translation/wire.h"

bool anthropic_bytes_edit_error(struct str body, const struct wire_error *otherwise,
                               struct buf *out)
{
    struct said said;

    if (said_read(body, &said) != SAID_OK)
        return false;
    if (said_is_text(&said, SAID_MESSAGE) && said_is_text(&said, SAID_TYPE) &&
        json_span_is(said.text, said.w[SAID_ROOT_TYPE].span, "error")) {
        buf_put_str(out, said.text);
        return true;
    }
    buf_puts(out, "{\"type\":\"error\",\"error\":{\"type\":");
    wire_put_string(out, str_c(said_anthropic_type(otherwise->status)));
    buf_puts(out, ",\"message\":");
    said_put_sentence(&said, otherwise->message, out);
    buf_puts(out, "}}");
    return true;
}
