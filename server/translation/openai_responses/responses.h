/* responses.h: OpenAI's Responses format to and from the neutral chat (model/chat.h).
 *
 * Source: OpenAI API reference, "Create a model response", "The response object" and "Streaming
 * events". Contracts: chat_dialect.h.
 *
 * Odd: a turn is a row of items, each of which becomes a message of one neutral part or more; the
 * writers join them. What a model thought comes back encrypted and is marked with OPENAI_SEALED for
 * the other formats, so that no other provider gets it. */
#pragma once

#include "translation/chat_dialect.h"

#define OPENAI_SEALED "openai:"
/* Marks the thoughts of others that even the client may not read. */
#define OPENAI_REDACTED "redacted:"

struct tree;
struct node;
struct json_writer;

int responses_read_request(struct arena *a, struct str body, struct chat_request *ret,
                           struct json_fault *fault) _must_use_;
void responses_write_request(const struct chat_request *request, const struct chat_target *target,
                             struct buf *out, struct chat_losses *losses);
int responses_read_answer(struct arena *a, struct str body, struct chat_answer *ret,
                          struct json_fault *fault) _must_use_;
void responses_write_answer(const struct chat_answer *answer, const struct chat_frame *frame,
                            struct buf *out);
struct chat_reader *responses_reader(struct arena *a);
int responses_read_event(struct chat_reader *r, struct arena *turn, const struct sse_event *event,
                         struct chat_events *ret) _must_use_;
struct chat_writer *responses_writer(struct arena *a, const struct chat_frame *frame);
void responses_write_event(struct chat_writer *w, const struct chat_frame *frame,
                           const struct chat_event *event, struct buf *out);

/* Parts of the above. */
/* One item as a message. */
void responses_read_item(struct tree *t, struct node at, struct chat_message *m);
void responses_read_options(struct tree *t, struct node root, struct chat_request *ret);
void responses_put_messages(struct json_writer *w, const struct chat_request *r, bool own,
                            struct chat_losses *losses);
void responses_put_options(struct json_writer *w, const struct chat_request *r,
                           const struct chat_target *target, bool own, struct chat_losses *losses);
/* The figures of a response that has ended, and the tier that served. False: no figures. */
bool responses_read_told(struct tree *t, struct node response, struct llm_report *told);
/* The whole response object; status "in_progress", "completed", "incomplete". */
struct response_object {
    struct str id, model;
    int64_t created_s;
    const char *status;
    const struct chat_choice *choice; /* NULL: no output yet */
    const struct usage *usage;        /* NULL: not told */
};
void responses_put_object(struct json_writer *w, const struct response_object *object,
                          const struct chat_frame *frame);
/* The items of an answer, numbered from 0; and one of them, beginning or done. */
size_t responses_items(const struct chat_choice *c);
void responses_put_part_item(struct json_writer *w, const struct chat_part *part, struct str id,
                             size_t number, bool done);
