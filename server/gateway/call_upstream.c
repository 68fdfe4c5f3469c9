/* call_upstream.c: candidates are asked in order until one answers well. The only way back in the
 * life of a call is here: a failed try with nothing shown to the client yet goes to the next. */
#include <errno.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "gateway/call_flow.h"
#include "gateway/call_headers.h"
#include "lease/node.h"
#include "providers/pace.h"
#include "providers/quota.h"
#include "providers/tokens.h"

enum {
    REQUEST_HEADERS = PROVIDER_HEADERS_MAX + 3,
    INNER_MS = 10000, /* nobody waits so long for what the gateway asks for itself; its hold is not kept longer */
};

static int64_t us_between(int64_t from_ns, int64_t to_ns)
{
    return from_ns && to_ns > from_ns ? (to_ns - from_ns) / 1000 : 0;
}

static struct attempt_record *next_record(struct call *c, const struct catalog_target *target)
{
    struct call_record *r = &c->record;
    struct attempt_record *a;

    if (r->attempts >= BOUND_ATTEMPTS)
        return NULL;
    a = &r->attempt[r->attempts++];
    *a = (struct attempt_record){
        .ordinal = r->attempts,
        .target_id = target->id.v,
        .account_id = target->account->id.v,
        .account_name = target->account->name,
        .provider = str_c(target->account->provider->kind),
        .upstream_model = target->upstream_model,
        .started_us = us_between(c->r->began_mono_ns, clock_mono_ns()),
    };
    return a;
}

/* What it has written, as far as can be told. */
static int64_t written(const struct call *c)
{
    const struct llm_report *last = &c->last;

    return last->has_usage && !last->lacks_output ? usage_sum(&last->usage, USAGE_COVERS_OUTPUT)
                                                  : estimate_tokens(c->output_bytes);
}

/* Of the account's own limits as much is taken as was used, where that is told; a try that failed has
 * used no tokens. */
static void correct_quota(struct call *c, bool ok)
{
    struct call_try *t = &c->try;
    int64_t taken_us = t->quota_at_us, used = 0;

    t->quota_at_us = 0;
    if (ok && (!c->last.has_usage || c->last.lacks_prompt))
        return;
    if (ok)
        used = written(c) + usage_sum(&c->last.usage, USAGE_COVERS_PROMPT);
    quota_correct(c->g->services->quota, t->target->account->id, taken_us, clock_wall_us(),
                  used - t->quota_tokens);
}

/* How fast it was, where there is something to choose between. Teams' own are not measured: they go first
 * anyhow, and there are more of them than the board has room for. */
static void note_pace(const struct call *c, int64_t now_ms)
{
    const struct call_try *t = &c->try;
    int64_t tokens = written(c);

    if (t->target->model->n_targets > 1 && t->target->account->team.v == 0 && t->record->latency_us > 0)
        pace_note(c->g->services->pace, t->target->id, now_ms,
                  &(struct pace){.first_byte_us = t->record->ttfb_us,
                                 .tokens_per_ks = (int64_t)((__int128)tokens * 1000000000 /
                                                            t->record->latency_us)});
}

void call_try_end(struct call *c, enum try_outcome outcome, const char *reason,
                  struct str error_text)
{
    struct call_try *t = &c->try;
    int64_t now_ns = clock_mono_ns();

    if (!t->record)
        return;
    if (t->fetch)
        fetch_read_timing(t->fetch, &t->timing);
    t->record->status = t->status;
    t->record->reason = str_c(reason ? reason : try_outcome_name(outcome));
    t->record->connect_us = us_between(t->timing.start_mono_ns, t->timing.sent_mono_ns);
    t->record->ttfb_us = us_between(t->began_ns, t->first_byte_ns);
    t->record->latency_us = us_between(t->began_ns, now_ns);
    t->record->error_text = error_text;
    if (outcome == TRY_OK && reason)
        health_untold(t->health);
    else if (t->health)
        fallback_tell_health(t->health, now_ns / 1000000, outcome, t->retry_after_ms,
                             t->record->ttfb_us, t->record->latency_us);
    if (outcome == TRY_OK && !reason)
        note_pace(c, now_ns / 1000000);
    if (t->quota_at_us)
        correct_quota(c, outcome == TRY_OK);
    metrics_attempt(&c->g->metrics, outcome);
    c->failure.outcome = outcome;
    t->record = NULL;
    if (t->fetch && c->end_seen)
        return; /* it is about to close by itself, its connection can be used again */
    if (t->fetch)
        fetch_cancel(steal(&t->fetch));
}

