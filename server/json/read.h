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
    int64_t min, max; /* length of strings, bounds of integers and of money in nano-dollars */
    /* Offsets into the destination struct; seen is one byte of enum json_seen, may be SIZE_MAX. */
    size_t offset, seen_offset;
};
struct json_strs {
    struct str *v;
    size_t n;
};
/* Destinations: struct str, int64_t, bool, struct money, struct json_strs, struct json_object*.
 * Strings live in the arena. JSON_E_FAULT with *fault filled on the first wrong field. */
int json_read(struct arena *a, const struct json_object *o, const struct json_field *fields,
              size_t n, void *dest, struct json_fault *fault) _must_use_;
