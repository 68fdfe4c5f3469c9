/* second_factor.h: what signing in asks for beside the password, of people who want it: six digits of an app
 * (totp.h), or one of ten recovery codes, which are stored as keyed digests and work once each.
 *
 * Every code is counted against the login limits before it is looked at (login.h), and no code is taken
 * twice. Turned off by a code, or taken away by an operator. */
#pragma once

#include "identity/audit.h"
#include "identity/fault.h"

#define RECOVERY_CODES 10

/* Of the installation's secret. */
struct factor_keys {
    const uint8_t *session_pepper, *seal_key;
};

struct second_factor {
    bool on;
    int64_t since_us;   /* 0: off */
    int64_t codes_left; /* recovery codes */
};
/* Any scope. */
int second_factor_get(struct db *db, struct user_id user, struct second_factor *ret) _must_use_;

/* For the app, to be shown until it is confirmed. */
struct factor_secret {
    struct str typed, uri; /* totp.h */
};
/* Begins to turn it on: a new secret, in the place of one that was not confirmed. The password is checked,
 * so that a session that was left open is not enough. Own transactions, passwords lane. Fields:
 * current_password, and "" when it is on already. IDENTITY_E_LIMITED. issuer: how apps name this
 * installation. */
int second_factor_begin(struct db *db, struct arena *a, const struct factor_keys *keys,
                        const struct actor *actor, struct str password, struct str issuer,
                        struct factor_secret *ret, struct identity_fault *fault) _must_use_;
/* The secret that waits to be confirmed, again; IDENTITY_E_NONE: none does. Any scope. */
int second_factor_waiting(struct db *db, struct arena *a, const struct factor_keys *keys,
                          const struct actor *actor, struct str issuer,
                          struct factor_secret *ret) _must_use_;

/* What a person does with a code: of the app, and where it is on also a recovery code. */
enum factor_change {
    FACTOR_CONFIRM, /* it is on from now on */
    FACTOR_RENEW,   /* new recovery codes; those before are of no use any more */
    FACTOR_END,
};
struct recovery_codes {
    struct str v[RECOVERY_CODES]; /* "7K4QZ-M29AB", shown once; of FACTOR_CONFIRM and FACTOR_RENEW */
};
/* Of the actor, who is a person. Own transactions. Field: code. IDENTITY_E_NONE: there is nothing to
 * confirm, or it is off. IDENTITY_E_LIMITED. */
int second_factor_change(struct db *db, struct arena *a, const struct factor_keys *keys,
                         const struct actor *actor, enum factor_change what, struct str code,
                         struct recovery_codes *ret, struct identity_fault *fault) _must_use_;

/* Takes a code of somebody who signs in, in the caller's transaction (system scope), and spends it.
 * FACTOR_E_WRONG: no code of theirs, or it was used. FACTOR_E_OFF: none is asked for any more. */
enum { FACTOR_OK = 0, FACTOR_E_WRONG = 1, FACTOR_E_OFF = 2 };
int second_factor_take(struct db *db, struct arena *a, const struct factor_keys *keys,
                       const struct actor *who, struct str code) _must_use_;

/* Without a code, for somebody who has lost both. Operator or system scope. IDENTITY_E_NONE: it is off. */
int second_factor_remove(struct db *db, const struct actor *actor, struct user_id user) _must_use_;
