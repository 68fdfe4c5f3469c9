/* responses.c: GET, DELETE and cancel of /v1/responses/{id}, and its input items: what is kept for a
 * key's team, read and deleted on the lane `responses`.
 *
 * Source: OpenAI API reference, "Responses". Not calls: nothing is counted and nothing is on the
 * record. Every key of the team may read and delete what any other has made. */
#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/log.h"
#include "gateway/gateway.h"
#include "gateway/key_ask.h"
#include "gateway/key_check.h"
#include "http/listener.h"
#include "json/write.h"
#include "responses/listing.h"
#include "responses/object.h"
#include "responses/stored.h"

struct responses_ask;

/* What is asked; STORED_OK with the answer's body in `out`. On a worker. */
typedef int responses_fn(struct responses_ask *ask, struct db *db, struct buf *out);

struct responses_ask {
    struct key_waiter waiter;
    struct job job;
    struct gateway *g;
    struct request *r;
    responses_fn *fn;
    struct arena *arena; /* of the worker; the answer lives in it */
    struct str id;
    struct team_id team;
    struct listing_want listing;
    int outcome; /* STORED_*, ASK_*, or < 0 */
    struct str body;
};

enum { ASK_E_AFTER = 100, ASK_E_SYNCHRONOUS = 101 };

/* What is read of a row, and printed anew. */
#define ASK_ARENA_BYTES (3 * (BOUND_STORED_INPUT_BYTES + BOUND_STORED_RESPONSE_BYTES))

/* --- on a worker --- */

static int retrieve(struct responses_ask *ask, struct db *db, struct buf *out)
{
    struct stored_response row;
    int r = stored_get(db, ask->arena, ask->team, ask->id, false, &row);

    if (r == STORED_OK)
        buf_put_str(out, row.response);
    return r;
}

static int delete(struct responses_ask *ask, struct db *db, struct buf *out)
{
    int r = stored_delete(db, ask->team, ask->id);
    struct json_writer w;

    if (r != STORED_OK)
        return r;
    json_begin(&w, out);
    json_open_object(&w);
    json_key(&w, "id");
    json_str(&w, ask->id);
    json_key(&w, "object");
    json_cstr(&w, "response");
    json_key(&w, "deleted");
    json_bool(&w, true);
    json_close_object(&w);
    return STORED_OK;
}

static int list_input(struct responses_ask *ask, struct db *db, struct buf *out)
{
    struct stored_response row;
    int r = stored_get(db, ask->arena, ask->team, ask->id, true, &row);

    if (r != STORED_OK)
        return r;
    r = listing_put(ask->arena, row.input, row.call, &ask->listing, out);
    return r == LISTING_E_AFTER ? ASK_E_AFTER : r;
}

/* Nothing is made in the background here, so there is nothing to cancel. */
static int cancel(struct responses_ask *ask, struct db *db, struct buf *out)
{
    struct stored_response row;
    int r = stored_get(db, ask->arena, ask->team, ask->id, false, &row);

    (void)out;
    return r == STORED_OK ? ASK_E_SYNCHRONOUS : r;
}

static void work(struct job *job, void *worker)
{
    struct responses_ask *ask = container_of(job, struct responses_ask, job);
    struct buf out;

    ask->outcome = STORED_E_AWAY;
    if (!worker)
        return;
    buf_init(&out, ASK_ARENA_BYTES / 3);
    ask->outcome = ask->fn(ask, worker, &out);
    if (ask->outcome == STORED_OK) {
        ask->body = arena_str(ask->arena, buf_str(&out));
        if (buf_finish(&out) < 0 || !ask->body.p)
            ask->outcome = err_origin(-ENOMEM);
    }
    buf_done(&out);
}

/* --- on the loop --- */

static struct problem not_found(const struct responses_ask *ask)
{
    struct problem p = problem_of(PROBLEM_NOT_FOUND);

    if (object_is_id(ask->id))
        p.message = arena_strf(ask->r->arena, "Response with id '%.*s' not found.",
                               STR_FMT(ask->id));
    return p;
}

static struct problem problem_for(const struct responses_ask *ask)
{
    struct problem p = problem_of(PROBLEM_INTERNAL);

    if (ask->outcome == STORED_E_NONE)
        return not_found(ask);
    if (ask->outcome == STORED_E_AWAY) {
        p = problem_of(PROBLEM_BUSY);
        p.retry_after_s = 2;
        p.message = STR("Kept responses cannot be read right now. Try again shortly.");
    } else if (ask->outcome == ASK_E_AFTER) {
        p = problem_of(PROBLEM_BAD_FIELD);
        p.param = STR("after");
        p.message = STR("`after` is the id of none of the response's input items.");
    } else if (ask->outcome == ASK_E_SYNCHRONOUS) {
        p = problem_of(PROBLEM_BAD_REQUEST);
        p.message = STR("Cannot cancel a synchronous response.");
    }
    return p;
}

