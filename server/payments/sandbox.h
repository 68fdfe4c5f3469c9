/* sandbox.h: a card payment that is played, not made; for installations marked as sandbox. */
#pragma once

#include "payments/payment_provider.h"

enum sandbox_play {
    SANDBOX_SUCCEED, /* confirmed at once */
    SANDBOX_DECLINE,
    SANDBOX_LATE, /* pending now, confirmed by payment_tick some seconds later */
};
#define SANDBOX_LATE_S 5

/* What the customer pressed on the checkout page. Own transactions. IDENTITY_E_NONE: not an order
 * of this team, or not a sandbox. Field "state": it is no longer open. Pressing twice pays once. */
int sandbox_press(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                  int64_t order_id, enum sandbox_play play, struct order *ret,
                  struct identity_fault *fault) _must_use_;
