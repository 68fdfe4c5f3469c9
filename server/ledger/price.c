/* price.c: see price.h. */
#include "ledger/price.h"

#include "base/bounds.h"

/* The tier that holds for a prompt of this many tokens. */
static const struct price_tier *tier_for(const struct price *p, int64_t prompt)
{
    unsigned i = p->n_tiers;

    assert(p->n_tiers >= 1);
    while (i > 1 && prompt <= p->tiers[i - 1].above_input_tokens)
        i--;
    return &p->tiers[i - 1];
}

static int sum(const int64_t *prices, const int64_t *quantities, struct money *ret)
{
    int64_t used_prices[USAGE_UNITS], used[USAGE_UNITS];
    struct money total;
    size_t n = 0;

    for (unsigned u = 0; u < USAGE_UNITS; u++) {
        if (quantities[u] == 0)
            continue;
        if (prices[u] == PRICE_NONE)
            return PRICE_E_UNNAMED;
        used_prices[n] = prices[u];
        used[n++] = quantities[u];
    }
    if (money_cost(used, used_prices, n, &total) || total.nano > BOUND_CALL_COST_NANO)
        return PRICE_E_LIMIT;
    *ret = total;
    return PRICE_OK;
}

int price_charge(const struct price *p, const struct usage *u, struct money *ret_charge,
                 struct money *ret_cost)
{
    const struct price_tier *tier = tier_for(p, usage_sum(u, USAGE_COVERS_PROMPT));
    struct money charge, cost;
    int r = sum(tier->charge, u->n, &charge);

    if (!r)
        r = sum(tier->cost, u->n, &cost);
    if (r)
        return r;
    *ret_charge = charge;
    *ret_cost = cost;
    return PRICE_OK;
}

/* The dearest of the units that cover what; PRICE_NONE where none is named. */
static int64_t dearest(const struct price_tier *tier, enum usage_covers covers)
{
    int64_t most = PRICE_NONE;

    for (unsigned u = 0; u < USAGE_UNITS; u++) {
        const struct usage_unit_info *info = usage_unit_info((enum usage_unit)u);
        bool audio = u == USAGE_AUDIO_INPUT || u == USAGE_AUDIO_OUTPUT;

        if (info->covers == covers && !audio)
            most = MAX(most, tier->charge[u]);
    }
    return most;
}

static int tier_hold(const struct price_tier *tier, const struct price_estimate *e,
                     struct money *ret)
{
    const int64_t prices[] = {dearest(tier, USAGE_COVERS_PROMPT),
                              dearest(tier, USAGE_COVERS_OUTPUT), tier->charge[USAGE_IMAGE],
                              tier->charge[USAGE_REQUEST]};
    const int64_t quantities[] = {e->input_tokens, e->output_tokens, e->images, e->requests};
    int64_t known_prices[ARRAY_LEN(prices)], known[ARRAY_LEN(prices)];
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(prices); i++) {
        if (!quantities[i])
            continue;
        if (prices[i] == PRICE_NONE && i < 2)
            return PRICE_E_UNNAMED;
        if (prices[i] == PRICE_NONE)
            continue; /* images that are counted as tokens, or requests that cost nothing */
        known_prices[n] = prices[i];
        known[n++] = quantities[i];
    }
    if (money_cost(known, known_prices, n, ret) || ret->nano > BOUND_CALL_COST_NANO)
        return PRICE_E_LIMIT;
    return PRICE_OK;
}

int price_hold(const struct price *p, const struct price_estimate *e, struct money *ret)
{
    struct money most = MONEY_ZERO, one = MONEY_ZERO;

    for (unsigned i = 0; i < p->n_tiers; i++) {
        int r;

        if (i && e->input_tokens <= p->tiers[i].above_input_tokens)
            break;
        r = tier_hold(&p->tiers[i], e, &one);
        if (r)
            return r;
        most.nano = MAX(most.nano, one.nano);
    }
    *ret = most;
    return PRICE_OK;
}

int64_t price_affords_output(const struct price *p, const struct price_estimate *e,
                             struct money available)
{
    struct price_estimate try = *e;
    int64_t low = 0, high = BOUND_USAGE_QUANTITY;
    struct money m;

    while (low < high) { /* the largest output that fits */
        int64_t mid = low + (high - low + 1) / 2;

        try.output_tokens = mid;
        if (price_hold(p, &try, &m) == PRICE_OK && m.nano <= available.nano)
            low = mid;
        else
            high = mid - 1;
    }
    return low;
}
