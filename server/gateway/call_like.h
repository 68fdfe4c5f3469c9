/* call_like.h: kept answers to questions that are alike (cache/question.h), where the key of a call wants
 * them and the installation names a model that compares.
 *
 * The question is embedded by a call of its own, which the gateway makes of itself: with the same key, over
 * the model's route, held, settled and on the log as any other, and marked with the call that it is for. It
 * draws on balance, budgets and tokens a minute; as a request, and as one of those at the same time, the
 * client's call counts alone. The client's call has its hold by then, so whatever becomes of the other cannot
 * refuse it: it waits 300 ms at most, and goes on without.
 *
 * Asked ahead of the provider only where the node keeps an answer that the question could be like; else once
 * an answer has been kept, so that it can be found. At most once for a call. On the call's loop. */
#pragma once

#include "json/scan.h"

struct call;
struct like; /* call_like.c: the vector and who wants it; outlives the call where it is still on its way */

struct call_like {
    struct json_span text; /* the question, in the body */
    struct like *like;
};

/* The request's answer is to be kept or found, and none was kept for the very same. Sets c->cache->like where
 * its question may be compared. */
void call_like_open(struct call *c);
/* The hold is there. True: the call waits for its vector, and call_like_late() or the vector goes on with
 * it; false: there is nothing to wait for. */
bool call_like_wait(struct call *c);
void call_like_late(struct call *c); /* waits no more. May end the call. */
/* The call's answer has been kept. */
void call_like_kept(struct call *c);
void call_like_leave(struct call *c); /* c->cache->like set, or not */
