/* call.c: the object itself: how it is made, its phases, its two legs, its end. */
#include "gateway/call_flow.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "gateway/refusal.h"

#define EDGE(phase) (1u << (phase))

static const unsigned legal[CALL_PHASES] = {
    [CALL_NEW] = EDGE(CALL_KEY) | EDGE(CALL_ADMIT) | EDGE(CALL_END),
    [CALL_KEY] = EDGE(CALL_ADMIT) | EDGE(CALL_END),
    [CALL_ADMIT] = EDGE(CALL_PREVIOUS) | EDGE(CALL_HOLD) | EDGE(CALL_LIKE) | EDGE(CALL_ROUTE) |
                   EDGE(CALL_SETTLED),
    [CALL_PREVIOUS] = EDGE(CALL_ADMIT) | EDGE(CALL_SETTLED),
    [CALL_HOLD] = EDGE(CALL_LIKE) | EDGE(CALL_ROUTE) | EDGE(CALL_SETTLED),
    [CALL_LIKE] = EDGE(CALL_ROUTE) | EDGE(CALL_SETTLED),
    [CALL_ROUTE] = EDGE(CALL_HOLD) | EDGE(CALL_SENT) | EDGE(CALL_SETTLED),
    [CALL_SENT] = EDGE(CALL_ERROR) | EDGE(CALL_WHOLE) | EDGE(CALL_PEEK) | EDGE(CALL_ROUTE) |
                  EDGE(CALL_DRAIN) | EDGE(CALL_SETTLED),
    [CALL_ERROR] = EDGE(CALL_ROUTE) | EDGE(CALL_SETTLED),
    [CALL_WHOLE] = EDGE(CALL_PASS) | EDGE(CALL_ROUTE) | EDGE(CALL_DRAIN) | EDGE(CALL_SETTLED),
    [CALL_PASS] = EDGE(CALL_DRAIN) | EDGE(CALL_SETTLED),
    [CALL_PEEK] = EDGE(CALL_STREAM) | EDGE(CALL_ROUTE) | EDGE(CALL_DRAIN) | EDGE(CALL_SETTLED),
    [CALL_STREAM] = EDGE(CALL_GROW) | EDGE(CALL_DRAIN) | EDGE(CALL_SETTLED),
    [CALL_GROW] = EDGE(CALL_STREAM),
    [CALL_DRAIN] = EDGE(CALL_SETTLED),
    [CALL_VIDEO] = EDGE(CALL_SETTLED),
    [CALL_KEEP] = EDGE(CALL_SETTLED),
    [CALL_SETTLED] = EDGE(CALL_VIDEO) | EDGE(CALL_KEEP) | EDGE(CALL_END),
};

void call_enter(struct call *c, enum call_phase phase)
{
    assert(legal[c->phase] & EDGE(phase));
    c->phase = phase;
}

static void timer_fired(struct loop_timer *t)
{
    struct call *c = container_of(t, struct call, timer);

    if (call_is_shadow(c) && c->phase != CALL_SETTLED) {
        call_shadow_timer(c);
    } else if (c->phase == CALL_KEY) {
        call_key_late(c);
    } else if (c->phase == CALL_PREVIOUS) {
        call_previous_late(c);
    } else if (c->phase == CALL_LIKE) {
        call_like_late(c);
    } else if (c->phase == CALL_KEEP) {
        call_kept(c);
    } else if (c->phase == CALL_DRAIN) {
        call_leave(c);
    } else if (c->phase == CALL_SETTLED) {
        call_end(c);
    }
}

void call_wait(struct call *c, int ms)
{
    if (loop_timer_set(c->g->loop, &c->timer, loop_now_ms(c->g->loop) + ms) < 0)
        log_warn("timer_lost", "phase=%d", (int)c->phase);
}

struct call *call_new(struct gateway *g, struct request *r, const struct endpoint *endpoint)
{
    /* Each attempt is written whole when it begins. */
    struct call *c = arena_alloc_part(r->arena, sizeof(*c), offsetof(struct call, record.attempt));

    if (!c)
        return NULL;
    c->g = g;
    c->r = r;
    c->endpoint = endpoint;
    c->client_there = true;
    c->timer.fired = timer_fired;
    c->catalog = g->catalog ? catalog_ref(g->catalog) : NULL;
    buf_init(&c->try.sent, BOUND_REQUEST_ARENA_BYTES);
    c->try.sent.lent = &c->try.lent;
    buf_init(&c->try.got, BOUND_UPSTREAM_REPLY_BYTES);
    r->user = c;
    r->gone = call_gone;
    request_hold(r);
    list_add_tail(&g->calls, &c->link);
    gateway_wind(g);
    return c;
}

