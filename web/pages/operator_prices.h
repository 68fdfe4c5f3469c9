/* operator_prices.h: the prices of one model: every version there was, and publishing a new one. */
#pragma once

#include "web/web.h"

int page_operator_prices(struct web *w) _must_use_;     /* GET /operator/models/{id}/prices */
int page_operator_prices_new(struct web *w) _must_use_; /* GET .../prices/new */
int page_operator_prices_add(struct web *w) _must_use_; /* POST .../prices */
