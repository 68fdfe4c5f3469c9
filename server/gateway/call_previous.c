/* call_previous.c: the answer that a request goes on from (`previous_response_id`), and whether its
 * own is to be kept (`store`), before anything else is read of it.
 *
 * From here on the body is the conversation as any provider can be told it: see
 * responses/conversation.h. Nothing has been counted or taken yet. */
#include <errno.h>
#include <stdlib.h>

#include "base/bounds.h"
#include "base/err.h"
#include "gateway/call_flow.h"
#include "responses/object.h"
#include "responses/stored.h"

enum { PREVIOUS_WAIT_MS = 5000 };

/* The input before, the answer, and both joined. */
#define LOAD_ARENA_BYTES (2 * (BOUND_STORED_INPUT_BYTES + BOUND_STORED_RESPONSE_BYTES) + MIB(1))

struct keep_load {
    struct job job;
    struct call *call; /* NULL: it waits no more */
    struct arena *arena;
    struct team_id team;
    struct str id, items;
    int outcome; /* STORED_*, or < 0 */
};

static void load_free(struct keep_load *l)
{
    arena_free(l->arena);
    free(l);
}

static void load_work(struct job *job, void *worker)
{
    struct keep_load *l = container_of(job, struct keep_load, job);
    struct stored_response row;

    l->outcome = STORED_E_AWAY;
    if (!worker)
        return;
    l->outcome = stored_get(worker, l->arena, l->team, l->id, true, &row);
    if (l->outcome == STORED_OK && conversation_items(l->arena, row.input, row.response, &l->items))
        l->outcome = err_origin(-EPROTO);
}

static bool refuse(struct call *c, struct problem *p, const char *param, enum call_outcome outcome)
{
    c->record.requested_model = c->keep.asked.model;
    c->record.stream = c->keep.asked.stream;
    p->param = str_c(param);
    call_refuse(c, p, outcome);
    return false;
}

static bool refuse_busy(struct call *c)
{
    struct problem p = problem_of(PROBLEM_BUSY);

    p.retry_after_s = 2;
    p.message = STR("Kept responses cannot be read right now. Try again shortly.");
    return refuse(c, &p, NULL, CALL_OUTCOME_INTERNAL);
}

static bool refuse_unknown(struct call *c)
{
    struct problem p = problem_of(PROBLEM_NO_PREVIOUS);
    struct str id = c->keep.asked.previous_id;

    if (str_utf8(id) && id.n <= BOUND_STORED_ID_BYTES)
        p.message =
            arena_strf(c->r->arena, "Previous response with id '%.*s' not found.", STR_FMT(id));
    return refuse(c, &p, "previous_response_id", CALL_OUTCOME_CLIENT_ERROR);
}

/* The body as providers get it. */
static bool rewrite(struct call *c, struct str before)
{
    struct problem p = problem_of(PROBLEM_INTERNAL);
    struct str body;
    int r = conversation_write(c->r->arena, &c->keep.asked, before, &body,
                               c->keep.wanted ? &c->keep.input : NULL);

    if (r == CONVERSATION_OK) {
        c->r->body = body;
        return true;
    }
    if (r < 0)
        return refuse(c, &p, NULL, CALL_OUTCOME_INTERNAL);
    p = problem_of(PROBLEM_BAD_FIELD);
    p.message = arena_strf(c->r->arena, "The conversation has grown beyond the %zu MiB of a request.",
                           BOUND_LLM_BODY_BYTES / MIB(1));
    return refuse(c, &p, before.n ? "previous_response_id" : "input", CALL_OUTCOME_CLIENT_ERROR);
}

/* What the wait has come to; the load is the caller's to free. */
static void go_on(struct call *c, const struct keep_load *l)
{
    loop_timer_clear(&c->timer);
    c->keep.load = NULL;
    call_enter(c, CALL_ADMIT);
    if (l->outcome == STORED_E_NONE)
        (void)refuse_unknown(c);
    else if (l->outcome != STORED_OK)
        (void)refuse_busy(c);
    else if (rewrite(c, l->items))
        call_admit_body(c);
}

static void load_done(struct job *job)
{
    struct keep_load *l = container_of(job, struct keep_load, job);

    if (l->call)
        go_on(l->call, l);
    load_free(l);
}

static struct keep_load *load_new(struct call *c)
{
    struct keep_load *l = calloc(1, sizeof(*l));

    if (!l)
        return NULL;
    *l = (struct keep_load){
        .job = {.reply_to = c->g->loop, .work = load_work, .done = load_done},
        .call = c,
        .arena = arena_new(LOAD_ARENA_BYTES),
        .team = c->key->policy->team,
    };
    if (l->arena)
        l->id = arena_str(l->arena, c->keep.asked.previous_id);
    if (l->id.p)
        return l;
    load_free(l);
    return NULL;
}

static bool load(struct call *c)
{
    struct keep_load *l;

    if (!object_is_id(c->keep.asked.previous_id))
        return refuse_unknown(c);
    l = load_new(c);
    if (!l)
        return refuse_busy(c);
    if (jobs_submit(c->g->services->responses, &l->job) != JOBS_OK) {
        load_free(l);
        return refuse_busy(c);
    }
    c->keep.load = l;
    call_enter(c, CALL_PREVIOUS);
    call_wait(c, PREVIOUS_WAIT_MS);
    return false;
}

/* The team keeps nothing: what needs that is refused by name. */
static bool check_kept(struct call *c)
{
    const struct conversation_request *q = &c->keep.asked;
    struct problem p = problem_of(PROBLEM_NOT_KEPT);
    bool off = c->key->policy->response_days == 0;

    c->keep.wanted = !off && q->store != CONVERSATION_STORE_NO;
    if (off && q->previous_id.p)
        return refuse(c, &p, "previous_response_id", CALL_OUTCOME_CLIENT_ERROR);
    if (off && q->store == CONVERSATION_STORE_YES)
        return refuse(c, &p, "store", CALL_OUTCOME_CLIENT_ERROR);
    return true;
}

static bool refuse_field(struct call *c, int outcome, const struct json_fault *fault)
{
    bool unsupported = outcome == CONVERSATION_E_UNSUPPORTED;
    struct problem p = problem_of(unsupported ? PROBLEM_UNSUPPORTED : PROBLEM_BAD_FIELD);

    p.message = arena_strf(c->r->arena, "`%s`: %s.", fault->path, fault->reason);
    return refuse(c, &p, arena_cstr(c->r->arena, str_c(fault->path)), CALL_OUTCOME_CLIENT_ERROR);
}

bool call_previous(struct call *c)
{
    struct problem p = problem_of(PROBLEM_INTERNAL);
    struct json_fault fault;
    int r = conversation_read(c->r->arena, c->r->body, &c->keep.asked, &fault);

    if (r == CONVERSATION_E_SYNTAX)
        return true; /* the format's reader says where */
    if (r < 0)
        return refuse(c, &p, NULL, CALL_OUTCOME_INTERNAL);
    if (r != CONVERSATION_OK)
        return refuse_field(c, r, &fault);
    if (!check_kept(c))
        return false;
    return c->keep.asked.previous_id.p ? load(c) : rewrite(c, STR_NONE);
}

void call_previous_leave(struct call *c)
{
    if (c->keep.load)
        steal(&c->keep.load)->call = NULL;
}

void call_previous_late(struct call *c)
{
    call_previous_leave(c);
    call_enter(c, CALL_ADMIT);
    (void)refuse_busy(c);
}
