/* change.h: how the catalogue is changed: what all functions of accounts.h, models.h and prices.h
 * share.
 *
 * Every function that changes something runs inside the caller's transaction (scope operator or
 * system), writes its own audit row, and notes the change `catalogue`, so that every node loads
 * anew once it is committed. After any outcome but CHANGE_OK the caller rolls back. Below 0 is
 * fatal; -ENOTCONN then means that the database is out of reach. Worker threads only. */
#pragma once

#include "base/arena.h"
#include "identity/audit.h"

enum {
    CHANGE_OK = IDENTITY_OK,
    CHANGE_E_FAULT = IDENTITY_E_FAULT, /* a field is wrong: *fault says which and why */
    CHANGE_E_NONE = IDENTITY_E_NONE,   /* there is no such row, or it is deleted */
};

/* What happened to which row; the JSON texts may be STR_NONE. Also notes the change. */
struct change {
    const char *action; /* "account.edit" */
    const char *kind;   /* "account" */
    int64_t object_id;
    struct team_id team; /* whose own it is; v 0: the installation's */
    struct str before, after;
};
int change_record(struct db *db, const struct actor *actor, const struct change *change) _must_use_;
/* Until the transaction's end no other import or bootstrap runs: two at once would both find a
 * model missing. Database outcomes. */
int catalog_lock(struct db *db) _must_use_;
