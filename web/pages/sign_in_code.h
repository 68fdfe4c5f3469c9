/* sign_in_code.h: the second step of signing in, for whoever has a second factor. */
#pragma once

#include "web/web.h"

/* What POST /sign-in answers when the password was right; the ticket stands in the form. */
int sign_in_ask_code(struct web *w, struct str ticket) _must_use_;
int page_sign_in_code(struct web *w) _must_use_; /* POST /sign-in/code */
