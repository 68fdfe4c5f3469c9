/* call_money.c: see call_money.h. The hold is taken in memory; only when this node's leases are
 * short does a worker ask the database, and only the database refuses. */
#include "gateway/call_money.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "gateway/call_flow.h"
#include "gateway/call_limits.h"

/* How much is leased at once where the database has to be asked anyway: this many calls' worth. */
enum { LEASE_CALLS = 8 };

int call_money_open(const struct services *s, struct db *db, const struct key_policy *key,
                    struct key_purses **ret)
{
    struct key_limits limits = {
        .team = key->team,
        .key = key->key,
        .project = key->project,
        .owner = key->owner,
        .rpm = key->rpm,
        .tpm = key->tpm,
        .concurrency = key->concurrency,
        .budget = key->budget,
        .budget_window = key_window_name(key->budget_window),
    };

    return limits_open(s->node, db, &limits, ret);
}

void call_money_close(struct key_purses *purses)
{
    key_purses_free(purses);
}

static void answered(struct hold_ask *ask, int outcome)
{
    struct call *c = container_of(ask, struct call, money.ask);
    struct problem p = problem_of(PROBLEM_LEDGER_AWAY);

    (void)failpoint_hit("hold.answered");
    p.retry_after_s = 2;
    if (outcome == HOLD_E_REFUSED)
        p = call_limits_problem(c, c->money.which[ask->refusal.which], &ask->refusal);
    call_held(c,
              outcome == HOLD_OK          ? CALL_MONEY_OK
              : outcome == HOLD_E_REFUSED ? CALL_MONEY_REFUSED
                                          : CALL_MONEY_FAILED,
              &p);
}

static int busy(struct problem *ret_problem)
{
    *ret_problem = problem_of(PROBLEM_BUSY);
    ret_problem->retry_after_s = 1;
    return CALL_MONEY_FAILED;
}

static int ask(struct call *c, const struct hold_want *wants, size_t n,
               void (*fn)(struct hold_ask *, int))
{
    struct hold_ask *a = &c->money.ask;

    *a = (struct hold_ask){.n_wants = n, .hold = &c->money.hold, .answered = fn};
    memcpy(a->wants, wants, n * sizeof(wants[0]));
    return hold_ask(c->g->services->node, c->g->loop, a);
}

static struct problem unpriced(const struct catalog_target *target, int outcome)
{
    struct problem p = problem_of(outcome == PRICE_E_LIMIT ? PROBLEM_PRICE_LIMIT : PROBLEM_NO_PRICE);

    if (outcome == PRICE_E_UNNAMED && target->model->kind == MODEL_IMAGE) {
        p.param = STR("size");
        p.message = STR("The model has no price for images of this size and quality.");
    }
    if (outcome == PRICE_E_UNNAMED && target->model->kind == MODEL_VIDEO) {
        p.param = STR("size");
        p.message = STR("The model has no price for videos of this size.");
    }
    return p;
}

static int take(struct call *c, const struct limits_need *need, struct problem *ret_problem)
{
    struct call_money *m = &c->money;
    struct hold_want wants[LIMITS];
    size_t n = limits_wants(c->key->purses, need, wants, m->which);
    int r;

    (void)failpoint_hit("hold.before");
    r = failpoint_hit("hold.short") ? HOLD_E_SHORT : hold_take(c->g->services->node, &m->hold, wants, n);
    if (r == HOLD_E_SHORT)
        r = ask(c, wants, n, answered) == HOLD_OK ? CALL_MONEY_WAIT : busy(ret_problem);
    return r;
}

int call_money_count(struct call *c, struct problem *ret_problem)
{
    const struct limits_need need = {.money = MONEY_ZERO};

    return take(c, &need, ret_problem);
}

int call_money_hold(struct call *c, struct problem *ret_problem)
{
    const struct catalog_target *first = c->plan.candidates[0];
    const struct key_purses *purses = c->key->purses;
    struct call_money *m = &c->money;
    struct limits_need need;
    int r;

    if (call_is_shadow(c))
        return call_shadow_hold(c, ret_problem);
    estimate_make(&c->wire.llm, first, limits_money_left(purses), &m->estimate);
    m->most = m->estimate.most;
    r = price_hold(first->price, &m->most, &m->held);
    if (r != PRICE_OK) {
        *ret_problem = unpriced(first, r);
        return CALL_MONEY_REFUSED;
    }
    need = (struct limits_need){
        .money = m->held, .tokens = m->estimate.likely_tokens, .within = c->inner};
    if (purses->cell[LIMIT_KEY_TOKENS]) /* one larger than the whole limit may go when it is free */
        need.tokens = MIN(need.tokens, purses->capacity[LIMIT_KEY_TOKENS]);
    c->record.hold_nano = m->held;
    return take(c, &need, ret_problem);
}

