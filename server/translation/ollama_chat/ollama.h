/* ollama.h: Ollama's own chat format to and from the neutral chat (model/chat.h).
 *
 * Source: Ollama's API reference, "Generate a chat message" (docs.ollama.com/api/chat), with its
 * pages on streaming, thinking, structured outputs, tool calling and errors. A provider's format
 * only: no client speaks it, so answers are read and never written. Odd: content is one string and
 * pictures stand beside it as base64 without their type; results of tools are messages of their own
 * that name the tool; a stream is lines of JSON; an answer streams unless it is told not to.
 * Contracts: chat_dialect.h. */
#pragma once

#include "translation/chat_dialect.h"

struct tree;
struct node;
struct json_writer;

int ollama_read_request(struct arena *a, struct str body, struct chat_request *ret,
                        struct json_fault *fault) _must_use_;
void ollama_write_request(const struct chat_request *request, const struct chat_target *target,
                          struct buf *out, struct chat_losses *losses);
int ollama_read_answer(struct arena *a, struct str body, struct chat_answer *ret,
                       struct json_fault *fault) _must_use_;
struct chat_reader *ollama_reader(struct arena *a);
/* event: a line (ndjson.h). */
int ollama_read_event(struct chat_reader *r, struct arena *turn, const struct sse_event *event,
                      struct chat_events *ret) _must_use_;

/* Parts of the above. */
void ollama_read_message(struct tree *t, struct node at, struct chat_message *m);
void ollama_read_options(struct tree *t, struct node root, struct chat_request *ret);
void ollama_put_messages(struct json_writer *w, const struct chat_request *r, bool own,
                         struct chat_losses *losses);
void ollama_put_options(struct json_writer *w, const struct chat_request *r,
                        const struct chat_target *target, bool own, struct chat_losses *losses);
