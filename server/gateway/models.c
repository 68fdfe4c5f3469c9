/* models.c: GET /v1/models and /v1beta/models: what a key may use, straight from the snapshot.
 *
 * Not a call: nothing is counted and nothing is on the record. */
#include "base/bounds.h"
#include "http/listener.h"
#include "gateway/endpoint.h"
#include "gateway/gateway.h"
#include "gateway/key_ask.h"
#include "gateway/key_check.h"
#include "gateway/models_form.h"
#include "routing/rule.h"

struct models_ask {
    struct key_waiter waiter;
    struct gateway *g;
    struct request *r;
    const struct models_form *form;
    struct str wanted; /* p NULL: all of them */
};

static bool is_allowed(void *ctx, const struct catalog_model *m)
{
    return key_policy_allows_model(ctx, m->name);
}

/* One that only its rules have served is shown where the key may use what one of them chooses. */
static bool shown(const struct catalog_model *m, const struct key_policy *k)
{
    return rule_stand_in(m, is_allowed, (void *)k) != NULL;
}

/* Those that the key may use. NULL: out of memory. */
static const struct catalog_model **shown_to(struct arena *a, const struct catalog *c,
                                             const struct key_policy *k, size_t *ret_n)
{
    size_t n = 0, kept = 0;
    const struct catalog_model *all = catalog_models(c, &n);
    const struct catalog_model **list = arena_array(a, const struct catalog_model *, n + 1);

    for (size_t i = 0; list && i < n; i++)
        if (shown(&all[i], k))
            list[kept++] = &all[i];
    *ret_n = kept;
    return list;
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
    const struct catalog_model *one, **list;
    struct json_writer w;
    struct buf out;
    size_t n = 0;

    one = ask->wanted.p && c ? catalog_find_model(c, ask->wanted) : NULL;
    if (!c || (ask->wanted.p && (!one || !shown(one, k)))) {
        fail(ask, c ? PROBLEM_NO_MODEL : PROBLEM_LEDGER_AWAY);
        return;
    }
    list = shown_to(ask->r->arena, c, k, &n);
    buf_init(&out, MIB(8));
    json_begin(&w, &out);
    if (one)
        ask->form->put_one(&w, one);
    else if (list)
        ask->form->put_list(&w, list, n);
    if (out.n && buf_finish(&out) == 0)
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

static void begin(struct request *r, const struct models_form *form, struct str wanted)
{
    struct gateway *g = listener_ctx(r->listener);
    struct digest digest;
    struct models_ask *ask = key_ask_begin(r, sizeof(*ask), &digest);

    if (!ask)
        return;
    *ask = (struct models_ask){.g = g, .r = r, .form = form, .wanted = wanted};
    ask->waiter.answered = answered;
    request_hold(r);
    key_ask_find(g, &digest, &ask->waiter);
}

/* OpenAI and Anthropic list their models at the same address; only the latter's clients name a
 * version. */
static const struct models_form *form_of(const struct request *r)
{
    return request_header(r, "anthropic-version").p ? &models_as_anthropic : &models_as_openai;
}

void gateway_models(struct request *r)
{
    begin(r, form_of(r), STR_NONE);
}

static struct str name_in(const struct request *r)
{
    struct str name = endpoint_path_model(r);

    return name.p ? name : STR("");
}

void gateway_model(struct request *r)
{
    begin(r, form_of(r), name_in(r));
}

void gateway_gemini_models(struct request *r)
{
    begin(r, &models_as_gemini, STR_NONE);
}

void gateway_gemini_model(struct request *r)
{
    begin(r, &models_as_gemini, name_in(r));
}
