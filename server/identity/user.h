/* user.h: people who can sign in. */
#pragma once

#include "identity/audit.h"
#include "identity/session.h"

struct user {
    struct user_id id;
    struct str email, name;
    bool is_operator, disabled;
    bool second_factor; /* it is on */
    int64_t created_at_us, last_seen_at_us; /* last_seen: of the newest session; 0: never */
    int64_t team_count;
};
struct user_page {
    struct user *v;
    size_t n;
};

struct sign_up {
    struct str email, name, password;
    struct str team_name; /* may be empty: made from the name */
    struct str invite;    /* token of an invite link, or STR_NONE */
    bool invite_required; /* SIGNUP=invite */
    struct session_from from;
};

/* Makes the user; without an invite also a first team, owned by them, with its books; with one they
 * join that team. Signs them in. Runs its own transactions, in the passwords lane, and counts
 * against the address's login limit (IDENTITY_E_LIMITED). Fields: email, name, password, team_name,
 * invite. */
int user_sign_up(struct db *db, struct arena *a, const uint8_t session_pepper[32],
                 const struct sign_up *wish, struct session_made *ret,
                 struct identity_fault *fault) _must_use_;

/* Operator or system scope, or the user's own. */
int user_get(struct db *db, struct arena *a, struct user_id id, struct user *ret) _must_use_;
int user_by_email(struct db *db, struct arena *a, struct str email, struct user *ret) _must_use_;
/* Operator scope. text: part of the e-mail or name, may be empty; before_id 0: newest; limit to
 * 200. */
int user_search(struct db *db, struct arena *a, struct str text, int64_t before_id, int32_t limit,
                struct user_page *ret) _must_use_;

/* Scope of the user (DB_USER) or system. Field: name. */
int user_rename(struct db *db, struct arena *a, const struct actor *actor, struct user_id id,
                struct str name, struct identity_fault *fault) _must_use_;
/* Checks the old password (counted against the login limits), sets the new one, ends all sessions
 * and reset links and signs in afresh. Own transactions, passwords lane. Fields: current_password,
 * password. */
int user_change_password(struct db *db, struct arena *a, const uint8_t session_pepper[32],
                         struct user_id id, struct str current, struct str password,
                         const struct session_from *from, struct session_made *ret,
                         struct identity_fault *fault) _must_use_;

/* Operator scope. Disabling ends all sessions. The last operator who can sign in stays one and
 * stays enabled (IDENTITY_E_FAULT). */
int user_set_disabled(struct db *db, struct arena *a, const struct actor *actor, struct user_id id,
                      bool disabled, struct identity_fault *fault) _must_use_;
int user_set_operator(struct db *db, struct arena *a, const struct actor *actor, struct user_id id,
                      bool is_operator, struct identity_fault *fault) _must_use_;

/* Makes an operator with a generated password, or makes the existing user an operator
 * (*ret_password.p is NULL then). Own transactions. Field: email. */
int user_create_operator(struct db *db, struct arena *a, const struct actor *actor,
                         struct str email, struct str *ret_password,
                         struct identity_fault *fault) _must_use_;
