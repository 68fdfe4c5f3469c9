/* dice.h: repeatable randomness for invented answers: the same seed gives the same answer.
 *
 * Not for secrets. Pure. */
#pragma once

#include "base/str.h"

struct dice {
    uint64_t state;
};

/* Mixes s into the state; start from a zeroed struct. */
void dice_stir(struct dice *d, struct str s);
void dice_stir_u64(struct dice *d, uint64_t v);
uint64_t dice_roll(struct dice *d);
size_t dice_below(struct dice *d, size_t bound); /* 0 when bound is 0 */
