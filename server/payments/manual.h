/* manual.h: a bank transfer that an operator has seen arrive. */
#pragma once

#include "payments/payment_provider.h"

/* amount, currency: what arrived ("USD"); bank_reference: the bank's own id of the transfer, which
 * credits once for ever. Own transaction, operator scope. Fields: bank_reference (empty, too long, or
 * used before), amount, currency (not three letters). A wrong amount or currency goes to review: see
 * ret->state. */
int manual_confirm(struct db *db, struct arena *a, const struct actor *actor, int64_t order_id,
                   struct money amount, struct str currency, struct str bank_reference,
                   struct order *ret, struct identity_fault *fault) _must_use_;
