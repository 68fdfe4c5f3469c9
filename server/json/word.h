/* word.h: a word looked for in JSON without reading it, for what most documents do not have. Any thread. */
#pragma once

#include "base/str.h"

/* May a string of this JSON hold the word, of 2 to 16 bytes that need no escape? False: none does. True: it stands
 * in the text, or some character is written by its number, "\u0065", and so might be one of the word's. */
bool json_may_hold(struct str json, struct str word) _must_use_;
