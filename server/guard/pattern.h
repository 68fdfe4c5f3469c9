/* pattern.h: words and regular expressions that a team looks for; sole home of PCRE2.
 *
 * PCRE2 goes back over a text again and again where a pattern lets it, so every search has a limit on its
 * steps (PATTERN_STEPS, more for longer texts up to PATTERN_STEPS_MAX, some 50 ns each where it is
 * compiled to machine code), and what meets it is undecided, which is for the caller to judge. Measured on
 * the reference machine, of one search: nothing found 0.2 to 2 us a KB; a pattern that runs into
 * its limit 10 ms at most, whatever it is and however long the text. What the caller may spend on all of them
 * together it counts itself (check.h).
 *
 * Letter case is ignored. A pattern is immutable once made and may be shared by threads. */
#pragma once

#include "guard/detect.h"

#define PATTERN_STEPS 50000
#define PATTERN_STEPS_A_BYTE 4
#define PATTERN_STEPS_MAX 200000
/* As a person writes them, and a word's. */
#define PATTERN_BYTES_MAX 500
/* Of the compiled form: counted repeats of repeats are large. */
#define PATTERN_COMPILED_BYTES_MAX (64 * 1024)

struct pattern;

/* PATTERN_E_BAD: it cannot be used, *ret_why says why (static or in `why`, which has room for a sentence). */
enum { PATTERN_OK = 0, PATTERN_E_BAD = 1 };
#define PATTERN_WHY_BYTES 256
int pattern_new(struct str source, struct pattern **ret, char why[PATTERN_WHY_BYTES]) _must_use_;
/* Any of n > 0 words or phrases, none empty, as they are: not within longer words. 0 or < 0. */
int pattern_new_words(const struct str *words, size_t n, struct pattern **ret) _must_use_;
void pattern_free(struct pattern *p); /* NULL is fine */

/* What one thread searches with; may be used for any pattern. NULL: out of memory. */
struct pattern_search;
struct pattern_search *pattern_search_new(void) _must_use_;
void pattern_search_free(struct pattern_search *s); /* NULL is fine */

/* The first finding from there on; one of nothing is none. text need not be UTF-8. */
enum { PATTERN_FOUND = 0, PATTERN_NONE = 1, PATTERN_UNDECIDED = 2 };
int pattern_find(const struct pattern *p, struct pattern_search *s, struct str text, size_t from,
                 struct detect_span *ret) _must_use_;

/* Tries it on texts made to be hard for it. False: it ran into its limit on one of them. */
bool pattern_is_quick(const struct pattern *p) _must_use_;
