/* operate_probe.c: see operate.h: an account is tried out. Nothing here is on the path of a call. */
#include "gateway/operate.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "catalog/accounts.h"
#include "catalog/holder.h"
#include "db/tx.h"
#include "fetch/fetch.h"
#include "gateway/leg.h"
#include "gateway/token_keeper.h"
#include "json/scan.h"
#include "providers/health.h"
#include "providers/tokens.h"

enum {
    PROBE_CONNECT_MS = 5000,
    PROBE_ANSWER_MS = 15000,
    PROBE_HEADERS = PROVIDER_HEADERS_MAX + 1,
    PROBE_ERROR_BYTES = 300,
    PROBE_TOKENS = 16, /* the least that every provider takes */
};
#define PROBE_REPLY_BYTES MIB(4)

/* Where and what the account is asked. */
struct probe_ask {
    const struct services *services;
    const struct catalog_account *account;
    const struct provider_way *way;
    struct arena *a;
    struct str url;
    struct str json;  /* p NULL: a GET */
    struct str token; /* of a service account */
};

/* Lists as OpenAI and Anthropic have them, and as Google has. */
static int64_t count_models(struct str body)
{
    struct json_watch w[] = {
        {.path = "data[].id"}, {.path = "data"}, {.path = "models[].name"}, {.path = "models"}};
    struct json_scan_result result;
    struct json_fault fault;

    if (json_scan(body, w, ARRAY_LEN(w), &result, &fault) != JSON_OK)
        return -1;
    if (w[1].span.n)
        return w[0].count;
    return w[3].span.n ? (int64_t)w[2].count : -1;
}

static struct str error_in(struct arena *a, struct str body)
{
    struct json_watch w[] = {{.path = "error.message"}, {.path = "message"}, {.path = "detail"}};
    struct json_scan_result result;
    struct json_fault fault;
    struct str text = STR_NONE;
    struct buf out;

    if (json_scan(body, w, ARRAY_LEN(w), &result, &fault) != JSON_OK)
        return STR_NONE;
    for (size_t i = 0; i < ARRAY_LEN(w) && !text.p; i++) {
        if (w[i].span.kind != JSON_STRING)
            continue;
        buf_init(&out, w[i].span.n);
        if (json_span_text(body, w[i].span, &out) >= 0)
            text = arena_str(a, str_n(out.p, MIN(out.n, (size_t)PROBE_ERROR_BYTES)));
        buf_done(&out);
    }
    return text;
}

/* As an operator reads it; the log and the attempts have fetch_fault_name()'s words. */
static const char *fault_sentence(enum fetch_fault fault)
{
    static const char *const sentences[] = {
        [FETCH_DONE] = "",
        [FETCH_E_CONNECT] = "Nobody answers at this address: is the server running, and the name right?",
        [FETCH_E_TLS] = "No secure connection could be agreed on: TLS 1.2 or newer is asked for.",
        [FETCH_E_TLS_UNTRUSTED] = "The server’s certificate is signed by nobody who is trusted here.",
        [FETCH_E_TLS_EXPIRED] = "The server’s certificate has expired, or is not valid yet.",
        [FETCH_E_TLS_HOST] = "The server’s certificate is another host’s.",
        [FETCH_E_BLOCKED] = "The address is not allowed: a private one wants the network “private”.",
        [FETCH_E_TIMEOUT_CONNECT] = "The address does not answer in time.",
        [FETCH_E_TIMEOUT_FIRST_BYTE] = "The server took the request and did not answer in time.",
        [FETCH_E_TIMEOUT_IDLE] = "The server fell silent in the middle of its answer.",
        [FETCH_E_TIMEOUT_TOTAL] = "The answer took too long.",
        [FETCH_E_RESET] = "The server closed the connection before its answer was whole.",
        [FETCH_E_PROTOCOL] = "What the server sent is not HTTP.",
        [FETCH_E_TOO_LARGE] = "The answer is too large.",
    };

    assert((size_t)fault < ARRAY_LEN(sentences));
    return sentences[fault];
}

/* A provider's word about a plain key may repeat parts of it; of signatures and tokens it says what
 * is wrong with them. */
static struct str sentence(const struct probe_ask *p, int status, enum fetch_fault fault,
                           struct str body)
{
    bool plain_key = p->account->credential.bearer.p != NULL;
    struct arena *a = p->a;
    struct str said;

