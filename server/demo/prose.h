/* prose.h: invented English about what was asked, from a chain of words.
 *
 * It reads like an answer and means nothing; the same dice give the same text. Pure. */
#pragma once

#include "base/buf.h"
#include "demo/dice.h"

/* Words of a question worth answering about, in its own spelling. */
enum { PROSE_TOPICS = 12 };
struct topics {
    struct str words[PROSE_TOPICS];
    size_t n;
};
void topics_find(struct str question, struct topics *ret);
/* One of them, or a general one when there are none. */
struct str topics_pick(const struct topics *t, struct dice *d);

/* Whole sentences, until there are at least `tokens` tokens. */
void prose_write(struct dice *d, const struct topics *t, size_t tokens, struct buf *out);
