/* call_guard.c: see call_guard.h. */
#include "gateway/call_guard.h"

#include <errno.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "gateway/call_flow.h"
#include "translation/multipart.h"

enum { TELL_MS = 5000 };
#define WAITING STR(": kept back until a guardrail has seen all of it\n\n")

static const struct guard_set *set_of(const struct call *c)
{
    return c->key->guard;
}

/* --- what came of a check --- */

/* Both directions together, in the order of the rules. */
static void put_on_record(struct call *c)
{
    const struct guard_set *s = set_of(c);
    struct guard_check sum;
    struct buf names;

    guard_check_init(&sum, s, 0);
    buf_init(&names, KIB(4));
    for (size_t i = 0; i < s->n; i++)
        sum.hits[i] = c->guard->asked[i] + c->guard->answered[i];
    guard_check_names(&sum, &names);
    c->record.guardrails = names.n ? arena_str(c->r->arena, buf_str(&names)) : STR_NONE;
    buf_done(&names);
    guard_check_done(&sum);
}

static struct problem stopped(struct call *c, const struct guard_check *check)
{
    bool answer = check->where == GUARD_ANSWER;
    struct problem p = problem_of(check->stop ? PROBLEM_GUARDRAIL : PROBLEM_INTERNAL);
    const char *what = answer ? "answer" : "request";

    if (!check->stop)
        return p;
    p.message =
        check->undecided
            ? arena_strf(c->r->arena, "The guardrail `%.*s` cannot be decided for this %s: what it looks for takes too "
                                      "long in it, or is in it too often. %s",
                         STR_FMT(check->stop->name), what,
                         answer ? "The answer was made and is charged." : "Nothing was charged.")
            : arena_strf(c->r->arena, "The guardrail `%.*s` does not let this %s through. %s",
                         STR_FMT(check->stop->name), what,
                         answer ? "The answer was made and is charged." : "Nothing was charged.");
    if (check->undecided)
        log_warn("guardrail_undecided", "call_team=%lld guardrail=%s", (long long)c->record.team_id,
                 log_str(check->stop->name));
    return p;
}

/* The findings are noted; out gets the changed bytes, where there are any. */
static int judge(struct call *c, const struct guard_check *check, struct buf *out, size_t *at,
                 struct problem *ret_problem)
{
    bool asked = check->where == GUARD_REQUEST;

    for (size_t i = 0; i < set_of(c)->n; i++)
        if (!asked)
            c->guard->answered[i] = check->hits[i];
        else if (set_of(c)->rule[i].action == GUARD_REDACT)
            c->guard->asked[i] += check->hits[i];
        else /* a conversation that is looked through anew has them all */
            c->guard->asked[i] = check->hits[i];
    put_on_record(c);
    if (check->failed || check->stop) {
        *ret_problem = stopped(c, check);
        return CALL_GUARD_STOPS;
    }
    if (!guard_check_changes(check))
        return CALL_GUARD_OK;
    guard_check_put(check, out, at);
    if (buf_finish(out) == 0)
        return CALL_GUARD_CHANGED;
    *ret_problem = problem_of(PROBLEM_INTERNAL);
    return CALL_GUARD_STOPS;
}

/* --- requests --- */

static void look_at_request(struct call *c, struct guard_check *check)
{
    struct str type = request_header(c->r, "content-type");

    if (c->endpoint->format->dialect->read_form && multipart_is_form(type))
        guard_check_form(check, type, c->r->body);
    else
        guard_check_json(check, c->r->body);
}

int call_guard_request(struct call *c, struct problem *ret_problem)
{
    struct guard_check check;
    struct buf out;
    struct str body;
    int r;

    if (!c->guard)
        c->guard = arena_new0(c->r->arena, struct call_guard);
    if (!c->guard) {
        *ret_problem = problem_of(PROBLEM_INTERNAL);
        return CALL_GUARD_STOPS;
    }
    if (!(set_of(c)->where & GUARD_REQUEST))
        return CALL_GUARD_OK;
    guard_check_init(&check, set_of(c), GUARD_REQUEST);
    buf_init(&out, BOUND_REQUEST_ARENA_BYTES);
    look_at_request(c, &check);
    r = judge(c, &check, &out, NULL, ret_problem);
    guard_check_done(&check);
    body = r == CALL_GUARD_CHANGED ? arena_str(c->r->arena, buf_str(&out)) : c->r->body;
    buf_done(&out);
    if (!body.p && c->r->body.n) {
        *ret_problem = problem_of(PROBLEM_INTERNAL);
        return CALL_GUARD_STOPS;
    }
    c->r->body = body;
    return r;
}

