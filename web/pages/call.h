/* call.h: one request with all its proof: what was asked, every try, what it cost, where it stands
 * in the ledger. */
#pragma once

#include "logs/search.h"
#include "web/web.h"

int page_call(struct web *w) _must_use_; /* GET /log/{id} */

/* The same page for any team's call; operator: provider costs are shown too. */
int call_show(struct web *w, const struct log_row *row, bool for_operator) _must_use_;
