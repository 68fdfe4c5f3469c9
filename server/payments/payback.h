/* payback.h: money that goes back to whoever paid: refunds, which we send, and chargebacks, which the
 * payer's bank takes; and chargebacks that are reversed, or refunds that failed.
 *
 * Never more than a payment was and has not gone back already. The transfer, the row and the order's
 * state are one transaction; a reference books once. Operator scope. */
#pragma once

#include "identity/audit.h"
#include "payments/booking.h"

enum payback_kind { PAYBACK_REFUND, PAYBACK_CHARGEBACK, PAYBACK_REVERSAL };
const char *payback_kind_name(enum payback_kind kind); /* "refund" ... */

struct payback {
    int64_t id, order_id, payment_id;
    struct team_id team;
    enum payback_kind kind;
    struct money amount;
    struct str reference, reason, by;
    int64_t at_us, transfer_id;
    int64_t reverses_id; /* of a reversal: its chargeback or refund */
    bool reversed;       /* of a chargeback or refund */
    bool of_refund;      /* a reversal of a refund */
};
struct payback_page {
    struct payback *v;
    size_t n;
};
/* Of one order, oldest first; at most 200. Scope of the team, or operator. */
int payback_list(struct db *db, struct arena *a, struct team_id team, int64_t order_id,
                 struct payback_page *ret) _must_use_;
/* What was booked of a payment under a reference, as a refund or else as a chargeback; IDENTITY_E_NONE. */
int payback_find(struct db *db, struct arena *a, int64_t payment_id, struct str reference,
                 struct payback *ret) _must_use_;
/* IDENTITY_E_NONE: no such one. */
int payback_get(struct db *db, struct arena *a, int64_t id, struct payback *ret) _must_use_;

/* Takes what is not used of a credited payment off the wallet, in the caller's transaction; that the
 * money is sent is the operator's to see to. Fields: amount, reason, reference (also one that
 * the payment's provider does not know things by). IDENTITY_E_NONE: no such credited payment. *ret_id: of the payback. */
int payback_refund(struct db *db, struct arena *a, const struct actor *actor, int64_t payment_id,
                   const struct booking *wish, int64_t *ret_id,
                   struct identity_fault *fault) _must_use_;
/* Freezes the payment's team, which holds when this returns whatever comes then, and takes the amount
 * off its wallet, also below zero. Own transactions. Fields as above. */
int payback_chargeback(struct db *db, struct arena *a, const struct actor *actor,
                       int64_t payment_id, const struct booking *wish, int64_t *ret_id,
                       struct identity_fault *fault) _must_use_;
/* The bank has given back what a chargeback took: the whole of it, once; the team stays frozen until
 * an operator unfreezes it. Caller's transaction. Fields: reason, reference, and "" when it is
 * reversed already. wish->amount is not looked at. */
int payback_reverse(struct db *db, struct arena *a, const struct actor *actor,
                    int64_t chargeback_id, const struct booking *wish, int64_t *ret_id,
                    struct identity_fault *fault) _must_use_;
/* The refund did not arrive and is back with us: the whole of it is the team's again, once. As above. */
int payback_refund_failed(struct db *db, struct arena *a, const struct actor *actor,
                          int64_t refund_id, const struct booking *wish, int64_t *ret_id,
                          struct identity_fault *fault) _must_use_;
