/* home.h: what everybody may see: landing, models and prices, quick start. */
#pragma once

#include "web/web.h"

int page_home(struct web *w) _must_use_;       /* GET / */
int page_pricing(struct web *w) _must_use_;    /* GET /pricing */
int page_quickstart(struct web *w) _must_use_; /* GET /quickstart */
