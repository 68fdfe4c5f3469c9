/* call_like.c: see call_like.h. */
#include "gateway/call_like.h"

#include <stdlib.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "cache/asked.h"
#include "gateway/call_flow.h"
#include "gateway/standing.h"
#include "translation/vector.h"

enum { LIKE_WAIT_MS = 300 };

/* Shared by the call and the one that embeds its question; freed with the last of both. */
struct like {
    unsigned refs;
    struct call *waiting; /* NULL: nobody */
    struct answers *answers;
    struct digest digest; /* of the call's own request */
    struct likeness likeness; /* vector.v NULL: not known yet */
    bool asked, kept, placed;
};

static void like_unref(struct like *l)
{
    if (--l->refs)
        return;
    free(l->likeness.vector.v);
    free(l);
}

/* Whichever comes last, the vector or the answer. */
static void place(struct like *l)
{
    if (!l->kept || !l->likeness.vector.v || l->placed)
        return;
    l->placed = true;
    answers_place(l->answers, &l->digest, &l->likeness);
}

/* --- which questions --- */

/* What a request says of providers would have to hold for the one that embeds, too. */
static bool may_be_compared(const struct call *c)
{
    return c->key->policy->cache_similarity_bp && model_kind_writes(c->endpoint->kind) &&
           !c->preference && question_find(str_c(c->endpoint->name), c->r->body, &c->cache->like.text);
}

static bool read_question(const struct call *c, struct question *ret)
{
    struct buf text;
    bool ok;

    buf_init(&text, QUESTION_BYTES);
    ok = json_span_text(c->r->body, c->cache->like.text, &text) == JSON_OK && buf_finish(&text) == 0 &&
         question_read(buf_str(&text), ret);
    buf_done(&text);
    return ok;
}

/* What stands for the text among what has to be the same: its facts, and who compares it. */
static bool digest_of_bucket(struct call *c, const struct catalog_model *by, struct likeness *l)
{
    struct digest facts[2] = {l->question.facts};

    return standing_of(by, c->key->policy->team, endpoint_embeddings.format, &facts[1]) &&
           call_cache_digest(c, c->cache->like.text, str_n((const char *)facts, sizeof(facts)),
                             &l->bucket);
}

void call_like_open(struct call *c)
{
    const struct catalog_model *by = catalog_compares(c->catalog);
    struct like *l = by && may_be_compared(c) ? calloc(1, sizeof(*l)) : NULL;

    if (!l)
        return;
    l->refs = 1;
    l->answers = c->g->services->answers;
    l->digest = c->cache->digest;
    if (read_question(c, &l->likeness.question) && digest_of_bucket(c, by, &l->likeness))
        c->cache->like.like = l;
    else
        like_unref(l);
}

/* --- the vector --- */

static bool read_vector(struct request *r, struct str answer, struct alike_vector *ret)
{
    struct json_watch w[] = {{.path = "data[].embedding"}};
    struct json_scan_result result;
    struct embed_vector read;
    struct json_fault fault;

    if (json_scan_rows(answer, w, ARRAY_LEN(w), &result, &fault) != JSON_OK || w[0].count != 1 ||
        vector_read(r->arena, json_span_str(answer, w[0].span), &read) != VECTOR_OK ||
        read.n > ALIKE_DIMENSIONS)
        return false;
    ret->v = calloc(read.n, sizeof(*ret->v));
    ret->n = (uint32_t)read.n;
    if (!ret->v)
        return false;
    vector_copy(&read, ret->v);
    if (alike_normalize(ret))
        return true;
    free(steal(&ret->v));
    return false;
}

static bool may_give(void *ctx, const struct answer *a)
{
    return call_cache_may_give(ctx, a);
}

/* Gives an answer to a question that is alike, or asks a provider. */
static void go_on(struct call *c)
{
    struct call_cache *cache = c->cache;
    const struct like *l = cache->like.like;
    int bp = 0;

    loop_timer_clear(&c->timer);
    if (!c->client_there) {
        call_leave(c);
        return;
    }
    if (l->likeness.vector.v)
        cache->found = answers_find_alike(l->answers, &l->likeness, clock_mono_ms(),
                                          cache->wish.max_age_ms, c->key->policy->cache_similarity_bp,
                                          may_give, c, &bp);
    if (cache->found) {
        c->record.similarity_bp = bp;
        call_cache_answer(c);
    } else {
        call_enter(c, CALL_ROUTE);
        call_route(c);
    }
}

/* The other call has ended, well or not. */
static void answered(void *ctx, struct request *r, const struct response *answer)
{
    struct like *l = ctx;
    struct call *c = steal(&l->waiting);

    if (answer && answer->status == 200 && read_vector(r, answer->body, &l->likeness.vector)) {
        l->likeness.vector.space = digest_plain(((struct call *)r->user)->try.target->upstream_model);
        place(l);
    }
    like_unref(l);
    if (c)
        go_on(c);
}

static struct request *request_of(struct call *c, struct like *l)
{
    const struct catalog_model *by = catalog_compares(c->catalog);
    struct request *r = NULL;
    struct json_writer w;
    struct buf body;

    buf_init(&body, QUESTION_BYTES + KIB(1));
    json_begin(&w, &body);
    json_open_object(&w);
    json_key(&w, "model");
    json_str(&w, by->name);
    json_key(&w, "input");
    json_raw(&w, json_span_str(c->r->body, c->cache->like.text));
    json_close_object(&w);
    if (buf_finish(&body) == 0)
        r = request_new_inner(c->r, buf_str(&body), answered, l);
    buf_done(&body);
    return r;
}

/* Asks for the vector, once. False: it cannot be had. l->waiting, if any, is told, perhaps within this. */
static bool ask(struct call *c, struct like *l)
{
    const struct services *s = c->g->services;
    bool draining = s->draining && s->draining(s->ctx);
    struct request *r = l->asked || draining ? NULL : request_of(c, l);

    l->asked = true;
    if (!r)
        return false;
    l->refs++;
    call_begin_inner(c, r, &endpoint_embeddings);
    request_release(r);
    return true;
}

bool call_like_wait(struct call *c)
{
    struct call_cache *cache = c->cache;
    struct like *l = cache->like.like;

    if (!l || !cache->wish.read ||
        !answers_has_alike(l->answers, &l->likeness.bucket, clock_mono_ms(), cache->wish.max_age_ms))
        return false;
    call_enter(c, CALL_LIKE);
    call_wait(c, LIKE_WAIT_MS);
    l->waiting = c;
    if (!ask(c, l))
        call_like_late(c);
    return true;
}

void call_like_late(struct call *c)
{
    c->cache->like.like->waiting = NULL;
    go_on(c);
}

void call_like_kept(struct call *c)
{
    struct like *l = c->cache->like.like;

    if (!l)
        return;
    l->kept = true;
    place(l);
    (void)ask(c, l);
}

void call_like_leave(struct call *c)
{
    struct like *l = c->cache ? steal(&c->cache->like.like) : NULL;

    if (!l)
        return;
    l->waiting = NULL;
    like_unref(l);
}