static void cover_answered(struct hold_ask *a, int outcome)
{
    struct call *c = container_of(a, struct call, money.ask);
    const struct catalog_target *target = steal(&c->money.asked_for);
    struct money more;

    if (outcome == HOLD_OK && price_hold(target->price, &c->money.most, &more) == PRICE_OK)
        c->money.held = c->record.hold_nano = more;
    call_covered(c, target, outcome == HOLD_OK);
}

/* More of the money, also where the hold has none yet because its first candidate was free. */
static size_t money_wants(const struct call *c, int64_t nano, struct hold_want wants[LIMITS])
{
    struct cell *money[LIMITS];
    size_t n = limits_money(c->key->purses, money);

    for (size_t i = 0; i < n; i++)
        wants[i] = (struct hold_want){money[i], nano, nano * LEASE_CALLS};
    return n;
}

/* What each pair of the hold is for. */
static void which_of(const struct call *c, enum limit which[BOUND_HOLD_PURSES])
{
    const struct hold *h = &c->money.hold;

    for (size_t i = 0; i < h->n; i++)
        for (enum limit l = 0; l < LIMITS; l++)
            if (c->key->purses->cell[l] == h->cell[i])
                which[i] = l;
}

int call_money_cover(struct call *c, const struct catalog_target *target)
{
    struct call_money *m = &c->money;
    struct hold_want wants[LIMITS];
    struct money dearer;
    size_t n;

    if (call_is_shadow(c))
        return call_shadow_cover(c, target);
    estimate_other(&c->wire.llm, target, &m->estimate, &m->most);
    if (price_hold(target->price, &m->most, &dearer) != PRICE_OK)
        return CALL_MONEY_REFUSED;
    if (dearer.nano <= m->held.nano)
        return CALL_MONEY_OK;
    n = money_wants(c, dearer.nano - m->held.nano, wants);
    if (!failpoint_hit("hold.extend") &&
        hold_extend(c->g->services->node, &m->hold, wants, n) == HOLD_OK) {
        m->held = c->record.hold_nano = dearer;
        return CALL_MONEY_OK;
    }
    m->asked_for = target;
    return ask(c, wants, n, cover_answered) == HOLD_OK ? CALL_MONEY_WAIT : CALL_MONEY_REFUSED;
}

/* The record as it would be booked if this process died now. */
static void as_if_cut(struct call_record *r)
{
    r->outcome = str_c(call_outcome_name(CALL_OUTCOME_CUT));
    r->basis = str_c(usage_basis_name(USAGE_BASIS_CUT));
    call_record_clip(r);
}

int call_money_begin(struct call *c)
{
    struct call_money *m = &c->money;
    int r;

    if (m->begun)
        return 0;
    as_if_cut(&c->record);
    r = journal_begin(c->g->services->journal, c->g->index, &m->mark, &c->record, &m->hold);
    if (r < 0)
        return err_trace(r);
    m->begun = true;
    m->noted_ms = loop_now_ms(c->g->loop);
    return 0;
}

/* The tier that the customer pays: that which served, where it was asked for, else standard. */
static enum service_tier service_charged(const struct call *c)
{
    enum service_tier asked = c->wire.llm.service;

    return c->last.has_service && c->last.service != asked ? SERVICE_STANDARD : asked;
}

/* The figure that images, or seconds of a video, are charged at: what the client asked for, else what
 * was made. */
static const char *visual_kind(const struct call *c, const struct usage *u)
{
    const struct price *price = c->try.target ? c->try.target->price : NULL;
    struct visual_kind made = c->wire.llm.visual;

    if (!price || !price->n_visuals || !u->n[price->visual_unit])
        return "";
    if (!made.quality.n || str_eq(made.quality, STR("auto")))
        made.quality = c->visual.quality;
    if (!made.size.n || str_eq(made.size, STR("auto")))
        made.size = c->visual.size;
    return price_visual_of(price, &made);
}

