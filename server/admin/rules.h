/* rules.h: the handlers of /api/v1/routes/{id}/rules and /api/v1/rules, and what a route shows of them. */
#pragma once

#include "admin/admin.h"
#include "catalog/rules.h"

int admin_rules_add(struct admin *a);
int admin_rules_change(struct admin *a);
int admin_rules_delete(struct admin *a);
int admin_rules_try(struct admin *a);

/* As a route's list of rules has it. */
struct json_object *admin_rule_json(const struct rule_row *row);
