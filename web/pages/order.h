/* order.h: one top-up: where it stands, what the customer does next; and the sandbox's checkout. */
#pragma once

#include "payments/order.h"
#include "web/web.h"

int page_order(struct web *w) _must_use_;          /* GET /billing/orders/{id} */
int page_order_pay(struct web *w) _must_use_;      /* POST /billing/orders/{id}/pay */
int page_order_cancel(struct web *w) _must_use_;   /* POST /billing/orders/{id}/cancel */
int page_checkout(struct web *w) _must_use_;       /* GET /checkout/{id} */
int page_checkout_press(struct web *w) _must_use_; /* POST /checkout/{id} */

/* Sends the browser to the order's page at Stripe, or, where there is none, to ours, which says why. Waits
 * for Stripe; what was written before has to be committed. */
int order_pay(struct web *w, const struct order *order) _must_use_;
/* Its state in words; view is {tone, text, icon} under key. */
void order_state_view(struct json_object *o, const char *key, enum order_state state);
/* A row of a table of orders; for the operator's too. */
struct json_object *order_view(struct web *w, const struct order *order);
