/* manual.c: bank transfers, which an operator sees arrive and confirms. */
#include "payments/manual.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "identity/installation.h"
#include "payments/order_row.h"

#define BANK_REFERENCE_BYTES 180 /* with our prefix within the ledger's 200 */

static int manual_begin(struct db *db, struct arena *a, struct order *order,
                        struct payment_next *ret)
{
    struct installation ours;
    struct buf b;
    int r = installation_get(db, a, &ours);

    if (r == 0 && order->state == ORDER_CREATED)
        r = order_become(db, order, ORDER_PENDING, STR("Waiting for the bank transfer."), 0);
    if (r < 0)
        return err_trace(r);
    buf_init(&b, KIB(8));
    buf_puts(&b, "Transfer $");
    money_put_fixed(&b, order->amount, 2);
    buf_printf(&b, " with the reference %.*s", STR_FMT(order->reference));
    if (ours.seller_name.n > 0)
        buf_printf(&b, " to %.*s", STR_FMT(ours.seller_name));
    buf_puts(&b, ". The balance grows when an operator has seen it arrive.");
    if (ours.seller_note.n > 0)
        buf_printf(&b, "\n%.*s", STR_FMT(ours.seller_note));
    *ret = (struct payment_next){.instructions = arena_str(a, buf_str(&b))};
    r = buf_finish(&b);
    buf_done(&b);
    return r == 0 && !ret->instructions.p ? err_origin(-ENOMEM) : r;
}

const struct payment_provider payment_manual = {
    .name = "manual",
    .label = "Bank transfer",
    .sentence = "You transfer the amount with a reference; an operator confirms it.",
    .expires_after_s = 30 * 24 * 3600,
    .begin = manual_begin,
};

struct naming {
    struct arena *a;
    int64_t order_id;
    struct order order;
};

static int look_tx(struct db *db, void *ctx)
{
    struct naming *t = ctx;

    return order_lock(db, t->a, t->order_id, &t->order);
}

static const char *reference_refusal(struct str s)
{
    if (s.n == 0)
        return "Give the bank's reference of the transfer, so that it is credited only once.";
    if (s.n > BANK_REFERENCE_BYTES || !str_utf8(s))
        return "This is too long.";
    return NULL;
}

static bool is_currency(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 'A' || s.p[i] > 'Z')
            return false;
    return s.n == 3;
}

int manual_confirm(struct db *db, struct arena *a, const struct actor *actor, int64_t order_id,
                   struct money amount, struct str currency, struct str bank_reference,
                   struct order *ret, struct identity_fault *fault)
{
    struct naming t = {a, order_id, {0}};
    struct str reference = str_trim(bank_reference);
    const char *refusal = reference_refusal(reference);

    if (refusal)
        return identity_fault_set(fault, "bank_reference", refusal);
    if (amount.nano <= 0)
        return identity_fault_set(fault, "amount", "Give the amount that has arrived.");
    if (!is_currency(currency))
        return identity_fault_set(fault, "currency", "Three capital letters, such as USD or EUR.");
    int r = identity_tx(db, DB_OPERATOR, "manual_look", look_tx, &t);

    if (r < 0)
        return err_trace(r);
    if (r == ORDER_E_NONE || !str_eq_c(t.order.provider, payment_manual.name))
        return IDENTITY_E_NONE;
    struct payment_notice notice = {
        .provider = STR("manual"),
        .event_id = reference,
        .payment_id = reference,
        .reference = t.order.reference,
        .kind = PAYMENT_PAID,
        .amount = amount,
        .currency = currency,
    };

    r = payment_apply(db, a, actor, &notice, ret);
    if (r < 0)
        return err_trace(r);
    if (r == PAYMENT_E_REPEATED)
        return identity_fault_set(fault, "bank_reference",
                                  "A transfer with this reference was confirmed before.");
    return 0;
}
