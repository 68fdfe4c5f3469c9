/* price.h: what usage costs: pure arithmetic over model/price.h.
 *
 * Products in 128 bits, one division, rounded up once per call (reliability 1.1). Any thread. */
#pragma once

#include "base/money.h"
#include "model/price.h"

enum {
    PRICE_OK = 0,
    PRICE_E_UNNAMED = 1, /* a unit was used that the price does not name */
    PRICE_E_LIMIT = 2,   /* more than a single call may cost (BOUND_CALL_COST_NANO) */
};
/* charge: what the customer pays; cost: what the operator pays. The tier is chosen by the whole
 * prompt's tokens. */
int price_charge(const struct price *p, const struct usage *u, struct money *ret_charge,
                 struct money *ret_cost) _must_use_;

/* The most that a call can be charged. */
struct price_estimate {
    int64_t input_tokens, output_tokens; /* upper bounds; output over all n choices */
    int64_t images, requests;
};
/* At the dearest tier and class that the estimate can reach. */
int price_hold(const struct price *p, const struct price_estimate *e, struct money *ret) _must_use_;
/* The most output tokens that available covers beside the rest of the estimate; 0: none. */
int64_t price_affords_output(const struct price *p, const struct price_estimate *e,
                             struct money available);
