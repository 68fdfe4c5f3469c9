/* error.c: what a failed upstream has said, as Google's error document. */
#include "translation/gemini/bytes.h"
#include "translation/said.h"
#include "translation/wire.h"

static bool is_own(const struct said *said)
{
    return said_is_text(said, SAID_MESSAGE) && said_is_text(said, SAID_STATUS) &&
           said->w[SAID_CODE].span.n && said->w[SAID_CODE].span.kind == JSON_INT;
}

bool gemini_bytes_edit_error(struct str body, const struct wire_error *otherwise, struct buf *out)
{
    struct said said;

    if (said_read(body, &said) != SAID_OK)
        return false;
    if (is_own(&said)) {
        buf_put_str(out, said.text);
        return true;
    }
    buf_printf(out, "{\"error\":{\"code\":%d,\"message\":", otherwise->status);
    said_put_sentence(&said, otherwise->message, out);
    buf_puts(out, ",\"status\":");
    wire_put_string(out, str_c(said_google_status(otherwise->status)));
    buf_puts(out, "}}");
    return true;
}
