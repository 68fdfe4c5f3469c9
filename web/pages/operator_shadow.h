/* operator_shadow.h: a model beside the one that shadows it: the rule, what came of it, one pair. */
#pragma once

#include "web/web.h"

int page_operator_shadow(struct web *w) _must_use_;      /* GET /operator/models/{id}/shadow */
int page_operator_shadow_save(struct web *w) _must_use_; /* POST .../shadow */
int page_operator_shadow_end(struct web *w) _must_use_;  /* POST .../shadow/end */
int page_operator_shadow_pair(struct web *w) _must_use_; /* GET .../shadow/{pair}: by the id of either call */
