/* key.h: one virtual key: what it may do, what it spent, and its end. */
#pragma once

#include "web/web.h"

int page_key(struct web *w) _must_use_;         /* GET /keys/{id} */
int page_key_update(struct web *w) _must_use_;  /* POST /keys/{id} */
int page_key_rotate(struct web *w) _must_use_;  /* POST /keys/{id}/rotate */
int page_key_disable(struct web *w) _must_use_; /* POST /keys/{id}/disable */
int page_key_enable(struct web *w) _must_use_;  /* POST /keys/{id}/enable */
int page_key_delete(struct web *w) _must_use_;  /* POST /keys/{id}/delete */