    if (fault != FETCH_DONE)
        return str_c(fault_sentence(fault));
    said = error_in(a, body);
    if ((status == 401 || status == 403) && (plain_key || !said.p))
        return arena_strf(a, "The provider refused the credential (%d).", status);
    if (said.p)
        return arena_strf(a, "%d: %.*s", status, STR_FMT(said));
    return arena_strf(a, "The provider answered %d.", status);
}

static int put_headers(const struct probe_ask *p, struct fetch_header h[PROBE_HEADERS],
                       struct fetch_request *request)
{
    struct provider_headers all = {.n = 0};
    const struct provider_ask what = {
        .provider = p->account->provider,
        .way = p->way,
        .credential = &p->account->credential,
        .place = &p->account->place,
        .extra = p->account->headers,
        .n_extra = p->account->n_headers,
        .token = p->token,
        .method = request->method,
        .url = p->url,
        .body = p->json,
        .now_us = clock_wall_us(),
    };
    int r = provider_put_headers(&what, p->a, &all);
    size_t n = 0;

    if (p->json.p)
        h[n++] = (struct fetch_header){"content-type", STR("application/json")};
    for (size_t i = 0; i < all.n; i++)
        h[n++] = (struct fetch_header){all.v[i].name, all.v[i].value};
    request->header_count = n;
    return r;
}

/* One exchange; a body makes it a POST. */
static int ask(const struct probe_ask *p, struct operate_probe *ret)
{
    const struct catalog_account *account = p->account;
    struct arena *a = p->a;
    struct str json = p->json;
    struct fetch_header headers[PROBE_HEADERS];
    struct fetch_request request = {
        .method = json.p ? "POST" : "GET",
        .url = arena_cstr(a, p->url),
        .headers = headers,
        .body = json,
        .network = account->private_network ? GUARD_PRIVATE : GUARD_PUBLIC,
        .connect_timeout_ms = PROBE_CONNECT_MS,
        .first_byte_timeout_ms = PROBE_ANSWER_MS,
        .idle_timeout_ms = PROBE_ANSWER_MS,
        .total_timeout_ms = 2 * PROBE_ANSWER_MS,
        .reply_max = PROBE_REPLY_BYTES,
    };
    struct operate_probe probe = {.models = -1};
    enum fetch_fault fault = FETCH_E_CONNECT;
    int64_t began_ns = clock_mono_ns();
    struct buf body;
    int r = put_headers(p, headers, &request);

    if (r == PROVIDER_OK && !request.url)
        r = err_origin(-ENOMEM);
    if (r != PROVIDER_OK)
        return r;
    buf_init(&body, PROBE_REPLY_BYTES);
    r = fetch_blocking(&request, &probe.status, &body, &fault);
    probe.latency_us = (clock_mono_ns() - began_ns) / 1000;
    probe.ok = r == 0 && fault == FETCH_DONE && probe.status == 200;
    if (probe.ok)
        probe.models = json.p ? -1 : count_models(buf_str(&body));
    else if (r > 0)
        probe.error = STR("The account's URL or a header of it cannot be used.");
    else
        probe.error = sentence(p, probe.status, fault, buf_str(&body));
    buf_done(&body);
    *ret = probe;
    return r < 0 ? err_trace(r) : 0;
}

static struct str model_among(const struct catalog_target *targets, size_t n, struct account_id account)
{
    for (size_t i = 0; i < n; i++)
        if (targets[i].account->id.v == account.v)
            return targets[i].upstream_model;
    return STR_NONE;
}

/* Some model that is routed to the account; p NULL: none. */
static struct str some_model(const struct catalog *c, const struct catalog_account *account)
{
    size_t n = 0;
    const struct catalog_model *models = catalog_models(c, &n);
    struct str found = STR_NONE;

    for (size_t i = 0; !found.p && i < n; i++) {
        const struct catalog_model *m = &models[i];

        if (m->kind == MODEL_CHAT)
            found = account->team.v ? model_among(m->own, m->n_own, account->id)
                                    : model_among(m->targets, m->n_targets, account->id);
    }
    return found;
}