static void describe_client(struct call *c)
{
    char address[NET_ADDRESS_TEXT];

    net_address_text(&c->r->peer, address);
    c->record.client_address = arena_str(c->r->arena, str_c(address));
    c->record.user_agent = request_header(c->r, "user-agent");
}

void call_known(struct call *c)
{
    const struct key_policy *k = c->key->policy;
    struct call_record *record = &c->record;

    atomic_fetch_add_explicit(&c->g->metrics.in_flight, 1, memory_order_relaxed);
    c->trace = str_eq(request_header(c->r, "x-tollgate-trace"), STR("1"));
    record->call_id = c->r->id;
    record->team_id = k->team.v;
    record->project_id = k->project.v;
    record->key_id = k->key.v;
    record->user_id = k->owner.v;
    record->started_at = c->r->began_wall_us;
    record->endpoint = str_c(c->endpoint->name);
    record->tags = k->tags.n > 2 ? k->tags : STR_NONE;
    record->repeat = 1;
    describe_client(c);
}

static void release(void *p)
{
    request_release(p);
}

void call_end(struct call *c)
{
    (void)failpoint_hit("call.end");
    if (c->to_shadow)
        call_shadow_consider(c);
    call_enter(c, CALL_END);
    loop_timer_clear(&c->timer);
    key_waiter_leave(&c->waiter);
    call_previous_leave(c);
    call_keep_leave(c);
    if (c->cache)
        call_cache_leave(c);
    if (c->guard)
        call_guard_leave(c);
    if (c->try.fetch)
        fetch_cancel(steal(&c->try.fetch));
    if (call_is_shadow(c))
        call_shadow_leave(c);
    else if (c->key)
        atomic_fetch_sub_explicit(&c->g->metrics.in_flight, 1, memory_order_relaxed);
    known_key_unref(steal(&c->key));
    catalog_unref(steal(&c->catalog));
    leg_close(&c->leg);
    buf_done(&c->try.sent);
    buf_done(&c->try.got);
    list_del(&c->link);
    c->r->user = NULL;
    c->r->gone = NULL;
    loop_free_later(c->g->loop, release, c->r);
}

void call_refuse(struct call *c, const struct problem *p, enum call_outcome outcome)
{
    c->record.error_code = str_c(problem_slug(p->code));
    c->record.quota_source = str_c(p->quota_source);
    call_settle(c, problem_status(p), outcome);
    if (c->client_there)
        call_answer_problem(c, p);
    call_end(c);
}

void call_cut(struct call *c, const struct problem *p)
{
    if (c->phase == CALL_NEW) {
        call_end(c); /* a shadow whose turn has not come */
    } else if (c->phase == CALL_HOLD && call_is_shadow(c)) {
        call_refuse(c, p, CALL_OUTCOME_CUT);
    } else if (c->phase == CALL_KEY) {
        key_waiter_leave(&c->waiter);
        refusal_early(c->g, c->r, p, REFUSED_DRAINING);
        call_end(c);
    } else if (c->phase == CALL_PREVIOUS || c->phase == CALL_LIKE) {
        call_like_leave(c);
        call_refuse(c, p, CALL_OUTCOME_CUT);
    } else if (c->phase == CALL_KEEP) {
        call_kept(c);
    } else if (c->phase == CALL_VIDEO) {
        return; /* it ends when its job is kept */
    } else if (c->phase == CALL_DRAIN) {
        call_leave(c);
    } else if (c->phase == CALL_SETTLED) {
        call_end(c);
    } else if (c->phase == CALL_GROW) {
        c->grow.cut = true; /* once the database has answered */
        c->grow.problem = *p;
    } else if (c->phase == CALL_STREAM) {
        call_try_end(c, TRY_OK, "cut", STR_NONE);
        call_stream_break(c, p, CALL_OUTCOME_CUT);
    } else if (c->phase == CALL_PASS) {
        call_try_end(c, TRY_OK, "cut", STR_NONE);
        call_settle(c, c->try.status, CALL_OUTCOME_CUT);
        request_stream_abort(c->r);
        call_end(c);
    } else if (c->try.record) {
        call_try_end(c, TRY_OK, "cut", STR_NONE);
        call_refuse(c, p, CALL_OUTCOME_CUT);
    }
}