/* What the price does not name costs nothing, and an operator hears of it. */
static void leave_unnamed(const struct call *c, struct usage *u)
{
    const struct price_step *step =
        price_step_at(c->try.target->price, service_charged(c), 0);

    for (size_t i = 0; i < USAGE_UNITS; i++)
        if (step->charge[i] == PRICE_NONE &&
            !(i == c->try.target->price->visual_unit && *visual_kind(c, u)))
            u->n[i] = 0;
    log_error("unit_without_price", "call_team=%lld model=%s", (long long)c->record.team_id,
              log_str(c->try.target->model->name));
}

/* The team pays its provider itself: what is left for the installation is its fee. */
static void charge_own(const struct catalog_account *own, struct money *charge, struct money *cost)
{
    *charge = price_fee(*charge, own->own_fee_bp);
    *cost = MONEY_ZERO;
}

static int charge(const struct call *c, const struct usage *u, struct money *ret_charge,
                  struct money *ret_cost)
{
    const char *kind = visual_kind(c, u);
    const struct price *price = c->try.target ? c->try.target->price : NULL;
    enum service_tier charged = service_charged(c);
    struct usage named = *u;
    struct money ignored;
    int r;

    *ret_charge = *ret_cost = MONEY_ZERO;
    if (!c->served || !price)
        return 0;
    r = price_charge(price, charged, kind, &named, ret_charge, ret_cost);
    if (r == PRICE_E_UNNAMED) {
        leave_unnamed(c, &named);
        r = price_charge(price, charged, kind, &named, ret_charge, ret_cost);
    }
    if (r == PRICE_OK && c->last.has_service && c->last.service != charged &&
        price_sells(price, c->last.service)) /* the operator pays what has served */
        r = price_charge(price, c->last.service, kind, &named, &ignored, ret_cost);
    if (r == PRICE_OK && c->try.target->account->team.v)
        charge_own(c->try.target->account, ret_charge, ret_cost);
    return r;
}

bool call_money_absurd(const struct call *c, const struct usage *u)
{
    struct money ignored, cost;

    return charge(c, u, &ignored, &cost) == PRICE_E_LIMIT;
}

int call_money_price(const struct call *c, struct money *ret_charge)
{
    struct money cost;
    struct usage u;

    (void)call_usage(c, &u);
    return charge(c, &u, ret_charge, &cost);
}

static int64_t tokens_of(const struct usage *u)
{
    return usage_sum(u, USAGE_COVERS_PROMPT) + usage_sum(u, USAGE_COVERS_OUTPUT);
}

static void price_record(struct call *c, const struct usage *u, int64_t used[BOUND_HOLD_PURSES])
{
    enum limit which[BOUND_HOLD_PURSES] = {0};
    struct call_record *r = &c->record;

    if (charge(c, u, &r->charge_nano, &r->cost_nano) != PRICE_OK) {
        /* Even what was counted here is beyond what one call may cost: what was set aside for it,
         * and somebody has to look. */
        log_error("price_limit", "call_team=%lld model=%s", (long long)r->team_id,
                  log_str(r->requested_model));
        *(call_is_shadow(c) ? &r->cost_nano : &r->charge_nano) = c->money.held;
    }
    if (call_is_shadow(c))
        r->charge_nano = MONEY_ZERO;
    if (c->served) {
        r->price_id = c->try.target->price->id.v;
        r->image_kind = *visual_kind(c, u) ? str_c(visual_kind(c, u)) : STR_NONE;
        r->service_tier = str_c(service_tier_name(service_charged(c)));
        c->served->cost_nano = r->cost_nano;
    }
    which_of(c, which);
    limits_used(which, c->money.hold.n, r->charge_nano, tokens_of(u), used);
}

enum { PROGRESS_MS = 250, PROGRESS_TOKENS = 64 }; /* reliability 1.4, 5 */

