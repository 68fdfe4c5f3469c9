/* call_cache.h: what a call has to do with kept answers (cache/answers.h), where its key keeps any.
 *
 * A call that an answer is found for asks no provider: it takes what counts requests and calls at the
 * same time, no money and no tokens, so it goes through with an empty balance too; it is on the record
 * with nothing used and nothing charged, and says what it has saved. Only whole answers that ended well
 * are kept, of endpoints whose answers are text or numbers. On the call's loop. */
#pragma once

#include "base/buf.h"
#include "cache/answers.h"
#include "cache/wish.h"
#include "gateway/call_like.h"

struct call;

struct call_cache {
    struct cache_wish wish;
    struct digest digest;
    struct model_id model;      /* that was to serve */
    const struct answer *found; /* a reference; NULL: the call asks a provider */
    bool given;                 /* the client gets what was found */
    struct buf got;             /* what has gone out of a stream that is to be kept */
    struct call_like like;      /* of questions that are alike */
};

/* The model is known and nothing is taken yet. True: the request is refused, or an answer was found and
 * is on its way: the call goes on by itself. False: a provider is to be asked. */
bool call_cache_look(struct call *c);
/* What makes another request the same, but for a text of the body for which something else stands, where the
 * span is not empty. */
bool call_cache_digest(struct call *c, struct json_span text, struct str stands, struct digest *ret);
/* Whether the call may be given that answer: only one of a target that it might be sent to. */
bool call_cache_may_give(const struct call *c, const struct answer *a);
/* The hold is there: what was found goes out, and the call ends. */
void call_cache_answer(struct call *c);
/* Of a call that may be kept (c->cache set): events on their way to the client; the end of them; a plain
 * answer. Settled, and all of it well. */
void call_cache_note(struct call *c, const struct buf *events);
void call_cache_keep_stream(struct call *c);
void call_cache_keep_whole(struct call *c, const char *content_type, struct str answer);
void call_cache_leave(struct call *c); /* lets go of everything; c->cache set */
