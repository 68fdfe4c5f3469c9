/* fault.h: how the functions of this room say that a wish cannot be met.
 *
 * They share one set of outcomes, so that the edges (web, admin) answer them in one place. Below 0
 * is fatal as everywhere; -ENOTCONN then means that the database is out of reach (503). Unless a
 * header says otherwise a function runs inside the caller's transaction, under the scope that its
 * contract names, and after any outcome but IDENTITY_OK the caller rolls back. Worker threads
 * only. */
#pragma once

#include "db/tx.h"

enum {
    IDENTITY_OK = 0,
    IDENTITY_E_FAULT = 1,   /* a field is wrong: *fault says which and why (400, form) */
    IDENTITY_E_NONE = 2,    /* no such thing, or it is another team's (404) */
    IDENTITY_E_LIMITED = 3, /* too many tries (429): *fault says when the next one may be made */
};

struct identity_fault {
    const char *field;    /* the name of the form's or the API's field; "" when of none */
    const char *sentence; /* for people; static or in the arena */
    int32_t retry_after_s; /* of IDENTITY_E_LIMITED */
};

/* Fills *fault (may be NULL) and returns IDENTITY_E_FAULT. */
int identity_fault_set(struct identity_fault *fault, const char *field, const char *sentence);
/* The same of IDENTITY_E_LIMITED. */
int identity_limited(struct identity_fault *fault, int32_t retry_after_s);

/* db_tx for bodies that return the outcomes above: that the database is out of reach becomes fatal
 * as well (-ENOTCONN). */
int identity_tx(struct db *db, struct db_scope scope, const char *name,
                int (*fn)(struct db *, void *), void *ctx) _must_use_;
