/* guardrails.h: what texts of requests and answers are looked through for: a team's rules, and in the
 * operator area those of the installation. */
#pragma once

#include "web/web.h"

int page_guardrails(struct web *w) _must_use_;     /* GET /guardrails */
int page_guardrail_add(struct web *w) _must_use_;  /* POST /guardrails */
int page_guardrail(struct web *w) _must_use_;      /* GET /guardrails/{id} */
int page_guardrail_save(struct web *w) _must_use_; /* POST /guardrails/{id} */
int page_guardrail_drop(struct web *w) _must_use_; /* POST /guardrails/{id}/drop */

int page_operator_guardrails(struct web *w) _must_use_;     /* GET /operator/guardrails */
int page_operator_guardrail_add(struct web *w) _must_use_;  /* POST /operator/guardrails */
int page_operator_guardrail(struct web *w) _must_use_;      /* GET /operator/guardrails/{id} */
int page_operator_guardrail_save(struct web *w) _must_use_; /* POST /operator/guardrails/{id} */
int page_operator_guardrail_drop(struct web *w) _must_use_; /* POST /operator/guardrails/{id}/drop */
