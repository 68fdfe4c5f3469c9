/* call.c: see call.h. */
#include "web/pages/call.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "catalog/prices.h"
#include "ledger/invoice.h"
#include "ledger/statement.h"
#include "web/links.h"
#include "web/pages/call_embedding.h"
#include "web/pages/call_video.h"
#include "web/pages/operator_area.h"
#include "web/timeline.h"
#include "web/view.h"

/* What each reason of an attempt means to people. */
static const struct {
    const char *reason, *text;
} reasons[] = {
    /* routing/fallback.c */
    {"ok", "Answered"},
    {"connect", "No connection"},
    {"timeout", "Took too long"},
    {"rate_limited", "Rate limit of the provider"},
    {"server_error", "Error of the provider"},
    {"bad_reply", "Unreadable answer"},
    {"credential", "Credential refused"},
    {"no_model", "Model not known there"},
    {"client_error", "Request refused"},
    {"context_length", "Prompt too long"},
    {"content_policy", "Content refused"},
    /* fetch/fetch.c */
    {"tls", "No secure connection"},
    {"tls_untrusted", "Certificate not trusted"},
    {"tls_expired", "Certificate expired"},
    {"tls_host", "Certificate of another host"},
    {"blocked", "Address not allowed"},
    {"timeout_connect", "Connecting took too long"},
    {"timeout_first_byte", "No first byte in time"},
    {"timeout_idle", "Fell silent"},
    {"timeout_total", "Took too long"},
    {"reset", "Connection lost"},
    {"protocol", "Broken HTTP"},
    {"too_large", "Answer too large"},
    /* gateway */
    {"error_in_200", "Error within a 200"},
    {"balance_exhausted", "Balance used up midway"},
    {"client_gone", "The client had left"},
    {"cut", "Cut off"},
    {"not_kept", "The job could not be kept"},
    {"skipped: insufficient_balance", "The balance does not cover it"},
    {"skipped: account_rate_limit", "The account’s limit of this minute is used up"},
};

/* Which limit refused it (DESIGN 7's quota_source). */
static const struct {
    const char *source, *text;
} sources[] = {
    {"prepaid_balance", "the team’s prepaid balance"},
    {"app_key", "the key’s budget"},
    {"key_rate_limit", "the key’s requests or tokens a minute"},
    {"concurrency", "the key’s requests at the same time"},
    {"provider_rate_limit", "the provider’s own rate limit"},
    {"project_budget", "the project’s budget"},
    {"team_budget", "the team’s budget"},
    {"user_budget", "the user’s budget"},
    {"model_budget", "the model’s budget"},
    {"team_rate_limit", "the team’s rate limit"},
    {"gateway_rate_limit", "the gateway’s rate limit"},
};

static struct str source_text(struct str source)
{
    for (size_t i = 0; i < ARRAY_LEN(sources); i++)
        if (str_eq_c(source, sources[i].source))
            return str_c(sources[i].text);
    return source;
}

static struct str reason_text(struct str reason)
{
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (str_eq_c(reason, reasons[i].reason))
            return str_c(reasons[i].text);
    return reason;
}

/* What the caller was told with a code, where the code has one sentence. */
static struct str error_sentence(struct str slug)
{
    struct str found = STR("");

    for (int i = PROBLEM_NONE + 1; i < PROBLEM_COUNT; i++) {
        enum problem_code code = (enum problem_code)i;

        if (!str_eq_c(slug, problem_slug(code)))
            continue;
        if (found.n)
            return STR("");
        found = str_c(problem_sentence(code));
    }
    return found;
}

static bool was_skipped(const struct attempt_record *attempt)
{
    return str_starts(attempt->reason, STR("skipped"));
}

