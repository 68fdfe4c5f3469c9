/* operator_models.h: the catalogue's models: the list, and adding one. */
#pragma once

#include "catalog/models.h"
#include "web/web.h"

int page_operator_models(struct web *w) _must_use_;     /* GET /operator/models */
int page_operator_models_new(struct web *w) _must_use_; /* GET /operator/models/new */
int page_operator_models_add(struct web *w) _must_use_; /* POST /operator/models */
/* Enabled, but switched off, or without a price or a target: as the list filters them. */
bool model_enabled_but_unserved(const struct model_row *m);
