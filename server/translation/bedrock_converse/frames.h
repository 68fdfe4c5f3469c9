/* frames.h: the frames of Amazon's event streams, read from bytes that arrive in any pieces.
 *
 * Source: AWS SDKs reference, "Event stream encoding" (application/vnd.amazon.eventstream): a
 * prelude of two big-endian lengths with a CRC-32, headers, a payload, a CRC-32 of it all. A frame
 * is given out as a server-sent event is: its type is the `:event-type` header, or that of the
 * exception; its data is the payload. One owner thread. */
#pragma once

#include "base/buf.h"
#include "translation/sse.h"

struct frames {
    struct buf in;
    size_t at; /* of the next frame */
};

void frames_init(struct frames *f);
void frames_done(struct frames *f);

/* BROKEN: lengths or sums are wrong, nothing behind can be read. */
enum { FRAMES_OK = 0, FRAMES_E_MORE = 1, FRAMES_E_TOO_LARGE = 2, FRAMES_E_BROKEN = 3 };
/* Adds bytes; earlier frames' slices die. */
int frames_push(struct frames *f, struct str bytes) _must_use_;
/* *ret_exception: the frame tells that the stream failed. */
int frames_next(struct frames *f, struct sse_event *ret, bool *ret_exception) _must_use_;
