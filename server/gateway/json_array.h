/* json_array.h: a stream's events as the elements of one JSON array, which is how Gemini's clients get
 * it that do not ask for events (alt=sse). On the call's loop. */
#pragma once

#include "base/buf.h"

struct json_array {
    bool wanted;
    bool begun; /* the bracket has gone out */
};

/* Replaces the whole events in `events` by elements; comments and marks without JSON vanish. */
void json_array_turn(struct json_array *array, struct buf *events);
/* What ends the array. */
void json_array_end(struct json_array *array, struct buf *out);
