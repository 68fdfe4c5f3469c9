/* paybacks.h: what went back of an order's payments, as the team's page and the operator's show it. */
#pragma once

#include "payments/payback.h"
#include "web/web.h"

/* Sets view.paybacks and view.any_payback. */
int paybacks_view(struct web *w, struct team_id team, int64_t order_id,
                  struct json_object *view) _must_use_;
