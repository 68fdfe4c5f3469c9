/* text.h: the inside of JSON strings: where plain characters end, and what escapes mean. Only this
 * room includes it. */
#pragma once

#include "base/str.h"

/* The first byte in [p, end) that is a quote, a backslash, a control character or not ASCII; end
 * when there is none. Sixteen bytes at a time. */
const char *text_plain_end(const char *p, const char *end);

/* The end of the well-formed characters from p on that are not ASCII; p itself when the first one is
 * ill-formed. */
const char *text_wide_end(const char *p, const char *end);

/* What one escape sequence stands for, as UTF-8. */
struct text_escape {
    uint8_t n_in;  /* bytes read, the backslash included; 0: not an escape sequence */
    uint8_t n_out; /* 1 to 4 */
    bool lone;     /* a surrogate without its other half: out is U+FFFD */
    char out[4];
};
/* p stands on the backslash. */
struct text_escape text_unescape(const char *p, const char *end);

/* The meaning of the inside of a string that scan has accepted: s itself when it has no escapes,
 * else decoded into scratch. False when scratch is too small. */
bool text_decode(struct str s, char *scratch, size_t bytes, struct str *ret) _must_use_;
