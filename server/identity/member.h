/* member.h: who belongs to which team. A team never loses its last owner. */
#pragma once

#include "identity/audit.h"
#include "identity/role.h"

struct member {
    struct user_id user;
    struct str email, name;
    enum role role;
    bool disabled;
    bool second_factor; /* asked for when they sign in */
    int64_t joined_at_us;
};
struct member_page {
    struct member *v;
    size_t n;
};
/* Team scope. */
int member_list(struct db *db, struct arena *a, struct team_id team,
                struct member_page *ret) _must_use_;

/* by: the role of who asks; only owners make, demote or remove owners. The last owner stays. Invitations that
 * the member made and could make no longer are revoked, so that nobody comes back by their own.
 * Team scope. Fields: role. IDENTITY_E_NONE: not a member. */
int member_set_role(struct db *db, struct arena *a, const struct actor *actor, enum role by,
                    struct team_id team, struct user_id user, enum role role,
                    struct identity_fault *fault) _must_use_;
/* Also for leaving: user is the actor then, whose role may be any. disable_keys: keys that the
 * member owns stop working, and management keys that the member made are revoked. */
int member_remove(struct db *db, struct arena *a, const struct actor *actor, enum role by,
                  struct team_id team, struct user_id user, bool disable_keys,
                  struct identity_fault *fault) _must_use_;

/* The teams of a user, for the switcher; scope of the user (DB_USER), operator or system. */
struct membership {
    struct team_id team;
    struct str team_name;
    enum role role;
};
struct membership_page {
    struct membership *v;
    size_t n;
};
int member_teams(struct db *db, struct arena *a, struct user_id user,
                 struct membership_page *ret) _must_use_;
