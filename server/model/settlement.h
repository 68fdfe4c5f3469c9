/* settlement.h: how a finished call is to be booked: its record, and what it took out of which
 * purse. Data only; everything belongs to whoever made it. */
#pragma once

#include "base/id.h"

struct call_record;

/* One purse that a call used. taken comes out of the session's lease, and is 0 where the node gave
 * itself a share of a minute; used may be more, the rest is booked straight to the purse. Nano-dollars,
 * requests, tokens or permits. */
struct settle_draw {
    struct purse_id purse; /* of the call's team */
    int64_t window_us;     /* start of the window it was taken from; INT64_MIN: never turns */
    int64_t taken, used;   /* used > 0 */
};

struct settle_entry {
    const struct call_record *call; /* with its attempts */
    const struct settle_draw *draws;
    size_t n_draws; /* at most BOUND_HOLD_PURSES */
};
