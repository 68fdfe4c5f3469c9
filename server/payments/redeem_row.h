/* redeem_row.h: what redeem.c asks of the database. Inside this room only; within a transaction. */
#pragma once

#include "payments/redeem.h"

int redeem_row_add(struct db *db, const struct digest *digest, struct str last4,
                   const struct redeem_wish *wish, struct str by, int64_t *ret_id) _must_use_;
int redeem_row_revoke(struct db *db, int64_t id, bool *ret_done) _must_use_;

/* *ret_retry_after_s 0: the try is counted and may be made. */
int redeem_row_admit(struct db *db, struct team_id team, struct str address, int64_t *ret_try,
                     int32_t *ret_retry_after_s) _must_use_;
struct redeem_claimed {
    struct str outcome; /* "ok", "unknown", "used", "again", "expired", "revoked" */
    int64_t code_id;
    struct redeemed what; /* of "ok" */
};
/* DB_E_CONFLICT: the team redeems it in another transaction; DB_E_REFUSED: its grants are too many.
 */
int redeem_row_claim(struct db *db, struct arena *a, const struct digest *digest, int64_t try_id,
                     struct team_id team, const struct actor *actor,
                     struct redeem_claimed *ret) _must_use_;
