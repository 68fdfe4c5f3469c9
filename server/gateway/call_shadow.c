/* call_shadow.c: see call_shadow.h. */
#include "gateway/call_shadow.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/log.h"
#include "gateway/call_flow.h"
#include "http/admission.h"
#include "http/listener.h"
#include "ledger/shadow.h"

enum {
    MOST_MS = 300000,    /* in all: what takes longer is cut */
    MEMORY_PERCENT = 60, /* of the limit; 80 of it are needed before a client is refused */
};

bool call_shadow_chosen(struct call_id id, int32_t permille)
{
    uint32_t random; /* the last bits of an id are */

    memcpy(&random, id.b + sizeof(id.b) - sizeof(random), sizeof(random));
    return (uint64_t)random * 1000 >> 32 < (uint64_t)permille;
}

/* --- which calls --- */

/* It was asked of a provider, and the answer was whole, or nobody had one. */
static bool is_worth_it(const struct call *c)
{
    return c->money.begun &&
           (str_eq_c(c->record.outcome, call_outcome_name(CALL_OUTCOME_OK)) ||
            str_eq_c(c->record.outcome, call_outcome_name(CALL_OUTCOME_UPSTREAM_ERROR)));
}

/* A team with an account of its own has chosen who sees what it asks. */
static bool has_own_account(const struct call *c)
{
    for (size_t i = 0; i < c->plan.n; i++)
        if (c->plan.candidates[i]->account->team.v)
            return true;
    return false;
}

static bool is_loaded(const struct call *c)
{
    const struct services *s = c->g->services;
    struct memory_view memory = {0};

    if (s->draining && s->draining(s->ctx))
        return true;
    if (s->memory)
        memory_guard_read(s->memory, &memory);
    if (memory.used_bytes + memory.promised_bytes > memory.limit_bytes / 100 * MEMORY_PERCENT)
        return true;
    return listener_has_backlog(c->r->listener);
}

static bool take_place(struct gateways *all)
{
    if (atomic_fetch_add(&all->shadows, 1) < atomic_load(&all->services->shadow_calls))
        return true;
    atomic_fetch_sub(&all->shadows, 1);
    return false;
}

/* SHADOW_DROPS: it may be asked, and has a place among those that run. */
static enum shadow_drop look(const struct call *c)
{
    if (c->key->policy->shadow_opt_out)
        return SHADOW_DROP_REFUSED;
    if (has_own_account(c))
        return SHADOW_DROP_OWN_KEY;
    if (c->r->body.n > CALL_SHADOW_BODY_BYTES)
        return SHADOW_DROP_TOO_LARGE;
    if (is_loaded(c))
        return SHADOW_DROP_LOAD;
    return take_place(c->g->all) ? SHADOW_DROPS : SHADOW_DROP_FULL;
}

/* --- how it begins --- */

static void describe(struct call *s, const struct call *of)
{
    struct call_record *r = &s->record;

    r->call_id = s->r->id;
    r->team_id = of->record.team_id;
    r->project_id = of->record.project_id;
    r->key_id = of->record.key_id;
    r->started_at = s->r->began_wall_us;
    r->endpoint = of->record.endpoint;
    r->repeat = 1;
    r->shadow_of = of->record.call_id;
    r->shadowed_model_id = of->to_shadow->of->id.v;
}

/* False: there is no memory for it. */
static bool begin(struct call *of)
{
    struct request *r = request_again(of->r);
    struct call *s = r ? call_new(of->g, r, of->endpoint) : NULL;

    if (r)
        request_release(r); /* the call holds it now */
    if (!s)
        return false;
    catalog_unref(s->catalog);
    s->catalog = catalog_ref(of->catalog);
    s->client_there = false;
    s->key = known_key_ref(of->key);
    s->shadow.rule = of->to_shadow;
    s->shadow.drop = SHADOW_DROP_NO_ROUTE;
    describe(s, of);
    call_wait(s, 0);
    return true;
}

void call_shadow_consider(struct call *c)
{
    enum shadow_drop drop;

    if (!is_worth_it(c) || !call_shadow_chosen(c->record.call_id, c->to_shadow->permille))
        return;
    drop = look(c);
    if (drop == SHADOW_DROPS && !begin(c)) {
        atomic_fetch_sub(&c->g->all->shadows, 1);
        drop = SHADOW_DROP_LOAD;
    }
    if (drop != SHADOW_DROPS)
        metrics_shadow_dropped(&c->g->metrics, drop);
}

void call_shadow_timer(struct call *c)
{
    struct problem p = problem_of(PROBLEM_UPSTREAM_TIMEOUT);

    if (c->phase != CALL_NEW) {
        call_cut(c, &p);
        return;
    }
    call_enter(c, CALL_ADMIT);
    call_wait(c, MOST_MS);
    call_admit_body(c);
}

const struct catalog_model *call_shadow_model(struct call *c)
{
    const struct catalog_model *m = c->shadow.rule->to;

    c->record.requested_model = m->name;
    if (c->preference)
        c->preference->n_models = 0;
    return m;
}

/* --- what it may cost --- */

struct shadow_ask {
    struct job job;
    struct call *call; /* NULL: it waits no more */
    struct jobs *lane;
    struct shadow_part part;
    int outcome; /* SHADOW_*, or < 0 */
};

