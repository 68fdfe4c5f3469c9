/* wire.h: readings that every JSON format needs, beneath its own names. */
#pragma once

#include "base/arena.h"
#include "json/scan.h"

/* Fills the fault for a field that has a wrong value; returns DIALECT_E_FIELD. */
int wire_wrong(struct json_fault *fault, const char *path, const char *reason);
/* The decoded text of a string span; *ret points into doc where nothing is escaped, else into the
 * arena. An absent or null span leaves *ret alone. */
int wire_text(struct arena *a, struct str doc, struct json_span s, struct str *ret) _must_use_;
/* Is the span there, and not null? */
static inline bool wire_given(struct json_span s)
{
    return s.n && s.kind != JSON_NULL;
}
bool wire_true(struct str doc, struct json_span s);
/* The object that begins at the first byte, up to its own closing brace; p NULL when it has none. */
struct str wire_object_at(struct str s);
/* s as a JSON string with its quotes. */
void wire_put_string(struct buf *out, struct str s);
