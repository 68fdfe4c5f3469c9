/* call_admit.c: from the head of a request to a call that may be sent: key, address, body, model,
 * limits, hold. Nothing has been counted or taken when any of the checks refuses. */
#include <errno.h>
#include <inttypes.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "gateway/call_flow.h"
#include "gateway/call_headers.h"
#include "gateway/key_check.h"
#include "gateway/needs.h"
#include "gateway/preference.h"
#include "gateway/refusal.h"
#include "gateway/tags.h"
#include "routing/variant.h"
#include "translation/multipart.h"
#include "translation/wire.h"

enum { KEY_WAIT_MS = 5000 }; /* of a key of which nothing is known */

static void take_key(struct call *c, struct known_key *k)
{
    c->key = k;
    call_enter(c, CALL_ADMIT);
    call_admit(c);
}

static void refuse_early(struct call *c, int outcome)
{
    struct problem p = key_check_outcome(outcome);

    refusal_early(c->g, c->r, &p, outcome == KEYS_E_UNKNOWN ? REFUSED_BAD_KEY : REFUSED_BUSY);
    call_end(c);
}

static void key_answered(struct key_waiter *w, int outcome, struct known_key *k)
{
    struct call *c = container_of(w, struct call, waiter);

    loop_timer_clear(&c->timer);
    if (outcome == KEYS_OK)
        take_key(c, k);
    else
        refuse_early(c, outcome);
}

void call_key_late(struct call *c)
{
    struct known_key *k = NULL;
    int outcome = key_waiter_late(&c->waiter, &k);

    if (outcome == KEYS_OK)
        take_key(c, k);
    else if (outcome == KEYS_E_WAIT)
        call_wait(c, KEY_WAIT_MS - KEYS_LATE_MS);
    else
        refuse_early(c, outcome);
}

static void refuse_unmade(struct gateway *g, struct request *r, enum problem_code code,
                          enum metrics_refusal why)
{
    struct problem p = problem_of(code);

    if (problem_status(&p) == 503)
        p.retry_after_s = 1;
    refusal_early(g, r, &p, why);
}

void call_begin(struct gateway *g, struct request *r, const struct endpoint *endpoint)
{
    const struct services *s = g->services;
    struct known_key *k = NULL;
    struct digest digest;
    enum problem_code code = key_check_token(r, s->key_pepper, &digest);
    struct call *c;
    int outcome;

    if (s->draining && s->draining(s->ctx)) {
        refuse_unmade(g, r, PROBLEM_DRAINING, REFUSED_DRAINING);
        return;
    }
    if (code != PROBLEM_NONE) {
        refuse_unmade(g, r, code, code == PROBLEM_NO_KEY ? REFUSED_NO_KEY : REFUSED_BAD_KEY);
        return;
    }
    c = call_new(g, r, endpoint);
    if (!c) {
        refuse_unmade(g, r, PROBLEM_BUSY, REFUSED_BUSY);
        return;
    }
    c->waiter.answered = key_answered;
    outcome = key_cache_find(g->keys, &digest, &c->waiter, &k);
    if (outcome == KEYS_OK) {
        take_key(c, k);
    } else if (outcome == KEYS_E_WAIT) {
        call_enter(c, CALL_KEY);
        call_wait(c, KEYS_LATE_MS);
    } else {
        refuse_early(c, outcome);
    }
}

void call_begin_inner(struct call *of, struct request *r, const struct endpoint *endpoint)
{
    struct call *c = call_new(of->g, r, endpoint);

    if (!c)
        return; /* the request ends without an answer */
    c->inner = true;
    c->key = known_key_ref(of->key);
    call_enter(c, CALL_ADMIT);
    call_known(c);
    c->record.for_call_id = of->r->id;
    c->record.tags = of->record.tags.p ? arena_str(r->arena, of->record.tags) : STR_NONE;
    call_admit_body(c);
}

static bool refuse(struct call *c, const struct problem *p, enum call_outcome outcome)
{
    call_refuse(c, p, outcome);
    return false;
}

static bool refuse_code(struct call *c, enum problem_code code, enum call_outcome outcome)
{
    struct problem p = problem_of(code);

    return refuse(c, &p, outcome);
}

static bool check_key(struct call *c)
{
    enum problem_code code = key_check_policy(c->key->policy, c->r);

    return code == PROBLEM_NONE ? true : refuse_code(c, code, CALL_OUTCOME_BLOCKED);
}

