/* text_block.c: see text_block.h. What needs no vectors, and the choice between them. */
#include "json/text_block.h"

#include "json/text.h"

/* The errors of two neighbouring bytes. */
enum {
    TOO_SHORT = 1 << 0,  /* a leading byte without a continuation */
    TOO_LONG = 1 << 1,   /* a continuation of ASCII */
    OVERLONG_3 = 1 << 2,
    TOO_LARGE = 1 << 3,  /* above U+10FFFF */
    SURROGATE = 1 << 4,
    OVERLONG_2 = 1 << 5,
    TOO_LARGE_MORE = 1 << 6, /* F5 and above; with OVERLONG_4, as they exclude each other */
    OVERLONG_4 = 1 << 6,
    TWO_CONTINUATIONS = 1 << 7,
    CARRY = TOO_SHORT | TOO_LONG | TWO_CONTINUATIONS,
    LARGE = CARRY | TOO_LARGE | TOO_LARGE_MORE,
};

const text_table text_first_upper = {
    TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG,
    TWO_CONTINUATIONS, TWO_CONTINUATIONS, TWO_CONTINUATIONS, TWO_CONTINUATIONS,
    TOO_SHORT | OVERLONG_2, TOO_SHORT, TOO_SHORT | OVERLONG_3 | SURROGATE,
    TOO_SHORT | TOO_LARGE | TOO_LARGE_MORE,
};
const text_table text_first_lower = {
    CARRY | OVERLONG_3 | OVERLONG_2 | OVERLONG_4, CARRY | OVERLONG_2, CARRY, CARRY,
    CARRY | TOO_LARGE, LARGE, LARGE, LARGE, LARGE, LARGE, LARGE, LARGE, LARGE, LARGE | SURROGATE,
    LARGE, LARGE,
};
const text_table text_second_upper = {
    TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
    TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | OVERLONG_3 | TOO_LARGE_MORE | OVERLONG_4,
    TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | OVERLONG_3 | TOO_LARGE,
    TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | SURROGATE | TOO_LARGE,
    TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | SURROGATE | TOO_LARGE,
    TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
};

/* Letters by the upper half of their code. */
enum { TWO = 1 << 0, FIVE = 1 << 1, SIX = 1 << 2, SEVEN = 1 << 3 };

const text_table text_letter_upper = {[2] = TWO, [5] = FIVE, [6] = SIX, [7] = SEVEN};
const text_table text_letter_lower = { /* " b r, t, u, f, \, n, / */
    [2] = TWO | SIX | SEVEN, [4] = SEVEN, [5] = SEVEN, [6] = SIX, [12] = FIVE, [14] = SIX, [15] = TWO,
};

/* A block may end within a character. */
const char *text_whole_before(const char *start, const char *p, bool escaped)
{
    if (escaped)
        return p - 1;
    for (int back = 1; back <= 3 && p - back >= start; back++) {
        unsigned char c = (unsigned char)p[-back];

        if (c < 0x80)
            break;
        if (c >= 0xc0) /* wants 2, 3 or 4 bytes */
            return back < 2 + (c >= 0xe0) + (c >= 0xf0) ? p - back : p;
    }
    return p;
}

const char *text_long_end(const char *p, const char *end)
{
    const char *ret = text_by_avx512(p, end);

    if (!ret)
        ret = text_by_avx2(p, end);
    return ret ? ret : p;
}
