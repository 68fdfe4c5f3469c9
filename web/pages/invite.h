/* invite.h: what a link by which somebody joins a team leads to. */
#pragma once

#include "web/web.h"

int page_invite(struct web *w) _must_use_;      /* GET /invite/{token} */
int page_invite_join(struct web *w) _must_use_; /* POST /invite/{token}, signed in */