/* A chat of one word, in the way's own format. */
static struct str ping(const struct catalog_account *account, const struct provider_way *way,
                       struct arena *a, struct str model)
{
    struct chat_part part = {.kind = CHAT_TEXT, .text = STR("ping")};
    struct chat_message message = {
        .role = CHAT_USER, .parts = &part, .n_parts = 1, .plain = true};
    const struct chat_request chat = {.wire = "",
                                      .messages = &message,
                                      .n_messages = 1,
                                      .output_limit = PROBE_TOKENS,
                                      .reasoning = {.budget = -1, .shown = -1}};
    const struct chat_target target = {
        .model = model, .limit_name = account->provider->output_limit_field};
    struct chat_losses losses = {.n = 0};
    struct str json = STR_NONE;
    struct buf body;

    buf_init(&body, KIB(4));
    way->format->neutral->write_request(&chat, &target, &body, &losses);
    if (buf_finish(&body) == 0)
        json = arena_str(a, buf_str(&body));
    buf_done(&body);
    return json;
}

/* Endpoints without a list of models are asked for a word. */
static int ask_for_a_word(const struct catalog *c, struct probe_ask *p, struct operate_probe *ret)
{
    struct str model = some_model(c, p->account);
    const struct catalog_way *way =
        model.p ? catalog_account_way(p->account, model, &format_openai_chat) : NULL;
    int r;

    if (!way)
        return 0;
    p->way = way->way;
    p->json = ping(p->account, way->way, p->a, model);
    p->url = leg_model_url(p->a, way->url, model);
    r = p->json.p && p->url.p ? ask(p, ret) : err_origin(-ENOMEM);
    return r < 0 ? err_trace(r) : 0;
}

/* A service account's token is asked for anew, so that the test tells whether it can be. */
static int lend(struct probe_ask *p, struct operate_probe *ret)
{
    const struct provider_credential *c = &p->account->credential;
    int r;

    if (!c->google.email.p)
        return TOKEN_ASK_OK;
    r = token_ask(p->services, p->account, p->a, &ret->error);
    if (r == TOKEN_ASK_OK)
        r = token_get(p->services->tokens, p->account->id, c->mark, clock_wall_us(), p->a,
                      &p->token);
    return r;
}

static int try_out(const struct catalog *c, struct probe_ask *p, struct operate_probe *ret)
{
    const struct catalog_account *account = p->account;
    int r = lend(p, ret);

    if (r != TOKEN_ASK_OK)
        return r < 0 ? err_trace(r) : 0;
    if (account->models_url.p) {
        p->way = account->ways[0].way;
        p->url = account->models_url;
        r = ask(p, ret);
    }
    if (r == 0 && (!account->models_url.p || ret->status == 404 || ret->status == 405))
        r = ask_for_a_word(c, p, ret);
    return r;
}

struct note {
    struct account_id account;
    struct str error;
};

static int note(struct db *db, void *ctx)
{
    const struct note *n = ctx;

    return account_note(db, n->account, n->error);
}

int operate_probe(const struct services *services, struct db *db, struct arena *a,
                  struct account_id account, struct operate_probe *ret)
{
    struct catalog_options options = {.seal_key = services->seal_key,
                                      .demo_port = services->demo_port,
                                      .only = account};
    _cleanup_(catalog_unrefp) struct catalog *c = NULL;
    const struct catalog_account *found;
    struct probe_ask what = {.services = services, .a = a};
    struct operate_probe probe = {
        .models = -1,
        .error = STR("This kind lists no models: the test wants a model that is routed to it."),
    };
    int r;

    /* What was saved a moment ago may not have reached the holder yet. */
    r = catalog_load(db, &options, &c);
    if (r != CATALOG_OK)
        return r == CATALOG_E_AWAY ? OPERATE_E_AWAY : err_trace(r);
    found = catalog_find_account(c, account);
    if (!found || !found->n_ways)
        return OPERATE_E_UNKNOWN;
    what.account = found;
    r = try_out(c, &what, &probe);
    if (r < 0)
        return err_trace(r);
    r = db_fatal(db_tx(db, DB_OPERATOR, "account_note", note,
                       &(struct note){.account = account, .error = probe.error}));
    if (r < 0)
        return err_trace(r);
    if (probe.ok)
        health_reset(health_at(services->health, account, found->team.v != 0));
    *ret = probe;
    return OPERATE_OK;
}
