/* count.c: see count.h. */
#include "gateway/count.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "gateway/estimate.h"
#include "gateway/gateway.h"
#include "gateway/key_ask.h"
#include "gateway/key_check.h"
#include "gateway/leg.h"
#include "guard/set.h"
#include "http/listener.h"
#include "http/router.h"
#include "providers/tokens.h"
#include "routing/rule.h"
#include "routing/variant.h"

enum { COUNT_WAIT_MS = 5000, COUNT_HEADERS = PROVIDER_HEADERS_MAX + 1 };
#define COUNT_REPLY_BYTES KIB(64)

struct count_ask {
    struct list link; /* gateway->counts */
    struct key_waiter waiter;
    struct gateway *g;
    struct request *r;
    const struct count_endpoint *endpoint;
    struct known_key *key;
    struct catalog *catalog; /* a reference */
    const struct catalog_model *model;
    struct wire_request wire;
    struct fetch *fetch;
    int status;
    struct buf sent, got;
};

static void release(void *p)
{
    request_release(p);
}

static void end(struct count_ask *ask)
{
    if (ask->fetch)
        fetch_cancel(steal(&ask->fetch));
    key_waiter_leave(&ask->waiter);
    list_del(&ask->link);
    known_key_unref(steal(&ask->key));
    catalog_unref(steal(&ask->catalog));
    buf_done(&ask->sent);
    buf_done(&ask->got);
    ask->r->user = NULL;
    ask->r->gone = NULL;
    loop_free_later(ask->g->loop, release, ask->r);
}

static void refuse(struct count_ask *ask, const struct problem *p)
{
    request_fail(ask->r, p);
    end(ask);
}

static void refuse_code(struct count_ask *ask, enum problem_code code)
{
    struct problem p = problem_of(code);

    refuse(ask, &p);
}

static void refuse_fault(struct count_ask *ask, int r, const struct json_fault *fault)
{
    struct problem p =
        problem_of(r < 0                    ? PROBLEM_INTERNAL
                   : r == DIALECT_E_SYNTAX ? PROBLEM_BAD_JSON
                                           : PROBLEM_BAD_FIELD);

    if (r > 0)
        p.message = arena_strf(ask->r->arena, "`%s`: %s.", fault->path, fault->reason);
    if (r == DIALECT_E_FIELD)
        p.param = arena_str(ask->r->arena, str_c(fault->path));
    refuse(ask, &p);
}

/* The provider's own words, or the count in them put into our answer: the same document. */
static void answer(struct count_ask *ask, uint64_t tokens)
{
    struct response response = {.status = 200, .content_type = "application/json"};

    buf_reset(&ask->got);
    ask->endpoint->dialect->put_reply(tokens, &ask->got);
    response.body = buf_finish(&ask->got) == 0 ? arena_str(ask->r->arena, buf_str(&ask->got))
                                               : STR_NONE;
    if (!response.body.p) {
        refuse_code(ask, PROBLEM_INTERNAL);
        return;
    }
    request_reply(ask->r, &response);
    end(ask);
}

static void estimate(struct count_ask *ask)
{
    struct usage u;

    estimate_prompt(&ask->wire.llm, ask->model, &u);
    answer(ask, (uint64_t)usage_sum(&u, USAGE_COVERS_PROMPT));
}

static void head_came(struct fetch *f, const struct fetch_head *head, void *ctx)
{
    (void)f;
    ((struct count_ask *)ctx)->status = head->status;
}

static bool bytes_came(struct fetch *f, struct str bytes, void *ctx)
{
    (void)f;
    buf_put_str(&((struct count_ask *)ctx)->got, bytes);
    return true;
}

static void fetched(struct fetch *f, enum fetch_fault fault, void *ctx)
{
    struct count_ask *ask = ctx;
    uint64_t tokens;

    (void)f;
    ask->fetch = NULL;
    if (fault == FETCH_DONE && ask->status >= 200 && ask->status <= 299 &&
        ask->endpoint->dialect->read_reply(buf_str(&ask->got), &tokens))
        answer(ask, tokens);
    else
        estimate(ask);
}

static const struct catalog_way *counting_way(const struct count_ask *ask,
                                              const struct catalog_account *account)
{
    for (size_t i = 0; i < account->n_ways; i++)
        if (account->ways[i].way->format == ask->endpoint->asked)
            return &account->ways[i];
    return NULL;
}

static int put_headers(struct count_ask *ask, const struct catalog_account *account,
                       const struct catalog_way *way, struct fetch_request *request,
                       struct fetch_header headers[COUNT_HEADERS])
{
    struct provider_headers all = {.n = 0};
    const struct provider_ask provider = {
        .provider = account->provider,
        .way = way->way,
        .credential = &account->credential,
        .place = &account->place,
        .extra = account->headers,
        .n_extra = account->n_headers,
        .method = request->method,
        .url = str_c(request->url),
        .body = request->body,
        .now_us = clock_wall_us(),
    };
    int r = provider_put_headers(&provider, ask->r->arena, &all);

    headers[0] = (struct fetch_header){"content-type", STR("application/json")};
    for (size_t i = 0; i < all.n; i++)
        headers[1 + i] = (struct fetch_header){all.v[i].name, all.v[i].value};
    request->header_count = 1 + all.n;
    return r;
}