static void give_back_work(struct job *job, void *worker)
{
    struct shadow_ask *ask = container_of(job, struct shadow_ask, job);

    if (!worker || shadow_give_back(worker, &ask->part) != SHADOW_OK)
        log_warn("shadow_part_kept", "nano=%lld", (long long)ask->part.most.nano); /* until the day is over */
    free(ask);
}

/* Takes the ask over. */
static void give_back(struct shadow_ask *ask)
{
    ask->job = (struct job){.work = give_back_work};
    if (jobs_submit(ask->lane, &ask->job) != JOBS_OK)
        free(ask);
}

static void take_work(struct job *job, void *worker)
{
    struct shadow_ask *ask = container_of(job, struct shadow_ask, job);

    ask->outcome = worker ? shadow_take(worker, &ask->part) : -ENOTCONN;
}

/* What it took until now is none of the provider's time. */
static void begin_anew(struct call *c)
{
    c->r->began_mono_ns = clock_mono_ns();
}

static void take_done(struct job *job)
{
    struct shadow_ask *ask = container_of(job, struct shadow_ask, job);
    struct call *c = ask->call;
    struct problem p = problem_of(PROBLEM_LEDGER_AWAY);
    int outcome = ask->outcome;

    if (!c && outcome == SHADOW_OK) {
        give_back(ask);
        return;
    }
    free(ask);
    if (!c)
        return;
    c->shadow.ask = NULL;
    c->shadow.drop = outcome == SHADOW_E_CEILING ? SHADOW_DROP_CEILING : SHADOW_DROP_NOT_SENT;
    c->shadow.taken_nano = outcome == SHADOW_OK ? c->money.held.nano : 0;
    c->record.hold_nano.nano = c->shadow.taken_nano;
    begin_anew(c);
    call_held(c, outcome == SHADOW_OK ? CALL_MONEY_OK : CALL_MONEY_FAILED, &p);
}

static struct shadow_ask *ask_new(struct call *c)
{
    struct shadow_ask *ask = calloc(1, sizeof(*ask));

    if (ask)
        *ask = (struct shadow_ask){
            .job = {.reply_to = c->g->loop, .work = take_work, .done = take_done},
            .call = c,
            .lane = c->g->services->money,
            .part = {{c->record.shadowed_model_id}, c->record.started_at, c->money.held},
        };
    return ask;
}

/* The lane is one that clients wait for: where anybody does, this is dropped. */
static int take_part(struct call *c, struct problem *ret_problem)
{
    struct shadow_ask *ask = ask_new(c);
    struct jobs_stats lane;

    jobs_read_stats(c->g->services->money, &lane);
    if (ask && lane.queued <= lane.threads && jobs_submit(ask->lane, &ask->job) == JOBS_OK) {
        c->shadow.ask = ask;
        return CALL_MONEY_WAIT;
    }
    free(ask);
    c->shadow.drop = SHADOW_DROP_LOAD;
    *ret_problem = problem_of(PROBLEM_BUSY);
    return CALL_MONEY_FAILED;
}

int call_shadow_hold(struct call *c, struct problem *ret_problem)
{
    const struct catalog_target *first = c->plan.candidates[0];
    struct call_money *m = &c->money;

    estimate_make(&c->wire.llm, first, (struct money){-1}, &m->estimate);
    m->most = m->estimate.most;
    if (price_hold_cost(first->price, &m->most, &m->held) != PRICE_OK) {
        *ret_problem = problem_of(PROBLEM_NO_PRICE);
        return CALL_MONEY_REFUSED;
    }
    c->shadow.drop = SHADOW_DROP_NOT_SENT;
    return c->shadow.rule->day.nano && m->held.nano ? take_part(c, ret_problem) : CALL_MONEY_OK;
}

/* Where there is no ceiling, what is held only bounds the call itself. */
int call_shadow_cover(struct call *c, const struct catalog_target *target)
{
    struct call_money *m = &c->money;
    struct money dearer;

    estimate_other(&c->wire.llm, target, &m->estimate, &m->most);
    if (price_hold_cost(target->price, &m->most, &dearer) != PRICE_OK)
        return CALL_MONEY_REFUSED;
    if (dearer.nano > m->held.nano && c->shadow.rule->day.nano)
        return CALL_MONEY_REFUSED;
    m->held.nano = MAX(m->held.nano, dearer.nano);
    return CALL_MONEY_OK;
}

bool call_shadow_stays(struct call *c)
{
    struct problem p = problem_of(PROBLEM_EXHAUSTED);

    if (c->record.cost_nano.nano <= c->money.held.nano)
        return true;
    call_cut(c, &p);
    return false;
}

/* --- how it ends --- */

void call_shadow_count(struct call *c)
{
    if (c->money.begun)
        metrics_shadow(&c->g->metrics, &c->record);
    else
        metrics_shadow_dropped(&c->g->metrics, c->shadow.drop);
}

void call_shadow_leave(struct call *c)
{
    struct shadow_ask *ask;

    if (c->shadow.ask)
        steal(&c->shadow.ask)->call = NULL;
    atomic_fetch_sub(&c->g->all->shadows, 1);
    if (c->money.begun || !c->shadow.taken_nano)
        return;
    ask = ask_new(c);
    if (ask)
        give_back(ask);
}