static void attempt_state(const struct attempt_record *attempt, struct json_object *o)
{
    if (was_skipped(attempt))
        view_badge(o, "state", VIEW_NEUTRAL, "Skipped");
    else if (attempt->served && str_eq_c(attempt->reason, "ok"))
        view_badge(o, "state", VIEW_GOOD, "Served");
    else if (attempt->served)
        view_badge(o, "state", VIEW_WARN, "Served in part");
    else if (str_eq_c(attempt->reason, "client_gone"))
        view_badge(o, "state", VIEW_NEUTRAL, "Given up");
    else
        view_badge(o, "state", VIEW_BAD, "Failed");
}

static struct json_object *attempt_view(const struct attempt_record *attempt)
{
    struct json_object *o = json_new_object();
    char status[16];

    (void)snprintf(status, sizeof(status), "%" PRId32, attempt->status);
    json_set_i64(o, "ordinal", attempt->ordinal);
    json_set_str(o, "provider", attempt->provider);
    json_set_str(o, "account", attempt->account_name);
    json_set_str(o, "model", attempt->upstream_model);
    json_set_str(o, "reason", reason_text(attempt->reason));
    json_set_str(o, "error_text", attempt->error_text);
    json_set_str(o, "upstream_request_id", attempt->upstream_request_id);
    json_set_cstr(o, "status", attempt->status ? status : NULL);
    attempt_state(attempt, o);
    json_set_bool(o, "tried", !was_skipped(attempt));
    view_duration(o, "started", attempt->started_us);
    view_duration(o, "ttfb", attempt->ttfb_us);
    view_duration(o, "latency", attempt->latency_us);
    view_count(o, "input", attempt->prompt_tokens);
    view_count(o, "output", attempt->completion_tokens);
    view_money(o, "cost", attempt->cost_nano, VIEW_CALL);
    return o;
}

static void attempts_view(const struct call_record *call, struct json_object *view)
{
    struct json_object *list = json_new_array();
    size_t n = (size_t)MIN(MAX(call->attempts, 0), BOUND_ATTEMPTS);

    for (size_t i = 0; i < n; i++)
        json_push(list, attempt_view(&call->attempt[i]));
    json_set(view, "attempts", list);
    json_set_bool(view, "any_attempts", n > 0);
    json_set_bool(view, "kept", str_eq_c(call->cache, "hit"));
    timeline_view(call, view, "timeline");
}

static void add_fact(struct json_object *list, const char *label, struct str value, bool code)
{
    struct json_object *o;

    if (!value.n)
        return;
    o = json_new_object();
    json_set_cstr(o, "label", label);
    json_set_str(o, "value", value);
    json_set_bool(o, "code", code);
    json_push(list, o);
}

/* The texts that are there, as label and value. */
static void facts_view(struct web *w, const struct log_row *row, struct json_object *view)
{
    const struct call_record *c = &row->call;
    struct json_object *list = json_new_array();

    add_fact(list, "Requested model", c->requested_model, true);
    add_fact(list, "Served model", c->served_model, true);
    add_fact(list, "Chosen by rule", c->rule, true);
    add_fact(list, "Provider", c->provider, false);
    add_fact(list, "Credential", c->account_name, false);
    add_fact(list, "Provider’s request id", c->upstream_request_id, true);
    add_fact(list, "Endpoint", c->endpoint, true);
    add_fact(list, "Answer", c->stream ? STR("streamed") : STR("whole"), false);
    add_fact(list, "Finish reason", c->finish_reason, false);
    add_fact(list, "Error", c->error_code, true);
    add_fact(list, "Which means", error_sentence(c->error_code), false);
    add_fact(list, "Refused by", source_text(c->quota_source), false);
    add_fact(list, "Left out", c->dropped, true);
    add_fact(list, "Guardrails", c->guardrails, false);
    add_fact(list, "Cache", c->cache, false);
    if (c->similarity_bp)
        add_fact(list, "Similarity",
                 arena_strf(w->arena, "%.*s to the question that was answered",
                            STR_FMT(view_cosine(w->arena, c->similarity_bp))),
                 false);
    if (c->saved_nano.nano)
        add_fact(list, "Saved", view_money_text(w->arena, c->saved_nano, VIEW_CALL), false);
    if (c->own_key)
        add_fact(list, "Provider key", c->charge_nano.nano ? STR("your own, for a fee") : STR("your own, for nothing"), true);
    add_fact(list, "Project", row->project_name, false);
    add_fact(list, "Client address", c->client_address, true);
    add_fact(list, "User agent", c->user_agent, false);
    add_fact(list, "Tags", str_eq_c(c->tags, "{}") ? STR("") : c->tags, true);
    if (c->repeat > 1)
        add_fact(list, "Stands for", view_plural(w->arena, c->repeat, "refused request", NULL),
                 false);
    json_set(view, "facts", list);
    json_set_str(view, "key_name", row->key_name);
}

