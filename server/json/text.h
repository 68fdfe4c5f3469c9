/* text.h: the inside of JSON strings: where plain characters end, and what escapes mean. Only this
 * room includes it. What the scanner spends its time in stands here to be inlined. */
#pragma once

#include "base/str.h"

typedef signed char text_lanes __attribute__((vector_size(16)));
typedef uint64_t text_words __attribute__((vector_size(16)));

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "byte positions are read from words");

/* The first byte in [p, end) that is a quote, a backslash, a control character or not ASCII; end
 * when there is none. Sixteen bytes at a time in GCC's vector types, which any machine compiles. As
 * signed bytes, what is not ASCII is below 0x20 like the control characters. */
static inline const char *text_plain_end(const char *p, const char *end)
{
    for (; end - p >= (ptrdiff_t)sizeof(text_lanes); p += sizeof(text_lanes)) {
        text_lanes v;
        text_words stop;

        memcpy(&v, p, sizeof(v));
        stop = (text_words)((v < 0x20) | (v == '"') | (v == '\\'));
        if (stop[0])
            return p + __builtin_ctzll(stop[0]) / 8;
        if (stop[1])
            return p + 8 + __builtin_ctzll(stop[1]) / 8;
    }
    while (p < end && (signed char)*p >= 0x20 && *p != '"' && *p != '\\')
        p++;
    return p;
}

/* What the letter behind a backslash stands for; 0 when that takes more than a letter. */
static inline char text_letter(char c)
{
    static const char meanings[256] = {
        ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
        ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
    };

    return meanings[(unsigned char)c];
}

/* Reads on inside a long string, p standing between two characters or escapes of it: over plain
 * characters, well-formed UTF-8 and escape sequences, halves of surrogates too. Gives the closing quote,
 * or a place from which the slower functions go on, between two characters or among the digits of an
 * escape: something is wrong soon behind it, or few bytes are left, or this machine has no such vectors
 * (then it is p). */
const char *text_long_end(const char *p, const char *end);

/* The end of the well-formed characters from p on that are not ASCII; p itself when the first one
 * is ill-formed. */
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
