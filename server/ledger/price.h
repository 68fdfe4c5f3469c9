/* price.h: what usage costs: pure arithmetic over model/price.h.
 *
 * Products in 128 bits, one division, rounded up once per call (reliability 1.1). Any thread.
 * tests/oracle holds all of it against exact rational arithmetic. */
#pragma once

#include "base/money.h"
#include "model/price.h"

enum {
    PRICE_OK = 0,
    PRICE_E_UNNAMED = 1, /* a unit was used that the price does not name */
    PRICE_E_LIMIT = 2,   /* more than a single call may cost (BOUND_CALL_COST_NANO) */
};
/* charge: what the customer pays; cost: what the operator pays. The step is chosen by the whole
 * prompt's tokens; a service tier that is not sold costs what standard does. visual_kind: the figure
 * that images, or seconds, are charged at (price_visual_of); NULL, empty or not in the price: the plain one. */
int price_charge(const struct price *p, enum service_tier s, const char *visual_kind,
                 const struct usage *u, struct money *ret_charge,
                 struct money *ret_cost) _must_use_;

/* What is charged for a call that a team's own key at a provider served: bp ten-thousandths of the list
 * charge, rounded up. bp: 0 .. PRICE_FEE_WHOLE. */
#define PRICE_FEE_WHOLE 10000
struct money price_fee(struct money list, int32_t bp);

/* The most that a call can use. A usage is within it when its whole prompt is at most input and
 * audio tokens together and its audio input at most the audio tokens, its whole answer at most the
 * output tokens, without sound unless that is allowed, its other units at most `things`, its
 * images or video of a kind that is within what `image` says, and its service tier the one that was asked for or standard. */
struct price_estimate {
    bool own_key; /* only the fee is charged: own_fee_bp as price_fee() has it */
    int32_t own_fee_bp;
    enum service_tier service;
    int64_t input_tokens, audio_input_tokens;
    int64_t output_tokens; /* over all n choices; reasoning is output */
    bool audio_output;
    struct usage things; /* units that are neither prompt nor answer */
    struct visual_kind visual;
};
/* At the dearest service tier, step and class that the estimate can reach: no usage within it is
 * charged more. A thing that the price does not name is counted as tokens or costs nothing; where it is all that
 * there is, and no tokens with it, it has no price: PRICE_E_UNNAMED. */
int price_hold(const struct price *p, const struct price_estimate *e, struct money *ret) _must_use_;
/* The same of what the operator pays. */
int price_hold_cost(const struct price *p, const struct price_estimate *e, struct money *ret) _must_use_;
/* The most output tokens that available covers beside the rest of the estimate; 0: none. */
int64_t price_affords_output(const struct price *p, const struct price_estimate *e,
                             struct money available);