bool call_money_progress(struct call *c)
{
    struct call_money *m = &c->money;
    int64_t now_ms = loop_now_ms(c->g->loop), tokens = estimate_tokens(c->output_bytes);
    int64_t used[BOUND_HOLD_PURSES] = {0};
    struct usage u;

    if (!m->begun || !c->served ||
        (now_ms - m->noted_ms < PROGRESS_MS && tokens - m->noted_tokens < PROGRESS_TOKENS))
        return false;
    m->noted_ms = now_ms;
    m->noted_tokens = tokens;
    (void)call_usage(c, &u);
    call_record_set_usage(&c->record, &u);
    c->record.status = c->try.status;
    c->record.latency_us = (clock_mono_ns() - c->r->began_mono_ns) / 1000;
    price_record(c, &u, used);
    as_if_cut(&c->record);
    if (journal_progress(c->g->services->journal, c->g->index, &m->mark, &c->record, &m->hold,
                         used) < 0)
        log_error("journal_progress", "call_team=%lld", (long long)c->record.team_id);
    return true;
}

/* --- a stream that uses more than is held for it --- */

static int64_t short_of(const struct call *c)
{
    return c->record.charge_nano.nano - c->money.held.nano;
}

bool call_money_covered(const struct call *c)
{
    return short_of(c) <= 0;
}

/* A quarter ahead, so that this is not asked for with every few tokens. */
static int64_t ahead(const struct call_money *m)
{
    return m->held.nano / 4;
}

static void note_grown(struct call *c, int64_t nano)
{
    c->money.held.nano += nano;
    c->record.hold_nano = c->money.held;
}

static enum limit limit_of(const struct call *c, const struct cell *cell)
{
    enum limit l = 0;

    while (l < LIMITS - 1 && c->key->purses->cell[l] != cell)
        l++;
    return l;
}

static void grow_answered(struct hold_ask *a, int outcome);

static int grow_by(struct call *c, int64_t nano, struct problem *ret_problem)
{
    struct hold_want wants[LIMITS];
    size_t n = money_wants(c, nano, wants);

    if (hold_extend(c->g->services->node, &c->money.hold, wants, n) == HOLD_OK) {
        note_grown(c, nano);
        return CALL_MONEY_OK;
    }
    c->money.asked_nano = nano;
    return ask(c, wants, n, grow_answered) == HOLD_OK ? CALL_MONEY_WAIT : busy(ret_problem);
}

/* Where the quarter ahead is not to be had, what is needed may be. */
static void grow_answered(struct hold_ask *a, int outcome)
{
    struct call *c = container_of(a, struct call, money.ask);
    struct problem p = problem_of(PROBLEM_LEDGER_AWAY);
    int r = outcome == HOLD_E_REFUSED ? CALL_MONEY_REFUSED : CALL_MONEY_FAILED;

    if (outcome == HOLD_E_REFUSED) {
        p = call_limits_problem(c, limit_of(c, a->wants[a->refusal.which].cell), &a->refusal);
        p.code = PROBLEM_EXHAUSTED;
        p.message = STR_NONE;
    }
    if (outcome == HOLD_OK) {
        note_grown(c, c->money.asked_nano);
        r = CALL_MONEY_OK;
    } else if (outcome == HOLD_E_REFUSED && c->money.asked_nano > short_of(c)) {
        r = grow_by(c, short_of(c), &p);
    }
    if (r != CALL_MONEY_WAIT)
        call_grown(c, r, &p);
}

int call_money_grow(struct call *c, struct problem *ret_problem)
{
    if (call_money_covered(c))
        return CALL_MONEY_OK;
    return grow_by(c, short_of(c) + ahead(&c->money), ret_problem);
}

void call_money_settle(struct call *c, const struct usage *u)
{
    struct call_money *m = &c->money;
    int64_t used[BOUND_HOLD_PURSES] = {0};

    price_record(c, u, used);
    if (journal_end(c->g->services->journal, c->g->index, &m->mark, &c->record, &m->hold, used) < 0)
        log_error("journal_end", "call_team=%lld charge_nano=%lld", (long long)c->record.team_id,
                  (long long)c->record.charge_nano.nano);
    hold_end(c->g->services->node, &m->hold, used);
}

void call_money_release(struct call *c)
{
    hold_release(c->g->services->node, &c->money.hold);
}

void call_money_write(struct gateway *g, const struct call_record *r)
{
    if (journal_end(g->services->journal, g->index, NULL, r, NULL, NULL) < 0)
        log_error("journal_end", "call_team=%lld refused=1", (long long)r->team_id);
}
