/* operator_rules.h: the rules of a model: when another one serves its calls (catalog/rule.h). */
#pragma once

#include "web/web.h"

int page_operator_rules(struct web *w) _must_use_;        /* GET /operator/models/{id}/rules */
int page_operator_rules_add(struct web *w) _must_use_;    /* POST /operator/models/{id}/rules */
int page_operator_rules_try(struct web *w) _must_use_;    /* POST /operator/models/{id}/rules/try */
int page_operator_rule(struct web *w) _must_use_;         /* GET /operator/rules/{id} */
int page_operator_rule_save(struct web *w) _must_use_;    /* POST /operator/rules/{id} */
int page_operator_rule_up(struct web *w) _must_use_;      /* POST /operator/rules/{id}/up */
int page_operator_rule_switch(struct web *w) _must_use_;  /* POST /operator/rules/{id}/switch */
int page_operator_rule_delete(struct web *w) _must_use_;  /* POST /operator/rules/{id}/delete */

struct model_row;
/* view.rules: the model's rules in order, each with what it says; view.any_rule. For the model's page too. */
int operator_rules_view(struct web *w, const struct model_row *model, struct json_object *view) _must_use_;
