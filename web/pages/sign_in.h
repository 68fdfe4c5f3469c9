/* sign_in.h: coming in and going out. */
#pragma once

#include "web/web.h"

int page_sign_in(struct web *w) _must_use_;      /* GET /sign-in */
int page_sign_in_send(struct web *w) _must_use_; /* POST /sign-in, passwords lane */
int page_sign_out(struct web *w) _must_use_;     /* POST /sign-out */
int page_show_team(struct web *w) _must_use_;    /* POST /team: another of the user's teams */
