/* inner.c: requests that nobody has sent; see request_new_inner() in request.h. */
#include "base/bounds.h"
#include "base/clock.h"
#include "http/exchange.h"

struct request *request_new_inner(const struct request *of, struct str body,
                                  request_answered *answered, void *ctx)
{
    struct exchange *x = calloc(1, sizeof(*x));
    struct request *r = x ? &x->request : NULL;

    if (!x)
        return NULL;
    r->arena = arena_new_large(BOUND_REQUEST_ARENA_BYTES);
    r->body = r->arena ? arena_str(r->arena, body) : STR_NONE;
    if (!r->body.p) {
        arena_free(r->arena);
        free(x);
        return NULL;
    }
    x->refs = 1;
    x->state = EXCHANGE_OVER;
    x->answered = answered;
    x->answered_ctx = ctx;
    r->loop = of->loop;
    r->listener = of->listener;
    r->route = of->route;
    r->method = of->method;
    r->peer = of->peer;
    r->https = of->https;
    r->id = call_id_new();
    r->began_mono_ns = clock_mono_ns();
    r->began_wall_us = clock_wall_us();
    return r;
}

void exchange_answer_inner(struct exchange *x, const struct response *answer)
{
    request_answered *answered = steal(&x->answered);

    if (answered)
        answered(x->answered_ctx, &x->request, answer);
}
