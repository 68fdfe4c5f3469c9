/* payment.h: what payment providers tell us, and crediting it exactly once.
 *
 * Each notice has the provider's event id and payment id. Events are taken once; a payment id is
 * credited at most once, for ever; amount and currency must be those of the order, else it goes to
 * review and nothing is credited. The credit, the order and the event are one transaction. */
#pragma once

#include "payments/order.h"

enum payment_kind {
    PAYMENT_PAID,    /* the money is ours */
    PAYMENT_PENDING, /* on its way */
    PAYMENT_FAILED,  /* declined */
    PAYMENT_EXPIRED, /* nothing was paid in the time that there was */
};

struct payment_notice {
    struct str provider, event_id;
    struct str payment_id; /* empty only for a failure without one */
    struct str reference;  /* of the order */
    enum payment_kind kind;
    struct money amount;
    struct str currency; /* "USD" */
    struct str note;     /* the provider's words for a failure */
    int32_t await_s;     /* of what is pending: it may take so long from now; 0: as the order says */
};

/* Own transaction (system scope). actor: who stands in the audit log. *ret: the order afterwards,
 * unless PAYMENT_E_NO_ORDER. */
enum {
    PAYMENT_OK = 0,         /* taken: see ret->state */
    PAYMENT_E_REPEATED = 1, /* this event or payment was taken before; nothing changed */
    PAYMENT_E_REVIEW = 2,   /* does not match its order: noted for an operator, nothing credited */
    PAYMENT_E_NO_ORDER = 3, /* no order has this reference; nothing was stored */
};
int payment_apply(struct db *db, struct arena *a, const struct actor *actor,
                  const struct payment_notice *notice, struct order *ret) _must_use_;

struct payment {
    int64_t id, order_id;
    struct team_id team;
    struct str provider, payment_id, state; /* "credited", "review", "dismissed" */
    struct money amount;
    struct money returned; /* of it: gone back and not come again (payments/payback.h) */
    struct str currency, note;
    int64_t at_us, transfer_id;
};
struct payment_page {
    struct payment *v;
    size_t n;
};
/* Of one order, oldest first. Scope of the team or operator. */
int payment_list(struct db *db, struct arena *a, struct team_id team, int64_t order_id,
                 struct payment_page *ret) _must_use_;
/* By the provider's name for it; IDENTITY_E_NONE: none, operator scope. */
int payment_find(struct db *db, struct arena *a, struct str provider, struct str payment_id,
                 struct payment *ret) _must_use_;
/* IDENTITY_E_NONE: no such payment. Operator scope. */
int payment_get(struct db *db, struct arena *a, int64_t id, struct payment *ret) _must_use_;
/* What waits for an operator's decision. Operator scope. */
int payment_reviews(struct db *db, struct arena *a, struct payment_page *ret) _must_use_;
/* Credits what was really paid (accept), or closes the case without a credit. Operator scope, own
 * transaction. Fields: note (wanted), currency (not USD: cannot be accepted). */
int payment_resolve(struct db *db, struct arena *a, const struct actor *actor, int64_t payment_id,
                    bool accept, struct str note, struct identity_fault *fault) _must_use_;

/* Whether there is something for payment_tick(), and for grant_expire_due(): one look at the database,
 * without a transaction, whatever its connection's scope. */
int money_due(struct db *db, bool *ret_orders, bool *ret_grants) _must_use_;
/* Expires orders and plays due sandbox confirmations; any node, every few seconds. Own
 * transactions. */
int payment_tick(struct db *db) _must_use_;
