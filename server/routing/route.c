/* route.c: see route.h. A model's targets are sifted, each for the first reason that speaks against
 * it, then put in order; what cools down is put behind everything else, over all models of the
 * request. */
#include "routing/route.h"

#include "base/random.h"
#include "routing/variant.h"

/* Targets of one model that are looked at; of more, the team's own and those with the lowest ids. */
#define ROUTE_TARGETS_MAX 64

/* A model to be tried, and how the name that it was asked for by wants its targets sorted. */
struct wanted {
    const struct catalog_model *model;
    enum route_sort sort;
};

struct pick {
    const struct catalog_target *target;
    unsigned rank; /* place in the request's own order; ROUTE_NAMES_MAX: not in it */
    bool installations; /* an account of the installation: behind the team's own */
    int64_t merit; /* by what they are sorted; the smallest goes first */
    int priority, account_priority;
    uint32_t weight;
    bool cooling;
};

struct picks {
    struct pick v[ROUTE_TARGETS_MAX];
    size_t n;
};

static bool is_named(const struct route_names *names, const struct catalog_account *account,
                     unsigned *ret_rank)
{
    for (size_t i = 0; i < names->n; i++)
        if (str_ieq(names->v[i], str_c(account->provider->kind)) ||
            str_ieq(names->v[i], account->name)) {
            *ret_rank = (unsigned)i;
            return true;
        }
    return false;
}

static bool is_usable(const struct route_request *q, const struct catalog_target *t)
{
    const struct catalog_account *a = t->account;
    const struct catalog_target *pinned = t->model->pinned;

    if (!t->enabled || a->unusable)
        return false;
    return a->team.v ? a->team.v == q->team.v : !pinned || pinned == t;
}

static bool is_dearer(int64_t price, int64_t most)
{
    return most >= 0 && price > most;
}

static bool is_too_dear(const struct route_request *q, const struct price *price)
{
    const struct route_preference *w = q->preference;
    const int64_t *charge = price_step_at(price, q->service, q->input_tokens_least)->charge;

    return is_dearer(charge[USAGE_INPUT], w->max_input_price) ||
           is_dearer(charge[USAGE_OUTPUT], w->max_output_price) ||
           is_dearer(charge[USAGE_REQUEST], w->max_request_price);
}

static bool is_beyond(uint64_t tokens, int64_t most)
{
    return most > 0 && tokens > (uint64_t)most;
}

/* Can it do what is asked? */
static int suits(const struct route_request *q, const struct catalog_target *t)
{
    if (!catalog_account_way(t->account, t->upstream_model, q->format))
        return ROUTE_E_FORMAT;
    if ((q->abilities & target_abilities(t)) != q->abilities)
        return ROUTE_E_ABILITY;
    if (is_beyond((uint64_t)q->input_tokens_least, target_context(t)))
        return ROUTE_E_CONTEXT;
    return is_beyond(q->output_tokens, target_output(t)) ? ROUTE_E_OUTPUT : ROUTE_OK;
}

static bool sells_searches(const struct route_request *q, const struct catalog_target *t)
{
    return (target_abilities(t) & ABILITY_BIT(ABILITY_WEB_SEARCH)) &&
           price_step_at(t->price, q->service, 0)->charge[USAGE_SEARCH] != PRICE_NONE;
}

static int is_sold(const struct route_request *q, const struct catalog_target *t)
{
    if (!t->price || !price_usable(t->price))
        return ROUTE_E_NO_PRICE;
    if (!price_sells(t->price, q->service))
        return ROUTE_E_SERVICE;
    if (q->searches && !sells_searches(q, t) &&
        catalog_account_way(t->account, t->upstream_model, q->format)->way->format == q->format)
        return ROUTE_E_SEARCH;
    return ROUTE_OK;
}

