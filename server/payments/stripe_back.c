/* stripe_back.c: what Stripe sends or has taken back: refunds, refunds that failed, disputes.
 *
 * A refund or dispute is booked under Stripe's id for it, once. Refunds are made on Stripe's dashboard, so
 * the money is gone when we hear of it: one that is more than the team has left unused is booked as a
 * chargeback, which freezes the team and goes below zero. */
#include <errno.h>

#include "base/err.h"
#include "payments/order_row.h"
#include "payments/payback.h"
#include "payments/payment_provider.h"
#include "payments/stripe_event.h"
#include "payments/stripe_row.h"

struct going_back {
    struct arena *a;
    const struct stripe_event *e;
    struct payment payment;
    struct payback payback; /* what was booked before; id 0: nothing */
    struct booking wish;
    bool unknown; /* no payment of ours */
    bool early;   /* it is in review, and credited later or never */
    bool booked;  /* nothing is left to do */
    bool beyond;  /* more than the team has left */
    struct identity_fault fault;
};

/* Stripe's reasons are words such as "requested_by_customer". */
static struct str reason_of(struct arena *a, const char *what, struct str word)
{
    bool plain = word.n > 0 && word.n < 60;

    for (size_t i = 0; plain && i < word.n; i++)
        plain = (word.p[i] >= 'a' && word.p[i] <= 'z') || word.p[i] == '_';
    if (!plain)
        return str_c(what);
    return arena_strf(a, "%s: %.*s", what, STR_FMT(word));
}

/* The payment, its order locked, and what is booked of it under this id. */
static int find(struct db *db, struct going_back *t)
{
    struct order order;
    int r = payment_find(db, t->a, str_c(payment_stripe.name), t->e->payment_id, &t->payment);

    t->unknown = r == IDENTITY_E_NONE;
    if (r != 0)
        return t->unknown ? 0 : r;
    r = order_lock(db, t->a, t->payment.order_id, &order);
    if (r == 0)
        r = payment_get(db, t->a, t->payment.id, &t->payment);
    t->early = r == 0 && str_eq_c(t->payment.state, "review");
    if (r == 0)
        r = payback_find(db, t->a, t->payment.id, t->e->object_id, &t->payback);
    if (r == IDENTITY_E_NONE) {
        t->payback.id = 0;
        r = 0;
    }
    t->booked = r == 0 && t->payback.id != 0;
    return r < 0 ? err_trace(r) : r;
}

static bool is_credited(const struct going_back *t)
{
    return !t->unknown && str_eq_c(t->payment.state, "credited");
}

static int refund_tx(struct db *db, void *ctx)
{
    struct going_back *t = ctx;
    bool failed = false;
    int r = find(db, t);

    t->beyond = false;
    if (r == 0 && is_credited(t) && !t->booked)
        r = stripe_row_has_failed(db, t->e->object_id, &failed);
    if (r != 0 || !is_credited(t) || t->booked || failed)
        return r;
    if (!str_eq_c(t->e->currency, "USD"))
        return identity_fault_set(&t->fault, "currency", "Not in dollars.");
    r = payback_refund(db, t->a, &ACTOR_STRIPE, t->payment.id, &t->wish, NULL, &t->fault);
    t->beyond = r == IDENTITY_E_FAULT && booking_refused_as(db, "TG007");
    return r;
}

static int take_back(struct db *db, struct going_back *t, int64_t payback_id, bool of_refund)
{
    struct booking wish = {
        .reason = of_refund ? STR("The refund did not arrive") : STR("The dispute was won"),
        .reference = arena_strf(t->a, "%.*s/back", STR_FMT(t->e->object_id)),
    };
    struct payback p;
    int r = wish.reference.p ? payback_get(db, t->a, payback_id, &p) : err_origin(-ENOMEM);

    if (r != 0 || p.reversed)
        return r < 0 ? err_trace(r) : r;
    return p.kind == PAYBACK_REFUND ? payback_refund_failed(db, t->a, &ACTOR_STRIPE, p.id, &wish, NULL,
                                                            &t->fault)
                                    : payback_reverse(db, t->a, &ACTOR_STRIPE, p.id, &wish, NULL,
                                                      &t->fault);
}

