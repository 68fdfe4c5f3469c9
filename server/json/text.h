/* text.h: the inside of JSON strings: where plain characters end, and what escapes mean. Only this
 * room includes it. */
#pragma once

#include "base/str.h"

/* The first byte in [p, end) that is a quote, a backslash, a control character or not ASCII; end
 * when there is none. Sixteen bytes at a time. */
const char *text_plain_end(const char *p, const char *end);

/* What one escape sequence stands for, as UTF-8. */
struct text_escape {
    uint8_t n_in;  /* bytes read, the backslash included; 0: not an escape sequence */
    uint8_t n_out; /* 1 to 4 */
    bool lone;     /* a surrogate without its other half: out is U+FFFD */
    char out[4];
};
/* p stands on the backslash. */
struct text_escape text_unescape(const char *p, const char *end);
