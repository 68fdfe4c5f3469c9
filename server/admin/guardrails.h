/* guardrails.h: the handlers of /api/v1/guardrails, for routes.c. */
#pragma once

#include "admin/admin.h"

int admin_guardrails_list(struct admin *a);
int admin_guardrails_add(struct admin *a);
int admin_guardrails_change(struct admin *a);
int admin_guardrails_drop(struct admin *a);
