/* own_key.h: one of the team's own keys at providers: test, settings, another credential, its end. */
#pragma once

#include "web/web.h"

int page_own_key(struct web *w) _must_use_;         /* GET /provider-keys/{id} */
int page_own_key_update(struct web *w) _must_use_;  /* POST /provider-keys/{id} */
int page_own_key_replace(struct web *w) _must_use_; /* POST .../{id}/key */
int page_own_key_enable(struct web *w) _must_use_;
int page_own_key_disable(struct web *w) _must_use_;
int page_own_key_delete(struct web *w) _must_use_;
int page_own_key_test(struct web *w) _must_use_; /* long lane */
