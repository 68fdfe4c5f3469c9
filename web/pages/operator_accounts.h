/* operator_accounts.h: provider accounts: the list, and adding one. */
#pragma once

#include "web/web.h"

int page_operator_accounts(struct web *w) _must_use_;     /* GET /operator/accounts */
int page_operator_accounts_new(struct web *w) _must_use_; /* GET /operator/accounts/new */
int page_operator_accounts_add(struct web *w) _must_use_; /* POST /operator/accounts */
