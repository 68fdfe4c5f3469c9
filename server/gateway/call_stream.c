/* call_stream.c: a streamed answer: the upstream's events on their way to the client.
 *
 * Nothing is shown before the first event with data, so an upstream that answers 200 and then fails
 * at once is still one that the next candidate may stand in for. The journal has the record before
 * the end mark goes out. */
#include "base/bounds.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "gateway/attempts.h"
#include "gateway/call_flow.h"
#include "http/router.h"

enum {
    LINGER_MS = 2000,        /* for an upstream to close its side after its end mark */
    COMMENTS_HELD_MS = 5000, /* after that a client sees the comments that keep it waiting */
};

#define PROBLEM_BYTES MIB(2) /* an upstream's error and ours */

/* What becomes of the loop over events after one of them. */
enum { STREAM_GOES_ON, STREAM_STOPS };

/* False: the client is slower than its upstream. */
static bool write_out(struct call *c, struct buf *out)
{
    int r = STREAM_OK;

    if (out->n && c->phase != CALL_DRAIN && c->client_there)
        r = request_stream_write(c->r, buf_str(out));
    buf_reset(out);
    if (r == STREAM_E_FULL)
        c->client_full = true;
    return !c->client_full;
}

/* Sends the events that have been gathered. */
static bool send(struct call *c, struct buf *out)
{
    if (c->guard && call_guard_hold(c, out))
        return !c->client_full;
    if (c->cache)
        call_cache_note(c, out);
    if (c->array.wanted)
        json_array_turn(&c->array, out);
    return write_out(c, out);
}

static void send_last(struct call *c, struct buf *out)
{
    if (c->cache)
        call_cache_note(c, out);
    if (c->array.wanted) {
        json_array_turn(&c->array, out);
        json_array_end(&c->array, out);
    }
    if (c->client_there)
        request_stream_end_with(c->r, buf_str(out));
    buf_reset(out);
}

void call_stream_drained(struct request *r)
{
    struct call *c = r->user;

    if (!c || !c->client_full)
        return;
    c->client_full = false;
    if (c->try.fetch && c->phase != CALL_GROW)
        fetch_resume(c->try.fetch);
}

const char *call_stream_type(const struct call *c)
{
    return c->array.wanted ? "application/json; charset=utf-8" : "text/event-stream; charset=utf-8";
}

/* The point of no return: the head goes out, with the comments that came before. */
static bool commit(struct call *c, struct buf *out)
{
    struct response head = {.status = 200, .content_type = call_stream_type(c)};

    (void)failpoint_hit("stream.commit");
    call_enter(c, CALL_STREAM);
    call_serve(c);
    if (call_is_shadow(c))
        return true;
    call_put_head(c, &head);
    response_header(&head, "cache-control", STR("no-cache"));
    request_stream_on_drained(c->r, call_stream_drained);
    if (request_stream_begin(c->r, &head) == STREAM_E_GONE)
        return false;
    if (c->guard)
        call_guard_begin(c);
    buf_put_str(out, buf_str(&c->try.got));
    buf_reset(&c->try.got);
    return true;
}

/* What ends the stream goes out, unless it has to wait until the answer is kept. */
static void finish_with(struct call *c, struct buf *out, size_t from)
{
    if (call_keep_stream(c, out, from)) {
        buf_reset(out);
        return;
    }
    send_last(c, out);
    if (c->cache)
        call_cache_keep_stream(c);
    call_stream_close(c);
}

/* As finish(), of a stream that guardrails look at: only then is it known how it has ended, so what ends it
 * is written before it is settled, with the charge that will be settled. */
static void finish_guarded(struct call *c, const struct sse_event *event,
                           const struct wire_report *report, struct buf *out)
{
    size_t from = out->n;
    struct problem p;

    if (call_money_price(c, &c->record.charge_nano) != 0)
        c->record.charge_nano = (struct money){0};
    c->leg.kind->put_end(c, event, report, out);
    if (call_guard_end(c, out, &from, &p) == CALL_GUARD_STOPS) {
        call_stream_break(c, &p, p.code == PROBLEM_GUARDRAIL ? CALL_OUTCOME_BLOCKED : CALL_OUTCOME_INTERNAL);
        return;
    }
    call_settle(c, 200, CALL_OUTCOME_OK);
    if (c->keep.wanted) {
        c->client_full = request_stream_write(c->r, str_n(out->p, from)) == STREAM_E_FULL;
        buf_consume(out, from);
        from = 0;
    }
    finish_with(c, out, from);
}

/* The upstream has said all; event NULL: without a mark of its own. */
static void finish(struct call *c, const struct sse_event *event, const struct wire_report *report,
                   struct buf *out)
{
    size_t from;

    c->end_seen = true;
    call_try_end(c, TRY_OK, NULL, STR_NONE);
    if (c->client_there && c->guard && c->guard->collects) {
        finish_guarded(c, event, report, out);
        return;
    }
    call_settle(c, 200, CALL_OUTCOME_OK);
    if (!c->client_there) {
        call_stream_close(c);
        return;
    }
    if (c->keep.wanted) /* only what ends the stream may have to wait */
        (void)write_out(c, out);
    from = out->n;
    c->leg.kind->put_end(c, event, report, out);
    finish_with(c, out, from);
}

void call_stream_close(struct call *c)
{
    (void)failpoint_hit("stream.ended");
    if (c->try.fetch)
        call_wait(c, LINGER_MS);
    else
        call_end(c);
}

