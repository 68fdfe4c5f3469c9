/* operator_audit.h: who changed what, installation-wide. */
#pragma once

#include "web/web.h"

int page_operator_audit(struct web *w) _must_use_; /* GET /operator/audit */