/* ROUTE_OK, or what speaks against the target. */
static int sift(const struct route_request *q, const struct catalog_target *t, unsigned *ret_rank)
{
    const struct route_preference *w = q->preference;
    unsigned ignored;
    int r;

    *ret_rank = ROUTE_NAMES_MAX;
    if (!is_usable(q, t))
        return ROUTE_E_NO_TARGET;
    r = suits(q, t);
    if (r != ROUTE_OK)
        return r;
    r = is_sold(q, t);
    if (r != ROUTE_OK || !w)
        return r;
    if (t->account->data_policy < w->data_policy)
        return ROUTE_E_PREFERENCE;
    if ((w->only.n && !is_named(&w->only, t->account, &ignored)) ||
        is_named(&w->ignore, t->account, &ignored))
        return ROUTE_E_PREFERENCE;
    if (w->order.n && !is_named(&w->order, t->account, ret_rank) && w->no_fallbacks)
        return ROUTE_E_PREFERENCE;
    return is_too_dear(q, t->price) ? ROUTE_E_MAX_PRICE : ROUTE_OK;
}

static int model_fits(const struct route_request *q, const struct catalog_model *m)
{
    if (q->allowed && !q->allowed(q->ctx, m))
        return ROUTE_E_DENIED;
    if (!m->enabled)
        return ROUTE_E_DISABLED;
    if (m->off_reason.p)
        return ROUTE_E_OFF;
    if (m->kind != q->kind)
        return ROUTE_E_KIND;
    return ROUTE_OK;
}

/* --- sorting --- */

/* suffix: of the name that the model was asked for by. */
static enum route_sort sort_of(const struct route_request *q, const struct catalog_model *m,
                               enum route_sort suffix)
{
    if (q->preference && q->preference->sort != SORT_NONE)
        return q->preference->sort;
    if (suffix != SORT_NONE)
        return suffix;
    if (m->strategy == STRATEGY_CHEAPEST)
        return SORT_COST;
    return m->strategy == STRATEGY_FASTEST ? SORT_LATENCY : SORT_NONE;
}

/* What such a request comes to at these figures: its prompt and the output that it allows, where they
 * are not known a thousand tokens of each, and one thing of what is sold apiece. */
static int64_t sum_of(const struct route_request *q, const int64_t figures[USAGE_UNITS])
{
    const int64_t n[USAGE_UNITS] = {
        [USAGE_INPUT] = q->input_tokens_least ? q->input_tokens_least : 1000,
        [USAGE_OUTPUT] = q->output_tokens ? (int64_t)MIN(q->output_tokens, (uint64_t)INT32_MAX) : 1000,
        [USAGE_REQUEST] = 1, [USAGE_IMAGE] = 1, [USAGE_SECOND] = 1, [USAGE_PAGE] = 1,
        [USAGE_CHARACTER] = 1000,
    };
    __int128 sum = 0;

    for (size_t i = 0; i < USAGE_UNITS; i++)
        if (n[i] && figures[i] != PRICE_NONE)
            sum += (__int128)n[i] * figures[i];
    return sum > INT64_MAX ? INT64_MAX : (int64_t)sum;
}

/* 0: not known. */
static int64_t merit_of(const struct route_request *q, enum route_sort sort,
                        const struct catalog_target *t)
{
    const struct price_step *step = price_step_at(t->price, q->service, q->input_tokens_least);
    struct pace pace = {0};

    switch (sort) {
    case SORT_PRICE:
        return sum_of(q, step->charge);
    case SORT_COST:
        return sum_of(q, step->cost);
    case SORT_LATENCY:
        (void)pace_read(q->pace, t->id, q->now_ms, &pace);
        return pace.first_byte_us;
    case SORT_THROUGHPUT:
        (void)pace_read(q->pace, t->id, q->now_ms, &pace);
        return pace.tokens_per_ks ? INT64_C(1000000000000000) / pace.tokens_per_ks : 0;
    case SORT_NONE:
        break;
    }
    return 0;
}

/* The fastest and those that are nearly so share the first place, as do those of which nothing is
 * known: else all would run after the last one measured, and what was slow once would stay so. */
