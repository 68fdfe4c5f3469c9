/* price.h: one immutable version of a model's or target's price, as the catalogue keeps it.
 *
 * Nano-dollars per million units, both what the customer is charged and what the operator pays.
 * A tier's prices hold for the whole call when its prompt is longer than above_input_tokens (the
 * way of the providers' long-context prices). The arithmetic is in ledger/price.h. */
#pragma once

#include "base/bounds.h"
#include "base/id.h"
#include "model/usage.h"

/* A price row that does not name a unit. */
#define PRICE_NONE ((int64_t)-1)

struct price_tier {
    int64_t above_input_tokens;  /* tiers[0]: 0; ascending */
    int64_t charge[USAGE_UNITS]; /* 0 .. BOUND_PRICE_ABSURD_NANO, or PRICE_NONE */
    int64_t cost[USAGE_UNITS];
};

struct price {
    struct price_id id;
    int64_t effective_from_us;
    unsigned n_tiers; /* at least 1 */
    struct price_tier tiers[BOUND_PRICE_TIERS];
};

/* One tier at 0 in which no unit is named. */
void price_init(struct price *p, struct price_id id);
/* Sets one unit of the tier that begins above that many input tokens, making the tier if need be.
 * PRICE_SET_E_TIERS: more tiers than BOUND_PRICE_TIERS; PRICE_SET_E_RANGE: a figure out of bounds.
 */
enum { PRICE_SET_OK = 0, PRICE_SET_E_TIERS = 1, PRICE_SET_E_RANGE = 2 };
int price_set(struct price *p, enum usage_unit unit, int64_t above_input_tokens, int64_t charge,
              int64_t cost) _must_use_;
/* Call once when all rows are set: what a tier does not name it takes from the tier below, else
 * from the unit's fallback (usage.def); REQUEST becomes 0. Anything else unnamed stays PRICE_NONE:
 * a call that would use it is refused before it is sent. */
void price_complete(struct price *p);
/* Has the model a price at all: is any unit named? */
bool price_usable(const struct price *p);
