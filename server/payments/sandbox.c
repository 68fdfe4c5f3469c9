/* sandbox.c: the played card payment.
 *
 * The payment id is made from the order's reference, as a real card company keeps one payment per
 * checkout: pressing twice, or a late confirmation that comes twice, is the same payment. */
#include "payments/sandbox.h"

#include <errno.h>

#include "base/err.h"
#include "payments/order_row.h"
#include "payments/payment_row.h"
#include "payments/sandbox_notice.h"

static int sandbox_begin(struct db *db, struct arena *a, struct order *order,
                         struct payment_next *ret)
{
    struct str path = arena_strf(a, "/checkout/%lld", (long long)order->id);

    if (!path.p)
        return err_origin(-ENOMEM);
    *ret = (struct payment_next){.path = path};
    return 0;
}

const struct payment_provider payment_sandbox = {
    .name = "sandbox",
    .label = "Card (sandbox)",
    .sentence = "A card payment that is played, not made: no money moves.",
    .sandbox_only = true,
    .expires_after_s = 3600,
    .begin = sandbox_begin,
};

/* What the card company would send for this order. */
static int notice_for(struct arena *a, const struct order *order, enum payment_kind kind,
                      struct payment_notice *ret)
{
    struct str payment = arena_strf(a, "sbx_%.*s", STR_FMT(order->reference));
    struct str event = arena_strf(a, "evt_%.*s_%s", STR_FMT(order->reference),
                                  kind == PAYMENT_PAID ? "paid" : "failed");

    if (!payment.p || !event.p)
        return err_origin(-ENOMEM);
    *ret = (struct payment_notice){
        .provider = STR("sandbox"),
        .event_id = event,
        .payment_id = payment,
        .reference = order->reference,
        .kind = kind,
        .amount = order->amount,
        .currency = STR("USD"),
        .note = kind == PAYMENT_FAILED ? STR("The card was declined.") : STR(""),
    };
    return 0;
}

struct pressing {
    struct arena *a;
    const struct actor *actor;
    struct team_id team;
    int64_t order_id;
    enum sandbox_play play;
    struct order order;
    struct identity_fault *fault;
};

/* Looks whether it may be pressed; late ones are made pending. */
static int press_tx(struct db *db, void *ctx)
{
    struct pressing *t = ctx;
    struct payment_choice choice;
    bool offered = false;
    int r = payment_provider_choices(db, NULL, &choice);

    for (size_t i = 0; r == 0 && i < choice.n; i++)
        offered = offered || choice.v[i] == &payment_sandbox;
    if (r == 0)
        r = order_lock(db, t->a, t->order_id, &t->order);
    if (r < 0)
        return r;
    if (r == ORDER_E_NONE || !offered || t->order.team.v != t->team.v ||
        !str_eq_c(t->order.provider, payment_sandbox.name))
        return IDENTITY_E_NONE;
    if (t->order.state != ORDER_CREATED)
        return identity_fault_set(t->fault, "state", "This checkout is over.");
    if (t->play != SANDBOX_LATE)
        return 0;
    r = order_become(db, &t->order, ORDER_PENDING, STR("Waiting for the card company."), 0);
    if (r == 0)
        r = payment_confirm_later(db, &t->order, SANDBOX_LATE_S);
    if (r == 0)
        r = order_audit(db, t->actor, "order.pending", &t->order);
    return r;
}

int sandbox_press(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                  int64_t order_id, enum sandbox_play play, struct order *ret,
                  struct identity_fault *fault)
{
    struct pressing t = {a, actor, team, order_id, play, .fault = fault};
    struct payment_notice notice;
    int r = identity_tx(db, DB_SYSTEM, "sandbox_press", press_tx, &t);

    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    if (play != SANDBOX_LATE) {
        r = notice_for(a, &t.order, play == SANDBOX_SUCCEED ? PAYMENT_PAID : PAYMENT_FAILED,
                       &notice);
        if (r == 0)
            r = payment_apply(db, a, actor, &notice, &t.order);
        if (r < 0)
            return err_trace(r);
    }
    *ret = t.order;
    return 0;
}

struct confirming {
    struct arena *a;
    struct str reference;
    struct order order;
};

static int look_tx(struct db *db, void *ctx)
{
    struct confirming *t = ctx;

    return order_lock_reference(db, t->a, t->reference, &t->order);
}

int sandbox_confirm(struct db *db, struct arena *a, struct str reference)
{
    struct confirming t = {a, reference, {0}};
    struct payment_notice notice;
    int r = identity_tx(db, DB_SYSTEM, "sandbox_look", look_tx, &t);

    if (r < 0)
        return err_trace(r);
    if (r == ORDER_E_NONE || t.order.state != ORDER_PENDING)
        return 0;
    r = notice_for(a, &t.order, PAYMENT_PAID, &notice);
    if (r == 0)
        r = payment_apply(db, a, &ACTOR_THE_SYSTEM, &notice, &t.order);
    return r < 0 ? err_trace(r) : 0;
}