static void skip(struct call *c, const struct catalog_target *target, const char *reason)
{
    struct attempt_record *a = next_record(c, target);

    if (a)
        a->reason = str_c(reason);
    atomic_fetch_add_explicit(&c->g->metrics.skipped, 1, memory_order_relaxed);
}

static struct str accepted(const struct call *c)
{
    if (!c->wire.llm.stream && (c->wire.wants_text || c->endpoint->format->dialect->passes))
        return STR("*/*");
    if (!c->wire.llm.stream)
        return STR("application/json");
    return str_c(framing_type(leg_format(&c->leg)->framing));
}

static int put_headers(struct call *c, const struct catalog_account *account,
                       struct fetch_header h[REQUEST_HEADERS], struct fetch_request *request)
{
    struct provider_header own[PROVIDER_CLIENT_HEADERS_MAX];
    struct provider_headers all = {.n = 0};
    const struct provider_ask ask = {
        .provider = account->provider,
        .way = c->leg.way->way,
        .credential = &account->credential,
        .place = &account->place,
        .extra = account->headers,
        .n_extra = account->n_headers,
        .client = own,
        .n_client = call_headers_own(c, own),
        .token = c->try.token,
        .method = request->method,
        .url = str_c(request->url),
        .body = buf_str(&c->try.sent), /* whole where it is signed */
        .now_us = clock_wall_us(),
    };
    int r = provider_put_headers(&ask, c->r->arena, &all);
    size_t n = 0;

    h[n++] = (struct fetch_header){"content-type", c->wire.content_type.p
                                                          ? c->wire.content_type
                                                          : STR("application/json")};
    h[n++] = (struct fetch_header){"accept", accepted(c)};
    h[n++] = (struct fetch_header){"user-agent", c->g->user_agent};
    for (size_t i = 0; i < all.n && n < REQUEST_HEADERS; i++)
        h[n++] = (struct fetch_header){all.v[i].name, all.v[i].value};
    request->header_count = n;
    return r;
}

/* The bound of the hold has to be true for every target that may serve. */
static uint64_t limit_to_send(const struct call *c, const struct catalog_target *target)
{
    const struct estimate *e = &c->money.estimate;
    const struct catalog_target *first = c->plan.candidates[0];
    int64_t most = target_output(target);
    bool other = target->model != first->model || most != target_output(first);

    if (!model_kind_writes(target->model->kind) || c->wire.llm.has_output_limit)
        return 0;
    if (!e->send_limit && !other)
        return 0;
    return most ? MIN(e->output_each, (uint64_t)most) : e->output_each;
}

/* *fault: what the target cannot be told (LEG_E_REFUSED). */
static int build_body(struct call *c, const struct catalog_target *target,
                      struct json_fault *fault)
{
    struct wire_request_edit edit = {
        .model = target->upstream_model,
        .output_limit = limit_to_send(c, target),
        .limit_name = target->output_limit_field,
        .dimensions_name = target->account->provider->dimensions_field,
        .ask_usage = !provider_has(target->account->provider, PROVIDER_NO_STREAM_OPTIONS),
    };

    int r;

    buf_reset(&c->try.sent);
    r = c->leg.kind->put_request(c, target, &edit, &c->try.sent, fault);
    if (r == LEG_OK)
        r = leg_version_body(&c->leg, c->r->arena, &c->try.sent);
    if (target->account->credential.aws.id.p)
        buf_join(&c->try.sent); /* it is signed as a whole */
    return r != LEG_OK ? r : buf_finish(&c->try.sent);
}

static int choose_ms(int wanted, int usual)
{
    return wanted > 0 ? wanted : usual;
}