static void level(struct picks *p)
{
    int64_t best = 0;

    for (size_t i = 0; i < p->n; i++)
        if (p->v[i].merit && !p->v[i].cooling && (!best || p->v[i].merit < best))
            best = p->v[i].merit;
    for (size_t i = 0; i < p->n; i++)
        if (p->v[i].merit - best <= best / 5)
            p->v[i].merit = 0;
}

/* Does the team want the model of its own accounts alone? What is disabled does not count. */
static bool is_own_only(const struct catalog_target *own, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (own[i].enabled && own[i].account->own_only)
            return true;
    return false;
}

static struct pick pick_of(const struct route_request *q, const struct catalog_target *t,
                           enum route_sort sort, unsigned rank)
{
    const struct catalog_model *m = t->model;
    struct health *h = health_at(q->health, t->account->id, t->account->team.v != 0);
    bool weighted = m->strategy == STRATEGY_WEIGHTED;

    return (struct pick){
        .target = t,
        .rank = rank,
        .installations = t->account->team.v == 0,
        .merit = sort == SORT_NONE ? 0 : merit_of(q, sort, t),
        .priority = weighted ? 0 : t->priority,
        .account_priority = weighted ? 0 : t->account->priority,
        .weight = (uint32_t)t->weight * (uint32_t)t->account->weight,
        .cooling = health_state(h, q->now_ms) == HEALTH_COOLING && m->pinned != t,
    };
}

/* Of the reasons against the targets, and the one from before, that of the one which came farthest. */
static int gather_some(const struct route_request *q, const struct catalog_target *targets, size_t n,
                       enum route_sort sort, int reason, struct picks *ret)
{
    for (size_t i = 0; i < n && ret->n < ROUTE_TARGETS_MAX; i++) {
        unsigned rank;
        int r = sift(q, &targets[i], &rank);

        if (r == ROUTE_OK)
            ret->v[ret->n++] = pick_of(q, &targets[i], sort, rank);
        else
            reason = MAX(reason, r);
    }
    return reason;
}

/* The team's own, then the installation's, unless the team wants the model of its own alone. */
static int gather(const struct route_request *q, const struct wanted *wanted, struct picks *ret)
{
    const struct catalog_model *m = wanted->model;
    enum route_sort sort = sort_of(q, m, wanted->sort);
    size_t n_own;
    const struct catalog_target *own = catalog_model_own(m, q->team, &n_own);
    int reason;

    ret->n = 0;
    reason = gather_some(q, own, n_own, sort, ROUTE_E_NO_TARGET, ret);
    if (!is_own_only(own, n_own))
        reason = gather_some(q, m->targets, m->n_targets, sort, reason, ret);
    if (sort == SORT_LATENCY || sort == SORT_THROUGHPUT)
        level(ret);
    return ret->n ? ROUTE_OK : reason;
}

/* < 0: a goes first; 0: chance decides. */
static int pick_compare(const struct pick *a, const struct pick *b)
{
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->installations != b->installations)
        return a->installations ? 1 : -1;
    if (a->merit != b->merit)
        return a->merit < b->merit ? -1 : 1;
    if (a->priority != b->priority)
        return a->priority < b->priority ? -1 : 1;
    if (a->account_priority != b->account_priority)
        return a->account_priority < b->account_priority ? -1 : 1;
    return 0;
}

/* The next one: of those that nothing goes before, by weight; without any weight, the first. */
static size_t draw(const struct picks *p, bool cooling)
{
    size_t best = SIZE_MAX;
    uint32_t sum = 0, at;

    for (size_t i = 0; i < p->n; i++) {
        int c;

        if (p->v[i].cooling != cooling)
            continue;
        c = best == SIZE_MAX ? -1 : pick_compare(&p->v[i], &p->v[best]);
        if (c < 0) {
            best = i;
            sum = 0;
        }
        if (c <= 0)
            sum += p->v[i].weight;
    }
    if (best == SIZE_MAX || sum == 0)
        return best;
    at = random_below(sum);
    for (size_t i = best; i < p->n; i++) {
        if (p->v[i].cooling != cooling || pick_compare(&p->v[i], &p->v[best]) != 0)
            continue;
        if (at < p->v[i].weight)
            return i;
        at -= p->v[i].weight;
    }
    return best;
}

