/* stripe_row.h: what stripe*.c share, and what they ask of the database. Inside this room only. */
#pragma once

#include "db/db.h"
#include "fetch/guard.h"
#include "payments/payment.h"
#include "payments/stripe.h"

#define STRIPE_HOOKS_MAX 8 /* signing secrets: one, or a few while they are replaced */

struct stripe {
    struct secret key;
    struct secret hooks[STRIPE_HOOKS_MAX];
    size_t n_hooks;
    struct str api_url, checkout_url, own_url;
    enum guard_network network; /* of the API */
    struct arena *arena;        /* where all of this lives */
};

/* How Stripe stands in the audit log and the ledger. */
#define ACTOR_STRIPE ((struct actor){.kind = ACTOR_SYSTEM, .name = STR("Stripe")})

/* Does what an event says. As stripe_take(), which reads it first. */
struct stripe_event;
int stripe_apply(struct db *db, struct arena *a, const struct stripe_event *event,
                 struct stripe_unbooked *unbooked) _must_use_;
/* The two that move money back (stripe_back.c). */
int stripe_apply_refund(struct db *db, struct arena *a,
                        const struct stripe_event *event) _must_use_;
int stripe_apply_dispute(struct db *db, struct arena *a,
                         const struct stripe_event *event) _must_use_;

/* --- rows; within a transaction --- */

struct stripe_row {
    struct team_id team;
    int64_t order_id;
    int32_t attempt;
    struct str session_id, url, fault;
    bool canceled; /* the order was */
};
/* Makes the row of an order where there is none. */
int stripe_row_open(struct db *db, struct arena *a, const struct order *order,
                    struct stripe_row *ret) _must_use_;
/* All empty where there is none. */
int stripe_row_get(struct db *db, struct arena *a, struct team_id team, int64_t order_id,
                   struct stripe_row *ret) _must_use_;
/* What an attempt gave: a page, to be asked after in so many seconds; or a fault. Of an older attempt, or
 * where a page is known, nothing changes. */
int stripe_row_page(struct db *db, const struct stripe_row *row, int32_t ask_s) _must_use_;
int stripe_row_fault(struct db *db, const struct stripe_row *row, const char *fault,
                     bool next_attempt) _must_use_;
/* The order is asked after in so many seconds, or sooner, and from then on with short pauses. */
int stripe_row_ask(struct db *db, struct team_id team, int64_t order_id, int32_t seconds) _must_use_;
int stripe_row_settled(struct db *db, struct team_id team, int64_t order_id) _must_use_;
/* Up to limit rows whose time has come; each is due again after a pause that doubles. */
struct stripe_rows {
    struct stripe_row *v;
    size_t n;
};
int stripe_row_claim(struct db *db, struct arena *a, int32_t limit,
                     struct stripe_rows *ret) _must_use_;

/* A refund that was told to have failed is not booked by what was told before that and comes later. */
int stripe_row_refund_failed(struct db *db, const struct payment *payment,
                             struct str refund_id) _must_use_;
int stripe_row_has_failed(struct db *db, struct str refund_id, bool *ret) _must_use_;
