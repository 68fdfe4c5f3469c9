/* direct.h: one exchange over a plain connection (line.h), framed here; private to this room.
 *
 * For http:// only: TLS is libcurl's, and so is a fetcher that was told to go through it. What callers
 * see is the same either way. */
#pragma once

#include "fetch/transfer.h"

/* Is the request one for here? */
bool direct_is_for(const struct fetcher *f, const struct fetch_request *request);
/* Writes the head of the request. Outcomes as fetch_start(). */
int direct_prepare(struct fetch *f, const struct fetch_request *request) _must_use_;
const char *direct_origin(const struct fetch *f);
/* Goes out on a kept line, or connects first. May end the fetch. */
void direct_start(struct fetch *f);
/* libcurl has connected, or has not. May end the fetch. */
void direct_connected(struct fetch *f, CURLcode code);
void direct_ready(struct fetch *f, uint32_t events);
/* Reads on after a pause. */
void direct_resume(struct fetch *f);
