/* login.h: signing in with e-mail and password, and a code of whoever has a second factor.
 *
 * Limits: 5 failures per account and 15 minutes, 20 tries per address and minute, counted in the
 * database before the password is looked at, so that they hold across replicas and fail closed. An
 * unknown e-mail takes the same time and gets the same answer as a wrong password. */
#pragma once

#include "identity/second_factor.h"
#include "identity/session.h"

enum {
    LOGIN_OK = 0,
    LOGIN_E_WRONG = 1,
    LOGIN_E_LIMITED = 2, /* *ret_retry_after_s is set */
    LOGIN_E_CODE = 3,    /* the password is right; a code is asked for */
    LOGIN_E_OVER = 4,    /* the ticket is too old, or the password was changed since */
    LOGIN_E_PROVIDER = 5, /* the password is right, and of somebody who signs in otherwise (operators_only) */
};

struct login {
    struct str email, password;
    struct session_from from;
    bool operators_only; /* PASSWORD_SIGN_IN=off */
};

struct login_made {
    struct session_made session;
    struct str ticket; /* LOGIN_E_CODE: what login_with_code() wants, for LOGIN_TICKET_S */
};
/* Own transactions, passwords lane. LOGIN_E_WRONG, _LIMITED, _CODE, _PROVIDER: nobody is signed in yet. */
int login_try(struct db *db, struct arena *a, const uint8_t session_pepper[32],
              const struct login *login, struct login_made *ret,
              int32_t *ret_retry_after_s) _must_use_;

/* The second step. The ticket says that the password was right, and is of no use without a code; the try of
 * the password counts as a failure until the code is right. Own transactions. LOGIN_E_WRONG: the code, which
 * stands in the audit log; _LIMITED, _OVER. */
#define LOGIN_TICKET_S 300
int login_with_code(struct db *db, struct arena *a, const struct factor_keys *keys,
                    struct str ticket, struct str code, const struct session_from *from,
                    struct session_made *ret, int32_t *ret_retry_after_s) _must_use_;
/* Under which codes of an e-mail's owner are counted: not the e-mail, so that who guesses codes cannot
 * lock its owner out of the first step. */
struct str login_code_account(struct arena *a, struct str email) _must_use_;

/* Counts a try in, in a transaction of its own; account may be empty (counted by address only).
 * LOGIN_E_LIMITED: *ret_retry_after_s is set. For the other places that check secrets. */
int login_admit(struct db *db, struct str account, struct str address, int64_t *ret_attempt,
                int32_t *ret_retry_after_s) _must_use_;
/* The try was good: it no longer counts. Any scope. */
int login_good(struct db *db, int64_t attempt) _must_use_;
