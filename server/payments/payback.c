/* payback.c: see payback.h.
 *
 * A chargeback is two transactions: the freeze tells the nodes, which no transaction that moves
 * money may do, and it has to hold even when the second one fails. */
#include "payments/payback.h"

#include "base/err.h"
#include "identity/field.h"
#include "identity/team.h"
#include "json/value.h"
#include "payments/payback_row.h"
#include "payments/payment_provider.h"

static const char *const kinds[] = {
    [PAYBACK_REFUND] = "refund",
    [PAYBACK_CHARGEBACK] = "chargeback",
    [PAYBACK_REVERSAL] = "reversal",
};
static const char *const actions[] = {
    [PAYBACK_REFUND] = "payment.refund",
    [PAYBACK_CHARGEBACK] = "payment.chargeback",
    [PAYBACK_REVERSAL] = "payment.chargeback_reversed",
};

const char *payback_kind_name(enum payback_kind kind)
{
    return kinds[kind];
}

static int check_texts(struct booking *b, struct identity_fault *fault)
{
    int r = booking_check_reason(&b->reason, 3, fault);

    return r == 0 ? booking_check_reference(&b->reference, fault) : r;
}

static int check(struct booking *b, struct identity_fault *fault)
{
    if (b->amount.nano <= 0)
        return identity_fault_set(fault, "amount", "The amount has to be above zero.");
    if (b->amount.nano > BOOKING_MAX_NANO)
        return identity_fault_set(fault, "amount", "At most $1,000,000 at a time.");
    return check_texts(b, fault);
}

static int check_name(const struct payment *p, struct str reference, struct identity_fault *fault)
{
    const struct payment_provider *way = payment_provider_find(p->provider);
    const char *refusal = way && way->return_refusal ? way->return_refusal(reference) : NULL;

    return refusal ? identity_fault_set(fault, "reference", refusal) : 0;
}

static int refusal(struct db *db, struct arena *a, const struct payment *p, struct money free,
                   struct identity_fault *fault)
{
    if (booking_refused_as(db, "TG020"))
        return IDENTITY_E_NONE;
    if (booking_refused_as(db, "TG021"))
        return identity_fault_set(fault, "amount",
                                  booking_only(a, (struct money){p->amount.nano - p->returned.nano},
                                       " of this payment has not gone back already."));
    if (booking_refused_as(db, "TG007"))
        return identity_fault_set(
            fault, "amount",
            booking_only(a, free, " can be refunded: the rest is used, or held by running requests. A "
                          "credit note gives used money back."));
    if (booking_refused_as(db, "TG022"))
        return identity_fault_set(fault, "", "It is reversed already.");
    return booking_refusal(db, fault);
}

static int audit(struct db *db, const struct actor *actor, enum payback_kind kind,
                 const struct payback *p)
{
    struct audit_entry entry = {.team = p->team,
                                .action = p->of_refund ? "payment.refund_failed" : actions[kind],
                                .kind = "payment",
                                .object_id = p->payment_id};

    return booking_audit(db, actor, &entry, &(struct booking){p->amount, p->reason, p->reference});
}

/* What was booked just now is audited; what was booked before is only told. */
static int tell(struct db *db, struct arena *a, const struct actor *actor,
                const struct payback_booked *booked, int64_t *ret_id)
{
    struct payback p;
    int r = payback_get(db, a, booked->id, &p);

    if (r == 0 && booked->is_new)
        r = audit(db, actor, p.kind, &p);
    if (r == 0 && ret_id)
        *ret_id = booked->id;
    return r < 0 ? err_trace(r) : r;
}

static int post(struct db *db, struct arena *a, const struct actor *actor, enum payback_kind kind,
                const struct payment *payment, const struct booking *b, int64_t *ret_id,
                struct identity_fault *fault)
{
    struct payback_booked booked;
    struct money free;
    int r = payback_row_free(db, payment->team, &free);

    if (r == 0)
        r = payback_row_post(db, actor, kind, payment->id, b, &booked);
    if (r == PAYBACK_E_REFUSED)
        return refusal(db, a, payment, free, fault);
    return r == 0 ? tell(db, a, actor, &booked, ret_id) : err_trace(r);
}

int payback_refund(struct db *db, struct arena *a, const struct actor *actor, int64_t payment_id,
                   const struct booking *wish, int64_t *ret_id, struct identity_fault *fault)
{
    struct booking b = *wish;
    struct payment payment;
    int r = check(&b, fault);

    if (r == 0)
        r = payment_get(db, a, payment_id, &payment);
    if (r == 0)
        r = check_name(&payment, b.reference, fault);
    return r == 0 ? post(db, a, actor, PAYBACK_REFUND, &payment, &b, ret_id, fault) : r;
}

