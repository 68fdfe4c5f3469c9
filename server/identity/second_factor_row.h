/* second_factor_row.h: second factors and recovery codes as the database keeps them. Inside this room only;
 * within a transaction. */
#pragma once

#include "identity/second_factor.h"

struct factor_row {
    struct str sealed;
    int64_t last_step;
    bool on; /* confirmed */
};
/* Locks the row. IDENTITY_E_NONE: there is none; also of the next one, which locks nothing. */
int factor_row_lock(struct db *db, struct arena *a, struct user_id user,
                    struct factor_row *ret) _must_use_;
int factor_row_get(struct db *db, struct arena *a, struct user_id user,
                   struct factor_row *ret) _must_use_;
/* IDENTITY_E_FAULT: there is one that is confirmed. */
int factor_row_put(struct db *db, struct user_id user, struct str sealed) _must_use_;
int factor_row_spend(struct db *db, struct user_id user, int64_t step) _must_use_;
int factor_row_confirm(struct db *db, struct user_id user) _must_use_;
/* With the recovery codes. IDENTITY_E_NONE: there is none. */
int factor_row_remove(struct db *db, struct user_id user) _must_use_;

int recovery_row_add(struct db *db, struct user_id user, const struct digest *digest) _must_use_;
int recovery_row_clear(struct db *db, struct user_id user) _must_use_;
/* *ret_used: it was there, and is gone. */
int recovery_row_use(struct db *db, struct user_id user, const struct digest *digest,
                     bool *ret_used) _must_use_;