static bool refuse_fault(struct call *c, enum problem_code code, const struct json_fault *fault)
{
    struct problem p = problem_of(code);

    if (fault->path[0]) {
        p.param = arena_str(c->r->arena, str_c(fault->path));
        p.message = arena_strf(c->r->arena, "%s `%s`: %s.", problem_sentence(code), fault->path,
                               fault->reason);
    } else {
        p.message = arena_strf(c->r->arena, "%s At byte %zu: %s.", problem_sentence(code),
                               fault->at, fault->reason);
    }
    return refuse(c, &p, CALL_OUTCOME_CLIENT_ERROR);
}

/* What the request says of itself, for the log. */
static bool take_tags(struct call *c)
{
    struct str said = request_header(c->r, "x-tollgate-tags");
    struct json_fault fault = {.at = 0};
    int r = said.n ? tags_join(c->r->arena, said, c->record.tags, &c->record.tags, &fault) : TAGS_OK;

    if (r == TAGS_OK)
        return true;
    return r < 0 ? refuse_code(c, PROBLEM_INTERNAL, CALL_OUTCOME_INTERNAL)
                 : refuse_fault(c, PROBLEM_BAD_FIELD, &fault);
}

/* Gemini's addresses: /models/{model}:verb, and {vendor}/{model}. A stream without alt=sse is one
 * JSON array. */
static int take_path(struct call *c)
{
    struct llm_request *llm = &c->wire.llm;

    llm->model = endpoint_path_model(c->r);
    llm->stream = c->endpoint->streams;
    c->array.wanted = llm->stream && !str_eq(request_query(c->r, "alt"), STR("sse"));
    return llm->model.p ? DIALECT_OK : err_origin(-ENOMEM);
}

/* Forms are told by their content type; what says nothing, or something else, is taken for JSON. */
static int read_fields(struct call *c, struct json_fault *fault)
{
    const struct dialect *d = c->endpoint->format->dialect;
    struct str type = request_header(c->r, "content-type");

    if (d->read_form && multipart_is_form(type))
        return d->read_form(c->r->arena, type, c->r->body, &c->wire, fault);
    if (d->read_request)
        return d->read_request(c->r->arena, c->r->body, &c->wire, fault);
    return wire_wrong(fault, "body", "must be multipart/form-data");
}

/* What few requests say is large. PREFERENCE_OK also when there is none. */
static int read_preference(struct call *c, struct json_fault *fault)
{
    const struct llm_request *llm = &c->wire.llm;

    if (!llm->models_json.p && !llm->provider_json.p)
        return PREFERENCE_OK;
    c->preference = arena_new0(c->r->arena, struct route_preference);
    if (!c->preference)
        return err_origin(-ENOMEM);
    return preference_read(c->r->arena, llm, c->preference, fault);
}

static bool read_body(struct call *c)
{
    struct json_fault fault = {.at = 0};
    struct llm_request *llm = &c->wire.llm;
    int r = read_fields(c, &fault);

    if (r == DIALECT_OK && c->endpoint->model_in_path)
        r = take_path(c);
    if (r == DIALECT_OK) {
        c->record.requested_model = llm->model;
        c->record.stream = llm->stream;
        r = read_preference(c, &fault);
        if (r == PREFERENCE_OK)
            return true;
        r = r < 0 ? r : DIALECT_E_FIELD;
    }
    if (r < 0)
        return refuse_code(c, PROBLEM_INTERNAL, CALL_OUTCOME_INTERNAL);
    return refuse_fault(c, r == DIALECT_E_SYNTAX ? PROBLEM_BAD_JSON : PROBLEM_BAD_FIELD, &fault);
}

/* `models` alone names the first choice too. */
static void first_model(struct call *c)
{
    struct route_preference *p = c->preference;

    if (c->wire.llm.model.p || !p || !p->n_models)
        return;
    c->wire.llm.model = c->record.requested_model = p->models[0];
    p->n_models--;
    memmove(p->models, p->models + 1, p->n_models * sizeof(p->models[0]));
}

static bool model_allowed(void *ctx, const struct catalog_model *m)
{
    const struct call *c = ctx;

    return c->inner || key_policy_allows_model(c->key->policy, m->name);
}

static bool refuse_model(struct call *c)
{
    struct problem p = problem_of(PROBLEM_NO_MODEL);
    struct str name = c->wire.llm.model;

    p.param = STR("model");
    if (str_utf8(name) && name.n && name.n <= 200)
        p.message = arena_strf(c->r->arena,
                               "The model `%.*s` does not exist or is not available to this key.%s",
                               STR_FMT(name),
                               variant_is_free(name) ? " `:free` is no suffix here: only a model of "
                                                       "that very name would be meant."
                                                     : "");
    return refuse(c, &p, CALL_OUTCOME_CLIENT_ERROR);
}

