/* stream.h: a bounded pipe from a worker (export, PDF) to its request's loop.
 *
 * The worker writes and blocks while the pipe is full; it learns that the client is gone or stalled
 * by STREAM_E_GONE and stops. */
#pragma once

#include "http/request.h"

/* Worker thread, while the request is held for it. Starts the answer: status, type and headers of
 * head; then bytes; then end, always, also after STREAM_E_GONE: it frees the pipe. */
int stream_begin(struct request *r, const struct response *head, struct stream **ret) _must_use_;
int stream_write(struct stream *s, struct str bytes) _must_use_; /* 0 or STREAM_E_GONE */
void stream_end(struct stream *s, bool complete);                /* false: break the body */
