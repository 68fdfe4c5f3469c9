/* grant.h: promotional credit: given with a name, an order of use and perhaps an end.
 *
 * Each grant is an account of its own. What calls were charged is covered by the live grants first,
 * in the transaction that settles them (grants_use in migrations/0004_ledger.sql), the rest by the
 * wallet; what is left at the end is moved back. Worker. */
#pragma once

#include "db/db.h"
#include "ledger/statement.h"

/* Used first: the smallest priority, then what expires first, then the oldest. */
#define GRANT_PRIORITY_USUAL 100
#define GRANT_PRIORITY_MAX 1000

struct grant_wish {
    struct money amount;
    struct str name;   /* what the team sees: "Welcome credit"; 1 to 80 characters */
    struct str reason; /* for the record */
    int32_t priority;
    int64_t expires_us;   /* 0: never */
    struct str reference; /* the same one again gives the first transfer */
};
/* Books it. STATEMENT_E_REFUSED: db_last_error() begins with TG001 (amount), TG002 (another amount
 * under the reference), TG005 (expired already) or TG006 (too many live grants). Operator or system
 * scope; the caller audits. */
int grant_post(struct db *db, struct team_id team, const struct grant_wish *wish,
               const struct posting_actor *actor, int64_t *ret_transfer) _must_use_;

struct grant {
    int64_t id; /* its account */
    struct team_id team;
    struct str name, reason, given_by;
    struct money amount, used, expired, left;
    int32_t priority;
    int64_t given_at_us, expires_us; /* expires_us 0: never */
    bool live;                       /* covers usage */
    int64_t transfer_id;
};
struct grant_page {
    struct grant *v;
    size_t n;
};
/* Live ones in the order of their use, then the others, the newest first; at most limit. Team scope,
 * or operator for any team. */
int grant_list(struct db *db, struct arena *a, struct team_id team, int32_t limit,
               struct grant_page *ret) _must_use_;
/* STATEMENT_E_NONE: no such grant of this team. */
int grant_get(struct db *db, struct arena *a, struct team_id team, int64_t id,
              struct grant *ret) _must_use_;
/* Ends it now: what is left is moved back within seconds. STATEMENT_E_NONE: nothing is left of it,
 * or there is no such grant. Operator scope; the caller audits. */
int grant_end(struct db *db, struct team_id team, int64_t id) _must_use_;

/* Moves back what is left of grants whose time is over; any node, every few seconds. Own
 * transactions. */
int grant_expire_due(struct db *db) _must_use_;

/* What covered a usage transfer. */
struct grant_cover {
    int64_t grant_id;
    struct str name;
    struct money amount;
};
/* At most 100: as many grants can be live. */
int grant_covers(struct db *db, struct arena *a, struct team_id team, int64_t transfer_id,
                 struct grant_cover **ret, size_t *ret_n) _must_use_;
