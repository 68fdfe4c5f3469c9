/* models.c: GET /v1/models: what a key may use, straight from the snapshot.
 *
 * Not a call: nothing is counted and nothing is on the record. */
#include "base/bounds.h"
#include "http/listener.h"
#include "gateway/gateway.h"
#include "gateway/key_cache.h"
#include "gateway/key_check.h"
#include "json/write.h"

struct models_ask {
    struct key_waiter waiter;
    struct gateway *g;
    struct request *r;
    struct str wanted; /* p NULL: all of them */
};

static bool shown(const struct catalog_model *m, const struct key_policy *k)
{
    return catalog_model_served(m) && key_policy_allows_model(k, m->name);
}

static void put_model(struct json_writer *w, const struct catalog_model *m)
{
    json_open_object(w);
    json_key(w, "id");
    json_str(w, m->name);
    json_key(w, "object");
    json_cstr(w, "model");
    json_key(w, "created");
    json_int(w, m->created_s);
    json_key(w, "owned_by");
    json_str(w, m->vendor);
    json_key(w, "kind");
    json_cstr(w, model_kind_name(m->kind));
    if (m->context_tokens) {
        json_key(w, "context_length");
        json_int(w, m->context_tokens);
    }
    if (m->max_output_tokens) {
        json_key(w, "max_output_tokens");
        json_int(w, m->max_output_tokens);
    }
    json_close_object(w);
}

static void put_list(struct json_writer *w, const struct catalog *c, const struct key_policy *k)
{
    size_t n = 0;
    const struct catalog_model *all = catalog_models(c, &n);

    json_open_object(w);
    json_key(w, "object");
    json_cstr(w, "list");
    json_key(w, "data");
    json_open_array(w);
    for (size_t i = 0; i < n; i++)
        if (shown(&all[i], k))
            put_model(w, &all[i]);
    json_close_array(w);
    json_close_object(w);
}

static void fail(struct models_ask *ask, enum problem_code code)
{
    struct problem p = problem_of(code);

    if (code == PROBLEM_NO_MODEL)
        p.param = STR("model");
    request_fail(ask->r, &p);
}

static void reply(struct models_ask *ask, const struct key_policy *k)
{
    struct response response = {.status = 200, .content_type = "application/json"};
    const struct catalog *c = ask->g->catalog;
    const struct catalog_model *one;
    struct json_writer w;
    struct buf out;

    one = ask->wanted.p && c ? catalog_find_model(c, ask->wanted) : NULL;
    if (!c || (ask->wanted.p && (!one || !shown(one, k)))) {
        fail(ask, c ? PROBLEM_NO_MODEL : PROBLEM_LEDGER_AWAY);
        return;
    }
    buf_init(&out, MIB(8));
    json_begin(&w, &out);
    if (one)
        put_model(&w, one);
    else
        put_list(&w, c, k);
    if (buf_finish(&out) == 0)
        response.body = arena_str(ask->r->arena, buf_str(&out));
    buf_done(&out);
    if (response.body.p)
        request_reply(ask->r, &response);
    else
        fail(ask, PROBLEM_INTERNAL);
}

static void answered(struct key_waiter *w, int outcome, struct known_key *key)
{
    struct models_ask *ask = container_of(w, struct models_ask, waiter);
    enum problem_code code;
    struct problem p;

    if (outcome == KEYS_OK) {
        code = key_check_policy(key->policy, ask->r);
        if (code == PROBLEM_NONE)
            reply(ask, key->policy);
        else
            fail(ask, code);
        known_key_unref(key);
    } else {
        p = key_check_outcome(outcome);
        request_fail(ask->r, &p);
    }
    request_release(ask->r);
}

static void begin(struct request *r, struct str wanted)
{
    struct gateway *g = listener_ctx(r->listener);
    struct models_ask *ask = arena_new0(r->arena, struct models_ask);
    struct known_key *key = NULL;
    struct digest digest;
    enum problem_code code = key_check_token(r, g->services->key_pepper, &digest);
    struct problem p = problem_of(code != PROBLEM_NONE ? code : PROBLEM_BUSY);
    int outcome;

    if (code != PROBLEM_NONE || !ask) {
        request_fail(r, &p);
        return;
    }
    *ask = (struct models_ask){.g = g, .r = r, .wanted = wanted};
    ask->waiter.answered = answered;
    request_hold(r);
    outcome = key_cache_find(g->keys, &digest, &ask->waiter, &key);
    if (outcome != KEYS_E_WAIT)
        answered(&ask->waiter, outcome, key);
}

void gateway_models(struct request *r)
{
    begin(r, STR_NONE);
}

/* Names may hold one slash ("vendor/name"): the route has one or two parameters. */
void gateway_model(struct request *r)
{
    struct str name = r->params[0];

    if (r->params[1].p)
        name = arena_strf(r->arena, "%.*s/%.*s", STR_FMT(r->params[0]), STR_FMT(r->params[1]));
    begin(r, name.p ? name : STR(""));
}
