/* operator_team.h: one team as an operator sees it: money, people, keys, and freezing it. */
#pragma once

#include "identity/team.h"
#include "web/web.h"

int page_operator_team(struct web *w) _must_use_;          /* GET /operator/teams/{id} */
int page_operator_team_freeze(struct web *w) _must_use_;   /* POST .../freeze */
int page_operator_team_unfreeze(struct web *w) _must_use_; /* POST .../unfreeze */

/* What an answer to a refused POST tells beside the team. */
struct form;
struct team_told {
    const struct form *adjust, *grant; /* NULL: empty */
    const char *freeze_fault;
};
/* The team in the path; none is IDENTITY_E_NONE. */
int operator_team_read(struct web *w, struct team *ret) _must_use_;
/* 422 with the team's page; begins the transaction anew. */
int operator_team_show_again(struct web *w, const struct team *team,
                             const struct team_told *told) _must_use_;
/* The kind of movements that the page and its export show unasked (ledger_filter.h): usage is many
 * rows. */
#define OPERATOR_LEDGER_KIND "other"
