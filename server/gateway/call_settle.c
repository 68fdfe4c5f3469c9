/* call_settle.c: from what was used to the record in the journal.
 *
 * Whose figures count (reliability 1.6): the provider's, the last that it gave. Where there are
 * none, or they say that nothing was made while text has come: counted here, text at four bytes a
 * token on both sides, rounded up, and each inline image or sound at its model's bound. Nothing
 * served, nothing billed: zero. An error's text is never output. */
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "gateway/call_flow.h"
#include "gateway/refusal.h"

void call_note(struct call *c, const struct llm_report *llm)
{
    struct arena *a = c->r->arena;

    c->output_bytes += llm->output_bytes;
    if (llm->has_usage) {
        c->last.has_usage = true;
        c->last.usage = llm->usage;
    }
    if (llm->finish_reason.n)
        c->record.finish_reason = arena_str(a, llm->finish_reason);
    if (llm->id.n && !c->reply_id.p)
        c->reply_id = arena_str(a, llm->id);
}

static struct usage counted(const struct call *c)
{
    const struct llm_request *llm = &c->wire.llm;
    struct usage u = {.n[USAGE_REQUEST] = 1};

    u.n[USAGE_INPUT] = estimate_tokens(llm->prompt_bytes) +
                       (int64_t)llm->media_parts * c->try.target->model->media_tokens;
    u.n[USAGE_OUTPUT] = estimate_tokens(c->output_bytes);
    usage_clamp(&u);
    return u;
}

/* Figures of zero for what has come are not believed, each side for itself: an answer whose text
 * we have was made of something, and an embedding is of its input. */
static bool mend_zeros(const struct call *c, struct usage *u)
{
    struct usage seen = counted(c);
    bool none = usage_sum(u, USAGE_COVERS_PROMPT) + usage_sum(u, USAGE_COVERS_OUTPUT) == 0;
    bool mended = false;

    if (c->output_bytes && !usage_sum(u, USAGE_COVERS_OUTPUT)) {
        u->n[USAGE_OUTPUT] = seen.n[USAGE_OUTPUT];
        mended = true;
    }
    if (none && (c->output_bytes || c->endpoint->kind == MODEL_EMBEDDING)) {
        u->n[USAGE_INPUT] = seen.n[USAGE_INPUT];
        mended = true;
    }
    return mended;
}

/* What is to be charged for, as things stand. */
enum usage_basis call_usage(const struct call *c, struct usage *ret)
{
    *ret = (struct usage){0};
    if (!c->served)
        return USAGE_BASIS_ZERO;
    if (!c->last.has_usage) {
        *ret = counted(c);
        return USAGE_BASIS_COUNTED;
    }
    *ret = c->last.usage;
    ret->n[USAGE_REQUEST] = 1;
    usage_clamp(ret);
    return mend_zeros(c, ret) ? USAGE_BASIS_COUNTED : USAGE_BASIS_PROVIDER;
}

void call_fill_usage(struct call_record *r, const struct usage *u)
{
    r->input_tokens = u->n[USAGE_INPUT] + u->n[USAGE_AUDIO_INPUT];
    r->cached_input_tokens = u->n[USAGE_CACHED_INPUT];
    r->cache_write_5m_tokens = u->n[USAGE_CACHE_WRITE_5M];
    r->cache_write_1h_tokens = u->n[USAGE_CACHE_WRITE_1H];
    r->output_tokens = usage_sum(u, USAGE_COVERS_OUTPUT);
    r->reasoning_tokens = u->n[USAGE_REASONING];
    r->audio_input_tokens = u->n[USAGE_AUDIO_INPUT];
    r->audio_output_tokens = u->n[USAGE_AUDIO_OUTPUT];
    r->images = u->n[USAGE_IMAGE];
}

static void log_end(const struct call *c)
{
    const struct call_record *r = &c->record;
    char id[CALL_ID_TEXT];

    if (!log_enabled(LOG_INFO))
        return;
    call_id_text(r->call_id, id);
    log_info("call",
             "id=%s team=%lld key=%lld model=%s provider=%s status=%d outcome=%.*s attempts=%d "
             "in=%lld out=%lld charge_nano=%lld ttfb_us=%lld us=%lld",
             id, (long long)r->team_id, (long long)r->key_id, log_str(r->requested_model),
             log_str(r->provider), (int)r->status, STR_FMT(r->outcome), (int)r->attempts,
             (long long)r->input_tokens, (long long)r->output_tokens,
             (long long)r->charge_nano.nano, (long long)r->ttfb_us, (long long)r->latency_us);
}

void call_settle(struct call *c, int status, enum call_outcome outcome)
{
    struct call_record *r = &c->record;
    struct usage u;

    call_enter(c, CALL_SETTLED);
    (void)failpoint_hit("call.settle");
    r->basis = str_c(usage_basis_name(call_usage(c, &u)));
    r->status = status;
    r->outcome = str_c(call_outcome_name(outcome));
    r->latency_us = (clock_mono_ns() - c->r->began_mono_ns) / 1000;
    if (!r->upstream_request_id.p)
        r->upstream_request_id = c->reply_id;
    call_fill_usage(r, &u);
    if (c->served) {
        c->served->input_tokens = usage_sum(&u, USAGE_COVERS_PROMPT);
        c->served->output_tokens = r->output_tokens;
    }
    call_record_clip(r);
    if (c->money.begun) {
        call_money_settle(c, &u);
    } else {
        call_money_release(c);
        refusal_record(c);
    }
    metrics_call(&c->g->metrics, r);
    log_end(c);
}
