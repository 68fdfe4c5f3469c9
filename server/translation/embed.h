/* embed.h: what the readers and writers of embeddings have in common, whatever the format.
 *
 * Contracts: embed_dialect.h. Any thread. */
#pragma once

#include "json/scan.h"
#include "json/write.h"
#include "translation/embed_dialect.h"
#include "translation/tree.h"

/* A format's words for the tasks; NULL: it has none. */
typedef const char *const embed_words[EMBED_TASKS];
/* EMBED_TASK_NONE where it is no word of theirs. */
enum embed_task embed_task_of(embed_words words, struct str word);
/* The word of a task; NULL where there is none, and then the loss of one that was told. */
const char *embed_task_word(embed_words words, enum embed_task task, struct str path,
                            struct chat_losses *losses);
/* The one task of all inputs, for formats that have one for a request; where they differ it is lost. */
const char *embed_one_task(embed_words words, const struct embed_request *r,
                           struct chat_losses *losses);

/* Room for the inputs of an array; fails when it is empty. NULL: the tree has failed. */
struct embed_input *embed_room(struct tree *t, struct node array, struct embed_request *r);
/* An array of texts as the inputs. */
void embed_read_texts(struct tree *t, struct node array, struct embed_request *r);
void embed_read_dimensions(struct tree *t, struct node at, struct embed_request *r);

/* EMBED_E_FIELD where an input is no text, or there are more than most (0: no matter). */
int embed_needs_texts(const struct embed_request *r, size_t most, struct json_fault *fault);
void embed_put_texts(struct json_writer *w, const char *key, const struct embed_request *r);
/* What most formats have no place for. */
void embed_lose_titles(const struct embed_request *r, struct chat_losses *losses);
void embed_lose_rest(const struct embed_request *r, struct chat_losses *losses); /* the user, and what only the client's format has */
/* For formats that cut at the end unless they are told not to: 1, 0, or -1 for not told. */
int embed_cuts_end(const struct embed_request *r, struct chat_losses *losses);
/* For formats that refuse what is too long. */
void embed_lose_cut(const struct embed_request *r, struct chat_losses *losses);

void embed_put_vector(struct json_writer *w, const struct embed_vector *v, bool base64);
/* `cost`, where it is told. */
void embed_put_cost(struct json_writer *w, const struct embed_frame *frame);

/* An answer of one object, by the watches. EMBED_OK, EMBED_E_SYNTAX; EMBED_E_ERROR where the watch
 * `error` (of w's) was met. */
int embed_scan(struct str body, struct json_watch *w, size_t n, size_t error);
/* Room for a vector for each input. NULL: out of memory. */
struct embed_vector *embed_vectors(struct arena *a, const struct embed_request *r,
                                   struct embed_answer *answer);
/* A raw list whose elements are the vectors: each one as it is, or the value at path in it. */
int embed_read_rows(struct arena *a, const struct embed_request *r, struct str list,
                    const char *path, struct embed_answer *answer);
/* A figure as the tokens of the inputs; one that is no count is none. */
void embed_told(struct str body, const struct json_watch *w, struct embed_answer *answer);
/* A text of the answer's; what is no text is left out. */
int embed_text(struct arena *a, struct str body, const struct json_watch *w, struct str *ret);
