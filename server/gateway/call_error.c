/* call_error.c: what a failed upstream has said, for the record and for the client.
 *
 * An upstream's own words reach the client only where they are about the client's request or the
 * provider's state; what it says about our credential or our name for a model stays here. */
#include "base/bounds.h"
#include "base/clock.h"
#include "gateway/attempts.h"
#include "gateway/call_flow.h"
#include "http/router.h"
#include "translation/said.h"

#define PROBLEM_BYTES MIB(2) /* an upstream's error body and ours */

static bool is_for_the_client(enum try_outcome outcome)
{
    return try_outcome_is_clients(outcome) || outcome == TRY_RATE_LIMITED ||
           outcome == TRY_SERVER_ERROR;
}

bool call_is_error(const struct wire_report *report)
{
    return report->error && !report->llm.output_bytes;
}

/* The status that the error stands for; one within a 200 may name it, else it is a 502. */
static int status_of(const struct call *c, struct str body)
{
    const struct dialect *upstream = leg_format(&c->leg)->dialect;
    int named;

    if (c->try.status >= 400 && c->try.status <= 599)
        return c->try.status;
    named = c->try.status < 300 && upstream ? upstream->error_status(body) : 0;
    return named ? named : 502;
}

static const char *type_of(int status)
{
    return status == 429   ? "rate_limit_error"
           : status >= 500 ? "upstream_error"
                           : "invalid_request_error";
}

/* The error as the client may get it. False: it is a page, or no text at all. */
static bool keep_for_client(struct call *c, struct str body)
{
    struct call_failure *f = &c->failure;
    struct wire_error otherwise = {
        .message = f->status >= 500 ? STR("The provider failed and gave no reason.")
                                    : STR("The provider refused the request and gave no reason."),
        .type = type_of(f->status),
        .status = f->status,
    };
    struct buf document;
    bool told;

    buf_init(&document, PROBLEM_BYTES);
    told = c->endpoint->format->dialect->edit_error(body, &otherwise, &document);
    if (told && buf_finish(&document) == 0)
        f->body = arena_str(c->r->arena, buf_str(&document));
    buf_done(&document);
    return told;
}

/* Which of the client's errors it is: some another target may not make. */
static enum try_outcome client_error_of(struct str body)
{
    switch (wire_error_refusal(body)) {
    case SAID_REFUSED_FOR_LENGTH:
        return TRY_CONTEXT_LENGTH;
    case SAID_REFUSED_FOR_CONTENT:
        return TRY_CONTENT_POLICY;
    case SAID_REFUSED_OTHERWISE:
        break;
    }
    return TRY_CLIENT_ERROR;
}

enum try_outcome call_error_read(struct call *c, struct str *ret_text)
{
    struct str body = buf_str(&c->try.got);
    struct call_failure *f = &c->failure;
    enum try_outcome outcome;

    f->body = STR_NONE;
    f->status = status_of(c, body);
    if (c->try.status >= 300 && c->try.status < 400) { /* a redirect, which is never followed */
        *ret_text = STR("The provider answered with a redirect.");
        return TRY_BAD_REPLY;
    }
    outcome = try_outcome_of_status(f->status);
    if (outcome == TRY_CLIENT_ERROR)
        outcome = client_error_of(body);
    if (outcome == TRY_CREDENTIAL) {
        *ret_text = STR("The provider refused this account's credential.");
        return outcome;
    }
    *ret_text = said_text(c->r->arena, body);
    if (!is_for_the_client(outcome) || keep_for_client(c, body))
        return outcome;
    return try_outcome_is_clients(outcome) ? TRY_BAD_REPLY : outcome;
}

static enum problem_code code_of(enum try_outcome outcome)
{
    if (outcome == TRY_RATE_LIMITED)
        return PROBLEM_UPSTREAM_LIMIT;
    if (outcome == TRY_TIMEOUT)
        return PROBLEM_UPSTREAM_TIMEOUT;
    return outcome == TRY_BAD_REPLY ? PROBLEM_UPSTREAM_BAD_REPLY : PROBLEM_UPSTREAM;
}

struct problem call_last_problem(struct call *c)
{
    struct problem p = problem_of(code_of(c->failure.outcome));
    bool answered = c->failure.body.p != NULL;

    if (answered) {
        p.upstream_status = c->failure.status;
        p.upstream_body = c->failure.body;
    }
    if (c->failure.outcome == TRY_RATE_LIMITED) {
        p.quota_source = "provider_rate_limit";
        p.retry_after_s = c->try.retry_after_ms > 0
                              ? (int)MIN((c->try.retry_after_ms + 999) / 1000, (int64_t)3600)
                              : 1;
    }
    return p;
}

void call_answer_problem(struct call *c, const struct problem *p)
{
    struct response response = {.status = problem_status(p), .content_type = "application/json"};
    char id[CALL_ID_TEXT];
    struct buf json;

    call_id_text(c->r->id, id);
    buf_init(&json, PROBLEM_BYTES);
    problem_json(p, c->r->route->problems, str_c(id), &json);
    if (buf_finish(&json) == 0)
        response.body = arena_str(c->r->arena, buf_str(&json));
    buf_done(&json);
    if (!response.body.p) {
        request_fail(c->r, p);
        return;
    }
    if (p->retry_after_s > 0)
        response_header(&response, "retry-after", arena_strf(c->r->arena, "%d", p->retry_after_s));
    call_put_head(c, &response);
    request_reply(c->r, &response);
}

void call_blame(struct call *c)
{
    const struct catalog_target *t = c->try.target;

    if (!t || c->served)
        return;
    c->record.provider = str_c(t->account->provider->kind);
    c->record.account_name = t->account->name;
    c->record.account_id = t->account->id.v;
    c->record.target_id = t->id.v;
}

void call_give_up(struct call *c)
{
    struct problem p;
    enum call_outcome outcome = CALL_OUTCOME_UPSTREAM_ERROR;

    if (call_is_left(c)) {
        call_leave(c);
        return;
    }
    if (!c->tries && c->unsayable) {
        p = c->unsaid;
        outcome = p.code == PROBLEM_UNSUPPORTED ? CALL_OUTCOME_CLIENT_ERROR : CALL_OUTCOME_INTERNAL;
    } else if (!c->tries && c->unaffordable) {
        p = problem_of(PROBLEM_NO_BALANCE);
        p.quota_source = "prepaid_balance";
        outcome = CALL_OUTCOME_BLOCKED;
    } else if (!c->tries && c->over_quota) {
        p = problem_of(PROBLEM_UPSTREAM_LIMIT);
        p.quota_source = "provider_rate_limit";
        p.retry_after_s = 60 - (int)(clock_wall_us() / 1000000 % 60);
        outcome = CALL_OUTCOME_BLOCKED;
    } else if (!c->tries) {
        p = problem_of(PROBLEM_NO_TARGET);
        p.retry_after_s = 5;
    } else {
        p = call_last_problem(c);
        call_blame(c);
        if (try_outcome_is_clients(c->failure.outcome))
            outcome = CALL_OUTCOME_CLIENT_ERROR;
    }
    p.attempts_json = attempts_json(c->r->arena, &c->record);
    call_refuse(c, &p, outcome);
}
