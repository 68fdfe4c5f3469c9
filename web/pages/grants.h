/* grants.h: how a team's grants are shown, on its own pages and on the operator's. */
#pragma once

#include "web/web.h"

struct team_id;
/* Sets view.grants (name, left, amount, used, expires, state ...), view.any_grants, and
 * view.any_live_grant. zone: whose days the ends are told in. */
int grants_view(struct web *w, struct team_id team, const struct zone *zone,
                struct json_object *view) _must_use_;
