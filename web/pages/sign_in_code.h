/* sign_in_code.h: the second step of signing in, for whoever has a second factor. */
#pragma once

#include "web/web.h"

/* What is answered when the password was right, or the identity provider has said who it is; the ticket stands in
 * the form, and where to go afterwards. */
int sign_in_ask_code(struct web *w, struct str ticket, struct str next, bool by_provider) _must_use_;
int page_sign_in_code(struct web *w) _must_use_; /* POST /sign-in/code */
