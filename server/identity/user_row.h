/* user_row.h: the rows of people as the files of this room write them. Inside this room only.
 * System scope unless said. */
#pragma once

#include "identity/user.h"

struct user_new {
    struct str email, name;
    const char *hash; /* NULL: no password, the identity provider signs in */
    bool is_operator;
};
/* IDENTITY_E_FAULT: the e-mail is taken. */
int user_row_add(struct db *db, const struct user_new *user, struct user_id *ret) _must_use_;

struct user_row {
    struct user_id id;
    struct str email, hash; /* hash p NULL: no password */
    bool is_operator;
    bool second_factor; /* it is on: no sign-in without a code */
};
/* IDENTITY_E_NONE: unknown or disabled. */
int user_row_get(struct db *db, struct arena *a, struct user_id id,
                 struct user_row *ret) _must_use_;
int user_row_set_name(struct db *db, struct user_id id, struct str name) _must_use_;
/* Checks the person's password, counted as a try to sign in, which the caller marks good (login_good). Own
 * transaction, passwords lane. Field: current_password. IDENTITY_E_LIMITED. */
int user_prove(struct db *db, const struct user_row *row, struct str password, struct str address,
               int64_t *ret_attempt, struct identity_fault *fault) _must_use_;
/* As it stands, for the audit log; without the hash. */
int user_row_json(struct db *db, struct arena *a, struct user_id id, struct str *ret) _must_use_;
/* Sets the hash (NULL: none), ends all sessions and reset links. */
int user_set_password(struct db *db, struct user_id id, const char *hash) _must_use_;
/* A new person's first team, or the one of the invite, whose fault is as invite_use()'s. team_name may be empty:
 * made from the person's. */
int user_first_team(struct db *db, struct arena *a, const uint8_t session_pepper[32], const struct actor *actor,
                    struct str name, struct str team_name, struct str invite,
                    struct identity_fault *fault) _must_use_;
int user_audit(struct db *db, const struct actor *actor, const char *action, struct user_id id,
               struct str before, struct str after) _must_use_;
