/* converse.h: Amazon Bedrock's Converse format to and from the neutral chat (model/chat.h).
 *
 * Source: Amazon Bedrock API reference, "Converse" and "ConverseStream". A provider's format only:
 * no client speaks it, so answers are read and never written. The model's name stands in the URL.
 * Contracts: chat_dialect.h. */
#pragma once

#include "translation/chat_dialect.h"

struct tree;
struct node;
struct json_writer;

int converse_read_request(struct arena *a, struct str body, struct chat_request *ret,
                          struct json_fault *fault) _must_use_;
void converse_write_request(const struct chat_request *request, const struct chat_target *target,
                            struct buf *out, struct chat_losses *losses);
int converse_read_answer(struct arena *a, struct str body, struct chat_answer *ret,
                         struct json_fault *fault) _must_use_;
struct chat_reader *converse_reader(struct arena *a);
/* event: a frame (frames.h); an exception's type ends in "Exception". */
int converse_read_event(struct chat_reader *r, struct arena *turn, const struct sse_event *event,
                        struct chat_events *ret) _must_use_;

/* Parts of the above. */
void converse_read_block(struct tree *t, struct node at, struct chat_part *part);
/* False: the format has no place for it, nothing was written. number: of the document, which needs a
 * name. */
bool converse_put_block(struct json_writer *w, const struct chat_part *part, bool own,
                        size_t number, struct chat_losses *losses);
void converse_read_options(struct tree *t, struct node root, struct chat_request *ret);
void converse_put_options(struct json_writer *w, const struct chat_request *r,
                          const struct chat_target *target, bool own, struct chat_losses *losses);
/* The figures and the tier that served, of an answer or of a stream's metadata. False: no figures. */
bool converse_read_told(struct tree *t, struct node root, struct llm_report *told);
enum chat_finish converse_finish(struct str word);
