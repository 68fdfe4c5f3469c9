/* inner.c: requests that nobody has sent; see request_again() and request_new_inner() in request.h. */
#include "base/bounds.h"
#include "base/clock.h"
#include "http/exchange.h"

/* With an arena, an id and a time of its own, and one reference; NULL: no memory. */
static struct exchange *without_client(const struct request *like)
{
    struct exchange *x = calloc(1, sizeof(*x));
    struct arena *arena = x ? arena_new_large(BOUND_REQUEST_ARENA_BYTES) : NULL;

    if (!arena) {
        free(x);
        return NULL;
    }
    x->refs = 1;
    x->state = EXCHANGE_OVER;
    x->request = *like;
    x->request.arena = arena;
    x->request.conn_ = NULL;
    x->request.user = NULL;
    x->request.gone = NULL;
    x->request.id = call_id_new();
    x->request.began_mono_ns = clock_mono_ns();
    x->request.began_wall_us = clock_wall_us();
    return x;
}

struct request *request_again(struct request *first)
{
    struct exchange *from = exchange_of(first), *x = without_client(first);

    if (!x)
        return NULL;
    x->headers = from->headers;
    x->header_count = from->header_count;
    x->first = from;
    exchange_ref(from);
    return &x->request;
}

struct request *request_new_inner(const struct request *of, struct str body,
                                  request_answered *answered, void *ctx)
{
    const struct request like = {.loop = of->loop,
                                 .listener = of->listener,
                                 .route = of->route,
                                 .method = of->method,
                                 .peer = of->peer,
                                 .https = of->https};
    struct exchange *x = without_client(&like);

    if (!x)
        return NULL;
    x->request.body = arena_str(x->request.arena, body);
    if (!x->request.body.p) {
        arena_free(x->request.arena);
        free(x);
        return NULL;
    }
    x->answered = answered;
    x->answered_ctx = ctx;
    return &x->request;
}

void exchange_answer_inner(struct exchange *x, const struct response *answer)
{
    request_answered *answered = steal(&x->answered);

    if (answered)
        answered(x->answered_ctx, &x->request, answer);
}
