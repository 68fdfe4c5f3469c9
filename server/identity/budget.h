/* budget.h: what a team, a project or the keys of a member may spend together, in a window of the
 * team's time zone. Team scope.
 *
 * One for each of them at most. A key's own budget is in its settings (keyring.h). Every change tells
 * the nodes (`team:ID`); calls that are under way go on. */
#pragma once

#include "identity/audit.h"
#include "identity/key.h"

enum budget_scope { BUDGET_TEAM, BUDGET_PROJECT, BUDGET_USER, BUDGET_SCOPES };
const char *budget_scope_name(enum budget_scope scope); /* "team", "project", "user" */
bool budget_scope_parse(struct str name, enum budget_scope *ret);

/* What can be chosen. scope_id: of the project or the person; of a team's it is not looked at. */
struct budget_settings {
    enum budget_scope scope;
    int64_t scope_id;
    struct money amount;
    enum key_window window;
};

/* One for each project and for as many members, and the team's. */
#define BUDGETS_PER_TEAM_MAX 1000

struct budget {
    int64_t id;
    struct budget_settings is;
    struct str name;    /* of the team, the project, the person */
    struct money spent; /* in the window that runs */
};
/* Four fifths of it are spent. */
static inline bool budget_is_short(const struct budget *b)
{
    return b->spent.nano >= b->is.amount.nano / 5 * 4;
}
static inline bool budget_is_used_up(const struct budget *b)
{
    return b->spent.nano >= b->is.amount.nano;
}
struct budget_page {
    struct budget *v;
    size_t n;
};

/* The team's first, then projects and people by name. */
int budget_list(struct db *db, struct arena *a, struct team_id team,
                struct budget_page *ret) _must_use_;
/* Makes it, or changes the one that is there. Fields: scope_id, amount, window. */
int budget_set(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
               const struct budget_settings *settings, int64_t *ret_id,
               struct identity_fault *fault) _must_use_;
int budget_drop(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                int64_t id) _must_use_;
