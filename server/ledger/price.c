/* price.c: see price.h. */
#include "ledger/price.h"

#include "base/bounds.h"

#define PER_MILLION ((__int128)1000000)

/* kind: of that unit, where it is another than the step's; PRICE_NONE: it is not. */
static int sum(const int64_t *prices, enum usage_unit unit, int64_t kind, const int64_t *quantities,
               struct money *ret)
{
    int64_t used_prices[USAGE_UNITS], used[USAGE_UNITS];
    struct money total;
    size_t n = 0;

    for (unsigned u = 0; u < USAGE_UNITS; u++) {
        if (quantities[u] == 0)
            continue;
        used_prices[n] = u == unit && kind != PRICE_NONE ? kind : prices[u];
        if (used_prices[n] == PRICE_NONE)
            return PRICE_E_UNNAMED;
        used[n++] = quantities[u];
    }
    if (money_cost(used, used_prices, n, &total) || total.nano > BOUND_CALL_COST_NANO)
        return PRICE_E_LIMIT;
    *ret = total;
    return PRICE_OK;
}

int price_charge(const struct price *p, enum service_tier s, const char *visual_kind,
                 const struct usage *u, struct money *ret_charge, struct money *ret_cost)
{
    const struct price_visual *visual = visual_kind ? price_visual_at(p, visual_kind) : NULL;
    const struct price_step *step = price_step_at(p, s, usage_sum(u, USAGE_COVERS_PROMPT));
    struct money charge, cost;
    int r = sum(step->charge, p->visual_unit, visual ? visual->charge : PRICE_NONE, u->n, &charge);

    if (!r)
        r = sum(step->cost, p->visual_unit, visual ? visual->cost : PRICE_NONE, u->n, &cost);
    if (r)
        return r;
    *ret_charge = charge;
    *ret_cost = cost;
    return PRICE_OK;
}

struct money price_fee(struct money list, int32_t bp)
{
    __int128 part = (__int128)list.nano * bp;

    assert(bp >= 0 && bp <= PRICE_FEE_WHOLE);
    return (struct money){(int64_t)(part / PRICE_FEE_WHOLE + (part % PRICE_FEE_WHOLE > 0))};
}

static bool is_sound(enum usage_unit u)
{
    return u == USAGE_AUDIO_INPUT || u == USAGE_AUDIO_OUTPUT;
}

/* The dearest of the units on that side; PRICE_NONE where none is named. Several times in each call, and of a
 * side that is known only its own units are left of this. */
