/* sign_up.h: a new person, with a first team of their own or invited into one. */
#pragma once

#include "web/web.h"

int page_sign_up(struct web *w) _must_use_;      /* GET /sign-up */
int page_sign_up_send(struct web *w) _must_use_; /* POST /sign-up, passwords lane */
