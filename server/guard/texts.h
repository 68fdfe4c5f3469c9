/* texts.h: the texts within a JSON document of any wire format: every string that a person, a tool or a
 * model may have written.
 *
 * It knows no format, so that none is forgotten. All strings are texts but those whose member's name says
 * that they are none: ids, roles, types, models (texts.c has the list), as long as they are short, and
 * what is base64 (images, sounds, signatures). In the arguments and results of tools names mean nothing:
 * there every string is a text. Names of members are none themselves. The document need not have been
 * scanned. Pure; any thread. */
#pragma once

#include "base/str.h"

/* The inside of a string, without its quotes and with its escapes. */
struct text_at {
    size_t at, n;
    uint64_t place; /* the same for the same place in another document of the kind */
};

/* Gives every text to fn, in the order of the document. *ret_kind: the same for events of a stream that
 * carry parts of the same text, in the same place. False: what stands there is no JSON; what came before
 * was given. */
bool texts_each(struct str doc, void (*fn)(void *ctx, const struct text_at *text), void *ctx,
                uint64_t *ret_kind) _must_use_;
