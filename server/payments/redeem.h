/* redeem.h: codes that a team redeems for promotional credit.
 *
 * A code is 16 characters of 32, 80 bits, written in groups of four ("7K4Q-ZM29-..."); the database
 * keeps a keyed digest. It is shown once, when it is made. Spaces, dashes and case do not matter to
 * whoever types it. */
#pragma once

#include "identity/audit.h"

#define REDEEM_CODES_MAX 500 /* made at once: a page shows them all */
#define REDEEM_USES_MAX 1000000
#define REDEEM_DAYS_MAX 3660

struct redeem_wish {
    struct money amount;
    struct str name;    /* of the grant: what teams see it as */
    struct str note;    /* for operators; may be empty */
    int32_t count;      /* how many codes, 1 to REDEEM_CODES_MAX */
    int32_t uses;       /* how many teams may redeem each, once each */
    int32_t priority;   /* of the grant (ledger/grant.h) */
    int32_t grant_days; /* the grant ends so many days after it was redeemed; 0: never */
    int64_t expires_us; /* of the code; 0: never */
};
struct redeem_made {
    int64_t id;
    struct str code;
};
/* Operator scope, caller's transaction; audited. *ret: as many as were wanted, in the arena. Fields as in
 * the wish, with expires for expires_us. */
int redeem_make(struct db *db, struct arena *a, const uint8_t pepper[32], const struct actor *actor,
                const struct redeem_wish *wish, struct redeem_made **ret,
                struct identity_fault *fault) _must_use_;

struct redeem_code {
    int64_t id;
    struct str last4, name, note, created_by;
    struct money amount;
    int32_t priority, grant_days, uses, used;
    int64_t expires_us, created_at_us, revoked_at_us; /* 0: never, not */
};
struct redeem_page {
    struct redeem_code *v;
    size_t n;
};
/* Newest first; before_id 0: from the newest. Operator scope. */
int redeem_list(struct db *db, struct arena *a, int64_t before_id, int32_t limit,
                struct redeem_page *ret) _must_use_;
/* IDENTITY_E_NONE: no such code. */
int redeem_get(struct db *db, struct arena *a, int64_t id, struct redeem_code *ret) _must_use_;
/* IDENTITY_E_NONE: no such code, or it is revoked already. Audited. */
int redeem_revoke(struct db *db, const struct actor *actor, int64_t id) _must_use_;

struct redemption {
    struct team_id team;
    struct str team_name, by;
    int64_t at_us, transfer_id;
};
struct redemption_page {
    struct redemption *v;
    size_t n;
};
/* Of one code, newest first, at most 200. Operator scope. */
int redeem_redemptions(struct db *db, struct arena *a, int64_t code_id,
                       struct redemption_page *ret) _must_use_;

struct redeemed {
    struct money amount;
    struct str name;
    int64_t transfer_id;
};
/* Claims a code for a team and books its grant, in transactions of its own (system scope); audited.
 * Field: code (unknown, used, expired, ...). IDENTITY_E_LIMITED: too many wrong ones. */
int redeem_claim(struct db *db, struct arena *a, const uint8_t pepper[32],
                 const struct actor *actor, struct team_id team, struct str code,
                 struct redeemed *ret, struct identity_fault *fault) _must_use_;