void call_stream_break(struct call *c, const struct problem *p, enum call_outcome outcome)
{
    struct buf *out = &c->g->scratch, document;
    struct problem told = *p;
    char id[CALL_ID_TEXT];

    if (c->guard)
        call_guard_break(c, out);
    c->record.error_code = str_c(problem_slug(p->code));
    call_settle(c, 200, outcome);
    call_id_text(c->r->id, id);
    told.attempts_json = attempts_json(c->r->arena, &c->record);
    buf_init(&document, PROBLEM_BYTES);
    problem_json(&told, c->r->route->problems, str_c(id), &document);
    if (buf_finish(&document) == 0)
        c->endpoint->format->dialect->put_error(buf_str(&document), out);
    buf_done(&document);
    send_last(c, out);
    call_end(c);
}

static void broken(struct call *c, enum try_outcome outcome, const char *reason, struct str text)
{
    struct problem p = problem_of(PROBLEM_UPSTREAM);

    call_try_end(c, outcome, reason, text);
    p.message = STR("The provider's answer broke off.");
    call_stream_break(c, &p, CALL_OUTCOME_CUT);
}

/* The upstream says in the middle of a 200 that it failed. */
static int take_error(struct call *c, const struct sse_event *e, struct buf *out)
{
    enum try_outcome outcome;
    struct problem p;
    struct str text;

    buf_reset(&c->try.got);
    buf_put_str(&c->try.got, e->data);
    outcome = call_error_read(c, &text);
    if (c->phase == CALL_PEEK) {
        buf_reset(out);
        call_try_failed(c, outcome, "error_in_200", text);
        return STREAM_STOPS;
    }
    call_try_end(c, outcome, "error_in_200", text);
    p = call_last_problem(c);
    call_stream_break(c, &p, CALL_OUTCOME_CUT);
    return STREAM_STOPS;
}

/* The stream cannot be read on: another candidate while nothing was shown, else an error event. */
static void lost(struct call *c, enum try_outcome outcome, const char *reason)
{
    if (c->phase == CALL_DRAIN)
        call_leave(c);
    else if (c->phase == CALL_PEEK)
        call_try_failed(c, outcome, reason, STR_NONE);
    else
        broken(c, outcome, reason, STR_NONE);
}

static bool still_waits(const struct call *c, const struct sse_event *e)
{
    int64_t waited_ms = (clock_mono_ns() - c->try.first_byte_ns) / 1000000;

    return c->leg.kind->is_idle(c, e) && waited_ms < COMMENTS_HELD_MS;
}

static int take_event(struct call *c, const struct sse_event *e, struct buf *out)
{
    struct wire_report report = {.done = false};
    size_t from;
    bool understood = c->leg.kind->read_event(c, e, &report) == LEG_OK;

    if (!e->ended && !(understood && e->data.p))
        return STREAM_GOES_ON; /* the torn end of a stream is nobody's event */
    if (!understood && c->leg.kind != &leg_same) {
        lost(c, TRY_BAD_REPLY, "bad_event");
        return STREAM_STOPS;
    }
    call_note(c, &report.llm);
    if (c->phase == CALL_DRAIN)
        return call_drain_event(c, &report) ? STREAM_STOPS : STREAM_GOES_ON;
    if (report.error)
        return take_error(c, e, out);
    if (c->phase == CALL_PEEK) {
        if (still_waits(c, e)) {
            c->leg.kind->put_event(c, e, &report, &c->try.got);
            return STREAM_GOES_ON;
        }
        if (!commit(c, out))
            return STREAM_STOPS;
    }
    if (report.done) {
        finish(c, e, &report, out);
        return STREAM_STOPS;
    }
    from = out->n;
    c->leg.kind->put_event(c, e, &report, out);
    call_keep_event(c, out, from);
    return STREAM_GOES_ON;
}

/* False: the call has gone on elsewhere, or has ended. */
static bool take_events(struct call *c, struct buf *out)
{
    struct sse_event e;
    int r;

    while ((r = leg_next(&c->leg, &e)) == LEG_OK)
        if (take_event(c, &e, out) == STREAM_STOPS)
            return false;
    if (r == LEG_E_MORE || r == LEG_E_END)
        return true;
    lost(c, TRY_BAD_REPLY, r == LEG_E_BAD ? "bad_event" : "event_too_large");
    return false;
}

bool call_stream_bytes(struct call *c, struct str bytes)
{
    struct buf *out = &c->g->scratch;

    if (leg_push(&c->leg, bytes) != LEG_OK) {
        lost(c, TRY_BAD_REPLY, "event_too_large");
        return true;
    }
    if (!take_events(c, out)) {
        buf_reset(out);
        return true;
    }
    if (!call_stay_covered(c)) {
        if (c->phase == CALL_GROW)
            (void)send(c, out);
        buf_reset(out);
        return false;
    }
    return send(c, out);
}

/* Some leave the end mark out: what has a finish is whole, or figures that come at the end. */
static bool is_whole(const struct call *c)
{
    const struct dialect *upstream = leg_format(&c->leg)->dialect;

    return c->record.finish_reason.p ||
           (c->last.has_usage && !(upstream && upstream->early_usage));
}

/* The upstream has closed. */
static void close_stream(struct call *c, struct buf *out)
{
    struct wire_report report = {.done = false};

    if (c->leg.kind->read_event(c, NULL, &report) == LEG_OK)
        call_note(c, &report.llm);
    if (c->phase == CALL_STREAM && is_whole(c))
        finish(c, NULL, &report, out);
    else
        lost(c, TRY_BAD_REPLY, "ended_early");
}

void call_stream_end(struct call *c, enum fetch_fault fault)
{
    struct buf *out = &c->g->scratch;

    leg_end(&c->leg);
    if (!take_events(c, out)) {
        buf_reset(out);
        return;
    }
    if (fault == FETCH_DONE)
        close_stream(c, out);
    else
        lost(c, call_outcome_of_fault(fault), fetch_fault_name(fault));
    buf_reset(out);
}
