/* call_answer.c: what comes from the upstream, by phase, and the plain answer to the client. */
#include "base/bounds.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "gateway/attempts.h"
#include "gateway/call_flow.h"
#include "gateway/call_limits.h"
#include "http/router.h"

#define ERROR_BODY_BYTES KIB(64) /* of an upstream's error, kept for the client */
#define TAIL_BYTES KIB(16)       /* of a large answer: its usage stands at the end */

/* Upstream headers that the client gets, under these names. */
static const struct {
    struct str from;
    const char *to;
} forwarded[] = {
    {STR("openai-processing-ms"), "openai-processing-ms"},
    {STR("openai-version"), "openai-version"},
    {STR("x-request-id"), "x-upstream-request-id"},
};

static void keep_headers(struct call *c, const struct fetch_head *head)
{
    struct arena *a = c->r->arena;

    c->n_forwarded = 0;
    for (size_t i = 0; i < head->header_count; i++) {
        struct str name = str_c(head->headers[i].name), value = head->headers[i].value;

        if (str_eq(name, STR("x-request-id")) || str_eq(name, STR("request-id")))
            c->try.record->upstream_request_id = arena_str(a, value);
        if (str_eq(name, STR("x-amzn-bedrock-input-token-count")) &&
            str_i64(value, &c->try.input_tokens) != STR_OK)
            c->try.input_tokens = -1;
        if (str_eq(name, STR("retry-after")))
            c->try.retry_after_ms = retry_after_ms(value, clock_wall_us());
        for (size_t k = 0; k < ARRAY_LEN(forwarded); k++)
            if (str_eq(name, forwarded[k].from) && c->n_forwarded < ARRAY_LEN(c->forwarded))
                c->forwarded[c->n_forwarded++] =
                    (struct http_header){forwarded[k].to, arena_str(a, value)};
    }
}

static bool is_document(const struct call *c)
{
    struct str type = str_c(c->content_type);

    return str_starts(type, STR("application/json")) || str_starts(type, STR("text/html"));
}

bool call_passes(const struct call *c)
{
    return c->endpoint->format->dialect->passes && !is_document(c) &&
           !str_starts(str_c(c->content_type), STR("text/"));
}

bool call_is_text(const struct call *c)
{
    return c->wire.wants_text && !is_document(c);
}

/* Some servers send events without saying so; none sends them as one of these. */
static bool is_events(const struct call *c, const struct fetch_head *head)
{
    const struct dialect *d = c->endpoint->format->dialect;

    if (!c->wire.llm.stream || !d->read_event)
        return false;
    if (d->passes) /* what comes is sound, unless it says that it is events */
        return str_starts(head->content_type, STR("text/event-stream"));
    return !str_starts(head->content_type, STR("application/json")) &&
           !str_starts(head->content_type, STR("text/html"));
}

void call_head_came(struct fetch *f, const struct fetch_head *head, void *ctx)
{
    struct call *c = ctx;
    struct call_try *t = &c->try;
    bool good;

    (void)f;
    (void)failpoint_hit("upstream.head");
    t->first_byte_ns = clock_mono_ns();
    t->status = head->status;
    keep_headers(c, head);
    c->content_type = arena_cstr(c->r->arena, head->content_type);
    good = head->status >= 200 && head->status <= 299;
    if (good && is_events(c, head) && leg_open(c) < 0)
        leg_close(&c->leg); /* out of memory: read whole, and found to be no answer */
    if (c->phase == CALL_SENT)
        call_enter(c, !good ? CALL_ERROR : c->leg.open ? CALL_PEEK : CALL_WHOLE);
}

/* Where the format's own libraries look for it. */
static void put_request_id(struct call *c, struct response *out)
{
    char id[CALL_ID_TEXT];

    call_id_text(c->r->id, id);
    if (c->r->route->problems == PROBLEM_AS_OPENAI)
        response_header(out, "x-request-id", arena_str(c->r->arena, str_c(id)));
    else if (c->r->route->problems == PROBLEM_AS_ANTHROPIC)
        response_header(out, "request-id", arena_str(c->r->arena, str_c(id)));
}

