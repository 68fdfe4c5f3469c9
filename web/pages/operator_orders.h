/* operator_orders.h: top-ups of all teams: bank transfers to confirm, payments to decide about. */
#pragma once

#include "web/web.h"

int page_operator_orders(struct web *w) _must_use_;        /* GET /operator/orders */
int page_operator_order_confirm(struct web *w) _must_use_; /* POST /operator/orders/{id}/confirm */
int page_operator_payment_accept(struct web *w)
    _must_use_; /* POST /operator/payments/{id}/accept */
int page_operator_payment_dismiss(struct web *w) _must_use_; /* POST .../dismiss */
