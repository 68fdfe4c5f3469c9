/* reset.h: a new password by a one-time link that an operator made. */
#pragma once

#include "web/web.h"

int page_reset(struct web *w) _must_use_;      /* GET /reset/{token} */
int page_reset_send(struct web *w) _must_use_; /* POST /reset/{token}, passwords lane */