static struct str cache_word(const struct call *c)
{
    if (c->record.similarity_bp)
        return STR("similar");
    return c->record.cache.p ? c->record.cache : STR("none");
}

/* The head of every answer whose call is known (DESIGN 7). */
void call_put_head(struct call *c, struct response *out)
{
    struct arena *a = c->r->arena;

    put_request_id(c, out);
    if (c->record.served_model.p)
        response_header(out, "x-tollgate-model", c->record.served_model);
    if (c->record.provider.p)
        response_header(out, "x-tollgate-provider", c->record.provider);
    response_header(out, "x-tollgate-attempts", arena_i64(a, c->record.attempts, ""));
    response_header(out, "x-tollgate-cache", cache_word(c));
    if (c->record.dropped.p)
        response_header(out, "x-tollgate-dropped", c->record.dropped);
    if (c->record.rule.p)
        response_header(out, "x-tollgate-rule", c->record.rule);
    if (c->record.guardrails.p)
        response_header(out, "x-tollgate-guardrails", c->record.guardrails);
    for (size_t i = 0; i < c->n_forwarded; i++)
        response_header(out, c->forwarded[i].name, c->forwarded[i].value);
    call_limits_head(c, out);
}

struct str call_trace(struct call *c)
{
    struct str attempts = attempts_json(c->r->arena, &c->record);
    char id[CALL_ID_TEXT];

    call_id_text(c->r->id, id);
    if (!attempts.p)
        attempts = STR("[]");
    return arena_strf(c->r->arena, "{\"request_id\":\"%s\",\"attempts\":%.*s}", id,
                      STR_FMT(attempts));
}

struct str call_trace_member(struct call *c)
{
    struct str trace = c->trace ? call_trace(c) : STR_NONE;

    return trace.p ? arena_strf(c->r->arena, "\"tollgate\":%.*s", STR_FMT(trace)) : STR_NONE;
}

/* The try that runs is the one that serves: what it was goes on the call's record. */
void call_serve(struct call *c)
{
    const struct catalog_target *t = c->try.target;
    struct call_record *r = &c->record;

    c->served = c->try.record;
    r->dropped = c->leg.dropped;
    c->served->served = true;
    r->served_model = t->model->name;
    r->model_id = t->model->id.v;
    r->target_id = t->id.v;
    r->account_id = t->account->id.v;
    r->own_key = t->account->team.v != 0;
    r->own_fee_bp = t->account->own_fee_bp;
    r->provider = str_c(t->account->provider->kind);
    r->account_name = t->account->name;
    r->upstream_request_id = c->served->upstream_request_id;
    r->fallback = c->record.attempts > 1;
    r->ttfb_us = (c->try.first_byte_ns - c->r->began_mono_ns) / 1000;
}

/* An answer that is to be kept, or written anew, is read whole where others are passed on. */
static size_t whole_bytes(const struct call *c)
{
    if (c->leg.kind != &leg_same)
        return BOUND_TRANSLATED_REPLY_BYTES;
    if (call_guard_looks(c)) /* nothing passes unseen: what is larger has broken off before */
        return BOUND_UPSTREAM_REPLY_BYTES;
    return c->keep.wanted ? BOUND_STORED_RESPONSE_BYTES : BOUND_WHOLE_REPLY_BYTES;
}

/* True: it waits until it is kept, the call goes on then. */
static bool send_whole(struct call *c, const struct wire_report *report)
{
    struct wire_report_edit edit = {.has_cost = true, .cost = c->record.charge_nano};
    struct response response = {.status = c->try.status,
                                .content_type = call_is_text(c) ? c->content_type
                                                                : "application/json"};
    struct buf body, cost;

    edit.members = call_trace_member(c);
    buf_init(&body, whole_bytes(c) + KIB(128));
    buf_init(&cost, 64);
    c->leg.kind->put_whole(c, report, &edit, &body);
    money_put(&cost, edit.cost, 0);
    call_put_head(c, &response);
    response_header(&response, "x-tollgate-cost", arena_str(c->r->arena, buf_str(&cost)));
    response.body = arena_str(c->r->arena, buf_str(&body));
    if (buf_finish(&body) < 0 || !response.body.p)
        response.body = report->bytes;
    buf_done(&body);
    buf_done(&cost);
    /* The bytes must outlive the call: `got` dies with it. */
    if (response.body.p == report->bytes.p)
        response.body = arena_str(c->r->arena, report->bytes);
    if (c->cache)
        call_cache_keep_whole(c, response.content_type, response.body);
    response.body = call_keep_mark(c, response.body);
    if (call_keep_whole(c, &response))
        return true;
    request_reply(c->r, &response);
    return false;
}

