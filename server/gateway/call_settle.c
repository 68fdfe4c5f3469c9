/* call_settle.c: from what was used to the record in the journal.
 *
 * Whose figures count (reliability 1.6): the provider's, the last that it gave. Where there are
 * none, or none that can be true, or they say that nothing was made while text has come: counted
 * here, text at four bytes a token on both sides, rounded up, and each inline image or sound at its
 * model's bound. Searches of the web are the provider's count, too. Nothing served, nothing billed:
 * zero. An error's text is never output. What a provider says that a call has cost is not read, so a
 * cost of zero is not believed either: the charge is the usage at our price. A server that a team chose
 * for itself, and pays a fee on what it tells, is not believed where it tells less than half of the text
 * that is counted here; its seconds and pages are. */
#include "base/bounds.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "gateway/call_flow.h"
#include "gateway/refusal.h"
#include "traces/traces.h"

void call_note(struct call *c, const struct llm_report *llm)
{
    struct arena *a = c->r->arena;

    c->output_bytes += llm->output_bytes;
    c->images += llm->images;
    c->pages += llm->pages;
    c->searches += llm->searches;
    if (llm->visual.quality.n)
        c->visual.quality = arena_str(a, llm->visual.quality);
    if (llm->visual.size.n)
        c->visual.size = arena_str(a, llm->visual.size);
    if (llm->has_usage)
        llm_take_usage(&c->last, llm);
    if (llm->has_service) {
        c->last.has_service = true;
        c->last.service = llm->service;
    }
    if (llm->finish_reason.n)
        c->record.finish_reason = arena_str(a, llm->finish_reason);
    if (llm->id.n && !c->reply_id.p)
        c->reply_id = arena_str(a, llm->id);
}

static struct usage counted(const struct call *c)
{
    struct usage u;

    estimate_prompt(&c->wire.llm, c->try.target->model, &u);
    u.n[USAGE_OUTPUT] = estimate_tokens(c->output_bytes);
    return u;
}

/* How far a provider's figure may be from what was estimated: tools that it runs itself can fill a
 * context of some million tokens, and some do not count reasoning against the limit of output. */
enum { ESTIMATES = 4, PROMPT_SLACK = 4194304, OUTPUT_SLACK = 262144 };

static bool is_credible(const struct call *c, const struct usage *u, enum usage_covers side)
{
    const struct price_estimate *e = &c->money.most;
    int64_t most = side == USAGE_COVERS_PROMPT
                       ? (e->input_tokens + e->audio_input_tokens) * ESTIMATES + PROMPT_SLACK
                       : e->output_tokens * ESTIMATES + OUTPUT_SLACK;

    return usage_sum(u, side) <= most;
}

/* The provider's figures; what they lack, or what cannot be true of them, is counted here. */
static enum usage_basis provided(const struct call *c, struct usage *ret)
{
    bool lacks_prompt = c->last.lacks_prompt || !is_credible(c, &c->last.usage, USAGE_COVERS_PROMPT);
    bool lacks_output = (c->last.lacks_output && model_kind_writes(c->endpoint->kind)) ||
                        !is_credible(c, &c->last.usage, USAGE_COVERS_OUTPUT);
    struct usage own;

    *ret = c->last.usage;
    if (!lacks_prompt && !lacks_output)
        return USAGE_BASIS_PROVIDER;
    own = counted(c);
    if (lacks_prompt)
        usage_take(ret, &own, USAGE_COVERS_PROMPT);
    if (lacks_output)
        usage_take(ret, &own, USAGE_COVERS_OUTPUT);
    return USAGE_BASIS_COUNTED;
}

/* What models that search for long make of a question, beside what the request allows. */
enum { SEARCHES_SLACK = 1000 };

/* Searches of the web, as the provider tells them where that is believed, else as they were seen. */
static int64_t searches_made(const struct call *c, bool believed, bool *ret_told)
{
    int64_t asked = c->money.most.things.n[USAGE_SEARCH];
    int64_t most = MIN(asked, (int64_t)BOUND_USAGE_QUANTITY / ESTIMATES) * ESTIMATES + SEARCHES_SLACK;
    int64_t told = c->last.usage.n[USAGE_SEARCH];

    *ret_told = believed && c->last.has_usage && !(c->last.silent & LLM_SILENT(USAGE_SEARCH)) &&
                told <= most;
    return *ret_told ? told : MIN((int64_t)c->searches, most);
}

static bool has_price(const struct call *c, enum usage_unit unit)
{
    const struct price *price = c->try.target->price;

    return price && price_step_at(price, c->wire.llm.service, 0)->charge[unit] != PRICE_NONE;
}

/* Where they have a price; and one where there always is one. False: that one is counted here. */
static bool add_searches(const struct call *c, bool believed, struct usage *u)
{
    bool always = c->wire.llm.searches_always && c->leg.kind == &leg_same, told;
    int64_t n = searches_made(c, believed, &told);

    u->n[USAGE_SEARCH] = 0;
    if (!has_price(c, USAGE_SEARCH))
        return true;
    u->n[USAGE_SEARCH] = told || n || !always ? n : 1;
    return told || n || !always;
}

/* Searches that nobody asked for, of a model that sells none: its operator pays for them. */
static void tell_unsold_searches(const struct call *c)
{
    bool told;
    int64_t n = c->served ? searches_made(c, true, &told) : 0;

    if (n && model_kind_writes(c->endpoint->kind) && !has_price(c, USAGE_SEARCH))
        log_error("unit_without_price", "call_team=%lld model=%s searches=%lld",
                  (long long)c->record.team_id, log_str(c->try.target->model->name), (long long)n);
}

