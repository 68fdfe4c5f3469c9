/* payment.c: what a payment does to its order.
 *
 * The order's row is locked first, so that whatever arrives for it at the same moment waits here
 * and then finds its event or its payment known. */
#include "payments/payment_row.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "payments/order_row.h"
#include "payments/sandbox_notice.h"

struct applying {
    struct arena *a;
    const struct actor *actor;
    const struct payment_notice *notice;
    struct order order;
    bool review;
};

/* The credit of a payment, but for the amount; its reference in the ledger is the payment's name,
 * so that even there it cannot be posted twice. */
static int credit_for(struct arena *a, const struct order *order, struct str provider,
                      struct str payment_id, struct payment_credit *ret)
{
    ret->team = order->team;
    ret->ref = arena_strf(a, "%.*s/%.*s", STR_FMT(provider), STR_FMT(payment_id));
    ret->reason = arena_strf(a, "Top-up %.*s", STR_FMT(order->reference));
    return ret->ref.p && ret->reason.p ? 0 : err_origin(-ENOMEM);
}

static int credit(struct db *db, struct applying *t)
{
    struct payment_credit wanted = {.amount = t->order.amount};
    int64_t transfer;
    int r = credit_for(t->a, &t->order, t->notice->provider, t->notice->payment_id, &wanted);

    if (r == 0)
        r = failpoint_hit("payment.credit");
    if (r == 0)
        r = payment_post(db, t->actor, &wanted, &transfer);
    if (r == 0)
        r = failpoint_hit("payment.credited");
    if (r == 0)
        r = payment_add(db, t->notice, &t->order, STR(""), transfer);
    if (r == 0)
        r = order_become(db, &t->order, ORDER_PAID, STR_NONE, transfer);
    if (r == 0)
        r = order_audit(db, t->actor, "order.paid", &t->order);
    return r;
}

/* The payment is kept for an operator. An order that is paid stays so: this is a second payment. */
static int review(struct db *db, struct applying *t, const char *why)
{
    int r = payment_add(db, t->notice, &t->order, str_c(why), 0);

    t->review = true;
    if (r == 0 && order_state_may_become(t->order.state, ORDER_REVIEW))
        r = order_become(db, &t->order, ORDER_REVIEW, str_c(why), 0);
    if (r == 0)
        r = order_audit(db, t->actor, "order.review", &t->order);
    return r;
}

static const char *mismatch(const struct payment_notice *n, const struct order *o)
{
    if (!str_eq(n->provider, o->provider))
        return "The payment came by another way than the order says.";
    if (!str_eq_c(n->currency, "USD"))
        return "The payment is in another currency than the order.";
    if (n->amount.nano != o->amount.nano)
        return "The amount that was paid is not the amount of the order.";
    if (order_state_was_paid(o->state))
        return "The order was paid before; this is another payment.";
    if (o->state == ORDER_REVIEW)
        return "Another payment for the order is in review.";
    return NULL;
}

static int apply_paid(struct db *db, struct applying *t)
{
    bool known;
    int r = payment_known(db, t->notice, &known);

    if (r < 0)
        return r;
    if (known)
        return PAYMENT_E_REPEATED;
    const char *why = mismatch(t->notice, &t->order);

    return why ? review(db, t, why) : credit(db, t);
}

static const char *progress(enum order_state state)
{
    return state == ORDER_PENDING ? "order.pending"
           : state == ORDER_FAILED ? "order.failed"
                                   : "order.expired";
}

/* Pending, failed or expired: said of an order that has gone further already, it changes nothing. */
static int apply_progress(struct db *db, struct applying *t, enum order_state state)
{
    if (!order_state_may_become(t->order.state, state))
        return 0;
    int r = order_become(db, &t->order, state, t->notice->note, 0);

    if (r == 0 && state == ORDER_PENDING && t->notice->await_s)
        r = payment_await(db, &t->order, t->notice->await_s);
    return r == 0 ? order_audit(db, t->actor, progress(state), &t->order) : r;
}

static int apply_tx(struct db *db, void *ctx)
{
    struct applying *t = ctx;
    bool fresh;
    int r = order_lock_reference(db, t->a, t->notice->reference, &t->order);

    t->review = false;
    if (r == ORDER_E_NONE)
        return PAYMENT_E_NO_ORDER;
    if (r == 0)
        r = payment_event_add(db, t->notice, &t->order, &fresh);
    if (r != 0)
        return r;
    if (!fresh)
        return PAYMENT_E_REPEATED;
    switch (t->notice->kind) {
    case PAYMENT_PAID:
        return apply_paid(db, t);
    case PAYMENT_PENDING:
        return apply_progress(db, t, ORDER_PENDING);
    case PAYMENT_FAILED:
        return apply_progress(db, t, ORDER_FAILED);
    case PAYMENT_EXPIRED:
        return apply_progress(db, t, ORDER_EXPIRED);
    }
    return err_origin(-EINVAL);
}

