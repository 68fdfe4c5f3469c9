/* operator_model_view.h: what a model's page shows; for operator_model.c. */
#pragma once

#include "web/pages/operator_model.h"

/* Answers with the page. */
int operator_model_show(struct web *w, int status, const struct model_row *row,
                        const struct model_told *told) _must_use_;
