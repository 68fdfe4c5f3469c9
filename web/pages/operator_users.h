/* operator_users.h: the people who can sign in: finding them, ending and giving access. */
#pragma once

#include "web/web.h"

int page_operator_users(struct web *w) _must_use_;        /* GET /operator/users */
int page_operator_user_disable(struct web *w) _must_use_; /* POST /operator/users/{id}/disable */
int page_operator_user_enable(struct web *w) _must_use_;  /* POST .../enable */
int page_operator_user_promote(struct web *w) _must_use_; /* POST .../operator */
int page_operator_user_demote(struct web *w) _must_use_;  /* POST .../not-operator */
int page_operator_user_reset(struct web *w) _must_use_;   /* POST .../reset */
int page_operator_user_drop_factor(struct web *w) _must_use_; /* POST .../second-factor */
