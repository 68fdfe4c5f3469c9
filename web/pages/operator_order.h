/* operator_order.h: one top-up as an operator sees it: its payments, and sending money back.
 *
 * A refund's form carries a reference made when it was shown; a chargeback and its reversal carry the
 * bank's. Each is booked once, however often its form is sent. */
#pragma once

#include "web/web.h"

int page_operator_order(struct web *w) _must_use_;          /* GET /operator/orders/{id} */
int page_operator_payment_refund(struct web *w) _must_use_; /* POST /operator/payments/{id}/refund */
/* POST /operator/payments/{id}/chargeback, /operator/chargebacks/{id}/reverse */
int page_operator_payment_chargeback(struct web *w) _must_use_;
int page_operator_chargeback_reverse(struct web *w) _must_use_;
