/* bootstrap.h: what the first start makes: an operator account, and on a trial installation a team
 * `Demo` with a small grant and a key for the demo models.
 *
 * Idempotent, and safe when several replicas start at once. */
#pragma once

#include "identity/fault.h"

struct bootstrap_wish {
    struct str operator_email; /* such as "operator@localhost" */
    bool demo;                 /* make or keep the demo team */
    struct str demo_key;       /* its secret as the caller kept it; p NULL: not kept */
    const struct str *demo_models;
    size_t n_demo_models;
    struct money demo_grant;
};

struct bootstrap_made {
    bool operator_made;
    struct str operator_email, operator_password; /* when made; to be printed once */
    struct team_id demo_team;                     /* 0: none */
    struct str demo_key; /* a new secret, to be kept; p NULL: the one that the caller has is good */
};

/* Own transactions; worker or start-up thread. */
int bootstrap(struct db *db, struct arena *a, const uint8_t key_pepper[32],
              const struct bootstrap_wish *wish, struct bootstrap_made *ret) _must_use_;