/* The call itself, and the images in its prompt where they have a price of their own. */
static void add_things(const struct call *c, struct usage *u)
{
    u->n[USAGE_REQUEST] = 1;
    if (has_price(c, USAGE_IMAGE))
        u->n[USAGE_IMAGE] = c->wire.llm.image_parts;
    usage_clamp(u);
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

/* Counted is an estimate, and an honest server's tokens have three to six bytes, not eight. */
enum { DOUBT = 2 };

/* Figures of a team's own server that are too low to be true, each side for itself. */
static bool mend_lies(const struct call *c, struct usage *u)
{
    const struct catalog_account *a = c->try.target->account;
    struct usage seen;
    bool mended = false;

    if (!a->own_url || !a->own_fee_bp)
        return false;
    seen = counted(c);
    if (usage_sum(u, USAGE_COVERS_PROMPT) < estimate_tokens(c->wire.llm.prompt_bytes) / DOUBT) {
        usage_take(u, &seen, USAGE_COVERS_PROMPT);
        mended = true;
    }
    if (usage_sum(u, USAGE_COVERS_OUTPUT) < seen.n[USAGE_OUTPUT] / DOUBT) {
        usage_take(u, &seen, USAGE_COVERS_OUTPUT);
        mended = true;
    }
    return mended;
}

/* Of what is no chat: the provider's figures where they can be true, in the units of the price. */
static enum usage_basis usage_of_things(const struct call *c, struct usage *ret)
{
    const struct catalog_target *t = c->try.target;
    const struct things_seen seen = {
        .images = c->images, .pages = c->pages, .output_bytes = c->output_bytes};
    struct llm_report told = c->last;
    bool all;

    if (!is_credible(c, &told.usage, USAGE_COVERS_PROMPT) ||
        !is_credible(c, &told.usage, USAGE_COVERS_OUTPUT))
        told.has_usage = false;
    things_count(&c->wire.llm, t, &seen, ret);
    all = things_settle(&told, t->price, ret);
    if (call_money_absurd(c, ret)) {
        told.has_usage = false;
        things_count(&c->wire.llm, t, &seen, ret);
        all = things_settle(&told, t->price, ret);
    }
    return all ? USAGE_BASIS_PROVIDER : USAGE_BASIS_COUNTED;
}

/* What is to be charged for, as things stand. Figures that no call can cost are not believed. */
enum usage_basis call_usage(const struct call *c, struct usage *ret)
{
    const struct catalog_target *t = c->try.target;
    enum usage_basis basis;

    *ret = (struct usage){0};
    if (!c->served)
        return USAGE_BASIS_ZERO;
    if (things_are_counted(t->model->kind))
        return usage_of_things(c, ret);
    if (c->last.has_usage) {
        basis = provided(c, ret);
        if (mend_zeros(c, ret))
            basis = USAGE_BASIS_COUNTED;
        if (mend_lies(c, ret))
            basis = USAGE_BASIS_COUNTED;
        if (!add_searches(c, true, ret))
            basis = USAGE_BASIS_COUNTED;
        add_things(c, ret);
        if (!call_money_absurd(c, ret))
            return basis;
        log_error("absurd_usage", "call_team=%lld provider=%s account=%lld model=%s",
                  (long long)c->record.team_id, t->account->provider->kind,
                  (long long)t->account->id.v, log_str(t->model->name));
    }
    *ret = counted(c);
    (void)add_searches(c, false, ret);
    add_things(c, ret);
    return USAGE_BASIS_COUNTED;
}

static void log_end(const struct call *c)
{
    const struct call_record *r = &c->record;
    char id[CALL_ID_TEXT];

    if (!log_enabled(LOG_INFO))
        return;
    call_id_text(r->call_id, id);
    log_info(call_is_shadow(c) ? "shadow" : "call",
             "id=%s team=%lld key=%lld model=%s provider=%s status=%d outcome=%.*s attempts=%d "
             "in=%lld out=%lld charge_nano=%lld ttfb_us=%lld us=%lld",
             id, (long long)r->team_id, (long long)r->key_id, log_str(r->requested_model),
             log_str(r->provider), (int)r->status, STR_FMT(r->outcome), (int)r->attempts,
             (long long)call_record_tokens(r, USAGE_COVERS_PROMPT),
             (long long)call_record_tokens(r, USAGE_COVERS_OUTPUT),
             (long long)r->charge_nano.nano, (long long)r->ttfb_us, (long long)r->latency_us);
}

static void tell(const struct call *c)
{
    metrics_call(&c->g->metrics, &c->record);
    if (c->g->services->traces)
        traces_note(c->g->services->traces, request_header(c->r, "traceparent"), &c->record);
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
    call_record_set_usage(r, &u);
    tell_unsold_searches(c);
    if (c->served) {
        c->served->prompt_tokens = usage_sum(&u, USAGE_COVERS_PROMPT);
        c->served->completion_tokens = usage_sum(&u, USAGE_COVERS_OUTPUT);
    }
    if (c->guard)
        call_guard_count(c);
    call_record_clip(r);
    if (c->money.begun || (c->cache && c->cache->given)) {
        call_money_settle(c, &u);
    } else if (!call_is_shadow(c)) {
        call_money_release(c);
        refusal_record(c);
    }
    if (call_is_shadow(c))
        call_shadow_count(c);
    else
        tell(c);
    log_end(c);
}
