/* gemini.h: Google's generateContent format to and from the neutral chat (model/chat.h).
 *
 * Sources: Gemini API reference, "Generating content", "Caching", "Thinking" and "Thought
 * signatures"; Vertex AI speaks the same. Names are read in camelCase and snake_case, as Google's
 * servers do, and written in camelCase. Contracts: chat_dialect.h.
 *
 * Odd: calls of tools often have no id here: those of an answer get one made (call_ids.h), and
 * results without one belong to the first unanswered call of their name. A call may be signed, and
 * the provider wants the signature back on it: for other formats a wordless thought before the call
 * carries it, marked with GEMINI_SIGNED, so that no other provider gets it. From Gemini 3 on a turn
 * is refused whose first call has none: calls that another model made get the stand-in that Google
 * documents for them (ai.google.dev/gemini-api/docs/thought-signatures, its questions). */
#pragma once

#include "translation/chat_dialect.h"

#define GEMINI_SIGNED "gemini:"

/* What a model's name says of it. */
struct gemini_model {
    uint32_t major, minor; /* 2, 5 of "gemini-2.5-pro"; 0: it is none of Google's, or has no version */
    bool pro, flash, lite;
};
#define GEMINI_NEWEST 100 /* the major version of "gemini-flash-latest" */

struct tree;
struct node;
struct json_writer;

int gemini_read_request(struct arena *a, struct str body, struct chat_request *ret,
                        struct json_fault *fault) _must_use_;
void gemini_write_request(const struct chat_request *request, const struct chat_target *target,
                          struct buf *out, struct chat_losses *losses);
int gemini_read_answer(struct arena *a, struct str body, struct chat_answer *ret,
                       struct json_fault *fault) _must_use_;
void gemini_write_answer(const struct chat_answer *answer, const struct chat_frame *frame,
                         struct buf *out);
struct chat_reader *gemini_reader(struct arena *a);
int gemini_read_event(struct chat_reader *r, struct arena *turn, const struct sse_event *event,
                      struct chat_events *ret) _must_use_;
struct chat_writer *gemini_writer(struct arena *a, const struct chat_frame *frame);
void gemini_write_event(struct chat_writer *w, const struct chat_frame *frame,
                        const struct chat_event *event, struct buf *out);

/* Parts of the above. */
/* A member under either of its names. */
struct node gemini_get(struct tree *t, struct node o, const char *camel, const char *snake);
void gemini_read_part(struct tree *t, struct node at, struct chat_part *part);
/* A candidate's, in OpenAI's form; p NULL: none. And the other way: a member of a candidate. */
struct str gemini_read_logprobs(struct tree *t, struct node candidate);
void gemini_put_logprobs(struct json_writer *w, struct str logprobs);
/* Of a request whose messages have been read: the pieces of a streamed thought and its signature
 * become one. */
void gemini_join_thoughts(struct tree *t, struct chat_request *r);
void gemini_read_config(struct tree *t, struct node root, struct chat_request *ret);
void gemini_read_tools(struct tree *t, struct node root, struct chat_request *ret);
/* False: the format has no place for it, nothing was written. name_of: of the call that a result
 * answers. */
bool gemini_put_part(struct json_writer *w, const struct chat_part *part, bool own,
                     struct str name_of, struct chat_losses *losses);
/* A part of an answer: thoughts need no signature there, and what has no place is left out. */
void gemini_put_answer_part(struct json_writer *w, const struct chat_part *part,
                            struct chat_losses *losses);
struct gemini_model gemini_model_of(struct str name);
void gemini_put_thinking(struct json_writer *w, const struct chat_reasoning *why, struct str model,
                         bool own, struct chat_losses *losses);
void gemini_put_config(struct json_writer *w, const struct chat_request *r,
                       const struct chat_target *target, bool own, struct chat_losses *losses);
void gemini_put_tools(struct json_writer *w, const struct chat_request *r, bool own,
                      struct chat_losses *losses);
/* Adds what is told to what was told before; final as of gemini_usage_read. False: no figures. */
bool gemini_read_usage(struct tree *t, struct node usage, bool final, struct llm_report *told);
void gemini_put_usage(struct json_writer *w, const struct usage *u,
                      const struct chat_frame *frame);
enum chat_finish gemini_finish_parse(struct str word);
const char *gemini_finish_word(enum chat_finish finish);
/* An OpenAPI schema ("type": "STRING", any_of) as the JSON Schema that the others want. */
struct str gemini_plain_schema(struct tree *t, struct node schema);
