/* key_ask.h: how a request that is no call to a model (lists of models, kept responses, counts) comes to its
 * key. On the loop. */
#pragma once

#include "gateway/key_cache.h"
#include "http/request.h"

/* Room of that many bytes, zeroed, in the request's arena, and the digest of the request's token. NULL: there
 * is none that could be a key, or no memory, and the request has been told so. */
void *key_ask_begin(struct request *r, size_t bytes, struct digest *ret) _must_use_;
/* Looks the key up; waiter->answered is called within this call or in a later turn. */
void key_ask_find(struct gateway *g, const struct digest *digest, struct key_waiter *waiter);
