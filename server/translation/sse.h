/* sse.h: server-sent events read from bytes that arrive in any pieces.
 *
 * Format: WHATWG HTML, "Server-sent events" (9.2.5): lines end with LF, CR or CRLF, a blank line
 * ends an event, a byte order mark may stand in front, ':' begins a comment. The original bytes of
 * every event stay at hand: the `raw` slices of all events, joined, are exactly what was pushed, so
 * whatever is not understood passes through unchanged. Odd: a CR that is the last byte pushed is
 * held back until it is known whether an LF belongs to it. One owner thread. */
#pragma once

#include "base/buf.h"

struct sse {
    struct buf in;     /* bytes not yet given out */
    struct buf joined; /* data of an event with several data lines */
    size_t at;         /* start of the event being read */
    size_t line;       /* start of the line being read */
    size_t scan;       /* no line end between line and here */
    size_t event_max;  /* bytes of one event */
    bool mark_passed, begun, ended;
};

/* One event, or one run of comment lines up to a blank line. */
struct sse_event {
    struct str raw;  /* all its bytes, the blank line included */
    struct str type; /* value of `event:`; p NULL when absent */
    struct str data; /* values of `data:` joined by LF; p NULL when there was none */
    bool ended;      /* false: the stream stopped before the blank line */
};

void sse_init(struct sse *s);
/* For streams with larger events than BOUND_SSE_EVENT_BYTES. */
void sse_init_large(struct sse *s, size_t event_max);
void sse_done(struct sse *s);

enum { SSE_OK = 0, SSE_E_MORE = 1, SSE_E_TOO_LARGE = 2, SSE_E_END = 3 };
/* Adds bytes; earlier events' slices die. SSE_E_TOO_LARGE: more than one event may have. */
int sse_push(struct sse *s, struct str bytes) _must_use_;
/* No more bytes will come: what is left becomes the last event. */
void sse_end(struct sse *s);
/* The next whole event (slices live until the next push); SSE_E_MORE: push first; SSE_E_END: after
 * sse_end, nothing is left; SSE_E_TOO_LARGE as above. */
int sse_next(struct sse *s, struct sse_event *ret) _must_use_;
