/* operator_target_form.h: the form by which a model gets a target, and by which one is changed. */
#pragma once

#include "catalog/models.h"
#include "web/form.h"
#include "web/web.h"

enum target_field {
    TARGET_FIELD_ACCOUNT, /* of a new target only */
    TARGET_FIELD_UPSTREAM,
    TARGET_FIELD_LIMIT,
    TARGET_FIELD_PRIORITY,
    TARGET_FIELD_WEIGHT,
    TARGET_FIELD_CONTEXT,
    TARGET_FIELD_OUTPUT,
    TARGET_FIELD_LACKS,
    TARGET_FIELD_ENABLED,
    TARGET_FIELDS
};

/* Empty, with every account as an option. *ret_any (may be NULL): there is an account at all. */
int target_form_new(struct web *w, struct form *form, bool *ret_any) _must_use_;
/* Of a target that exists: its account is fixed. */
int target_form_open(struct web *w, struct form *form) _must_use_;
int target_form_show(struct form *form, const struct target_draft *draft) _must_use_;
/* now: as it stands, of which the form does not show every ability that is lacking; NULL: a new one. */
void target_form_draft(const struct form *form, const struct target_draft *now, struct target_draft *ret);
