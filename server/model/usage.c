/* usage.c: the table behind usage.h. */
#include "model/usage.h"

#include "base/bounds.h"

static const struct usage_unit_info units[USAGE_UNITS] = {
#define USAGE(ident, name, column, label, covers, fallback) \
    [USAGE_##ident] = {#name, #column, label, USAGE_COVERS_##covers, USAGE_##fallback},
#include "model/usage.def"
#undef USAGE
};

static const char *const bases[USAGE_BASES] = {
    [USAGE_BASIS_ZERO] = "zero",
    [USAGE_BASIS_PROVIDER] = "provider",
    [USAGE_BASIS_COUNTED] = "counted",
    [USAGE_BASIS_CUT] = "cut",
};

const struct usage_unit_info *usage_unit_info(enum usage_unit unit)
{
    assert(unit < USAGE_UNITS);
    return &units[unit];
}

const char *usage_basis_name(enum usage_basis basis)
{
    assert(basis < USAGE_BASES);
    return bases[basis];
}

int usage_unit_parse(struct str name, enum usage_unit *ret)
{
    for (enum usage_unit i = 0; i < USAGE_UNITS; i++)
        if (str_eq_c(name, units[i].name)) {
            *ret = i;
            return USAGE_OK;
        }
    return USAGE_E_UNKNOWN;
}

bool usage_unit_is_piece(enum usage_unit unit)
{
    return unit == USAGE_REQUEST || unit == USAGE_IMAGE || unit == USAGE_SECOND ||
           unit == USAGE_PAGE || unit == USAGE_SEARCH;
}

/* Several times in each call: of a side that is known here only its own units are left of this. */
static inline int64_t sum_of(const struct usage *u, enum usage_covers side)
{
    int64_t sum = 0;

#define USAGE(ident, name, column, label, covers, fallback) \
    sum += USAGE_COVERS_##covers == side ? u->n[USAGE_##ident] : 0;
#include "model/usage.def"
#undef USAGE
    return sum;
}

int64_t usage_sum(const struct usage *u, enum usage_covers covers)
{
    switch (covers) {
    case USAGE_COVERS_PROMPT:
        return sum_of(u, USAGE_COVERS_PROMPT);
    case USAGE_COVERS_OUTPUT:
        return sum_of(u, USAGE_COVERS_OUTPUT);
    case USAGE_COVERS_OTHER:
        return sum_of(u, USAGE_COVERS_OTHER);
    }
    return 0;
}

void usage_take(struct usage *into, const struct usage *from, enum usage_covers side)
{
    for (size_t i = 0; i < USAGE_UNITS; i++)
        if (units[i].covers == side)
            into->n[i] = from->n[i];
}

void usage_clamp(struct usage *u)
{
    for (size_t i = 0; i < USAGE_UNITS; i++) {
        u->n[i] = MIN(u->n[i], (int64_t)BOUND_USAGE_QUANTITY);
        u->n[i] = MAX(u->n[i], (int64_t)0);
    }
}
