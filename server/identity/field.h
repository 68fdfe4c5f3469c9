/* field.h: the rules that fields of forms and of the API share. For this room and payments/.
 *
 * Each returns 0, or fills the fault for the named field and returns IDENTITY_E_FAULT. */
#pragma once

#include "identity/fault.h"
#include "identity/field_bounds.h"

/* Trims *text; min to max characters of UTF-8 without control characters. */
int field_line(struct str *text, const char *field, size_t min, size_t max,
               struct identity_fault *fault) _must_use_;
/* The same, but line ends may stand in it. */
int field_lines(struct str *text, const char *field, size_t min, size_t max,
                struct identity_fault *fault) _must_use_;
/* The first of its characters, max at most; text is UTF-8. */
struct str field_cut(struct str text, size_t max);
/* Trims and lower-cases; *ret is in the arena. */
int field_email(struct arena *a, struct str text, const char *field, struct str *ret,
                struct identity_fault *fault) _must_use_;
/* Empty, or two letters, which are made upper case. */
int field_country(struct arena *a, struct str text, const char *field, struct str *ret,
                  struct identity_fault *fault) _must_use_;
