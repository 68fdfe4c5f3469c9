/* object.h: response objects as documents: what is read of one, and what only the gateway knows put
 * into it: the provider has not been told what the answer goes on from, nor that it is kept. Pure. */
#pragma once

#include "base/arena.h"
#include "json/scan.h"

/* What a client is told in the response object. */
struct object_marks {
    struct str previous_id; /* p NULL: none */
    bool kept;
};

/* Appends the document with the marks in its response object: itself, or its member `response` where
 * it is an event. False: there is none, nothing was appended. */
bool object_mark(struct str doc, bool is_event, const struct object_marks *marks, struct buf *out);

/* The id of a response object, in the arena or the document; p NULL: it has none that could be one
 * (printable ASCII without spaces, BOUND_STORED_ID_BYTES at most). */
struct str object_id(struct arena *a, struct str response);
bool object_is_id(struct str id);

/* The response object of the event that ends a stream whose answer is to be kept ("completed",
 * "incomplete"); p NULL: it is another event. */
struct str object_of_event(struct str event);