/* Where its key, team and prices are found. An operator does not see the pages of other teams: the key's
 * name leads to its calls then. */
static void places_view(struct web *w, const struct call_record *c, bool for_operator,
                       struct json_object *view)
{
    struct str key = STR_NONE;

    if (c->key_id && for_operator)
        key = operator_page_link(w, link_to(LINK_operator_calls), "key",
                                 arena_strf(w->arena, "%" PRId64, c->key_id), 0);
    else if (c->key_id)
        key = link_key(w->arena, (struct key_id){c->key_id}, NULL);
    json_set_str(view, "key_link", key);
    json_set_str(view, "team_link", link_operator_team(w->arena, (struct team_id){c->team_id}, NULL));
    json_set_str(view, "prices_link",
                 for_operator ? link_model(w->arena, (struct model_id){c->model_id}, "prices")
                              : link_to(LINK_pricing));
}

/* One class, with what a unit of it costs; price < 0: not known. */
/* kind: of images, or of a video, where they have a figure of their own. */
static void usage_row(struct arena *a, struct json_object *list, enum usage_unit unit,
                      const char *kind, int64_t n, int64_t price)
{
    bool piece = usage_unit_is_piece(unit) && price % 1000000 == 0;
    const char *label = usage_unit_info(unit)->label; /* in small letters */
    struct json_object *o = json_new_object();

    json_set_str(o, "label", arena_strf(a, "%c%s%s%s", label[0] - 'a' + 'A', label + 1, *kind ? " " : "",
                                         kind));
    view_count(o, "n", n);
    json_set_bool(o, "sum", false);
    json_set_cstr(o, "per", piece ? "each" : "per million");
    json_set_null(o, "price");
    if (price >= 0)
        view_price(o, "price", piece ? price / 1000000 : price);
    json_push(list, o);
}

static void usage_sum_row(struct json_object *list, const char *label, int64_t n)
{
    struct json_object *o = json_new_object();

    json_set_cstr(o, "label", label);
    view_count(o, "n", n);
    json_set_bool(o, "sum", true);
    json_set_null(o, "per");
    json_set_null(o, "price");
    json_push(list, o);
}

/* The classes of one side that were used, and their sum where there are several. */
static void usage_side(struct arena *a, struct json_object *list, const struct usage *u,
                       const struct price_step *step, enum usage_unit visual_unit,
                       const struct price_visual *visual, enum usage_covers side, const char *sum)
{
    unsigned shown = 0;

    for (enum usage_unit i = 0; i < USAGE_UNITS; i++) {
        bool free_request = i == USAGE_REQUEST && (!step || step->charge[i] <= 0);

        if (usage_unit_info(i)->covers != side || !u->n[i] || free_request)
            continue;
        usage_row(a, list, i, i == visual_unit && visual ? visual->kind : "", u->n[i],
                  i == visual_unit && visual ? visual->charge
                  : step                     ? step->charge[i]
                                             : -1);
        shown++;
    }
    if (sum && shown > 1)
        usage_sum_row(list, sum, usage_sum(u, side));
}

