/* reset.h: one-time links by which a person sets a new password. Made by an operator, or for whoever asks
 * by e-mail; valid for RESET_MINUTES; a newer link, a new password or use ends them. */
#pragma once

#include "identity/audit.h"
#include "identity/session.h"

#define RESET_MINUTES 30

/* *ret_token is part of the link and shown once. Operator or system scope. */
int reset_make(struct db *db, struct arena *a, const uint8_t session_pepper[32],
               const struct actor *actor, struct user_id user, struct str *ret_token) _must_use_;
/* IDENTITY_E_NONE: the link is not valid (any more), or with operators_only (PASSWORD_SIGN_IN=off) of somebody
 * who does not sign in with a password. System scope. */
int reset_peek(struct db *db, struct arena *a, const uint8_t session_pepper[32], struct str token,
               bool operators_only, struct str *ret_email) _must_use_;
/* Sets the password, ends all sessions and signs in, but not whoever has a second factor, which a link does
 * not stand for: ret->token.p is NULL then. Own transactions, passwords lane; counts against the address's
 * login limit. Field: password. */
int reset_use(struct db *db, struct arena *a, const uint8_t session_pepper[32], struct str token,
              struct str password, const struct session_from *from, struct session_made *ret,
              struct identity_fault *fault) _must_use_;

/* Notes that somebody has asked for a link, whether or not there is such a person; a try of the address and
 * of the e-mail, as signing in is (login.h). Own transactions. IDENTITY_E_LIMITED: *ret_retry_after_s is set.
 * Field: email. */
int reset_ask(struct db *db, struct arena *a, struct str email, struct str address,
              int32_t *ret_retry_after_s, struct identity_fault *fault) _must_use_;
/* Takes the oldest wish and makes the link; token.p is NULL where nobody can sign in with that e-mail and a
 * password.
 * IDENTITY_E_NONE: nobody waits. System scope; what is taken is gone when the transaction commits. */
struct reset_made {
    struct str email, token;
};
int reset_grant(struct db *db, struct arena *a, const uint8_t session_pepper[32],
                bool operators_only, struct reset_made *ret) _must_use_;