/* --- plain answers --- */

bool call_guard_looks(const struct call *c)
{
    enum model_kind kind = c->endpoint->kind;

    return c->guard && set_of(c)->where & GUARD_ANSWER &&
           (model_kind_writes(kind) || kind == MODEL_TRANSCRIPTION || kind == MODEL_OCR);
}

int call_guard_whole(struct call *c, struct problem *ret_problem)
{
    struct guard_check check;
    struct buf out;
    int r;

    guard_check_init(&check, set_of(c), GUARD_ANSWER);
    buf_init(&out, BOUND_UPSTREAM_REPLY_BYTES);
    if (call_is_text(c))
        guard_check_text(&check, buf_str(&c->try.got));
    else
        guard_check_json(&check, buf_str(&c->try.got));
    r = judge(c, &check, &out, NULL, ret_problem);
    guard_check_done(&check);
    if (r == CALL_GUARD_CHANGED) {
        buf_done(&c->try.got);
        c->try.got = out;
    } else {
        buf_done(&out);
    }
    return r;
}

/* --- streams --- */

void call_guard_begin(struct call *c)
{
    const struct guard_set *s = set_of(c);
    struct call_guard *g = c->guard;

    if (!call_guard_looks(c))
        return;
    g->collects = true;
    buf_init(&g->held, CALL_GUARD_STREAM_BYTES);
    for (size_t i = 0; i < s->n; i++)
        g->holds |= s->rule[i].where & GUARD_ANSWER && s->rule[i].action != GUARD_LOG;
    g->told_ms = clock_mono_ms();
}

/* A client that hears nothing may think that nobody is there. An array has no comments. */
static void tell(struct call *c)
{
    int64_t now = clock_mono_ms();

    if (now - c->guard->told_ms < TELL_MS || c->array.wanted || !c->client_there)
        return;
    c->guard->told_ms = now;
    if (request_stream_write(c->r, WAITING) == STREAM_E_FULL)
        c->client_full = true;
}

bool call_guard_hold(struct call *c, struct buf *out)
{
    struct call_guard *g = c->guard;

    if (!g->collects)
        return false;
    buf_put_str(&g->held, buf_str(out));
    if (!g->holds)
        return false;
    buf_reset(out);
    tell(c);
    return true;
}

/* What does not fit is stopped, where anything may be: by the first rule that may. */
static void stop_too_large(struct call *c, struct guard_check *check)
{
    const struct guard_set *s = set_of(c);

    for (size_t i = 0; i < s->n && !check->stop; i++)
        if (s->rule[i].where & GUARD_ANSWER && s->rule[i].action != GUARD_LOG) {
            check->stop = &s->rule[i];
            check->undecided = true;
        }
}

/* All of it is there: nothing is collected any more. */
static int look_at_stream(struct call *c, struct buf *out, size_t *from, struct problem *ret_problem)
{
    struct call_guard *g = c->guard;
    struct guard_check check;
    size_t before = g->held.n, at = before + *from;
    int r;

    buf_put_str(&g->held, buf_str(out));
    guard_check_init(&check, set_of(c), GUARD_ANSWER);
    if (buf_finish(&g->held) < 0 && g->holds)
        stop_too_large(c, &check);
    else
        guard_check_events(&check, buf_str(&g->held));
    if (g->holds)
        buf_reset(out);
    r = judge(c, &check, out, &at, ret_problem);
    if (r == CALL_GUARD_STOPS)
        buf_reset(out);
    else if (r == CALL_GUARD_OK && g->holds)
        buf_put_str(out, buf_str(&g->held));
    if (g->holds)
        *from = at;
    guard_check_done(&check);
    buf_done(&g->held);
    g->collects = false;
    return r;
}

int call_guard_end(struct call *c, struct buf *out, size_t *from, struct problem *ret_problem)
{
    return c->guard->collects ? look_at_stream(c, out, from, ret_problem) : CALL_GUARD_OK;
}

void call_guard_break(struct call *c, struct buf *out)
{
    struct problem p;
    size_t from = 0;

    if (c->guard->collects)
        (void)look_at_stream(c, out, &from, &p);
}

/* --- the end --- */

void call_guard_count(struct call *c)
{
    const struct guard_set *s = set_of(c);

    for (size_t i = 0; i < s->n; i++)
        if (c->guard->asked[i] + c->guard->answered[i])
            metrics_guard(&c->g->metrics, s->rule[i].action, c->guard->asked[i] + c->guard->answered[i]);
}

void call_guard_leave(struct call *c)
{
    if (c->guard->collects)
        buf_done(&c->guard->held);
    c->guard->collects = false;
}
