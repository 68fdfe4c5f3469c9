/* operator_codes.h: codes for credit: making them, who has redeemed them, taking them back. */
#pragma once

#include "web/web.h"

int page_operator_codes(struct web *w) _must_use_;       /* GET /operator/codes */
int page_operator_codes_make(struct web *w) _must_use_;  /* POST: the only page that shows them */
int page_operator_code(struct web *w) _must_use_;        /* GET /operator/codes/{id} */
int page_operator_code_revoke(struct web *w) _must_use_; /* POST .../revoke */
