/* ledger.h: every movement of the balance with the balance after it, and one transfer with the calls
 * that it charged. */
#pragma once

#include "web/web.h"

int page_ledger(struct web *w) _must_use_;   /* GET /billing/ledger */
int page_transfer(struct web *w) _must_use_; /* GET /billing/ledger/{id} */
