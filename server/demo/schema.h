/* schema.h: a JSON value that fits a JSON schema, invented.
 *
 * Kept: type (also a list of types), properties (all of them are given), enum, const, items,
 * minItems, minimum, maximum, minLength, maxLength, common formats, anyOf/oneOf/allOf (the first),
 * $ref within the document. Not kept: patterns, conditions. Pure. */
#pragma once

#include "base/buf.h"
#include "demo/prose.h"
#include "json/value.h"

/* Writes the value's JSON. A NULL or empty schema gives a small object. */
void schema_invent(struct dice *d, const struct topics *t, const struct json_object *schema,
                   struct buf *out);
