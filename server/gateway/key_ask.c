/* key_ask.c: see key_ask.h. */
#include "gateway/key_ask.h"

#include "gateway/gateway.h"
#include "gateway/key_check.h"
#include "http/listener.h"

void *key_ask_begin(struct request *r, size_t bytes, struct digest *ret)
{
    struct gateway *g = listener_ctx(r->listener);
    enum problem_code code = key_check_token(r, g->services->key_pepper, ret);
    void *ask = code == PROBLEM_NONE ? arena_alloc(r->arena, bytes) : NULL;
    struct problem p = problem_of(code != PROBLEM_NONE ? code : PROBLEM_BUSY);

    if (!ask)
        request_fail(r, &p);
    return ask;
}

void key_ask_find(struct gateway *g, const struct digest *digest, struct key_waiter *waiter)
{
    struct known_key *key = NULL;
    int outcome = key_cache_find(g->keys, digest, waiter, &key);

    if (outcome != KEYS_E_WAIT)
        waiter->answered(waiter, outcome, key);
}