static int start_fetch(struct call *c, const struct catalog_target *target)
{
    static const struct fetch_callbacks callbacks = {
        .head = call_head_came, .chunk = call_bytes_came, .done = call_fetch_done};
    const struct services *s = c->g->services;
    const struct catalog_model *m = target->model;
    struct fetch_header headers[REQUEST_HEADERS];
    struct str pieces[BUF_PIECES_MAX];
    struct fetch_request request = {
        .method = "POST",
        .url = leg_url(c, target),
        .headers = headers,
        .pieces = pieces,
        .n_pieces = buf_pieces(&c->try.sent, pieces),
        .network = target->account->private_network ? GUARD_PRIVATE : GUARD_PUBLIC,
        .connect_timeout_ms = choose_ms(m->connect_timeout_ms, s->connect_timeout_ms),
        .first_byte_timeout_ms = choose_ms(m->first_byte_timeout_ms, s->first_byte_timeout_ms),
        .idle_timeout_ms = choose_ms(m->idle_timeout_ms, s->idle_timeout_ms),
        .total_timeout_ms = c->inner ? INNER_MS : choose_ms(m->total_timeout_ms, s->total_timeout_ms),
        .reply_max = BOUND_UPSTREAM_REPLY_BYTES,
    };

    int r = request.url ? put_headers(c, target->account, headers, &request)
                        : err_origin(-ENOMEM);

    if (r != PROVIDER_OK)
        return r;
    return fetch_start(c->g->fetcher, &request, &callbacks, c, &c->try.fetch);
}

/* What came of starting a try. */
enum { START_OK, START_NEXT, START_NO_JOURNAL };

static int start(struct call *c, const struct catalog_target *target, struct health *health)
{
    struct call_try *t = &c->try;
    struct attempt_record *record = next_record(c, target);
    int r;

    if (!record) {
        health_untold(health);
        return START_NEXT;
    }
    c->tries++;
    buf_reset(&t->got);
    c->last = (struct llm_report){.has_usage = false};
    c->output_bytes = 0;
    c->images = c->pages = c->searches = 0;
    c->visual = (struct visual_kind){STR_NONE, STR_NONE};
    c->n_forwarded = 0;
    c->record.finish_reason = c->reply_id = STR_NONE;
    c->failure = (struct call_failure){.outcome = TRY_CONNECT};
    t->target = target;
    t->record = record;
    t->health = health;
    t->began_ns = clock_mono_ns();
    t->first_byte_ns = 0;
    t->timing = (struct fetch_timing){0};
    t->status = 0;
    t->retry_after_ms = -1;
    t->input_tokens = -1;
    if (call_money_begin(c) < 0) {
        call_try_end(c, TRY_OK, "journal_refused", STR_NONE);
        return START_NO_JOURNAL;
    }
    r = failpoint_hit("upstream.start");
    if (r == 0)
        r = start_fetch(c, target);
    (void)failpoint_hit("upstream.started");
    if (r == 0)
        return START_OK;
    log_warn("try_not_started", "model=%s result=%d", log_str(target->model->name), r);
    health_untold(steal(&t->health)); /* nobody was asked */
    call_try_end(c, TRY_CONNECT, NULL, STR("The request could not be sent."));
    return START_NEXT;
}

/* The disk takes no record, so nothing may be sent: what it would cost could be lost. */
static void refuse_unrecorded(struct call *c)
{
    struct problem p = problem_of(PROBLEM_LEDGER_AWAY);

    p.retry_after_s = 2;
    call_refuse(c, &p, CALL_OUTCOME_INTERNAL);
}

/* The body, made for the target. False: its format cannot say what the client asks. */
static bool can_be_told(struct call *c, const struct catalog_target *target)
{
    struct json_fault fault = {.at = 0};
    int r = build_body(c, target, &fault);

    if (r == LEG_OK)
        return true;
    c->unsayable = target;
    c->unsaid = problem_of(r < 0 ? PROBLEM_INTERNAL : PROBLEM_UNSUPPORTED);
    if (r > 0) {
        c->unsaid.param = arena_str(c->r->arena, str_c(fault.path));
        c->unsaid.message = arena_strf(c->r->arena, "`%s`: %s.", fault.path, fault.reason);
    }
    skip(c, target, "skipped: unsupported_parameter");
    return false;
}

/* False: the account is a service account without a token now. Nobody waits for one here. */
static bool has_token(struct call *c, const struct catalog_target *target)
{
    const struct catalog_account *a = target->account;

    c->try.token = STR_NONE;
    if (!a->credential.google.email.p ||
        token_get(c->g->services->tokens, a->id, a->credential.mark, clock_wall_us(), c->r->arena,
                  &c->try.token) == TOKEN_OK)
        return true;
    skip(c, target, "skipped: no_token");
    return false;
}

/* What this node may have of a limit that is the provider's, whoever asks there. */
static int64_t share_of(const struct call *c, int64_t limit)
{
    unsigned nodes = limit ? node_count_live(c->g->services->node) : 0;

    return limit && nodes > 1 ? MAX(limit / nodes, INT64_C(1)) : limit;
}

