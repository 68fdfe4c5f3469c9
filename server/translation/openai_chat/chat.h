/* chat.h: the parts of OpenAI's chat-completions format, put together in dialect.c.
 *
 * Source: OpenAI API reference, "Create chat completion" and "Streaming". Contracts: dialect.h. */
#pragma once

#include "translation/dialect.h"

int openai_chat_read_request(struct arena *a, struct str body, struct wire_request *ret,
                             struct json_fault *fault) _must_use_;
void openai_chat_edit_request(const struct wire_request *request,
                              const struct wire_request_edit *edit, struct buf *out);
/* A chunk of a stream has `delta` in its choices where an answer has `message`; legacy completions
 * have `text` in both. */
enum openai_report { OPENAI_WHOLE, OPENAI_DELTA, OPENAI_TEXT };
int openai_chat_read_report(struct str doc, enum openai_report kind,
                            struct wire_report *ret) _must_use_;
/* An event of a stream of such chunks. */
int openai_read_chunk(const struct sse_event *event, enum openai_report kind,
                      struct wire_report *ret) _must_use_;
int openai_chat_read_reply(struct str body, struct wire_report *ret) _must_use_;
int openai_chat_read_event(const struct sse_event *event, struct wire_report *ret) _must_use_;
void openai_chat_put_error(struct str document, struct buf *out);
/* The last chunk of such a stream, for dialect.h's put_stop. */
void openai_put_stop(const struct wire_stop *stop, enum openai_report kind, struct buf *out);
void openai_chat_put_stop(const struct wire_stop *stop, struct buf *out);
bool openai_chat_edit_error(struct str body, const struct wire_error *otherwise, struct buf *out);
