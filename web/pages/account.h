/* account.h: one's own name, password and sessions. */
#pragma once

#include "web/form.h"
#include "web/web.h"

int page_account(struct web *w) _must_use_;          /* GET /account */
int page_account_rename(struct web *w) _must_use_;   /* POST /account */
int page_account_password(struct web *w) _must_use_; /* POST /account/password, passwords lane */
int page_account_end_session(struct web *w) _must_use_;  /* POST /account/sessions/{id}/end */
int page_account_end_sessions(struct web *w) _must_use_; /* POST /account/sessions: all others */

/* The page with what was wrong of the second factor's form. */
int account_show_factor(struct web *w, const struct form *form) _must_use_;
/* Or of the one that links the identity provider. */
int account_show_provider(struct web *w, const struct form *form) _must_use_;