static void plan_put(struct route_plan *plan, const struct catalog_target *t)
{
    for (unsigned i = 0; i <= t->model->retries && plan->n < BOUND_ATTEMPTS; i++)
        plan->candidates[plan->n++] = t;
}

static void plan_from(struct route_plan *plan, struct picks *p, bool cooling)
{
    for (size_t at; plan->n < BOUND_ATTEMPTS && (at = draw(p, cooling)) != SIZE_MAX;) {
        plan_put(plan, p->v[at].target);
        memmove(&p->v[at], &p->v[at + 1], (p->n - at - 1) * sizeof(p->v[0]));
        p->n--;
    }
}

/* The request's own model, then those of its list; each once. */
static size_t models_of(const struct route_request *q, struct wanted *ret)
{
    size_t n = 0;

    ret[n++] = (struct wanted){q->model, q->sort};
    for (size_t i = 0; q->preference && i < q->preference->n_models; i++) {
        enum route_sort sort;
        const struct catalog_model *m = variant_find(q->catalog, q->preference->models[i], &sort);
        bool known = !m;

        for (size_t k = 0; k < n; k++)
            known = known || ret[k].model == m;
        if (!known)
            ret[n++] = (struct wanted){m, sort};
    }
    return n;
}

int route_pick(const struct route_request *request, struct route_plan *ret)
{
    struct wanted models[ROUTE_MODELS_MAX + 1];
    const struct route_preference *w = request->preference;
    struct picks picks[ROUTE_MODELS_MAX + 1];
    struct route_plan plan = {.n = 0};
    size_t n;
    int reason = ROUTE_OK;

    assert(!w || w->n_models <= ROUTE_MODELS_MAX);
    n = models_of(request, models);
    for (size_t i = 0; i < n; i++) {
        int r = model_fits(request, models[i].model);

        picks[i].n = 0;
        if (r == ROUTE_OK)
            r = gather(request, &models[i], &picks[i]);
        if (i == 0)
            reason = r;
        plan_from(&plan, &picks[i], false);
    }
    for (size_t i = 0; i < n; i++)
        plan_from(&plan, &picks[i], true);
    if (plan.n == 0)
        return reason;
    if (w && w->no_fallbacks && !w->order.n)
        plan.n = 1;
    *ret = plan;
    return ROUTE_OK;
}

struct str route_sentence(struct arena *a, const struct catalog_model *m, int outcome)
{
    static const char *const sentences[] = {
        [ROUTE_OK] = "",
        [ROUTE_E_DENIED] = "This key may not use the model.",
        [ROUTE_E_DISABLED] = "The model is not available.",
        [ROUTE_E_OFF] = "", /* with its reason, below */
        [ROUTE_E_KIND] = "The model does not serve this kind of request.",
        [ROUTE_E_FORMAT] = "No provider of the model can be asked in the format of this address.",
        [ROUTE_E_ABILITY] = "The model cannot do what the request asks for.",
        [ROUTE_E_CONTEXT] = "The input is longer than the model's context.",
        [ROUTE_E_OUTPUT] = "The answer may be longer than the model can write.",
        [ROUTE_E_NO_TARGET] = "No provider account is available for the model.",
        [ROUTE_E_NO_PRICE] = "The model has no price and cannot be used.",
        [ROUTE_E_SERVICE] = "The model is not sold at this service tier.",
        [ROUTE_E_SEARCH] = "The model sells no web searches.",
        [ROUTE_E_PREFERENCE] = "The request's provider preferences leave no provider.",
        [ROUTE_E_MAX_PRICE] = "No provider is as cheap as the request's max_price.",
    };

    assert(outcome >= 0 && (size_t)outcome < ARRAY_LEN(sentences));
    if (outcome == ROUTE_E_OFF)
        return arena_strf(a, "The model is switched off for now: %.*s", STR_FMT(m->off_reason));
    return str_c(sentences[outcome]);
}