static inline int64_t dearest(const struct price_step *step, enum usage_covers side, bool audio)
{
    int64_t most = PRICE_NONE;

#define USAGE(ident, name, column, label, covers, fallback)                                 \
    if (USAGE_COVERS_##covers == side && (audio || !is_sound(USAGE_##ident)))               \
        most = MAX(most, step->charge[USAGE_##ident]);
#include "model/usage.def"
#undef USAGE
    return most;
}

/* What a call can cost at one step, in nano-dollars times a million: fixed + output tokens * each.
 * Quantities below 2^31 at prices below 2^60 keep the sum of a few within 128 bits. */
struct most {
    __int128 fixed;
    int64_t each; /* PRICE_NONE: no output is named */
};

/* The same of the things alone. */
static int things_most(const struct price *p, const struct price_step *step,
                       const struct price_estimate *e, __int128 *ret)
{
    bool named = e->input_tokens || e->audio_input_tokens, any = false;
    __int128 sum = 0;

    for (enum usage_unit u = 0; u < USAGE_UNITS; u++) {
        int64_t charge;

        if (!e->things.n[u] || usage_unit_info(u)->covers != USAGE_COVERS_OTHER)
            continue;
        charge = u == p->visual_unit ? price_visual_most(p, &e->visual, step->charge[u])
                                    : step->charge[u];
        any = any || u != USAGE_REQUEST;
        named = named || (u != USAGE_REQUEST && charge != PRICE_NONE);
        sum += (__int128)e->things.n[u] * MAX(charge, (int64_t)0);
    }
    *ret = sum;
    return any && !named ? PRICE_E_UNNAMED : PRICE_OK;
}

static int step_most(const struct price *p, const struct price_step *step,
                     const struct price_estimate *e, struct most *ret)
{
    int64_t text = dearest(step, USAGE_COVERS_PROMPT, false);
    int64_t audio = dearest(step, USAGE_COVERS_PROMPT, true);
    __int128 things;
    int r = things_most(p, step, e, &things);

    if (r || (e->input_tokens && text == PRICE_NONE) ||
        (e->audio_input_tokens && audio == PRICE_NONE))
        return PRICE_E_UNNAMED;
    ret->fixed = (__int128)e->input_tokens * MAX(text, (int64_t)0) +
                 (__int128)e->audio_input_tokens * MAX(audio, (int64_t)0) + things;
    ret->each = dearest(step, USAGE_COVERS_OUTPUT, e->audio_output);
    return PRICE_OK;
}

/* Calls fn with every step that the estimate can reach, until one answers with an outcome. */
static int each_step(const struct price *p, const struct price_estimate *e,
                     int (*fn)(void *ctx, const struct most *m), void *ctx)
{
    const enum service_tier tiers[] = {SERVICE_STANDARD, e->service};
    size_t n = e->service != SERVICE_STANDARD && price_sells(p, e->service) ? 2 : 1;
    int r = PRICE_OK;

    for (size_t t = 0; t < n; t++) {
        const struct price_steps *steps = &p->of[tiers[t]];

        for (unsigned i = 0; r == PRICE_OK && i < steps->n; i++) {
            struct most m;

            if (i && e->input_tokens + e->audio_input_tokens <= steps->v[i].above_input_tokens)
                break;
            r = step_most(p, &steps->v[i], e, &m);
            if (r == PRICE_OK)
                r = fn(ctx, &m);
        }
    }
    return r;
}

struct hold_sum {
    int64_t output_tokens;
    __int128 most;
};

static int hold_step(void *ctx, const struct most *m)
{
    struct hold_sum *h = ctx;
    __int128 all = m->fixed;

    if (h->output_tokens && m->each == PRICE_NONE)
        return PRICE_E_UNNAMED;
    if (h->output_tokens)
        all += (__int128)h->output_tokens * m->each;
    h->most = MAX(h->most, all);
    return PRICE_OK;
}

int price_hold(const struct price *p, const struct price_estimate *e, struct money *ret)
{
    struct hold_sum h = {.output_tokens = e->output_tokens};
    int r = each_step(p, e, hold_step, &h);
    __int128 nano = h.most / PER_MILLION + (h.most % PER_MILLION > 0);

    if (r == PRICE_OK && nano > BOUND_CALL_COST_NANO)
        r = PRICE_E_LIMIT;
    if (r == PRICE_OK)
        *ret = e->own_key ? price_fee((struct money){(int64_t)nano}, e->own_fee_bp)
                          : (struct money){(int64_t)nano};
    return r;
}

/* Worked out on a price that charges what it costs. */
int price_hold_cost(const struct price *p, const struct price_estimate *e, struct money *ret)
{
    struct price at_cost = *p;

    for (size_t t = 0; t < SERVICE_TIERS; t++)
        for (unsigned i = 0; i < at_cost.of[t].n; i++)
            memcpy(at_cost.of[t].v[i].charge, p->of[t].v[i].cost, sizeof(p->of[t].v[i].cost));
    for (unsigned i = 0; i < at_cost.n_visuals; i++)
        at_cost.visual[i].charge = p->visual[i].cost;
    return price_hold(&at_cost, e, ret);
}

struct afford {
    __int128 available; /* times a million, as prices are */
    int64_t most;
};

/* Rounding the whole up to a nano stays within `available` exactly when the whole itself does. */
static int afford_step(void *ctx, const struct most *m)
{
    struct afford *a = ctx;
    __int128 left = a->available - m->fixed;

    if (m->each == PRICE_NONE || left < 0)
        a->most = 0;
    else if (m->each > 0 && left / m->each < a->most)
        a->most = (int64_t)(left / m->each);
    return PRICE_OK;
}

/* The largest list charge of which the fee is within that. */
static int64_t list_of(const struct price_estimate *e, struct money available)
{
    __int128 list;

    if (!e->own_key || available.nano < 0)
        return available.nano;
    if (!e->own_fee_bp)
        return BOUND_CALL_COST_NANO;
    list = (__int128)available.nano * PRICE_FEE_WHOLE / e->own_fee_bp;
    return list > BOUND_CALL_COST_NANO ? BOUND_CALL_COST_NANO : (int64_t)list;
}

int64_t price_affords_output(const struct price *p, const struct price_estimate *e,
                             struct money available)
{
    int64_t nano = MIN(list_of(e, available), BOUND_CALL_COST_NANO);
    struct afford a = {.available = nano * PER_MILLION, .most = BOUND_USAGE_QUANTITY};

    return each_step(p, e, afford_step, &a) == PRICE_OK ? a.most : 0;
}
