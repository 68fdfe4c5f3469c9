/* read.h: JSON objects read by a table of fields, with errors that name the path.
 *
 * Unknown fields are a fault. A field may be absent, null (clears) or given. */
#pragma once

#include "json/value.h"

enum json_want { WANT_STR, WANT_I64, WANT_BOOL, WANT_MONEY, WANT_STRS, WANT_ANY };
enum json_seen { FIELD_ABSENT = 0, FIELD_NULL, FIELD_GIVEN };

struct json_field {
    const char *name;
    enum json_want want;
    bool required;
    /* Characters of strings, elements of WANT_STRS, bounds of integers and of money in
     * nano-dollars; both 0: no bounds. */
    int64_t min, max;
    /* Offsets into the destination struct; seen is one byte of enum json_seen, may be SIZE_MAX. */
    size_t offset, seen_offset;
};
struct json_strs {
    struct str *v;
    size_t n;
};
/* Destinations: struct str, int64_t, bool, struct money (from a decimal string or a number without
 * exponent), struct json_strs, struct json_object* (borrowed). Strings live in the arena and hold
 * no NUL. A required field may not be null. What is absent or null stays as it was in dest. o must
 * be an object (any other kind is a fault). JSON_E_FAULT with *fault filled on the first wrong
 * field; dest may have been written in part then. */
int json_read(struct arena *a, const struct json_object *o, const struct json_field *fields,
              size_t n, void *dest, struct json_fault *fault) _must_use_;
