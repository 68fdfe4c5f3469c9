/* backlog.c: see backlog.h. */
#include "http/backlog.h"

#include "base/clock.h"
#include "http/exchange.h"

enum {
    BEGUN_PER_TURN = 32,
    /* When upstreams have more to say: what is at work ends first, and little else grows cold. */
    BEGUN_WHILE_BUSY = 4,
    /* A refusal costs some 40 us, nearly what a small call costs, and who is refused comes back: one for so
     * many calls is a twelfth of the loop's work, however little of a processor the loop gets. */
    CALLS_PER_REFUSAL = 12,
    CREDIT_MAX = 200 * CALLS_PER_REFUSAL, /* so many at once after a quiet time: 8 ms */
};

void backlog_init(struct listener *l)
{
    list_init(&l->backlog);
    l->refusal_credit = CREDIT_MAX;
}

static void begin(struct listener *l)
{
    l->begun++;
    l->refusal_credit = MIN(l->refusal_credit + 1, (unsigned)CREDIT_MAX);
}

static bool may_wait(const struct exchange *x)
{
    return x->refusal == PROBLEM_NONE && x->request.route->auth == AUTH_KEY &&
           x->request.route->runs == RUNS_ON_LOOP;
}

bool backlog_pass(struct exchange *x)
{
    struct listener *l = x->request.listener;

    if (!may_wait(x))
        return true;
    if (l->begun < BEGUN_PER_TURN && list_empty(&l->backlog)) {
        begin(l);
        return true;
    }
    list_add_tail(&l->backlog, &x->backlog_link);
    return false;
}

void backlog_leave(struct exchange *x)
{
    list_del(&x->backlog_link);
}

static bool is_behind(const struct listener *l, int64_t now_ms)
{
    const struct exchange *first = container_of(l->backlog.next, struct exchange, backlog_link);

    if (now_ms - loop_now_ms(l->config.loop) > l->config.shed_after_ms)
        return true;
    return !list_empty(&l->backlog) &&
           now_ms - first->request.began_mono_ns / 1000000 > l->config.shed_after_ms;
}

bool backlog_refuses(struct listener *l)
{
    int64_t now_ms = l->config.shed_after_ms ? clock_mono_ms() : 0;

    if (!l->config.shed_after_ms || !is_behind(l, now_ms))
        return false;
    if (l->refusal_credit < CALLS_PER_REFUSAL)
        return false;
    l->refusal_credit -= CALLS_PER_REFUSAL;
    l->shed++;
    return true;
}

bool listener_has_backlog(const struct listener *l)
{
    return !list_empty(&l->backlog) || loop_has_more(l->config.loop);
}

bool backlog_run(struct listener *l)
{
    unsigned most = loop_has_more(l->config.loop) ? BEGUN_WHILE_BUSY : BEGUN_PER_TURN;

    while (!list_empty(&l->backlog) && l->begun < most) {
        bool refused = backlog_refuses(l);
        struct exchange *x = container_of(l->backlog.next, struct exchange, backlog_link);

        backlog_leave(x);
        if (refused)
            x->refusal = PROBLEM_BUSY;
        else
            begin(l);
        exchange_handle(x);
    }
    l->begun = 0;
    return !list_empty(&l->backlog);
}
