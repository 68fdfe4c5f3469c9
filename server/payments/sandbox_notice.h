/* sandbox_notice.h: the confirmation that the played card company sends. Inside this room only. */
#pragma once

#include "payments/payment.h"

/* Of the pending order with this reference; nothing when it is no longer pending. Own
 * transactions. */
int sandbox_confirm(struct db *db, struct arena *a, struct str reference) _must_use_;
