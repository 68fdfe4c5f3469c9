/* operator_teams.h: all teams: finding one. */
#pragma once

#include "web/web.h"

int page_operator_teams(struct web *w) _must_use_; /* GET /operator/teams */
