/* operator_money.h: money that an operator moves: adjustments by a signed amount, and grants.
 *
 * Each form carries a reference made when it was shown, under which the ledger books once, however
 * often the form is sent. */
#pragma once

#include "web/web.h"

int page_operator_team_adjust(struct web *w) _must_use_; /* POST /operator/teams/{id}/adjust */
int page_operator_team_grant(struct web *w) _must_use_;  /* POST /operator/teams/{id}/grant */
/* POST /operator/teams/{id}/grants/{grant}/end */
int page_operator_team_end_grant(struct web *w) _must_use_;

/* Sets view.adjust and view.grant; NULL: empty forms with new references. */
struct form;
int operator_money_forms(struct web *w, const struct form *adjust, const struct form *grant,
                         struct json_object *view) _must_use_;
/* A reference for a form that is being shown. */
struct str operator_new_reference(struct arena *a) _must_use_;