static const char *basis_text(struct str basis)
{
    static const struct {
        const char *basis, *text;
    } bases[] = {
        {"provider", "the provider’s own figures"},
        {"counted", "counted here, since the provider gave no figures, or none that can be true"},
        {"cut", "what had been counted when the node died"},
        {"zero", "nothing was used"},
    };

    for (size_t i = 0; i < ARRAY_LEN(bases); i++)
        if (str_eq_c(basis, bases[i].basis))
            return bases[i].text;
    return NULL;
}

/* What was used, by class, each with its price in the version that the call was charged by. */
static int usage_view(struct web *w, const struct call_record *c, struct json_object *view)
{
    struct json_object *list = json_new_array();
    enum service_tier tier = SERVICE_STANDARD;
    const struct price_step *step = NULL;
    const struct price_visual *visual = NULL;
    enum usage_unit unit = USAGE_IMAGE;
    struct price price;
    struct usage used;
    int r = PRICE_READ_E_NONE;

    json_set(view, "usage", list);
    call_record_usage(c, &used);
    if (c->price_id)
        r = price_read(w->db, w->arena, (struct price_id){c->price_id}, &price);
    if (r < 0)
        return err_trace(r);
    if (r == PRICE_READ_OK && (!c->service_tier.p ||
                               service_tier_parse(c->service_tier, &tier) == SERVICE_OK))
        step = price_step_at(&price, tier, usage_sum(&used, USAGE_COVERS_PROMPT));
    if (step && c->image_kind.p)
        visual = price_visual_at(&price, arena_strf(w->arena, "%.*s", STR_FMT(c->image_kind)).p);
    if (visual)
        unit = price.visual_unit;
    usage_side(w->arena, list, &used, step, unit, visual, USAGE_COVERS_PROMPT, "Whole prompt");
    usage_side(w->arena, list, &used, step, unit, visual, USAGE_COVERS_OUTPUT, "Whole answer");
    usage_side(w->arena, list, &used, step, unit, visual, USAGE_COVERS_OTHER, NULL);
    json_set_bool(view, "any_usage", json_length(list) > 0);
    json_set_cstr(view, "basis", basis_text(c->basis));
    json_set_str(view, "step", step && step->above_input_tokens
                                   ? view_count_text(w->arena, step->above_input_tokens)
                                   : STR(""));
    json_set_cstr(view, "tier", tier == SERVICE_STANDARD ? NULL : service_tier_label(tier));
    return 0;
}

/* "2026-11": invoices are cut by the month in the team's zone. */
static struct str month_of(struct web *w, int64_t unix_us)
{
    return str_n(view_day(w->arena, unix_us, w->zone).p, strlen("2026-11"));
}

/* o.invoice {number, link}: the one that the transfer is on; null: its month is not invoiced. */
static int invoice_view(struct web *w, struct team_id team, const struct statement_row *transfer,
                        bool for_operator, struct json_object *o)
{
    struct str month = month_of(w, transfer->posted_at_us);
    struct invoice inv = {0};
    struct json_object *found;
    int r = invoice_at(w->db, w->arena, team, transfer->posted_at_us, &inv);

    json_set_null(o, "invoice");
    json_set_str(o, "invoice_month", r == INVOICE_OK ? inv.month : month);
    json_set_bool(o, "invoice_runs", str_eq(month, month_of(w, w->now_us)));
    if (r != INVOICE_OK)
        return r == INVOICE_E_NONE ? 0 : r;
    found = json_new_object();
    json_set_str(found, "number", inv.number);
    json_set_str(found, "link", for_operator ? link_operator_invoice(w->arena, team, inv.id)
                                             : link_invoice(w->arena, inv.id, NULL));
    json_set(o, "invoice", found);
    return 0;
}

/* Which transfer charged it: there is none for a call that cost nothing. */
static int ledger_view(struct web *w, const struct log_row *row, bool for_operator,
                       struct json_object *view)
{
    struct team_id team =
        row->call.team_id ? (struct team_id){row->call.team_id} : w->session.team;
    struct statement_row transfer;
    struct json_object *o;
    int r;

