/* bytes.h: OpenAI's Responses format passed on as it is, put together in dialect.c.
 *
 * Source: OpenAI API reference, "Create a model response", "The response object", "Streaming
 * events". Contracts: dialect.h.
 *
 * Odd: a stream's last event carries the whole response, with its figures, so that `done` comes with
 * something to edit (response.completed, response.incomplete). Answers in the background are
 * refused: nothing would tell what they cost. What is kept at the provider (an earlier answer, a
 * conversation, a prompt) is input of unknown size; llm.previous_id tells of an earlier answer. */
#pragma once

#include "translation/dialect.h"

int responses_bytes_read_request(struct arena *a, struct str body, struct wire_request *ret,
                                 struct json_fault *fault) _must_use_;
void responses_bytes_edit_request(const struct wire_request *request,
                                  const struct wire_request_edit *edit, struct buf *out);
/* input: the raw list of items. */
struct media;
void responses_count_media(struct str input, struct media *media);
int responses_bytes_read_reply(struct str body, struct wire_report *ret) _must_use_;
int responses_bytes_read_event(const struct sse_event *event, struct wire_report *ret) _must_use_;
void responses_bytes_put_error(struct str document, struct buf *out);
void responses_bytes_put_stop(const struct wire_stop *stop, struct buf *out);
