/* shadow.h: some of a model's calls are asked of another one too, for comparison (gateway/call_shadow.h),
 * as the snapshot has it. shadows.h is how that is set. */
#pragma once

#include "base/money.h"

struct catalog_model;

struct catalog_shadow {
    const struct catalog_model *of, *to;
    int32_t permille; /* of the calls: 1 .. 1000 */
    struct money day; /* the most that they may cost within a day (UTC); 0: there is no ceiling */
};
