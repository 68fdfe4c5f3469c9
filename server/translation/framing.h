/* framing.h: a stream's bytes cut into events, whatever stands between them. One owner thread. */
#pragma once

#include "translation/bedrock_converse/frames.h"
#include "translation/ndjson.h"
#include "translation/sse.h"

enum framing_kind {
    FRAMING_SSE,    /* server-sent events */
    FRAMING_FRAMES, /* Amazon's binary frames */
    FRAMING_LINES   /* a JSON document in each line */
};
/* As it is asked for: "text/event-stream". */
const char *framing_type(enum framing_kind kind);

struct framing {
    enum framing_kind kind;
    union {
        struct sse sse;
        struct frames frames;
        struct ndjson ndjson;
    } in;
};

/* event_max: bytes of one event; 0: BOUND_SSE_EVENT_BYTES. Only server-sent events may be larger. */
void framing_init(struct framing *f, enum framing_kind kind, size_t event_max);
void framing_done(struct framing *f);

enum {
    FRAMING_OK = 0,
    FRAMING_E_MORE = 1,
    FRAMING_E_TOO_LARGE = 2,
    FRAMING_E_END = 3,
    FRAMING_E_BROKEN = 4 /* nothing behind can be read */
};
/* Adds bytes; earlier events' slices die. FRAMING_OK or _E_TOO_LARGE. */
int framing_push(struct framing *f, struct str bytes) _must_use_;
/* No more bytes will come. */
void framing_end(struct framing *f);
/* The next event; slices live until the next push. */
int framing_next(struct framing *f, struct sse_event *ret) _must_use_;
