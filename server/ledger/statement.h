/* statement.h: the ledger as people read it. Worker; scope of the team, or operator.
 *
 * What each transfer did to the balance, which is wallet and live grants together, with the balance
 * after it, which is exact: the team's accounts are locked while a transfer is written. What moves
 * between grant and wallet (GRANT_USE) is left out of lists: it covers the usage that stands beside
 * it (ledger/grant.h). */
#pragma once

#include "db/db.h"

struct balance {
    struct money posted;    /* wallet and grants */
    struct money grants;    /* of it: promotional, left on live grants */
    struct money wallet;    /* of it: paid in; below zero when more was used than there was */
    struct money held;      /* leased to nodes: held by running calls, or slack */
    struct money available; /* posted - held */
    struct money credits;   /* ever paid in or granted, without what expired */
    struct money debits;    /* ever used or taken back */
};
enum { STATEMENT_OK = 0, STATEMENT_E_NONE = 1 };
int balance_read(struct db *db, struct arena *a, struct team_id team,
                 struct balance *ret) _must_use_;

struct statement_row {
    int64_t id, posted_at_us;
    struct str code; /* "TOPUP", "USAGE" ... */
    struct str ref, reason, actor_name;
    struct money amount;      /* signed: what it did to the balance */
    struct money moved;       /* between its two accounts; above zero */
    struct money after;       /* the balance after it */
    int64_t calls;            /* of usage */
    struct str debit, credit; /* kinds of the two accounts */
};
struct statement_page {
    struct statement_row *v;
    size_t n;
    bool older;
};
/* Which movements: every unset field lets all through. */
struct statement_filter {
    struct str codes;          /* separated by commas, "USAGE,LATE_USAGE"; p NULL: all */
    int64_t from_us, until_us; /* of posted_at, until exclusive; 0: open */
};
/* Newest first; before_id 0: from the newest. */
int statement_list(struct db *db, struct arena *a, struct team_id team,
                   const struct statement_filter *filter, int64_t before_id, int32_t limit,
                   struct statement_page *ret) _must_use_;
/* All of them, oldest first, one at a time from the server: db_stream() says what fn may do. */
int statement_each(struct db *db, struct team_id team, const struct statement_filter *filter,
                   int (*fn)(void *ctx, const struct statement_row *row), void *ctx) _must_use_;
struct statement_sum {
    int64_t n;
    struct money amount; /* signed */
};
int statement_sum(struct db *db, struct team_id team, const struct statement_filter *filter,
                  struct statement_sum *ret) _must_use_;
/* The months since money first moved, newest first, at most 240: of the team's time zone, and
 * bounded as their invoices are. */
struct statement_month {
    struct str month; /* "2026-11" */
    int64_t from_us, until_us;
};
struct statement_months {
    struct statement_month *v;
    size_t n;
};
int statement_months(struct db *db, struct arena *a, struct team_id team,
                     struct statement_months *ret) _must_use_;
/* STATEMENT_E_NONE: no such transfer of this team. */
int statement_get(struct db *db, struct arena *a, struct team_id team, int64_t id,
                  struct statement_row *ret) _must_use_;
/* The calls that a usage transfer charged, oldest first, at most limit from after on. */
struct statement_call {
    struct call_id id;
    struct str model, key_name;
    struct money charge;
};
int statement_calls(struct db *db, struct arena *a, struct team_id team, int64_t transfer_id,
                    struct call_id after, int32_t limit, struct statement_call **ret,
                    size_t *ret_n) _must_use_;

/* Who stands in the ledger for a posting. */
struct posting_actor {
    struct str kind; /* "operator", "key", "system" */
    int64_t id;      /* 0: none */
    struct str name;
};
/* Has a transfer of this code and reference been booked? For telling a repeated form. */
int statement_known(struct db *db, struct team_id team, struct str code, struct str reference,
                    bool *ret) _must_use_;
/* Money moved by an operator. amount is signed; reference makes it idempotent: the same one again
 * gives the first transfer. STATEMENT_E_REFUSED: db_last_message() says why (another amount under
 * the reference, no reason, out of range). Operator scope; the caller audits. */
enum { STATEMENT_E_REFUSED = 2 };
int statement_adjust(struct db *db, struct team_id team, struct money amount, struct str reference,
                     struct str reason, const struct posting_actor *actor,
                     int64_t *ret_id) _must_use_;
