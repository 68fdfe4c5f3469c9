/* call_grow.c: a stream that has used more than is held for it (reliability 1.4, step 5).
 *
 * The hold is a true bound where the provider keeps to the limits that it was sent, so this is for
 * those that do not. What this node has leased is taken at once; else the upstream is paused until
 * the database has been asked. When there is no more, the stream ends for its client as one that
 * has met its length, with an error event behind it, and without a client it is just left. */
#include "gateway/call_flow.h"

static void exhausted(struct call *c, const struct problem *p)
{
    struct wire_stop stop = {
        .id = c->reply_id,
        .model = c->try.target->upstream_model,
        .created_s = c->record.started_at / 1000000,
        .choices = c->wire.llm.choices,
        .reason = "length",
        .usage = c->last.usage,
    };

    c->record.finish_reason = str_c(stop.reason);
    c->record.quota_source = str_c(p->quota_source);
    call_try_end(c, TRY_OK, "balance_exhausted", STR_NONE);
    c->leg.kind->put_stop(c, &stop, &c->g->scratch);
    call_stream_break(c, p, CALL_OUTCOME_CUT);
}

bool call_stay_covered(struct call *c)
{
    struct problem p;
    int r;

    if (!call_money_progress(c))
        return true;
    if (call_is_shadow(c))
        return call_shadow_stays(c);
    if (c->phase == CALL_DRAIN) {
        if (call_money_covered(c))
            return true;
        call_leave(c);
        return false;
    }
    r = call_money_grow(c, &p);
    if (r == CALL_MONEY_OK)
        return true;
    if (r == CALL_MONEY_WAIT) {
        c->grow = (struct call_grow){.fault = FETCH_DONE};
        call_enter(c, CALL_GROW);
    } else {
        exhausted(c, &p);
    }
    return false;
}

void call_grown(struct call *c, int outcome, const struct problem *p)
{
    call_enter(c, CALL_STREAM);
    if (!c->client_there && c->try.fetch)
        call_go_on_alone(c);
    else if (!c->client_there)
        call_leave(c);
    else if (c->grow.cut)
        call_cut(c, &c->grow.problem);
    else if (outcome != CALL_MONEY_OK)
        exhausted(c, p);
    else if (c->grow.fetch_done)
        call_stream_end(c, c->grow.fault);
    else if (!c->client_full)
        fetch_resume(c->try.fetch);
}