static bool refuse_route(struct call *c, const struct catalog_model *m, int outcome)
{
    static const struct {
        int outcome;
        enum problem_code code;
        enum call_outcome end;
        const char *param;
    } rows[] = {
        {ROUTE_E_DENIED, PROBLEM_MODEL_DENIED, CALL_OUTCOME_BLOCKED, "model"},
        {ROUTE_E_DISABLED, PROBLEM_NO_MODEL, CALL_OUTCOME_CLIENT_ERROR, "model"},
        {ROUTE_E_OFF, PROBLEM_NO_TARGET, CALL_OUTCOME_UPSTREAM_ERROR, NULL},
        {ROUTE_E_KIND, PROBLEM_BAD_FIELD, CALL_OUTCOME_CLIENT_ERROR, "model"},
        {ROUTE_E_NO_TARGET, PROBLEM_NO_TARGET, CALL_OUTCOME_UPSTREAM_ERROR, NULL},
        {ROUTE_E_FORMAT, PROBLEM_BAD_FIELD, CALL_OUTCOME_CLIENT_ERROR, "model"},
        {ROUTE_E_NO_PRICE, PROBLEM_NO_PRICE, CALL_OUTCOME_CLIENT_ERROR, "model"},
        {ROUTE_E_SERVICE, PROBLEM_BAD_FIELD, CALL_OUTCOME_CLIENT_ERROR, "service_tier"},
        {ROUTE_E_PREFERENCE, PROBLEM_BAD_FIELD, CALL_OUTCOME_CLIENT_ERROR, "provider"},
        {ROUTE_E_MAX_PRICE, PROBLEM_BAD_FIELD, CALL_OUTCOME_CLIENT_ERROR, "provider.max_price"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct problem p;

        if (rows[i].outcome != outcome)
            continue;
        p = problem_of(rows[i].code);
        p.param = str_c(rows[i].param);
        p.message = route_sentence(c->r->arena, m, outcome);
        if (rows[i].code == PROBLEM_NO_TARGET)
            p.retry_after_s = 5;
        return refuse(c, &p, rows[i].end);
    }
    return refuse_code(c, PROBLEM_INTERNAL, CALL_OUTCOME_INTERNAL);
}

/* Not every format's errors have a place for the field, so the sentence names it too. */
static bool refuse_field(struct call *c, const char *field, struct str sentence)
{
    struct problem p = problem_of(PROBLEM_BAD_FIELD);

    p.param = str_c(field);
    p.message = sentence;
    return refuse(c, &p, CALL_OUTCOME_CLIENT_ERROR);
}

/* What the request asks for and no target of the model does. */
static bool refuse_ability(struct call *c, const struct catalog_model *m)
{
    enum ability a = needs_missing(m, needs_abilities(c->endpoint, &c->wire.llm));
    const char *field = needs_field(c->endpoint, a);

    return refuse_field(
        c, field,
        a < ABILITIES
            ? arena_strf(c->r->arena, "`%s`: the model `%.*s` does not do %s.", field,
                         STR_FMT(m->name), ability_label(a))
            : arena_strf(c->r->arena,
                         "`%s`: no provider of `%.*s` does all at once that is asked for.", field,
                         STR_FMT(m->name)));
}

/* The most that an answer of any target of the model may have. */
static int64_t output_of(const struct catalog_model *m)
{
    int64_t most = 0;

    for (size_t i = 0; i < m->n_targets; i++)
        if (m->targets[i].enabled)
            most = MAX(most, target_output(&m->targets[i]));
    return most;
}

static bool refuse_output(struct call *c, const struct catalog_model *m)
{
    const char *field =
        c->wire.llm.limit_field ? c->wire.llm.limit_field : needs_limit_field(c->endpoint);

    return refuse_field(c, field,
                        arena_strf(c->r->arena,
                                   "`%s`: the model `%.*s` writes at most %" PRId64 " tokens.",
                                   field, STR_FMT(m->name), output_of(m)));
}

/* The path is the client's own, "tools[0]". */
static bool refuse_searches(struct call *c, const struct catalog_model *m)
{
    struct str path = c->wire.llm.search_path;

    return refuse_field(c, path.p,
                        arena_strf(c->r->arena, "`%.*s`: the model `%.*s` sells no web searches.",
                                   STR_FMT(path), STR_FMT(m->name)));
}

static bool refuse_context(struct call *c, const struct catalog_model *m)
{
    const char *field = needs_input_field(c->endpoint);

    return refuse_field(c, field,
                        arena_strf(c->r->arena,
                                   "`%s`: the input is longer than the context of the model `%.*s`.",
                                   field, STR_FMT(m->name)));
}

/* No text is fewer tokens than this many of its bytes can make: the longest tokens of public
 * vocabularies are runs of 128 spaces or dashes. */
enum { BYTES_PER_TOKEN_MOST = 128 };

static const struct catalog_model *find_model(struct call *c)
{
    const struct catalog_model *m;

    if (call_is_shadow(c))
        return call_shadow_model(c);
    first_model(c);
    m = c->catalog ? variant_find(c->catalog, c->wire.llm.model, &c->sort) : NULL;
    return m && m->n_rules ? call_rule(c, m) : m;
}

static bool plan(struct call *c)
{
    struct route_request request;
    const struct catalog_model *m = find_model(c);
    int r;

    if (!c->catalog)
        return refuse_code(c, PROBLEM_LEDGER_AWAY, CALL_OUTCOME_INTERNAL);
    if (!m)
        return refuse_model(c);
    c->model = m;
    c->record.model_id = m->id.v;
    request = (struct route_request){
        .catalog = c->catalog,
        .health = c->g->services->health,
        .pace = c->g->services->pace,
        .now_ms = clock_mono_ms(),
        .model = m,
        .sort = c->sort,
        .team = call_is_shadow(c) ? (struct team_id){0} : c->key->policy->team,
        .kind = c->endpoint->kind,
        .format = c->endpoint->format,
        .abilities = needs_abilities(c->endpoint, &c->wire.llm),
        .output_tokens = model_kind_writes(c->endpoint->kind) ? c->wire.llm.output_limit : 0,
        .input_tokens_least = (int64_t)(c->wire.llm.text_bytes / BYTES_PER_TOKEN_MOST),
        .service = c->wire.llm.service,
        .searches = c->wire.llm.search_path.p != NULL,
        .preference = c->preference,
        .allowed = model_allowed,
        .ctx = c,
    };
    r = route_pick(&request, &c->plan);
    c->to_shadow = call_is_shadow(c) || c->endpoint->makes_jobs ? NULL : m->shadow;
    if (r == ROUTE_E_ABILITY)
        return refuse_ability(c, m);
    if (r == ROUTE_E_SEARCH)
        return refuse_searches(c, m);
    if (r == ROUTE_E_CONTEXT)
        return refuse_context(c, m);
    if (r == ROUTE_E_OUTPUT)
        return refuse_output(c, m);
    return r == ROUTE_OK ? true : refuse_route(c, m, r);
}

/* What a guardrail stops is read all the same: the record names its model, and a body that is wrong is
 * told so. */
static bool check_texts(struct call *c)
{
    struct problem p;

    if (call_guard_request(c, &p) != CALL_GUARD_STOPS)
        return true;
    return read_body(c) &&
           refuse(c, &p, p.code == PROBLEM_GUARDRAIL ? CALL_OUTCOME_BLOCKED : CALL_OUTCOME_INTERNAL);
}

void call_admit(struct call *c)
{
    call_known(c);
    if (check_key(c) && take_tags(c) && (!c->key->guard || check_texts(c)) &&
        (!c->endpoint->keeps || call_previous(c)))
        call_admit_body(c);
}

static bool check_own_headers(struct call *c)
{
    struct json_fault fault = {.at = 0};

    return call_headers_good(c, &fault) ? true : refuse_fault(c, PROBLEM_BAD_FIELD, &fault);
}

void call_admit_body(struct call *c)
{
    struct problem p;
    int r;

    /* What it goes on from may be older than the rules. */
    if (c->keep.asked.previous_id.p && c->key->guard && !check_texts(c))
        return;
    if (!read_body(c) || !plan(c) || !check_own_headers(c))
        return;
    if (!call_video_may_begin(c)) {
        p = call_video_not_kept();
        call_refuse(c, &p, CALL_OUTCOME_INTERNAL);
        return;
    }
    if (c->key->policy->cache_seconds && !c->inner && !call_is_shadow(c) && call_cache_look(c))
        return;
    r = call_money_hold(c, &p);
    if (r == CALL_MONEY_WAIT)
        call_enter(c, CALL_HOLD);
    else
        call_held(c, r, &p);
}

/* The hold is taken, or refused. */
void call_held(struct call *c, int outcome, const struct problem *p)
{
    if (outcome == CALL_MONEY_OK)
        (void)failpoint_hit("hold.taken");
    if (call_is_left(c)) {
        call_leave(c);
    } else if (outcome == CALL_MONEY_OK && c->cache && c->cache->found) {
        call_cache_answer(c);
    } else if (outcome == CALL_MONEY_OK && c->cache && call_like_wait(c)) {
        return;
    } else if (outcome == CALL_MONEY_OK) {
        call_enter(c, CALL_ROUTE);
        call_route(c);
    } else if (outcome == CALL_MONEY_REFUSED) {
        call_refuse(c, p, CALL_OUTCOME_BLOCKED);
    } else {
        call_refuse(c, p, CALL_OUTCOME_INTERNAL);
    }
}
