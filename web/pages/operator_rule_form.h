/* operator_rule_form.h: the form by which a model gets a rule and by which one is changed, and the one that
 * describes a request to try the rules with. */
#pragma once

#include "catalog/rules.h"
#include "routing/rule.h"
#include "web/form.h"
#include "web/web.h"

/* rules: of the model, among which it has its place. own: the one that is changed; v 0: a new one. */
int rule_form_open(struct web *w, struct form *form, const struct rule_row *rules, size_t n,
                   struct rule_id own) _must_use_;
int rule_form_show(struct form *form, const struct rule_draft *draft) _must_use_;
/* After form_read(); what cannot be read is a fault of the form. */
int rule_form_draft(struct form *form, struct rule_draft *ret) _must_use_;

int rule_try_open(struct web *w, struct form *form) _must_use_;
/* After form_read(). *ret_said holds what the request says, and is its ctx. */
int rule_try_read(struct form *form, struct rule_conditions *ret_said, struct rule_request *ret) _must_use_;
