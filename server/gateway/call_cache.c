/* call_cache.c: see call_cache.h. */
#include "gateway/call_cache.h"

#include "base/clock.h"
#include "cache/asked.h"
#include "cache/free_copy.h"
#include "gateway/call_flow.h"
#include "gateway/standing.h"

/* For the client's headers that reach a provider: a name and a value each, which are short. */
#define HEADERS_BYTES KIB(8)

/* --- which calls --- */

static bool kind_is_kept(enum model_kind kind)
{
    return model_kind_writes(kind) || kind == MODEL_EMBEDDING || kind == MODEL_RERANK ||
           kind == MODEL_MODERATION;
}

/* Not kept: forms, sounds and images; what a client asks to be routed anew (the trace); answers that
 * are the provider's or the gateway's to remember under one id (Responses); what was searched on the
 * web, which is of the moment; several answers at once, of whose ends only the last is known. */
static bool may_be_kept(const struct call *c)
{
    const struct llm_request *llm = &c->wire.llm;

    return kind_is_kept(c->endpoint->kind) && !c->wire.content_type.p && !c->wire.wants_text &&
           !c->trace && !call_keep_marks(&c->keep) && !llm->previous_id.p && !llm->search_path.p &&
           llm->choices <= 1;
}

/* The ends of answers that are whole, in the words of all formats. A refusal is none of them. */
static bool ended_well(const struct call *c)
{
    static const struct str words[] = {
        STR("stop"),          STR("length"),   STR("tool_calls"), STR("function_call"),
        STR("end_turn"),      STR("tool_use"), STR("max_tokens"), STR("stop_sequence"),
        STR("completed"),     STR("COMPLETE"), STR("TOOL_CALL"),  STR("STOP_SEQUENCE"),
        STR("max_output_tokens"),
    };

    if (!model_kind_writes(c->endpoint->kind))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_ieq(c->record.finish_reason, words[i]))
            return true;
    return false;
}

/* An answer of another model than was asked for stood in for it once. */
static bool is_kept(const struct call *c)
{
    return c->cache->wish.keep && !c->cache->found && c->served && c->try.status == 200 &&
           c->record.model_id == c->cache->model.v && ended_well(c);
}

/* --- looking --- */

static void put_headers(struct call *c, const struct catalog_target *targets, size_t n, struct buf *out)
{
    const char *const *last = NULL;

    for (size_t i = 0; i < n; i++) {
        const struct catalog_target *t = &targets[i];
        const struct catalog_way *way =
            catalog_account_way(t->account, t->upstream_model, c->endpoint->format);
        const char *const *name = way ? way->way->client_headers : NULL;

        if (!name || name == last)
            continue;
        last = name;
        for (; *name; name++)
            buf_printf(out, "%s:%.*s\n", *name, STR_FMT(request_header(c->r, *name)));
    }
}

/* What the client's own headers add to the request, wherever a target may be sent them. */
static struct str headers_of(struct call *c, const struct catalog_model *m)
{
    size_t n_own;
    const struct catalog_target *own = catalog_model_own(m, c->key->policy->team, &n_own);
    struct str text;
    struct buf out;

    buf_init(&out, HEADERS_BYTES);
    put_headers(c, own, n_own, &out);
    put_headers(c, m->targets, m->n_targets, &out);
    text = buf_finish(&out) == 0 ? arena_str(c->r->arena, buf_str(&out)) : STR_NONE;
    buf_done(&out);
    return text;
}

/* What one key's guardrails let through, or have redacted, another's may not. */
static struct str rules_of(const struct call *c)
{
    const struct guard_set *s = c->key->guard;

    return s ? str_n((const char *)s->digest.b, sizeof(s->digest.b)) : STR("");
}

bool call_cache_digest(struct call *c, struct json_span text, struct str stands, struct digest *ret)
{
    const struct catalog_model *m = c->model;
    const struct key_policy *k = c->key->policy;
    struct asked asked = {
        .team = k->team,
        .key = {k->cache_own ? k->key.v : 0},
        .cleared_at_us = k->cache_cleared_us,
        .endpoint = str_c(c->endpoint->name),
        .model = m->id,
        .sort = c->sort,
        .headers = headers_of(c, m),
        .rules = rules_of(c),
        .body = c->r->body,
        .text = text,
        .likeness = stands,
    };

    return asked.headers.p &&
           standing_of(m, k->team, c->endpoint->format, &asked.standing) &&
           asked_digest(answers_pepper(c->g->services->answers), &asked, ret);
}

/* What the key may use, what the request wishes of its providers and what is switched off hold for kept
 * answers too: only one of a target that this call might be sent to is given. */
bool call_cache_may_give(const struct call *c, const struct answer *a)
{
    for (size_t i = 0; i < c->plan.n; i++)
        if (c->plan.candidates[i]->id.v == a->facts.target.v)
            return true;
    return false;
}

static bool refuse_header(struct call *c)
{
    struct problem p = problem_of(PROBLEM_BAD_FIELD);

    p.param = STR("x-tollgate-cache");
    p.message = STR("The header `x-tollgate-cache` is one of max-age=SECONDS, no-cache and no-store.");
    call_refuse(c, &p, CALL_OUTCOME_CLIENT_ERROR);
    return true;
}

static void take(struct call *c)
{
    struct problem p;
    int r = call_money_count(c, &p);

    if (r == CALL_MONEY_WAIT)
        call_enter(c, CALL_HOLD);
    else
        call_held(c, r, &p);
}

