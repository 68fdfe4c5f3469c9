/* operator_models.h: the catalogue's models: the list, and adding one. */
#pragma once

#include "web/web.h"

int page_operator_models(struct web *w) _must_use_;     /* GET /operator/models */
int page_operator_models_new(struct web *w) _must_use_; /* GET /operator/models/new */
int page_operator_models_add(struct web *w) _must_use_; /* POST /operator/models */
