/* token.h: the demo models' tokenizer, simple enough to count by eye.
 *
 * A token is one space at most, followed by up to six letters or digits (any non-ASCII character
 * counts as a letter) or by one other character. "Hello, wonderful world" is
 * "Hello" "," " wonder" "ful" " world". Pure. */
#pragma once

#include "base/str.h"

/* Bytes of the first token of s; 0 when s is empty. */
size_t token_length(struct str s);
size_t token_count(struct str s);
/* The first max tokens of s. */
struct str token_head(struct str s, size_t max);
