/* messages.h: Anthropic's Messages format to and from the neutral chat (model/chat.h).
 *
 * Sources: Claude API reference, "Create a Message", "Streaming messages", "Extended thinking",
 * "Adaptive thinking", "Structured outputs" and "Versioning" (2023-06-01, 2026-10-21). Contracts:
 * chat_dialect.h. */
#pragma once

#include "translation/chat_dialect.h"

struct tree;
struct node;
struct json_writer;

int anthropic_read_request(struct arena *a, struct str body, struct chat_request *ret,
                           struct json_fault *fault) _must_use_;
void anthropic_write_request(const struct chat_request *request, const struct chat_target *target,
                             struct buf *out, struct chat_losses *losses);
int anthropic_read_answer(struct arena *a, struct str body, struct chat_answer *ret,
                          struct json_fault *fault) _must_use_;
void anthropic_write_answer(const struct chat_answer *answer, const struct chat_frame *frame,
                            struct buf *out);
struct chat_reader *anthropic_reader(struct arena *a);
int anthropic_read_event(struct chat_reader *r, struct arena *turn, const struct sse_event *event,
                         struct chat_events *ret) _must_use_;
struct chat_writer *anthropic_writer(struct arena *a, const struct chat_frame *frame);
void anthropic_write_event(struct chat_writer *w, const struct chat_frame *frame,
                           const struct chat_event *event, struct buf *out);

/* Parts of the above. */
/* Reads one content block of a request or an answer. */
void anthropic_read_block(struct tree *t, struct node at, struct chat_part *part);
/* Reads the members of a request beside its messages. */
void anthropic_read_options(struct tree *t, struct node root, struct chat_request *ret);
void anthropic_put_options(struct json_writer *w, const struct chat_request *r,
                           const struct chat_target *target, struct chat_losses *losses);
/* One block; false: the format has no place for it, nothing was written. own: the part was read
 * from this format. */
bool anthropic_put_block(struct json_writer *w, const struct chat_part *part, bool own,
                         struct chat_losses *losses);
/* A block of an answer: thoughts need no signature there, and what has no place is left out. */
void anthropic_put_answer_block(struct json_writer *w, const struct chat_part *part,
                                struct chat_losses *losses);
/* Adds what is told to what was told before: a stream tells it in pieces. False: no figures. */
bool anthropic_read_usage(struct tree *t, struct node usage, struct llm_report *told);
void anthropic_put_usage(struct json_writer *w, const struct usage *u,
                         const struct chat_frame *frame);
/* Of models that think by effort, also where another format passes it on. NULL: not told. */
const char *anthropic_effort_word(enum chat_effort effort);
enum chat_finish anthropic_finish_parse(struct str word);
const char *anthropic_finish_word(enum chat_finish finish);
