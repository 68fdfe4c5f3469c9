/* billing.h: what did we pay, and what will we pay? */
#pragma once

#include "ledger/statement.h"
#include "web/web.h"

int page_billing(struct web *w) _must_use_; /* GET /billing */
int page_top_up(struct web *w) _must_use_;  /* POST /billing/top-up */
int page_redeem(struct web *w) _must_use_;  /* POST /billing/redeem */

/* What a transfer's code means, in words; NULL: not known. */
const char *billing_code_text(struct str code);
/* A row of the ledger as its tables show it; also for the ledger's own page. */
struct json_object *billing_movement(struct web *w, const struct statement_row *row);
