/* call_leave.c: what becomes of a call whose client is gone (reliability 1.6).
 *
 * Whether the upstream is closed or read to its end without a client goes by the provider's rule:
 * does closing the connection stop its work and its bill?
 *
 *   the client left while ...                  it does             it does not
 *   nothing was sent yet (key, hold)           zero                zero
 *   an error's body was read                   closed, zero        closed, zero
 *   nothing had come but a head or comments    closed, zero        drained
 *   a stream was shown                         closed, so far      drained
 *   a stream had finished but for its figures  drained             drained
 *   a plain answer's body was coming           drained             drained
 *   a job was asked for                        it is kept, as if the client were there
 *
 * What has finished, and a plain answer that has begun to come, has been made: there is nothing
 * left to stop. "So far" is the input and what has come of the output. Drained: read on for the figures, until
 * the end, for 30 s at most, never beyond what is held, and for a bounded number of calls per loop;
 * then what is known is charged. */
#include "base/bounds.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "gateway/call_flow.h"
#include "providers/provider.h"

enum {
    DRAIN_MS = 30000,
    DRAINS_PER_LOOP = 64,
    STATUS_GONE = 499, /* nginx's number for a client that left, used in logs only */
};

/* The provider worked, and says or shows how much: then the try has served, if only itself. */
static void serve_what_came(struct call *c)
{
    if (!c->served && c->try.record && (c->last.has_usage || c->output_bytes || c->images))
        call_serve(c);
}

void call_leave(struct call *c)
{
    serve_what_came(c);
    call_blame(c);
    call_try_end(c, TRY_OK, "client_gone", STR_NONE);
    if (c->phase == CALL_DRAIN)
        c->g->draining_upstreams--;
    call_settle(c, STATUS_GONE, CALL_OUTCOME_CLIENT_GONE);
    call_end(c);
}

/* Has the model made all of it, so that there is nothing left to stop? Some servers send blanks
 * ahead of a plain answer, to keep the connection alive. */
static bool is_made(const struct call *c)
{
    return c->phase == CALL_PASS || c->record.finish_reason.p ||
           (c->phase == CALL_WHOLE && str_trim(buf_str(&c->try.got)).n > 0);
}

/* Are the upstream's figures worth waiting for? */
static bool is_worth_reading(const struct call *c)
{
    const struct provider *p = c->try.target->account->provider;
    bool stops = c->wire.llm.stream ? p->cancel_stops_billing : p->cancel_stops_plain;

    if (c->phase == CALL_ERROR || c->g->draining_upstreams >= DRAINS_PER_LOOP)
        return false;
    if (c->phase == CALL_PASS && call_passes(c))
        return false; /* there are no figures in sound */
    if (is_made(c))
        return !c->last.has_usage || c->phase == CALL_PASS;
    return !stops;
}

void call_go_on_alone(struct call *c)
{
    if (!is_worth_reading(c)) {
        call_leave(c);
        return;
    }
    c->drains_pass = c->phase == CALL_PASS;
    call_enter(c, CALL_DRAIN);
    c->g->draining_upstreams++;
    call_wait(c, DRAIN_MS);
    if (c->client_full)
        fetch_resume(c->try.fetch);
    c->client_full = false;
}

void call_gone(struct request *r)
{
    struct call *c = r->user;

    if (!c || !c->client_there)
        return;
    (void)failpoint_hit("client.gone");
    c->client_there = false;
    c->record.client_gone_at = clock_wall_us();
    if (c->phase == CALL_KEY)
        call_end(c);
    else if (c->phase == CALL_PREVIOUS)
        call_leave(c);
    else if (c->try.fetch && c->phase != CALL_SETTLED && c->phase != CALL_GROW &&
             c->phase != CALL_KEEP && !c->endpoint->makes_jobs)
        call_go_on_alone(c);
    /* else a step that is waited for will see it */
}

/* An answer larger than what is kept whole goes on as the large ones do. */
static void keep_tail(struct call *c)
{
    struct buf whole = c->try.got;

    buf_init(&c->try.got, BOUND_UPSTREAM_REPLY_BYTES);
    c->drains_pass = true;
    call_pass_note(c, buf_str(&whole));
    buf_done(&whole);
}

void call_drain_bytes(struct call *c, struct str bytes)
{
    if (c->try.status < 200 || c->try.status > 299)
        call_leave(c); /* an error, whose text is nobody's output */
    else if (c->leg.open)
        (void)call_stream_bytes(c, bytes);
    else if (c->drains_pass)
        call_pass_note(c, bytes);
    else
        buf_put_str(&c->try.got, bytes);
    if (c->phase == CALL_DRAIN && !c->leg.open && c->try.got.n > BOUND_WHOLE_REPLY_BYTES)
        keep_tail(c);
}

bool call_drain_event(struct call *c, const struct wire_report *report)
{
    serve_what_came(c);
    if (!report->done && !report->error && !(report->usage_only && report->llm.has_usage))
        return false;
    call_leave(c);
    return true;
}

static void read_plain(struct call *c)
{
    struct wire_report report;

    if (call_passes(c) && c->try.got.n)
        call_pass_note(c, STR(""));
    if (c->drains_pass)
        call_pass_usage(c);
    else if (c->leg.kind->read_whole(c, buf_str(&c->try.got), &report) == LEG_OK &&
             !call_is_error(&report)) {
        call_note(c, &report.llm);
        if (report.has_data && !c->served && c->try.record) /* an answer, also without figures */
            call_serve(c);
    }
}

void call_drain_end(struct call *c, enum fetch_fault fault)
{
    if (c->leg.open) {
        call_stream_end(c, fault);
        return;
    }
    if (c->try.status >= 200 && c->try.status <= 299)
        read_plain(c);
    call_leave(c);
}
