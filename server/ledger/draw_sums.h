/* draw_sums.h: what the calls of a batch took out of each purse, added up, so that the database is sent
 * a row for each purse rather than some for each call; what came out of no lease apart. One owner
 * thread. */
#pragma once

#include "base/base.h"
#include "model/settlement.h"

struct draw_sum {
    int64_t team_id;
    struct settle_draw draw; /* taken and used of all calls */
};

struct draw_sums {
    struct draw_sum *sum; /* n of them, in the order in which their purses were first seen */
    size_t n;
    uint32_t *slot; /* index + 1 into sum, 0: free; `slots` of them, a power of two, or none */
    size_t slots;
};

enum { DRAW_SUMS_E_LARGE = 1 };

void draw_sums_done(struct draw_sums *s); /* frees; all zero is a valid beginning */
void draw_sums_reset(struct draw_sums *s); /* empties, keeps memory */
/* DRAW_SUMS_E_LARGE: no int64 holds the sum; what was added before is unchanged. */
int draw_sums_add(struct draw_sums *s, int64_t team_id, const struct settle_draw *draw) _must_use_;
