/* own_keys.h: the team's own keys at providers: the list, and adding one. */
#pragma once

#include "web/web.h"

int page_own_keys(struct web *w) _must_use_;     /* GET /provider-keys */
int page_own_keys_new(struct web *w) _must_use_; /* GET /provider-keys/new?kind=KIND */
int page_own_keys_add(struct web *w) _must_use_; /* POST /provider-keys */
