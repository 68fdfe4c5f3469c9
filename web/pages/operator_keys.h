/* operator_keys.h: management keys of the whole installation: their list, minting, revoking. */
#pragma once

#include "web/web.h"

int page_operator_keys(struct web *w) _must_use_;       /* GET /operator/management-keys */
int page_operator_key_mint(struct web *w) _must_use_;   /* POST /operator/management-keys */
int page_operator_key_revoke(struct web *w) _must_use_; /* POST .../{id}/revoke */