    json_set_null(view, "transfer");
    if (!row->transfer_id)
        return 0;
    r = statement_get(w->db, w->arena, team, row->transfer_id, &transfer);
    if (r != 0)
        return r == STATEMENT_E_NONE ? 0 : r;
    o = json_new_object();
    json_set_i64(o, "id", transfer.id);
    json_set_str(o, "code", transfer.code);
    json_set_str(o, "debit", transfer.debit);
    json_set_str(o, "credit", transfer.credit);
    json_set_str(o, "link", for_operator ? STR_NONE : link_transfer(w->arena, transfer.id));
    json_set_str(o, "calls", view_plural(w->arena, transfer.calls, "request", NULL));
    view_money(o, "amount", transfer.amount, VIEW_CALL);
    view_money(o, "after", transfer.after, VIEW_CALL);
    view_time(o, "posted", transfer.posted_at_us, w->zone, w->now_us);
    json_set(view, "transfer", o);
    return invoice_view(w, team, &transfer, for_operator, o);
}

static void head_view(struct web *w, const struct log_row *row, struct json_object *view)
{
    const struct call_record *c = &row->call;
    char id[CALL_ID_TEXT];

    call_id_text(c->call_id, id);
    json_set_cstr(view, "id", id);
    view_outcome(view, "state", c->outcome, c->status);
    json_set_str(view, "model", c->served_model.n ? c->served_model : c->requested_model);
    json_set_bool(view, "fallback", c->fallback);
    view_time(view, "started", c->started_at, w->zone, w->now_us);
    view_time(view, "posted", row->posted_at_us, w->zone, w->now_us);
    view_time(view, "client_gone", c->client_gone_at, w->zone, w->now_us);
    view_figure(view, "charge", c->charge_nano);
    view_figure(view, "hold", c->hold_nano);
    view_money(view, "cost", c->cost_nano, VIEW_CALL);
    json_set_i64(view, "price_id", c->price_id);
    json_set_bool(view, "priced", c->price_id != 0);
    view_duration(view, "latency", c->latency_us);
    view_duration(view, "ttfb", c->ttfb_us);
    json_set_bool(view, "answered", c->ttfb_us > 0);
    view_count(view, "tokens", call_record_tokens(c, USAGE_COVERS_PROMPT) +
                                   call_record_tokens(c, USAGE_COVERS_OUTPUT));
}

int call_show(struct web *w, const struct log_row *row, bool for_operator)
{
    struct json_object *view = json_new_object();
    int r;

    head_view(w, row, view);
    facts_view(w, row, view);
    attempts_view(&row->call, view);
    json_set_bool(view, "for_operator", for_operator);
    places_view(w, &row->call, for_operator, view);
    json_set_str(view, "team_name", row->team_name);
    r = usage_view(w, &row->call, view);
    if (r == 0)
        r = ledger_view(w, row, for_operator, view);
    if (r == 0)
        r = call_embedding_view(w, &row->call, for_operator, view);
    if (r == 0)
        r = call_video_view(w, &row->call, for_operator, view);
    if (r != 0) {
        json_unref(view);
        return web_outcome(w, r);
    }
    return web_render(w, "call", "Request", view);
}

int page_call(struct web *w)
{
    struct log_row row = {0};
    struct call_id id;
    int r;

    if (!call_id_parse(w->req->params[0], &id))
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    r = log_get(w->db, w->arena, w->session.team, id, &row);
    if (r == LOG_E_NONE) {
        struct problem p = problem_of(PROBLEM_NOT_FOUND);

        p.message = STR("This team has no such request. One that has just ended stands here within "
                        "seconds: reload the page.");
        return web_fail(w, &p);
    }
    return r ? web_outcome(w, r) : call_show(w, &row, false);
}
