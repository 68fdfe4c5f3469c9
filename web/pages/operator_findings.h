/* operator_findings.h: what the checks of the books found, and closing it, with a reason. */
#pragma once

#include "web/web.h"

int page_operator_findings(struct web *w) _must_use_;       /* GET /operator/findings */
int page_operator_findings_check(struct web *w) _must_use_; /* POST: the full check, now */
int page_operator_finding_close(struct web *w) _must_use_;  /* POST /operator/findings/{id}/close */
