/* members.h: who belongs to the team, and inviting more. */
#pragma once

#include "web/web.h"

int page_members(struct web *w) _must_use_;       /* GET /members */
int page_member_role(struct web *w) _must_use_;   /* POST /members/{id}/role */
int page_member_remove(struct web *w) _must_use_; /* POST /members/{id}/remove; also leaving */
int page_invite_make(struct web *w) _must_use_;   /* POST /members/invites */
int page_invite_revoke(struct web *w) _must_use_; /* POST /members/invites/{id}/revoke */
