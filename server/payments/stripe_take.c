/* stripe_take.c: what an event does to its order. payment_apply() sees to it that a payment is credited
 * once, whichever events say so and however often. */
#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "payments/payment_provider.h"
#include "payments/stripe_event.h"
#include "payments/stripe_row.h"

/* Bank debits and transfers that Stripe takes may need two weeks. */
#define PENDING_S (30 * 24 * 3600)
/* Refunds and disputes that were told before the payment was known here are found by asking after it. */
#define LOOK_BACK_S 60

struct asking {
    struct team_id team;
    int64_t order_id;
    int32_t seconds;
};

static int ask_tx(struct db *db, void *ctx)
{
    const struct asking *t = ctx;

    return stripe_row_ask(db, t->team, t->order_id, t->seconds);
}

static int ask_later(struct db *db, struct team_id team, int64_t order_id, int32_t seconds)
{
    struct asking t = {team, order_id, seconds};

    return identity_tx(db, DB_SYSTEM, "stripe_ask", ask_tx, &t);
}

static int outcome(int r)
{
    switch (r) {
    case PAYMENT_OK:
    case PAYMENT_E_REPEATED:
        return STRIPE_TAKEN;
    case PAYMENT_E_REVIEW:
        return STRIPE_E_REVIEW;
    case PAYMENT_E_NO_ORDER:
        return STRIPE_E_NOT_OURS;
    default:
        return r < 0 ? err_trace(r) : err_origin(-EPROTO);
    }
}

static int apply_session(struct db *db, struct arena *a, const struct stripe_event *e,
                         enum payment_kind kind)
{
    const struct payment_notice notice = {
        .provider = str_c(payment_stripe.name),
        .event_id = e->id,
        .payment_id = e->payment_id,
        .reference = e->reference,
        .kind = kind,
        .amount = e->amount,
        .currency = e->currency,
        .note = e->note,
        .await_s = kind == PAYMENT_PENDING ? PENDING_S : 0,
    };
    struct order order;
    int applied = payment_apply(db, a, &ACTOR_STRIPE, &notice, &order);
    int r = 0;

    if (kind == PAYMENT_PAID && (applied == PAYMENT_OK || applied == PAYMENT_E_REVIEW))
        r = ask_later(db, order.team, order.id, LOOK_BACK_S);
    return r < 0 ? err_trace(r) : outcome(applied);
}

struct finding {
    struct arena *a;
    struct str payment_id;
    struct payment payment;
};

static int find_tx(struct db *db, void *ctx)
{
    struct finding *t = ctx;

    return payment_find(db, t->a, str_c(payment_stripe.name), t->payment_id, &t->payment);
}

static int apply_refunded(struct db *db, struct arena *a, const struct stripe_event *e)
{
    struct finding t = {a, e->payment_id, {0}};
    int r = identity_tx(db, DB_OPERATOR, "stripe_find", find_tx, &t);

    if (r == IDENTITY_E_NONE)
        return STRIPE_E_NOT_OURS;
    if (r == 0)
        r = ask_later(db, t.payment.team, t.payment.order_id, 0);
    return r < 0 ? err_trace(r) : STRIPE_TAKEN;
}

static int apply(struct db *db, struct arena *a, const struct stripe_event *e)
{
    switch (e->what) {
    case STRIPE_PAID:
        return apply_session(db, a, e, PAYMENT_PAID);
    case STRIPE_PENDING:
        return apply_session(db, a, e, PAYMENT_PENDING);
    case STRIPE_FAILED:
        return apply_session(db, a, e, PAYMENT_FAILED);
    case STRIPE_EXPIRED:
        return apply_session(db, a, e, PAYMENT_EXPIRED);
    case STRIPE_REFUND:
    case STRIPE_REFUND_FAILED:
        return stripe_apply_refund(db, a, e);
    case STRIPE_REFUNDED:
        return apply_refunded(db, a, e);
    case STRIPE_DISPUTE:
    case STRIPE_DISPUTE_BACK:
        return stripe_apply_dispute(db, a, e);
    case STRIPE_NOTHING:
        break;
    }
    return STRIPE_E_NOT_OURS;
}

static int tell(struct arena *a, const struct stripe_event *e, struct stripe_unbooked *unbooked)
{
    struct buf b;
    struct str subject = arena_strf(a, "Stripe %.*s", STR_FMT(e->object_id)), detail;

    buf_init(&b, KIB(1));
    buf_printf(&b, "%s of ", e->what == STRIPE_REFUND || e->what == STRIPE_REFUND_FAILED ? "a refund"
                                                                                         : "a dispute");
    money_put(&b, e->amount, 2);
    buf_printf(&b, " %.*s does not fit payment %.*s", STR_FMT(e->currency), STR_FMT(e->payment_id));
    detail = arena_str(a, buf_str(&b));
    buf_done(&b);
    if (!subject.p || !detail.p)
        return err_origin(-ENOMEM);
    if (unbooked->n < STRIPE_UNBOOKED_MAX) {
        unbooked->v[unbooked->n].subject = subject;
        unbooked->v[unbooked->n++].detail = detail;
    }
    return STRIPE_E_UNBOOKED;
}

int stripe_apply(struct db *db, struct arena *a, const struct stripe_event *e,
                 struct stripe_unbooked *unbooked)
{
    int r = apply(db, a, e);

    return r == STRIPE_E_UNBOOKED ? tell(a, e, unbooked) : r;
}

int stripe_take(struct db *db, struct arena *a, struct str body, struct stripe_unbooked *unbooked)
{
    struct stripe_event event;
    int r = stripe_event_read(a, body, &event);

    if (r == STRIPE_EVENT_E_MALFORMED)
        return STRIPE_E_MALFORMED;
    return r < 0 ? err_trace(r) : stripe_apply(db, a, &event, unbooked);
}
