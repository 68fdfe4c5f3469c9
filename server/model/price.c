/* price.c: building a price version from its rows. */
#include "model/price.h"

static void tier_clear(struct price_tier *t, int64_t above_input_tokens)
{
    t->above_input_tokens = above_input_tokens;
    for (size_t i = 0; i < USAGE_UNITS; i++)
        t->charge[i] = t->cost[i] = PRICE_NONE;
}

void price_init(struct price *p, struct price_id id)
{
    *p = (struct price){.id = id, .n_tiers = 1};
    tier_clear(&p->tiers[0], 0);
}

static struct price_tier *tier_at(struct price *p, int64_t above_input_tokens)
{
    unsigned i = 0;

    while (i < p->n_tiers && p->tiers[i].above_input_tokens < above_input_tokens)
        i++;
    if (i < p->n_tiers && p->tiers[i].above_input_tokens == above_input_tokens)
        return &p->tiers[i];
    if (p->n_tiers == BOUND_PRICE_TIERS)
        return NULL;
    memmove(&p->tiers[i + 1], &p->tiers[i], (p->n_tiers - i) * sizeof(p->tiers[0]));
    p->n_tiers++;
    tier_clear(&p->tiers[i], above_input_tokens);
    return &p->tiers[i];
}

static bool in_range(int64_t nano)
{
    return nano >= 0 && nano <= BOUND_PRICE_ABSURD_NANO;
}

int price_set(struct price *p, enum usage_unit unit, int64_t above_input_tokens, int64_t charge,
              int64_t cost)
{
    struct price_tier *t;

    assert(unit < USAGE_UNITS);
    if (!in_range(charge) || !in_range(cost) || above_input_tokens < 0)
        return PRICE_SET_E_RANGE;
    t = tier_at(p, above_input_tokens);
    if (!t)
        return PRICE_SET_E_TIERS;
    t->charge[unit] = charge;
    t->cost[unit] = cost;
    return PRICE_SET_OK;
}

/* Before any fallback, or a higher tier's dearer output would not carry its reasoning along. */
static void inherit(int64_t *figures, const int64_t *below)
{
    for (size_t i = 0; i < USAGE_UNITS; i++)
        if (figures[i] == PRICE_NONE)
            figures[i] = below[i];
}

/* Fallbacks point to units that come earlier in the list or to themselves: one pass is enough. */
static void fall_back(int64_t *figures)
{
    for (size_t i = 0; i < USAGE_UNITS; i++)
        if (figures[i] == PRICE_NONE)
            figures[i] = figures[usage_unit_info(i)->fallback];
    if (figures[USAGE_REQUEST] == PRICE_NONE)
        figures[USAGE_REQUEST] = 0;
}

void price_complete(struct price *p)
{
    for (unsigned i = 1; i < p->n_tiers; i++) {
        inherit(p->tiers[i].charge, p->tiers[i - 1].charge);
        inherit(p->tiers[i].cost, p->tiers[i - 1].cost);
    }
    for (unsigned i = 0; i < p->n_tiers; i++) {
        fall_back(p->tiers[i].charge);
        fall_back(p->tiers[i].cost);
    }
}

bool price_usable(const struct price *p)
{
    for (size_t i = 0; i < USAGE_UNITS; i++)
        if (i != USAGE_REQUEST && p->tiers[0].charge[i] != PRICE_NONE)
            return true;
    return p->tiers[0].charge[USAGE_REQUEST] > 0;
}
