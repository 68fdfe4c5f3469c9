/* overview.h: are we fine, and what do we spend? */
#pragma once

#include "web/web.h"

int page_overview(struct web *w) _must_use_; /* GET /overview */
