/* usage.h: what the team used, by day, model, key, project, provider or tag. */
#pragma once

#include "web/web.h"

int page_usage(struct web *w) _must_use_;        /* GET /usage */
int page_usage_export(struct web *w) _must_use_; /* GET /usage/export: the same table as CSV */
