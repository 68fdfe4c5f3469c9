/* budgets.h: what the team, its projects and its members may spend, and how far they are. */
#pragma once

#include "web/web.h"

int page_budgets(struct web *w) _must_use_;     /* GET /budgets */
int page_budget_set(struct web *w) _must_use_;  /* POST /budgets */
int page_budget_drop(struct web *w) _must_use_; /* POST /budgets/{id}/drop */