static int refund_failed_tx(struct db *db, void *ctx)
{
    struct going_back *t = ctx;
    int r = find(db, t);

    if (r == 0 && !t->unknown)
        r = stripe_row_refund_failed(db, &t->payment, t->e->object_id);
    if (r == 0 && t->booked)
        r = take_back(db, t, t->payback.id, true);
    return r;
}

/* Another event of the same refund may have come between: one that booked it, when the team had more left,
 * or one that told that it had failed. */
static int between_tx(struct db *db, void *ctx)
{
    struct going_back *t = ctx;
    bool failed = false;
    int r = find(db, t);

    if (r == 0 && t->booked)
        r = stripe_row_has_failed(db, t->e->object_id, &failed);
    return r == 0 && failed ? take_back(db, t, t->payback.id, true) : r;
}

static int charge_back(struct db *db, struct going_back *t)
{
    int charged, r;

    t->wish.reason = reason_of(t->a, "Refund by Stripe of more than was unused", t->e->note);
    charged = payback_chargeback(db, t->a, &ACTOR_STRIPE, t->payment.id, &t->wish, NULL, &t->fault);
    if (charged < 0)
        return err_trace(charged);
    r = identity_tx(db, DB_OPERATOR, "stripe_refund_between", between_tx, t);
    return r == 0 && !t->booked ? charged : r;
}

static int look_again_tx(struct db *db, void *ctx)
{
    struct going_back *t = ctx;

    return stripe_row_ask(db, t->payment.team, t->payment.order_id, 60);
}

/* When an operator has decided on the payment, asking after it finds this again. */
static int end(struct db *db, struct going_back *t, int r)
{
    if (r == 0 && t->early)
        r = identity_tx(db, DB_SYSTEM, "stripe_ask", look_again_tx, t);
    if (r < 0)
        return err_trace(r);
    if (r != 0)
        return STRIPE_E_UNBOOKED;
    return t->unknown ? STRIPE_E_NOT_OURS : STRIPE_TAKEN;
}

int stripe_apply_refund(struct db *db, struct arena *a, const struct stripe_event *e)
{
    struct going_back t = {.a = a, .e = e};
    int r;

    if (e->what == STRIPE_REFUND_FAILED)
        return end(db, &t, identity_tx(db, DB_OPERATOR, "stripe_refund_failed", refund_failed_tx, &t));
    t.wish = (struct booking){e->amount, reason_of(a, "Refund by Stripe", e->note), e->object_id};
    r = identity_tx(db, DB_OPERATOR, "stripe_refund", refund_tx, &t);
    if (r == IDENTITY_E_FAULT && t.beyond)
        r = charge_back(db, &t);
    return end(db, &t, r);
}

static int find_tx(struct db *db, void *ctx)
{
    return find(db, ctx);
}

static int won_tx(struct db *db, void *ctx)
{
    struct going_back *t = ctx;

    return take_back(db, t, t->payback.id, false);
}

/* The bank takes what it says; of another currency, or of a payment of which some has gone back already,
 * what is left. */
static struct money disputed(const struct going_back *t)
{
    int64_t left = t->payment.amount.nano - t->payment.returned.nano;

    if (!str_eq_c(t->e->currency, "USD"))
        return (struct money){left};
    return (struct money){MIN(left, t->e->amount.nano)};
}

/* A dispute that is told to be won before it was told at all is booked both ways. */
int stripe_apply_dispute(struct db *db, struct arena *a, const struct stripe_event *e)
{
    struct going_back t = {.a = a, .e = e};
    int r = identity_tx(db, DB_OPERATOR, "stripe_dispute", find_tx, &t);

    if (r == 0 && is_credited(&t) && !t.booked) {
        t.wish = (struct booking){disputed(&t), reason_of(a, "Dispute at Stripe", e->note),
                                  e->object_id};
        if (t.wish.amount.nano <= 0)
            return STRIPE_E_UNBOOKED;
        r = payback_chargeback(db, a, &ACTOR_STRIPE, t.payment.id, &t.wish, &t.payback.id, &t.fault);
    }
    if (r == 0 && e->what == STRIPE_DISPUTE_BACK && t.payback.id)
        r = identity_tx(db, DB_OPERATOR, "stripe_dispute_won", won_tx, &t);
    return end(db, &t, r);
}
