/* federated_row.h: links to the identity provider as the database keeps them. Inside this room only; within a
 * transaction of system scope. */
#pragma once

#include "identity/federated.h"
#include "identity/user_row.h"

/* Whoever comes with the same subject waits until this transaction has ended. */
int federated_row_lock(struct db *db, const struct federated *who) _must_use_;
/* IDENTITY_E_NONE: nobody is linked. */
int federated_row_find(struct db *db, const struct federated *who, struct user_id *ret,
                       bool *ret_made_operator) _must_use_;
/* IDENTITY_E_FAULT: one of the two is linked already. *ret_json: as it stands, for the audit log. */
int federated_row_add(struct db *db, struct arena *a, const struct federated *who, struct user_id user,
                      struct str *ret_json) _must_use_;
/* It was used: the e-mail of now, and whether the group made an operator. */
int federated_row_use(struct db *db, const struct federated *who, bool made_operator) _must_use_;
/* All of a person's. IDENTITY_E_NONE: there is none, or no password. */
int federated_row_remove(struct db *db, struct arena *a, struct user_id user, struct str *ret_json) _must_use_;
