/* cohere.h: Cohere's own chat and embeddings (version 2) passed on as they are.
 *
 * Sources: Cohere's API reference, "Chat" and "Embed" of version 2 with "Chat with Streaming". What is
 * billed stands in billed_units, which leaves out what Cohere adds to the prompt; `tokens` counts all
 * and is taken only where billed_units lack. Contracts: dialect.h. */
#pragma once

#include "translation/dialect.h"

int cohere_chat_read_request(struct arena *a, struct str body, struct wire_request *ret,
                             struct json_fault *fault) _must_use_;
void cohere_chat_edit_request(const struct wire_request *request,
                              const struct wire_request_edit *edit, struct buf *out);
int cohere_chat_read_reply(struct str body, struct wire_report *ret) _must_use_;
int cohere_chat_read_event(const struct sse_event *event, struct wire_report *ret) _must_use_;
void cohere_chat_put_error(struct str document, struct buf *out);
void cohere_chat_put_stop(const struct wire_stop *stop, struct buf *out);
