/* repeat.h: events of a stream that differ from the one before only within one string of text, as most do
 * while a model writes. Whatever else such an event says was read with the one before: its bytes are
 * compared, and only the string is looked at, which costs a fraction of reading it again.
 *
 * Exact: what stands before and behind the string is the same, byte for byte, and the string has neither
 * quotes nor escapes, so a full reading could find nothing else. One owner thread. */
#pragma once

#include "translation/dialect.h"
#include "translation/sse.h"

struct repeat {
    struct buf frame; /* what stands before the text, then what stands behind it; n 0: nothing noted */
    size_t before;    /* bytes of the first */
    size_t close_from_end;
    bool has_choices, has_data, has_service;
    enum service_tier service;
};

void repeat_init(struct repeat *p);
void repeat_done(struct repeat *p);
/* The event was read, and says this. */
void repeat_note(struct repeat *p, const struct sse_event *event, const struct wire_report *report);
/* True: it repeats the one that was noted, *ret is what it says (without the reply's id, which that one
 * told); false: it has to be read. */
bool repeat_take(const struct repeat *p, const struct sse_event *event, struct wire_report *ret);