struct charging_back {
    struct arena *a;
    const struct actor *actor;
    int64_t payment_id;
    const struct booking *wish;
    int64_t id;
    struct identity_fault *fault;
};

static int check_no_refund(struct db *db, struct charging_back *t)
{
    struct payback known;
    int r = payback_find(db, t->a, t->payment_id, t->wish->reference, &known);

    if (r == 0 && known.kind == PAYBACK_REFUND)
        return identity_fault_set(t->fault, "reference", "A refund of this payment has this reference.");
    return r == IDENTITY_E_NONE ? 0 : r;
}

/* A wish that cannot be booked freezes nobody. */
static int fits_tx(struct db *db, void *ctx)
{
    struct charging_back *t = ctx;
    struct payment p;
    bool known = false;
    int r = payment_get(db, t->a, t->payment_id, &p);

    if (r == 0)
        r = check_name(&p, t->wish->reference, t->fault);
    if (r == 0)
        r = check_no_refund(db, t);
    if (r == 0)
        r = statement_known(db, p.team, STR("CHARGEBACK"), t->wish->reference, &known);
    if (r == 0 && !known && t->wish->amount.nano > p.amount.nano - p.returned.nano)
        return identity_fault_set(t->fault, "amount",
                                  booking_only(t->a, (struct money){p.amount.nano - p.returned.nano},
                                       " of this payment has not gone back already."));
    return r;
}

static int freeze_tx(struct db *db, void *ctx)
{
    struct charging_back *t = ctx;
    struct payment p;
    struct team team;
    struct str reason;
    int r = payment_get(db, t->a, t->payment_id, &p);

    if (r == 0 && !str_eq_c(p.state, "credited"))
        return IDENTITY_E_NONE;
    if (r == 0)
        r = team_get(db, t->a, p.team, &team);
    if (r != 0 || team.frozen)
        return r;
    reason = arena_strf(t->a, "Chargeback %.*s", STR_FMT(t->wish->reference));
    return team_freeze(db, t->a, t->actor, p.team, reason, t->fault);
}

static int charge_back_tx(struct db *db, void *ctx)
{
    struct charging_back *t = ctx;
    struct payment p;
    int r = payment_get(db, t->a, t->payment_id, &p);

    return r == 0 ? post(db, t->a, t->actor, PAYBACK_CHARGEBACK, &p, t->wish, &t->id, t->fault) : r;
}

int payback_chargeback(struct db *db, struct arena *a, const struct actor *actor,
                       int64_t payment_id, const struct booking *wish, int64_t *ret_id,
                       struct identity_fault *fault)
{
    struct booking b = *wish;
    struct charging_back t = {a, actor, payment_id, &b, 0, fault};
    int r = check(&b, fault);

    if (r == 0)
        r = identity_tx(db, DB_OPERATOR, "chargeback_fits", fits_tx, &t);
    if (r == 0)
        r = identity_tx(db, DB_OPERATOR, "chargeback_freeze", freeze_tx, &t);
    if (r == 0)
        r = identity_tx(db, DB_OPERATOR, "chargeback", charge_back_tx, &t);
    if (r == 0 && ret_id)
        *ret_id = t.id;
    return r < 0 ? err_trace(r) : r;
}

static int reverse(struct db *db, struct arena *a, const struct actor *actor,
                   enum payback_kind kind, int64_t payback_id, const struct booking *wish, int64_t *ret_id,
                    struct identity_fault *fault)
{
    struct booking b = *wish;
    struct payback_booked booked;
    int r = check_texts(&b, fault);

    if (r != 0)
        return r;
    r = payback_row_reverse(db, actor, kind, payback_id, &b, &booked);
    if (r == PAYBACK_E_REFUSED)
        return refusal(db, a, &(struct payment){0}, MONEY_ZERO, fault);
    return r == 0 ? tell(db, a, actor, &booked, ret_id) : err_trace(r);
}

int payback_reverse(struct db *db, struct arena *a, const struct actor *actor,
                    int64_t chargeback_id, const struct booking *wish, int64_t *ret_id,
                    struct identity_fault *fault)
{
    return reverse(db, a, actor, PAYBACK_CHARGEBACK, chargeback_id, wish, ret_id, fault);
}

int payback_refund_failed(struct db *db, struct arena *a, const struct actor *actor,
                          int64_t refund_id, const struct booking *wish, int64_t *ret_id,
                          struct identity_fault *fault)
{
    return reverse(db, a, actor, PAYBACK_REFUND, refund_id, wish, ret_id, fault);
}