static void free_arena(void *p)
{
    arena_free(p);
}

static void fail(struct responses_ask *ask, const struct problem *p)
{
    request_fail(ask->r, p);
    request_release(ask->r);
}

static void done(struct job *job)
{
    struct responses_ask *ask = container_of(job, struct responses_ask, job);
    struct response response = {
        .status = 200, .content_type = "application/json", .body = ask->body};
    struct problem p;

    if (ask->outcome < 0)
        log_error("responses", "team=%lld result=%d", (long long)ask->team.v, ask->outcome);
    if (ask->outcome == STORED_OK) {
        request_reply(ask->r, &response);
        request_release(ask->r);
        return;
    }
    p = problem_for(ask);
    fail(ask, &p);
}

static void submit(struct responses_ask *ask, struct team_id team)
{
    struct problem p;

    ask->team = team;
    ask->arena = arena_new(ASK_ARENA_BYTES);
    if (ask->arena && arena_defer(ask->r->arena, free_arena, ask->arena) < 0)
        arena_free(steal(&ask->arena));
    ask->job = (struct job){.reply_to = ask->g->loop, .work = work, .done = done};
    ask->outcome = STORED_E_AWAY;
    if (ask->arena && jobs_submit(ask->g->services->responses, &ask->job) == JOBS_OK)
        return;
    p = problem_for(ask);
    fail(ask, &p);
}

static void answered(struct key_waiter *w, int outcome, struct known_key *key)
{
    struct responses_ask *ask = container_of(w, struct responses_ask, waiter);
    enum problem_code code = PROBLEM_NONE;
    struct problem p;

    if (outcome == KEYS_OK)
        code = key_check_policy(key->policy, ask->r);
    if (outcome != KEYS_OK) {
        p = key_check_outcome(outcome);
        fail(ask, &p);
    } else if (code != PROBLEM_NONE) {
        p = problem_of(code);
        fail(ask, &p);
    } else if (!object_is_id(ask->id)) {
        p = not_found(ask);
        fail(ask, &p);
    } else {
        submit(ask, key->policy->team);
    }
    if (outcome == KEYS_OK)
        known_key_unref(key);
}

/* --- what a client may say --- */

static void refuse(struct request *r, const char *param, const char *sentence)
{
    struct problem p = problem_of(PROBLEM_BAD_FIELD);

    p.param = str_c(param);
    p.message = str_c(sentence);
    request_fail(r, &p);
}

/* Only what is still being made could be streamed. */
static bool check_stream(struct request *r)
{
    struct str stream = request_query(r, "stream");

    if (stream.p && !str_eq(stream, STR("false"))) {
        refuse(r, "stream", "`stream`: a kept response is whole and is not streamed again.");
        return false;
    }
    if (request_query(r, "starting_after").p) {
        refuse(r, "starting_after", "`starting_after` is for streams, and this is none.");
        return false;
    }
    return true;
}

static bool read_listing(struct request *r, struct listing_want *ret)
{
    struct str limit = request_query(r, "limit"), order = request_query(r, "order");
    struct listing_want want = {.limit = LISTING_LIMIT, .after = request_query(r, "after")};

    if (limit.p && (str_i64(limit, &want.limit) != STR_OK || want.limit < 1 ||
                    want.limit > LISTING_LIMIT_MAX)) {
        refuse(r, "limit", "`limit` must be a whole number from 1 to 100.");
        return false;
    }
    want.oldest_first = str_eq(order, STR("asc"));
    if (order.p && !want.oldest_first && !str_eq(order, STR("desc"))) {
        refuse(r, "order", "`order` must be asc or desc.");
        return false;
    }
    *ret = want;
    return true;
}

static void begin(struct request *r, responses_fn *fn, const struct listing_want *listing)
{
    struct gateway *g = listener_ctx(r->listener);
    struct digest digest;
    struct responses_ask *ask = key_ask_begin(r, sizeof(*ask), &digest);

    if (!ask)
        return;
    *ask = (struct responses_ask){.g = g, .r = r, .fn = fn, .id = r->params[0]};
    if (listing)
        ask->listing = *listing;
    ask->waiter.answered = answered;
    request_hold(r);
    key_ask_find(g, &digest, &ask->waiter);
}

void gateway_response(struct request *r)
{
    if (check_stream(r))
        begin(r, retrieve, NULL);
}

void gateway_response_delete(struct request *r)
{
    begin(r, delete, NULL);
}

void gateway_response_cancel(struct request *r)
{
    begin(r, cancel, NULL);
}

void gateway_response_items(struct request *r)
{
    struct listing_want listing;

    if (read_listing(r, &listing))
        begin(r, list_input, &listing);
}
