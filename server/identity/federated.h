/* federated.h: people whom the installation's identity provider (oidc/oidc.h) says that they are.
 *
 * The provider names somebody by issuer and subject, which never change hands; e-mails do. So a person here is
 * linked to such a name, once, and found by it from then on:
 *
 *   - Nobody here has the e-mail: an account is made, without a password, where the rules allow it.
 *   - Somebody has it: they sign in with the password and link the provider on their account's page. Otherwise
 *     whoever can take on an e-mail at the provider would be that person here. With link_by_email the first
 *     sign-in links, which is for a provider whose e-mails are the company's own. It ends the password and the
 *     sessions of before, since whoever made the account need not have had the e-mail; operators are never linked
 *     so.
 *
 * A second factor that was set up here is asked for after the provider, too. A password is not. */
#pragma once

#include "identity/login.h"

struct federated {
    struct str issuer, subject;
    struct str email; /* may be believed; p NULL: none */
    struct str name;  /* may be empty */
    bool in_operator_group;
};

struct federated_rules {
    bool open;            /* strangers get an account */
    bool by_invite;       /* who follows an invite gets one */
    bool link_by_email;
    bool names_operators; /* in_operator_group makes an operator, at each sign-in, and its lack ends that */
};

/* Above the outcomes of db/ and of this room, which pass through the same transaction. */
enum {
    FEDERATED_OK = 0,
    FEDERATED_E_CODE = 10, /* *ret has a ticket: a code is asked for, as of login_try() */
    FEDERATED_E_NO_EMAIL,  /* a new account needs one */
    FEDERATED_E_TAKEN,     /* an account has the e-mail, and is not linked */
    FEDERATED_E_UNINVITED,
    FEDERATED_E_CLOSED,
    FEDERATED_E_DISABLED,
    FEDERATED_E_OTHER,     /* linking: it is linked to another person, or the person to another */
    FEDERATED_E_INVITE,    /* fault has the sentence */
};

struct federated_sign_in {
    struct federated who;
    struct federated_rules rules;
    struct str invite; /* of a new person; p NULL: none */
    struct session_from from;
    int64_t attempt;   /* of login_admit() */
};
/* Own transaction. Marks the try good where somebody is signed in. *ret_new: an account was made. */
int federated_sign_in(struct db *db, struct arena *a, const uint8_t session_pepper[32],
                      const struct federated_sign_in *wish, struct login_made *ret, bool *ret_new,
                      struct identity_fault *fault) _must_use_;

/* Links a person who is signed in. Own transaction. FEDERATED_OK, also where it is linked already; _E_OTHER. */
int federated_link(struct db *db, struct arena *a, const struct actor *actor,
                   const struct federated *who) _must_use_;

/* What the account's page shows. */
struct federated_link {
    bool linked, has_password;
    struct str email; /* at the provider; p NULL: not known */
    int64_t linked_at_us, used_at_us;
};
/* Any scope. */
int federated_get(struct db *db, struct arena *a, struct user_id user, struct federated_link *ret) _must_use_;
/* Of the actor, who is a person. System scope. IDENTITY_E_NONE: there is none, or no password to sign in with
 * instead. */
int federated_unlink(struct db *db, struct arena *a, const struct actor *actor) _must_use_;
/* Checks the password, so that a session that was left open is not enough to link. Own transactions, passwords
 * lane. Field: current_password. IDENTITY_E_LIMITED. */
int federated_may_link(struct db *db, struct arena *a, const struct actor *actor, struct str password,
                       struct identity_fault *fault) _must_use_;
