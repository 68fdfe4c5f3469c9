/* order.h: a wish to top a team's wallet up, from the click to the credit.
 *
 * The order is ours and fixed (team, amount); payments that arrive from outside are held against it
 * (payment.h). State changes follow one table of edges (order.c); money that arrives late is taken
 * even after the order failed, expired or was canceled. */
#pragma once

#include "db/db.h"
#include "identity/audit.h"

/* Top-ups are $1 to $1,000,000 (reliability 1.1). */
#define ORDER_MIN MONEY_USD(1)
#define ORDER_MAX MONEY_USD(1000000)

enum order_state {
    ORDER_CREATED,  /* made, the customer has not paid anything yet */
    ORDER_PENDING,  /* a payment is on its way: bank transfer awaited, card not yet confirmed */
    ORDER_PAID,     /* credited */
    ORDER_PART_REFUNDED, /* credited, and part of it was sent back (payments/payback.h) */
    ORDER_REFUNDED,      /* credited, and all of it was sent back */
    ORDER_CHARGED_BACK,  /* credited, and the payer's bank has taken some of it */
    ORDER_FAILED,   /* declined */
    ORDER_CANCELED, /* by the team */
    ORDER_EXPIRED,  /* nothing came in time: an hour for cards, 30 days for transfers */
    ORDER_REVIEW,   /* something came that does not match: an operator decides, nothing credited */
};
const char *order_state_name(enum order_state state);
bool order_state_parse(struct str name, enum order_state *ret);
bool order_state_may_become(enum order_state from, enum order_state to);
/* Has it been credited, whatever went back since? */
bool order_state_was_paid(enum order_state state);

struct order {
    int64_t id;
    struct team_id team;
    struct str team_name;
    struct str reference; /* "TO-4K7QZ2M9": on bank transfers and in the provider's records */
    struct str provider;  /* name of a struct payment_provider */
    struct money amount;
    enum order_state state;
    struct str note;    /* why it failed or is in review; "" else */
    struct str creator; /* e-mail; p NULL: a management key's order */
    int64_t created_at_us, changed_at_us, paid_at_us, expires_at_us;
    int64_t transfer_id; /* the TOPUP that credited it; 0: none */
    struct money returned; /* what of its payments went back and has not come again */
};
struct order_page {
    struct order *v;
    size_t n;
};

struct stripe; /* payments/stripe.h */
struct order_wish {
    struct money amount;
    struct str provider;
    const struct stripe *stripe; /* NULL: not available */
};
/* Team scope. Fields: amount (also one that the provider does not take), provider (unknown, or not
 * available here). *ret is created. */
int order_create(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                 struct user_id user, const struct order_wish *wish, struct order *ret,
                 struct identity_fault *fault) _must_use_;
int order_get(struct db *db, struct arena *a, struct team_id team, int64_t id,
              struct order *ret) _must_use_;
/* Of whatever team it is; operator scope. */
int order_find(struct db *db, struct arena *a, int64_t id, struct order *ret) _must_use_;
/* Newest first; before_id 0: from the newest. Team 0: all teams, operator scope; state -1: any. */
int order_list(struct db *db, struct arena *a, struct team_id team, int state, int64_t before_id,
               int32_t limit, struct order_page *ret) _must_use_;
/* Field: state (closed, or in review). Its page at Stripe is closed within seconds, where Stripe answers.
 * Money that arrives all the same is credited. Team scope. */
int order_cancel(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                 int64_t id, struct identity_fault *fault) _must_use_;
