/* neutral.h: OpenAI's chat format to and from the neutral chat (model/chat.h).
 *
 * Source: OpenAI API reference, "Create chat completion", "The chat completion object" and
 * "Streaming"; OpenRouter's for reasoning and cache_control. Contracts: chat_dialect.h. */
#pragma once

#include "translation/chat_dialect.h"

struct tree;
struct node;
struct json_writer;

int openai_chat_read(struct arena *a, struct str body, struct chat_request *ret,
                     struct json_fault *fault) _must_use_;
void openai_chat_write(const struct chat_request *request, const struct chat_target *target,
                       struct buf *out, struct chat_losses *losses);
int openai_chat_read_answer(struct arena *a, struct str body, struct chat_answer *ret,
                            struct json_fault *fault) _must_use_;
void openai_chat_write_answer(const struct chat_answer *answer, const struct chat_frame *frame,
                              struct buf *out);
struct chat_reader *openai_chat_reader(struct arena *a);
int openai_chat_read_events(struct chat_reader *r, struct arena *turn,
                            const struct sse_event *event, struct chat_events *ret) _must_use_;
struct chat_writer *openai_chat_writer(struct arena *a, const struct chat_frame *frame);
void openai_chat_write_event(struct chat_writer *w, const struct chat_frame *frame,
                             const struct chat_event *event, struct buf *out);

/* Parts of the above, and what the Responses format has in common with it. */
void openai_put_cache(struct json_writer *w, struct str ttl);
struct str openai_read_cache(struct tree *t, struct node at);
void openai_chat_put_options(struct json_writer *w, const struct chat_request *r,
                             const struct chat_target *target, struct chat_losses *losses);
void openai_read_tools(struct tree *t, struct node root, struct chat_request *ret);
void openai_read_format(struct tree *t, struct node root, struct chat_request *ret);
void openai_put_calls(struct json_writer *w, const struct chat_part *parts, size_t n);
void openai_put_usage(struct json_writer *w, const struct usage *u,
                      const struct chat_frame *frame);
/* service_tier: of OpenAI's own formats in their words; of others what they want beside the standard. */
void openai_put_tier(struct json_writer *w, const struct chat_request *r, struct chat_losses *losses);
/* id, object, created, model */
void openai_put_head(struct json_writer *w, const char *object, const struct chat_frame *frame,
                     struct str id, struct str model, int64_t created_s);
/* False: no word of OpenAI's. */
bool openai_effort_parse(struct str word, enum chat_effort *ret);
/* The effort, or the one that is nearest to a budget. */
enum chat_effort openai_effort_of(const struct chat_request *r);
/* The same as the target is told it, in OpenAI's word. NULL: nothing is told; what the model cannot do is
 * among the losses.
 *
 * That it shall not think is told to no model that does not: gpt-4o and gpt-4.1 refuse every effort. Where
 * that is not known, those that refuse what they do not know (OpenAI, Azure, Mistral) are told so for
 * a client's own word "none" only, not for another format's budget of 0; others are told. */
const char *openai_effort(const struct chat_request *r, const struct chat_target *target,
                          struct chat_losses *losses);
const char *openai_effort_word(enum chat_effort effort); /* NULL: not told */
enum chat_finish openai_finish_parse(struct str word);
const char *openai_finish_word(enum chat_finish finish);
