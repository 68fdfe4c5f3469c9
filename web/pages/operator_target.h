/* operator_target.h: the targets of a model: adding, changing, deleting; shown on the model's page.
 */
#pragma once

#include "web/web.h"

int page_operator_target_add(struct web *w) _must_use_;    /* POST /operator/models/{id}/targets */
int page_operator_target_update(struct web *w) _must_use_; /* POST /operator/targets/{id} */
int page_operator_target_delete(struct web *w) _must_use_; /* POST /operator/targets/{id}/delete */
