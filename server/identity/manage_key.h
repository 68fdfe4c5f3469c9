/* manage_key.h: keys of the management API: of one team with a role, or of the installation. */
#pragma once

#include "identity/audit.h"
#include "identity/role.h"

#define MANAGE_KEY_PREFIX "tgm-"

struct manage_key {
    int64_t id;
    struct team_id team; /* 0: the installation's (operator) */
    enum role role;      /* of a team's key */
    bool is_operator;
    struct str name, prefix, last4, creator; /* creator p NULL: made by the system */
    int64_t created_at_us, expires_at_us, last_used_at_us, revoked_at_us; /* 0: none */
};
struct manage_key_page {
    struct manage_key *v;
    size_t n;
};

/* team 0 makes an installation key (operator scope; role is not looked at), else team scope.
 * Owners' rights are not given to keys: role at most admin. expires_at_us 0: never. Fields: name,
 * role, expires_at. */
int manage_key_mint(struct db *db, struct arena *a, const uint8_t key_pepper[32],
                    const struct actor *actor, struct team_id team, enum role role, struct str name,
                    int64_t expires_at_us, int64_t *ret_id, struct str *ret_secret,
                    struct identity_fault *fault) _must_use_;
/* IDENTITY_E_NONE: unknown, revoked or expired. System scope; notes the use once a minute at most.
 */
int manage_key_find(struct db *db, struct arena *a, const uint8_t key_pepper[32], struct str secret,
                    struct manage_key *ret) _must_use_;
int manage_key_list(struct db *db, struct arena *a, struct team_id team,
                    struct manage_key_page *ret) _must_use_;
int manage_key_revoke(struct db *db, struct arena *a, const struct actor *actor,
                      struct team_id team, int64_t id) _must_use_;
/* Those of the team that a user made. Team scope. */
int manage_key_revoke_of(struct db *db, struct arena *a, const struct actor *actor,
                         struct team_id team, struct user_id maker) _must_use_;