static bool is_answer(const struct call *c, const struct wire_report *report)
{
    if (c->endpoint->format->dialect->passes)
        return false; /* it was to be no document at all */
    return model_kind_writes(c->endpoint->kind) ? report->has_choices : report->has_data;
}

/* False: a guardrail stops the answer, and the call has ended. It was made, so it is charged. */
static bool check_texts(struct call *c, struct wire_report *report)
{
    struct problem p;
    int r = call_guard_whole(c, &p);

    if (r == CALL_GUARD_CHANGED && c->leg.kind->read_whole(c, buf_str(&c->try.got), report) != LEG_OK) {
        p = problem_of(PROBLEM_INTERNAL);
        r = CALL_GUARD_STOPS;
    }
    if (r != CALL_GUARD_STOPS)
        return true;
    call_serve(c);
    call_note(c, &report->llm);
    call_try_end(c, TRY_OK, NULL, STR_NONE);
    call_refuse(c, &p, p.code == PROBLEM_GUARDRAIL ? CALL_OUTCOME_BLOCKED : CALL_OUTCOME_INTERNAL);
    return false;
}

static void finish_whole(struct call *c, enum fetch_fault fault)
{
    struct wire_report report;
    enum try_outcome outcome;
    struct str text;

    if (fault != FETCH_DONE) {
        call_try_failed(c, call_outcome_of_fault(fault), fetch_fault_name(fault), STR_NONE);
        return;
    }
    if (c->leg.kind->read_whole(c, buf_str(&c->try.got), &report) != LEG_OK) {
        call_try_failed(c, TRY_BAD_REPLY, NULL, STR("The answer cannot be read."));
        return;
    }
    if (call_is_error(&report)) {
        outcome = call_error_read(c, &text);
        call_try_failed(c, outcome, "error_in_200", text);
        return;
    }
    if (!is_answer(c, &report)) {
        call_try_failed(c, TRY_BAD_REPLY, NULL, STR("The answer has nothing in it."));
        return;
    }
    if (c->endpoint->makes_jobs) {
        call_video_keep(c, &report);
        return;
    }
    if (call_guard_looks(c) && !check_texts(c, &report))
        return;
    call_serve(c);
    call_note(c, &report.llm);
    call_try_end(c, TRY_OK, NULL, STR_NONE);
    call_settle(c, c->try.status, CALL_OUTCOME_OK);
    if (c->client_there && send_whole(c, &report))
        return;
    (void)failpoint_hit("answer.queued");
    call_end(c);
}

/* Where an answer so large says nothing of its usage its bytes are counted, but no more than the
 * output that it was allowed. */
static void count_passed(struct call *c, size_t bytes)
{
    uint64_t most = (uint64_t)c->money.most.output_tokens * ESTIMATE_BYTES_PER_TOKEN;

    if (model_kind_writes(c->endpoint->kind))
        c->output_bytes = MIN(c->output_bytes + bytes, most);
}

void call_pass_note(struct call *c, struct str bytes)
{
    struct buf *tail = &c->try.got;

    count_passed(c, bytes.n);
    buf_put_str(tail, bytes);
    if (tail->n > 2 * TAIL_BYTES)
        buf_consume(tail, tail->n - TAIL_BYTES);
    if (!c->served && c->try.record)
        call_serve(c);
    (void)call_money_progress(c);
}

void call_pass_usage(struct call *c)
{
    struct llm_report found = {.has_usage = false};

    const struct dialect *d = c->endpoint->format->dialect;

    if (d->find_usage && d->find_usage(buf_str(&c->try.got), &found))
        call_note(c, &found);
    if (c->endpoint->kind == MODEL_IMAGE) /* a plain answer that has begun has been made */
        c->images = c->wire.llm.choices;
    if (c->endpoint->kind == MODEL_OCR)
        c->pages = (uint32_t)MAX(c->wire.llm.pages, UINT64_C(1));
}