int payment_apply(struct db *db, struct arena *a, const struct actor *actor,
                  const struct payment_notice *notice, struct order *ret)
{
    struct applying t = {.a = a, .actor = actor, .notice = notice};
    int r = identity_tx(db, DB_SYSTEM, "payment_apply", apply_tx, &t);

    (void)failpoint_hit("payment.applied");
    if (r < 0)
        return err_trace(r);
    if (r != PAYMENT_E_NO_ORDER)
        *ret = t.order;
    if (r != 0)
        return r;
    return t.review ? PAYMENT_E_REVIEW : PAYMENT_OK;
}

struct resolving {
    struct arena *a;
    const struct actor *actor;
    int64_t payment_id;
    bool accept;
    struct str note;
    struct identity_fault *fault;
};

static int accept_payment(struct db *db, struct resolving *t, const struct payment *p,
                          struct order *order)
{
    struct payment_credit wanted = {.amount = p->amount};
    int64_t transfer;

    if (!str_eq_c(p->currency, "USD") || p->amount.nano <= 0 || p->amount.nano > ORDER_MAX.nano)
        return identity_fault_set(t->fault, "currency",
                                  "Only dollars can be credited. Pay it back outside.");
    int r = credit_for(t->a, order, p->provider, p->payment_id, &wanted);

    if (r == 0)
        r = payment_post(db, t->actor, &wanted, &transfer);
    if (r == 0)
        r = payment_close(db, p->id, t->note, transfer);
    if (r == 0 && !order_state_was_paid(order->state))
        r = order_become(db, order, ORDER_PAID, t->note, transfer);
    else if (r == 0)
        r = order_reckon(db, t->a, order);
    if (r == 0)
        r = order_audit(db, t->actor, "payment.accept", order);
    return r;
}

static int resolve_tx(struct db *db, void *ctx)
{
    struct resolving *t = ctx;
    struct payment p;
    struct order order;
    int r = payment_lock_review(db, t->a, t->payment_id, &p);

    if (r == PAYMENT_E_NO_ORDER)
        return IDENTITY_E_NONE;
    if (r == 0)
        r = order_lock(db, t->a, p.order_id, &order);
    if (r != 0)
        return r;
    if (t->accept)
        return accept_payment(db, t, &p, &order);
    r = payment_close(db, p.id, t->note, 0);
    if (r == 0 && order.state == ORDER_REVIEW)
        r = order_become(db, &order, ORDER_CANCELED, t->note, 0);
    if (r == 0)
        r = order_audit(db, t->actor, "payment.dismiss", &order);
    return r;
}

int payment_resolve(struct db *db, struct arena *a, const struct actor *actor, int64_t payment_id,
                    bool accept, struct str note, struct identity_fault *fault)
{
    struct resolving t = {a, actor, payment_id, accept, str_trim(note), fault};

    if (t.note.n == 0 || t.note.n > 300 || !str_utf8(t.note))
        return identity_fault_set(fault, "note", "Say in up to 300 characters why.");
    int r = identity_tx(db, DB_OPERATOR, "payment_resolve", resolve_tx, &t);

    return r < 0 ? err_trace(r) : r;
}

static int expire_tx(struct db *db, void *ctx)
{
    return payment_expire_due(db);
}

struct collecting {
    struct arena *a;
    struct payment_due due;
};

static int collect_tx(struct db *db, void *ctx)
{
    struct collecting *t = ctx;

    return payment_confirm_due(db, t->a, &t->due);
}

int payment_tick(struct db *db)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(MIB(4));
    struct collecting t = {.a = a};
    int r = a ? identity_tx(db, DB_SYSTEM, "order_expire", expire_tx, NULL) : err_origin(-ENOMEM);

    if (r == 0)
        r = identity_tx(db, DB_SYSTEM, "order_collect", collect_tx, &t);
    for (size_t i = 0; r == 0 && i < t.due.n; i++)
        r = sandbox_confirm(db, a, t.due.reference[i]);
    return r < 0 ? err_trace(r) : 0;
}