/* Shadows use the first half of a minute's limit alone: the other is for clients. */
static int64_t part_of(const struct call *c, int64_t limit)
{
    return call_is_shadow(c) && limit ? MAX(limit / 2, INT64_C(1)) : limit;
}

/* False: the account's own limit of this minute is used up. */
static bool within_quota(struct call *c, const struct catalog_target *target)
{
    const struct catalog_account *a = target->account;
    const struct quota limit = {share_of(c, part_of(c, a->rpm)), share_of(c, part_of(c, a->tpm))};

    c->try.quota_at_us = 0;
    if (!a->rpm && !a->tpm)
        return true;
    c->try.quota_at_us = clock_wall_us();
    c->try.quota_tokens = c->money.estimate.likely_tokens;
    if (quota_take(c->g->services->quota, a->id, c->try.quota_at_us, &limit, c->try.quota_tokens))
        return true;
    c->try.quota_at_us = 0;
    c->over_quota = target;
    skip(c, target, "skipped: account_rate_limit");
    return false;
}

static void skip_unaffordable(struct call *c, const struct catalog_target *target)
{
    c->unaffordable = true;
    skip(c, target, "skipped: insufficient_balance");
}

/* By what came of those before it. */
static bool is_ruled_out(const struct call *c, const struct catalog_target *target)
{
    return target == c->unsayable || target == c->over_quota ||
           (c->tries && fallback_in_vain(c->failure.outcome, c->try.target, target));
}

void call_route(struct call *c)
{
    while (c->next < c->plan.n) {
        const struct catalog_target *target = c->plan.candidates[c->next++];
        const struct catalog_account *account = target->account;
        struct health *h = health_at(c->g->services->health, account->id, account->team.v != 0);
        int covered, started;

        if (is_ruled_out(c, target) || !leg_choose(c, target))
            continue;
        covered = call_money_cover(c, target);
        if (covered == CALL_MONEY_WAIT) {
            call_enter(c, CALL_HOLD);
            return;
        }
        if (covered == CALL_MONEY_REFUSED) {
            skip_unaffordable(c, target);
            continue;
        }
        if (!can_be_told(c, target) || !has_token(c, target))
            continue;
        if (!health_begin(h, clock_mono_ms()) && c->next < c->plan.n)
            continue;
        if (!within_quota(c, target)) {
            health_untold(h);
            continue;
        }
        started = start(c, target, h);
        if (started == START_NEXT)
            continue;
        if (started == START_OK)
            call_enter(c, CALL_SENT);
        else
            refuse_unrecorded(c);
        return;
    }
    call_give_up(c);
}

void call_covered(struct call *c, const struct catalog_target *target, bool ok)
{
    call_enter(c, CALL_ROUTE);
    if (!c->client_there) {
        call_leave(c);
        return;
    }
    if (ok)
        c->next--; /* the same one again, now affordable */
    else
        skip_unaffordable(c, target);
    call_route(c);
}

void call_try_failed(struct call *c, enum try_outcome outcome, const char *reason,
                     struct str error_text)
{
    const struct catalog_model *policy = c->try.target->model;

    call_try_end(c, outcome, reason, error_text);
    if (!call_is_left(c) && fallback_may_move_on(policy, outcome, c->tries)) {
        call_enter(c, CALL_ROUTE);
        call_route(c);
    } else {
        call_give_up(c);
    }
}

enum try_outcome call_outcome_of_fault(enum fetch_fault fault)
{
    switch (fault) {
    case FETCH_DONE:
        return TRY_OK;
    case FETCH_E_CONNECT:
    case FETCH_E_TLS:
    case FETCH_E_TLS_UNTRUSTED:
    case FETCH_E_TLS_EXPIRED:
    case FETCH_E_TLS_HOST:
    case FETCH_E_BLOCKED:
        return TRY_CONNECT;
    case FETCH_E_TIMEOUT_CONNECT:
    case FETCH_E_TIMEOUT_FIRST_BYTE:
    case FETCH_E_TIMEOUT_IDLE:
    case FETCH_E_TIMEOUT_TOTAL:
        return TRY_TIMEOUT;
    case FETCH_E_RESET:
        return TRY_SERVER_ERROR;
    case FETCH_E_PROTOCOL:
    case FETCH_E_TOO_LARGE:
        break;
    }
    return TRY_BAD_REPLY;
}