/* True: a provider has been asked. */
static bool ask_provider(struct count_ask *ask, const struct catalog_target *target)
{
    static const struct fetch_callbacks callbacks = {
        .head = head_came, .chunk = bytes_came, .done = fetched};
    const struct catalog_account *account = target->account;
    const struct catalog_way *way = counting_way(ask, account);
    const struct wire_request_edit edit = {.model = target->upstream_model};
    struct fetch_header headers[COUNT_HEADERS];
    struct fetch_request request = {
        .method = "POST",
        .headers = headers,
        .network = account->private_network ? GUARD_PRIVATE : GUARD_PUBLIC,
        .total_timeout_ms = COUNT_WAIT_MS,
        .reply_max = COUNT_REPLY_BYTES,
    };

    if (!way)
        return false;
    buf_reset(&ask->sent);
    ask->endpoint->dialect->edit_request(&ask->wire, &edit, &ask->sent);
    request.url = leg_model_url(ask->r->arena, way->url, target->upstream_model).p;
    request.body = buf_str(&ask->sent);
    return request.url && buf_finish(&ask->sent) == 0 &&
           put_headers(ask, account, way, &request, headers) == PROVIDER_OK &&
           fetch_start(ask->g->fetcher, &request, &callbacks, ask, &ask->fetch) == FETCH_START_OK;
}

static bool model_allowed(void *ctx, const struct catalog_model *m)
{
    const struct count_ask *ask = ctx;

    return key_policy_allows_model(ask->key->policy, m->name);
}

static void count(struct count_ask *ask)
{
    const struct route_request request = {
        .catalog = ask->catalog,
        .health = ask->g->services->health,
        .now_ms = clock_mono_ms(),
        .model = ask->model,
        .team = ask->key->policy->team,
        .kind = MODEL_CHAT,
        .format = ask->endpoint->chat->format,
        .allowed = model_allowed,
        .ctx = ask,
    };
    struct route_plan plan;
    int r = route_pick(&request, &plan);

    if (r != ROUTE_OK) {
        struct problem p = problem_of(r == ROUTE_E_DENIED ? PROBLEM_MODEL_DENIED : PROBLEM_NO_MODEL);

        p.param = STR("model");
        p.message = route_sentence(ask->r->arena, ask->model, r);
        refuse(ask, &p);
        return;
    }
    /* What a guardrail looks for is no provider's to see, so the prompt is not sent to be counted. */
    for (size_t i = 0; i < plan.n && !(ask->key->guard && ask->key->guard->where & GUARD_REQUEST); i++)
        if (ask_provider(ask, plan.candidates[i]))
            return;
    estimate(ask);
}

static void admitted(struct count_ask *ask)
{
    struct json_fault fault = {.at = 0};
    enum problem_code code = key_check_policy(ask->key->policy, ask->r);
    const struct catalog_model *stand_in;
    enum route_sort sort; /* whoever would be asked, the tokens are the model's */
    int r;

    if (code != PROBLEM_NONE || !ask->catalog) {
        refuse_code(ask, code != PROBLEM_NONE ? code : PROBLEM_LEDGER_AWAY);
        return;
    }
    r = ask->endpoint->dialect->read_request(ask->r->arena, ask->r->body, &ask->wire, &fault);
    if (r != DIALECT_OK) {
        refuse_fault(ask, r, &fault);
        return;
    }
    if (ask->endpoint->chat->model_in_path)
        ask->wire.llm.model = endpoint_path_model(ask->r);
    ask->model = variant_find(ask->catalog, ask->wire.llm.model, &sort);
    stand_in = ask->model && ask->model->n_rules ? rule_stand_in(ask->model, model_allowed, ask) : NULL;
    if (stand_in)
        ask->model = stand_in;
    if (ask->model)
        count(ask);
    else
        refuse_code(ask, PROBLEM_NO_MODEL);
}

static void key_answered(struct key_waiter *w, int outcome, struct known_key *key)
{
    struct count_ask *ask = container_of(w, struct count_ask, waiter);
    struct problem p;

    if (outcome == KEYS_OK) {
        ask->key = key;
        admitted(ask);
    } else {
        p = key_check_outcome(outcome);
        refuse(ask, &p);
    }
}

void count_cut(struct gateway *g, const struct problem *p)
{
    list_for_each (&g->counts, link)
        refuse(container_of(link, struct count_ask, link), p);
}

static void client_gone(struct request *r)
{
    struct count_ask *ask = r->user;

    if (ask)
        end(ask);
}

void gateway_count(struct request *r)
{
    struct gateway *g = listener_ctx(r->listener);
    struct digest digest;
    struct count_ask *ask = key_ask_begin(r, sizeof(*ask), &digest);

    if (!ask)
        return;
    *ask = (struct count_ask){.g = g,
                              .r = r,
                              .endpoint = r->route->what,
                              .catalog = g->catalog ? catalog_ref(g->catalog) : NULL};
    buf_init(&ask->sent, BOUND_REQUEST_ARENA_BYTES);
    buf_init(&ask->got, COUNT_REPLY_BYTES + KIB(4));
    ask->waiter.answered = key_answered;
    r->user = ask;
    r->gone = client_gone;
    request_hold(r);
    list_add_tail(&g->counts, &ask->link);
    key_ask_find(g, &digest, &ask->waiter);
}

const struct count_endpoint count_anthropic = {.dialect = &anthropic_count_tokens,
                                               .chat = &endpoint_messages,
                                               .asked = &format_anthropic_count};
const struct count_endpoint count_gemini = {
    .dialect = &gemini_count_tokens, .chat = &endpoint_gemini, .asked = &format_gemini_count};
