/* chat.c: see chat.h. The plan is made at once; what remains is to send it at the right pace, or to
 * fail in the way that was ordered. */
#include "demo/chat.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "demo/reply.h"

enum { NEVER_MS = 3600 * 1000 };

struct chat {
    struct request *request;
    struct plan plan;
    struct events events;
    struct loop_timer timer;
};

/* The handler's last word; the arena, and c with it, may go. */
static void leave(struct chat *c)
{
    loop_timer_clear(&c->timer);
    request_release(c->request);
}

static void on_gone(struct request *r)
{
    leave(r->user);
}

static void fail_internally(struct chat *c)
{
    const struct problem problem = problem_of(PROBLEM_INTERNAL);

    request_fail(c->request, &problem);
    leave(c);
}

static bool call_later(struct chat *c, int ms, void (*fn)(struct loop_timer *))
{
    struct loop *loop = c->request->loop;

    c->timer.fired = fn;
    return loop_timer_set(loop, &c->timer, loop_now_ms(loop) + ms) == 0;
}

static void on_pace(struct loop_timer *t);

static void end_stream(struct chat *c, bool complete)
{
    if (complete)
        request_stream_end(c->request);
    else
        request_stream_abort(c->request);
    leave(c);
}

/* Sends events until the client's queue is full, the pace says wait, or all is said. */
static void pump(struct chat *c)
{
    struct buf out;
    int outcome = STREAM_OK;
    bool more = true;

    buf_init(&out, BOUND_SSE_EVENT_BYTES);
    while (outcome == STREAM_OK && more) {
        bool dies = c->plan.switches.die && c->events.stage >= EVENTS_TOKENS &&
                    c->events.tokens * 2 >= c->plan.completion_tokens;

        buf_reset(&out);
        more = !dies && events_next(&c->events, &out);
        if (more)
            outcome = request_stream_write(c->request, buf_str(&out));
        if (c->plan.pace_ms)
            break;
    }
    buf_done(&out);
    if (outcome == STREAM_E_GONE || outcome == STREAM_E_FULL)
        return; /* on_gone has been called, or on_drained will be */
    if (!more)
        end_stream(c, !c->plan.switches.die);
    else if (!call_later(c, c->plan.pace_ms, on_pace))
        end_stream(c, false);
}

static void on_pace(struct loop_timer *t)
{
    pump(container_of(t, struct chat, timer));
}

static void on_drained(struct request *r)
{
    pump(r->user);
}

static void head_of(const struct chat *c, struct response *ret)
{
    *ret = (struct response){.status = 200, .content_type = "application/json"};
    response_header(ret, "x-request-id", str_c(c->plan.id));
    response_header(ret, "openai-processing-ms", STR("1"));
}

static void send_stream(struct chat *c)
{
    struct response head;

    head_of(c, &head);
    head.content_type = "text/event-stream; charset=utf-8";
    request_stream_on_drained(c->request, on_drained);
    c->events.plan = &c->plan;
    if (request_stream_begin(c->request, &head) == STREAM_OK)
        pump(c);
}

/* Half of the body, then the end of the connection. */
static void send_half(struct chat *c, const struct response *answer)
{
    struct str half = str_n(answer->body.p, answer->body.n / 2);

    if (request_stream_begin(c->request, answer) == STREAM_OK &&
        request_stream_write(c->request, half) != STREAM_E_GONE)
        end_stream(c, false);
}

static void send_whole(struct chat *c)
{
    struct response answer;
    struct buf out;

    head_of(c, &answer);
    buf_init(&out, BOUND_UPSTREAM_REPLY_BYTES);
    reply_whole(&c->plan, &out);
    if (!buf_finish(&out))
        answer.body = arena_str(c->request->arena, buf_str(&out));
    buf_done(&out);
    if (!answer.body.p)
        return fail_internally(c);
    if (c->plan.switches.die)
        return send_half(c, &answer);
    if (c->plan.switches.bad_json)
        answer.body.n /= 2;
    request_reply(c->request, &answer);
    leave(c);
}

static void on_never(struct loop_timer *t)
{
    fail_internally(container_of(t, struct chat, timer));
}

static void send(struct chat *c)
{
    struct plan_fault fault;

    if (c->plan.switches.timeout) {
        if (!call_later(c, NEVER_MS, on_never))
            fail_internally(c);
    } else if (c->plan.switches.status) {
        fault = demo_ordered_fault(c->plan.switches.status);
        demo_fail(c->request, &fault);
        leave(c);
    } else if (c->plan.stream) {
        send_stream(c);
    } else {
        send_whole(c);
    }
}

static void on_delayed(struct loop_timer *t)
{
    send(container_of(t, struct chat, timer));
}

void demo_chat(struct request *r)
{
    struct chat *c = arena_new0(r->arena, struct chat);
    struct plan_fault fault;
    int outcome = c ? plan_chat(r, &c->plan, &fault) : err_origin(-ENOMEM);

    if (outcome < 0) {
        const struct problem problem = problem_of(PROBLEM_INTERNAL);

        request_fail(r, &problem);
        return;
    }
    if (outcome == PLAN_E_FAULT) {
        demo_fail(r, &fault);
        return;
    }
    c->request = r;
    r->user = c;
    r->gone = on_gone;
    request_hold(r);
    if (!c->plan.switches.delay_ms || !call_later(c, c->plan.switches.delay_ms, on_delayed))
        send(c);
}