bool call_cache_look(struct call *c)
{
    struct answers *all = c->g->services->answers;
    const struct json_span none = {.n = 0};
    struct cache_wish wish;
    struct call_cache *cache;

    if (cache_wish_read(request_header(c->r, "x-tollgate-cache"), c->key->policy->cache_seconds,
                        &wish) != CACHE_WISH_OK)
        return refuse_header(c);
    if (!all || (!wish.read && !wish.keep) || !may_be_kept(c))
        return false;
    cache = arena_new0(c->r->arena, struct call_cache);
    if (!cache || !call_cache_digest(c, none, STR(""), &cache->digest))
        return false;
    cache->wish = wish;
    cache->model = c->model->id;
    buf_init(&cache->got, answers_most(all));
    c->cache = cache;
    if (wish.read)
        cache->found = answers_find(all, &cache->digest, clock_mono_ms(), wish.max_age_ms);
    if (cache->found && !call_cache_may_give(c, cache->found)) {
        answer_unref(cache->found);
        cache->found = NULL;
    }
    if (!cache->found) {
        c->record.cache = STR("miss");
        call_like_open(c);
        return false;
    }
    take(c);
    return true;
}

/* --- answering --- */

/* Who made it, and what it ended with. Texts outlive the answer, which may leave the list. */
static void describe(struct call *c, const struct answer *a)
{
    const struct answer_facts *f = &a->facts;
    struct call_record *r = &c->record;
    struct arena *arena = c->r->arena;

    r->cache = STR("hit");
    r->saved_nano = f->charge;
    r->model_id = f->model.v;
    r->target_id = f->target.v;
    r->account_id = f->account.v;
    r->served_model = arena_str(arena, f->served_model);
    r->provider = arena_str(arena, f->provider);
    r->account_name = arena_str(arena, f->account_name);
    r->finish_reason = f->finish_reason.p ? arena_str(arena, f->finish_reason) : STR_NONE;
    r->dropped = f->dropped.p ? arena_str(arena, f->dropped) : STR_NONE;
    r->ttfb_us = (clock_mono_ns() - c->r->began_mono_ns) / 1000;
}

static void put_head(struct call *c, const struct answer *a, struct response *out)
{
    int64_t age_ms = MAX(clock_mono_ms() - a->made_ms, INT64_C(0));

    call_put_head(c, out);
    if (c->record.similarity_bp)
        response_header(out, "x-tollgate-similarity",
                        arena_strf(c->r->arena, "%d.%04d", c->record.similarity_bp / 10000,
                                   c->record.similarity_bp % 10000));
    response_header(out, "age", arena_i64(c->r->arena, age_ms / 1000, ""));
    response_header(out, "x-tollgate-cost", STR("0"));
}

static void send_whole(struct call *c, const struct answer *a)
{
    struct response whole = {.status = 200,
                             .content_type = arena_cstr(c->r->arena, a->facts.content_type),
                             .body = arena_str(c->r->arena, a->bytes)};

    put_head(c, a, &whole);
    request_reply(c->r, &whole);
}

static void send_stream(struct call *c, const struct answer *a)
{
    struct response head = {.status = 200, .content_type = call_stream_type(c)};
    struct buf *out = &c->g->scratch;

    put_head(c, a, &head);
    response_header(&head, "cache-control", STR("no-cache"));
    if (request_stream_begin(c->r, &head) == STREAM_E_GONE)
        return;
    buf_put_str(out, a->bytes);
    if (c->array.wanted) {
        json_array_turn(&c->array, out);
        json_array_end(&c->array, out);
    }
    request_stream_end_with(c->r, buf_str(out));
    buf_reset(out);
}

void call_cache_answer(struct call *c)
{
    const struct answer *a = c->cache->found;

    c->cache->given = true;
    describe(c, a);
    call_settle(c, 200, CALL_OUTCOME_OK);
    if (c->client_there && a->facts.stream)
        send_stream(c, a);
    else if (c->client_there)
        send_whole(c, a);
    call_end(c);
}

/* --- keeping --- */

static void keep(struct call *c, bool stream, const char *content_type, const struct buf *copy)
{
    const struct call_record *r = &c->record;
    const struct answer_facts facts = {
        .stream = stream,
        .served_model = r->served_model,
        .provider = r->provider,
        .account_name = r->account_name,
        .finish_reason = r->finish_reason,
        .dropped = r->dropped,
        .content_type = str_c(content_type),
        .model = {r->model_id},
        .target = {r->target_id},
        .account = {r->account_id},
        .charge = r->charge_nano,
    };

    if (buf_finish(copy) == 0 &&
        answers_keep(c->g->services->answers, &c->cache->digest, c->key->policy->team, &facts,
                     buf_str(copy), clock_mono_ms(), c->key->policy->cache_seconds * 1000))
        call_like_kept(c);
}

void call_cache_note(struct call *c, const struct buf *events)
{
    if (c->cache->wish.keep && c->client_there)
        buf_put_str(&c->cache->got, buf_str(events));
}

void call_cache_keep_stream(struct call *c)
{
    const struct buf *got = &c->cache->got;
    struct buf copy;

    if (!is_kept(c) || buf_finish(got) < 0)
        return;
    buf_init(&copy, answers_most(c->g->services->answers));
    if (free_copy_stream(c->endpoint->format->dialect, buf_str(got), c->wire.llm.wants_usage, &copy))
        keep(c, true, NULL, &copy);
    buf_done(&copy);
}

void call_cache_keep_whole(struct call *c, const char *content_type, struct str answer)
{
    struct buf copy;

    if (!is_kept(c) || c->wire.llm.stream)
        return;
    buf_init(&copy, answers_most(c->g->services->answers));
    if (free_copy_whole(c->endpoint->format->dialect, answer, &copy))
        keep(c, false, content_type, &copy);
    buf_done(&copy);
}

void call_cache_leave(struct call *c)
{
    call_like_leave(c);
    buf_done(&c->cache->got);
    answer_unref(c->cache->found);
    c->cache = NULL;
}
