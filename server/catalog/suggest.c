/* suggest.c: see suggest.h. */
#include "catalog/suggest.h"

#define SAMPLE_TOKENS 1000

/* What a small call comes to; INT64_MAX where what every call of the kind uses has no price. */
static int64_t sample_charge(const struct price *price, enum model_kind kind)
{
    static const int64_t n[USAGE_UNITS] = {
        [USAGE_INPUT] = SAMPLE_TOKENS, [USAGE_OUTPUT] = SAMPLE_TOKENS,
        [USAGE_CHARACTER] = SAMPLE_TOKENS,
        [USAGE_REQUEST] = 1, [USAGE_IMAGE] = 1, [USAGE_SECOND] = 1, [USAGE_PAGE] = 1,
    };
    const int64_t *charge = price_step_at(price, SERVICE_STANDARD, SAMPLE_TOKENS)->charge;
    __int128 sum = 0;

    if (model_kind_writes(kind) &&
        (charge[USAGE_INPUT] == PRICE_NONE || charge[USAGE_OUTPUT] == PRICE_NONE))
        return INT64_MAX;
    for (size_t i = 0; i < USAGE_UNITS; i++)
        if (charge[i] != PRICE_NONE)
            sum += (__int128)n[i] * charge[i];
    return sum > INT64_MAX ? INT64_MAX : (int64_t)sum;
}

/* At the dearest target that may serve it, as it may be that one's turn. */
static int64_t most_of(const struct catalog_model *m)
{
    int64_t most = 0;

    for (size_t i = 0; i < m->n_targets; i++)
        if (catalog_target_serves(&m->targets[i]))
            most = MAX(most, sample_charge(m->targets[i].price, m->kind));
    return most;
}

const struct catalog_model *catalog_suggest(const struct catalog *c, enum model_kind kind)
{
    const struct catalog_model *models, *best = NULL;
    int64_t least = 0;
    size_t n = 0;

    models = catalog_models(c, &n);
    for (size_t i = 0; i < n; i++) {
        const struct catalog_model *m = &models[i];
        int64_t charge;

        if (m->kind != kind || !catalog_model_serves(m) || (best && best->demo && !m->demo))
            continue;
        charge = most_of(m);
        if (!best || m->demo != best->demo || charge < least) {
            best = m;
            least = charge;
        }
    }
    return best;
}