/* The answer is too large to be read whole: it goes through as it comes, without its cost. */
static bool begin_pass(struct call *c)
{
    struct response head = {.status = c->try.status, .content_type = c->content_type};
    struct buf *got = &c->try.got;
    int r;

    call_enter(c, CALL_PASS);
    call_serve(c);
    call_keep_too_large(c);
    call_pass_usage(c);
    count_passed(c, got->n);
    call_put_head(c, &head);
    request_stream_on_drained(c->r, call_stream_drained);
    r = request_stream_begin(c->r, &head);
    if (r == STREAM_OK)
        r = request_stream_write(c->r, buf_str(got));
    buf_consume(got, got->n - MIN(got->n, TAIL_BYTES));
    c->client_full = r == STREAM_E_FULL;
    return !c->client_full;
}

static bool pass(struct call *c, struct str bytes)
{
    call_pass_note(c, bytes);
    c->client_full = request_stream_write(c->r, bytes) == STREAM_E_FULL;
    return !c->client_full;
}

static void finish_pass(struct call *c, enum fetch_fault fault)
{
    call_pass_usage(c);
    if (fault == FETCH_DONE) {
        call_try_end(c, TRY_OK, NULL, STR_NONE);
        call_settle(c, c->try.status, CALL_OUTCOME_OK);
        request_stream_end(c->r);
    } else {
        c->record.error_code = str_c(problem_slug(PROBLEM_UPSTREAM));
        c->images = c->pages = 0; /* none is whole */
        call_try_end(c, call_outcome_of_fault(fault), fetch_fault_name(fault), STR_NONE);
        call_settle(c, c->try.status, CALL_OUTCOME_CUT);
        request_stream_abort(c->r);
    }
    call_end(c);
}

/* The body of an upstream's error has come, whole or not. */
static void finish_error(struct call *c)
{
    struct str text;
    enum try_outcome outcome = call_error_read(c, &text);

    call_try_failed(c, outcome, NULL, text);
}

bool call_bytes_came(struct fetch *f, struct str bytes, void *ctx)
{
    struct call *c = ctx;
    struct buf *got = &c->try.got;

    (void)f;
    (void)failpoint_hit("upstream.bytes");
    if (c->phase == CALL_ERROR) {
        buf_put(got, bytes.p, MIN(bytes.n, ERROR_BODY_BYTES - MIN(got->n, ERROR_BODY_BYTES)));
    } else if (c->phase == CALL_WHOLE) {
        buf_put_str(got, bytes);
        if (c->leg.kind == &leg_same && (got->n > whole_bytes(c) || call_passes(c)))
            return begin_pass(c);
    } else if (c->phase == CALL_PASS) {
        return pass(c, bytes);
    } else if (c->phase == CALL_PEEK || c->phase == CALL_STREAM) {
        return call_stream_bytes(c, bytes);
    } else if (c->phase == CALL_DRAIN) {
        call_drain_bytes(c, bytes);
    }
    return true;
}

void call_fetch_done(struct fetch *f, enum fetch_fault fault, void *ctx)
{
    struct call *c = ctx;

    (void)failpoint_hit("upstream.done");
    fetch_read_timing(f, &c->try.timing);
    c->try.fetch = NULL;
    if (c->phase == CALL_SENT)
        call_try_failed(c, call_outcome_of_fault(fault), fetch_fault_name(fault), STR_NONE);
    else if (c->phase == CALL_ERROR)
        finish_error(c);
    else if (c->phase == CALL_WHOLE)
        finish_whole(c, fault);
    else if (c->phase == CALL_PASS)
        finish_pass(c, fault);
    else if (c->phase == CALL_PEEK || c->phase == CALL_STREAM)
        call_stream_end(c, fault);
    else if (c->phase == CALL_GROW)
        c->grow.fetch_done = true, c->grow.fault = fault;
    else if (c->phase == CALL_DRAIN)
        call_drain_end(c, fault);
    else if (c->phase == CALL_SETTLED)
        call_end(c);
}
