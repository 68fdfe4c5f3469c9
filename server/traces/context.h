/* context.h: the trace that a call belongs to.
 *
 * A client says it in the header `traceparent` ("00-" trace id "-" span id "-" flags, lower-case hex;
 * W3C Trace Context, level 1, 3.2). A call without one, or with one that is no such text, begins a
 * trace, whose id is the call's own: who has one of them has the other. Pure. */
#pragma once

#include "base/id.h"

enum { TRACE_ID_BYTES = 16, SPAN_ID_BYTES = 8 };

struct trace_context {
    uint8_t trace[TRACE_ID_BYTES];
    uint8_t parent[SPAN_ID_BYTES]; /* all zero: the call begins the trace */
    bool has_parent;
    bool sampled; /* of has_parent: the client keeps the trace */
};

/* header: p NULL where there is none. */
void trace_context_read(struct str header, struct call_id call, struct trace_context *ret);
/* Is the call to be told? millionths: of the traces that begin here; the others go by the client's word. */
bool trace_context_kept(const struct trace_context *t, struct call_id call, uint32_t millionths);
