/* login.h: signing in with e-mail and password.
 *
 * Limits: 5 failures per account and 15 minutes, 20 tries per address and minute, counted in the
 * database before the password is looked at, so that they hold across replicas and fail closed. An
 * unknown e-mail takes the same time and gets the same answer as a wrong password. */
#pragma once

#include "identity/session.h"

enum { LOGIN_OK = 0, LOGIN_E_WRONG = 1, LOGIN_E_LIMITED = 2 };

struct login {
    struct str email, password;
    struct session_from from;
};

/* Own transactions, passwords lane. LOGIN_E_LIMITED: *ret_retry_after_s is set. */
int login_try(struct db *db, struct arena *a, const uint8_t session_pepper[32],
              const struct login *login, struct session_made *ret,
              int32_t *ret_retry_after_s) _must_use_;

/* Counts a try in, in a transaction of its own; account may be empty (counted by address only).
 * LOGIN_E_LIMITED: *ret_retry_after_s is set. For the other places that check secrets. */
int login_admit(struct db *db, struct str account, struct str address, int64_t *ret_attempt,
                int32_t *ret_retry_after_s) _must_use_;
/* The try was good: it no longer counts. Any scope. */
int login_good(struct db *db, int64_t attempt) _must_use_;
