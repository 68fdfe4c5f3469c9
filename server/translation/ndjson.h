/* ndjson.h: JSON documents of a stream, one in each line, read from bytes that arrive in any pieces.
 *
 * Format: what its users call NDJSON (application/x-ndjson): lines end with LF or CRLF, the last one
 * perhaps with nothing; empty lines say nothing. A line is given out as a server-sent event is: its
 * data is the line. One owner thread. */
#pragma once

#include "base/buf.h"
#include "translation/sse.h"

struct ndjson {
    struct buf in;
    size_t at;   /* of the line being read */
    size_t scan; /* no line end between at and here */
    bool ended;
};

void ndjson_init(struct ndjson *l);
void ndjson_done(struct ndjson *l);

enum { NDJSON_OK = 0, NDJSON_E_MORE = 1, NDJSON_E_TOO_LARGE = 2, NDJSON_E_END = 3 };
/* Adds bytes; earlier lines' slices die. NDJSON_E_TOO_LARGE: more than one line may have. */
int ndjson_push(struct ndjson *l, struct str bytes) _must_use_;
/* No more bytes will come: what is left becomes the last line. */
void ndjson_end(struct ndjson *l);
/* The next line that is not empty (slices live until the next push); NDJSON_E_MORE: push first;
 * NDJSON_E_END: after ndjson_end, nothing is left. */
int ndjson_next(struct ndjson *l, struct sse_event *ret) _must_use_;
