/* text_block.h: the inside of long strings, 64 bytes at a time; text_long_end() of text.h by the vectors of a
 * processor. Only text_block.c, those that have the vectors, and tests include it.
 *
 * Each block becomes masks with one bit per byte, and no branch depends on where in it an escape or a
 * character of several bytes stands: going from one to the next is what a reader spends its time on
 * otherwise. Anything that is not right ends the reading in front of it; text.c's functions then say what it
 * is. UTF-8 is judged by pairs of neighbouring bytes: three tables, of the first one's halves and the second
 * one's upper half, each say which errors they allow, and an error that all three allow is one (Keiser and
 * Lemire, "Validating UTF-8 in less than one instruction per byte", 2020). */
#pragma once

#include "base/str.h"

enum {
    BLOCK_BYTES = 64,
    LOOK_AHEAD_BYTES = 8, /* the digits of an escape at a block's end stand behind it */
    FETCHED_AHEAD_BYTES = 1024, /* a body is larger than the nearest cache */
};

typedef unsigned char text_table[16]; /* by half a byte */

/* The errors that are possible by the first byte's halves, and by the second one's upper half. */
extern const text_table text_first_upper, text_first_lower, text_second_upper;
/* What may stand behind a backslash: groups that both halves of its code allow. */
extern const text_table text_letter_upper, text_letter_lower;

/* The place from which the slower functions go on, when blocks have been read from start to p; escaped: the
 * last one ended with a backslash. */
const char *text_whole_before(const char *start, const char *p, bool escaped);

/* As text_long_end(), by the vectors of a kind of processor; NULL on others. */
const char *text_by_avx2(const char *p, const char *end);
const char *text_by_avx512(const char *p, const char *end);
