/* invite.h: links by which somebody joins a team, once, within seven days. */
#pragma once

#include "identity/audit.h"
#include "identity/role.h"

struct invite {
    int64_t id;
    struct team_id team;
    struct str team_name, inviter, email; /* email p NULL: anybody with the link */
    enum role role;
    int64_t created_at_us, expires_at_us;
};
struct invite_page {
    struct invite *v;
    size_t n;
};

/* by: the role of who invites, which a user has still to have; only owners invite owners. email may be empty. *ret_token is shown
 * once, as part of the link. Team scope. Fields: email, role. */
int invite_make(struct db *db, struct arena *a, const uint8_t session_pepper[32],
                const struct actor *actor, enum role by, struct team_id team, enum role role,
                struct str email, struct str *ret_token, struct identity_fault *fault) _must_use_;
/* Those that can still be used. Team scope. */
int invite_list(struct db *db, struct arena *a, struct team_id team,
                struct invite_page *ret) _must_use_;
int invite_revoke(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                  int64_t id) _must_use_;
/* Those that a user made and that can still be used, or of them those that make owners: of who may invite
 * no longer, or no owners. Team scope. */
int invite_revoke_of(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                     struct user_id maker, bool owners_only) _must_use_;
/* What the link offers; IDENTITY_E_NONE: unknown, used, revoked or expired. System scope. */
int invite_peek(struct db *db, struct arena *a, const uint8_t session_pepper[32], struct str token,
                struct invite *ret) _must_use_;
/* The user joins. Field: invite (bound to another e-mail, or a member already). System scope. */
int invite_use(struct db *db, struct arena *a, const uint8_t session_pepper[32],
               const struct actor *actor, struct str token, struct user_id user,
               struct team_id *ret_team, struct identity_fault *fault) _must_use_;
