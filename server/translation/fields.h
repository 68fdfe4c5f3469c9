/* fields.h: a request's body read in one scan, by a table of the fields that the gateway looks at.
 *
 * Null counts as absent. Spans point into the body. Any thread. */
#pragma once

#include "base/arena.h"
#include "json/scan.h"
#include "translation/wire.h"

struct field {
    const char *path;   /* as json_watch's */
    const char *reason; /* of a value of another kind: "must be a string"; NULL: any kind will do */
    uint8_t kind;
};

/* Where the fields stand, for the edits that follow. */
struct marks {
    uint32_t root_open;    /* the body's opening brace */
    struct json_span at[]; /* of each field, the last one where it occurs often; n 0: absent */
};

/* Scans body, which has to be an object, and checks the kinds; w (as many as fields) tells how often
 * each occurs and how large it is. DIALECT_OK, DIALECT_E_SYNTAX, DIALECT_E_FIELD with *fault, or
 * < 0. */
int fields_read(struct arena *a, struct str body, const struct field *fields, size_t n,
                struct json_watch *w, struct marks **ret, struct json_fault *fault) _must_use_;

static inline bool field_given(const struct marks *m, size_t which)
{
    return wire_given(m->at[which]);
}
/* The value's bytes; p NULL where it is absent. */
static inline struct str field_raw(struct str body, const struct marks *m, size_t which)
{
    return field_given(m, which) ? json_span_str(body, m->at[which]) : STR_NONE;
}
/* A count within the bounds; the field's own reason where it is none. Absent: *ret stays. */
int field_count(struct str body, const struct marks *m, const struct field *fields, size_t which,
                uint64_t min, uint64_t max, uint64_t *ret, struct json_fault *fault) _must_use_;
