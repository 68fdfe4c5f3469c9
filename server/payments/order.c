/* order.c: the states of an order and which may follow which.
 *
 * Once paid, an order only tells what went back of it; these states are set with the money, by
 * order_reckon in migrations/0005_billing.sql. Failed, canceled and expired are ends for the customer only: money that arrives
 * all the same is taken. */
#include "payments/order.h"

static const char *const names[] = {
    [ORDER_CREATED] = "created",
    [ORDER_PENDING] = "pending",
    [ORDER_PAID] = "paid",
    [ORDER_PART_REFUNDED] = "part_refunded",
    [ORDER_REFUNDED] = "refunded",
    [ORDER_CHARGED_BACK] = "charged_back",
    [ORDER_FAILED] = "failed",
    [ORDER_CANCELED] = "canceled",
    [ORDER_EXPIRED] = "expired",
    [ORDER_REVIEW] = "review",
};

#define BIT(state) (1u << (state))
#define LATE (BIT(ORDER_PAID) | BIT(ORDER_REVIEW))
#define BACK (BIT(ORDER_PART_REFUNDED) | BIT(ORDER_REFUNDED) | BIT(ORDER_CHARGED_BACK))

static const unsigned edges[] = {
    [ORDER_CREATED] = BIT(ORDER_PENDING) | BIT(ORDER_PAID) | BIT(ORDER_FAILED) |
                      BIT(ORDER_CANCELED) | BIT(ORDER_EXPIRED) | BIT(ORDER_REVIEW),
    [ORDER_PENDING] = BIT(ORDER_PAID) | BIT(ORDER_FAILED) | BIT(ORDER_CANCELED) |
                      BIT(ORDER_EXPIRED) | BIT(ORDER_REVIEW),
    [ORDER_PAID] = BACK,
    [ORDER_PART_REFUNDED] = BACK | BIT(ORDER_PAID), /* a refund failed */
    [ORDER_REFUNDED] = BACK | BIT(ORDER_PAID), /* or another payment of the same order came */
    [ORDER_CHARGED_BACK] = BACK | BIT(ORDER_PAID),
    [ORDER_FAILED] = LATE,
    [ORDER_CANCELED] = LATE,
    [ORDER_EXPIRED] = LATE,
    [ORDER_REVIEW] = BIT(ORDER_PAID) | BIT(ORDER_CANCELED),
};

const char *order_state_name(enum order_state state)
{
    return names[state];
}

bool order_state_parse(struct str name, enum order_state *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_eq_c(name, names[i])) {
            *ret = (enum order_state)i;
            return true;
        }
    }
    return false;
}

bool order_state_may_become(enum order_state from, enum order_state to)
{
    return edges[from] & BIT(to);
}

bool order_state_was_paid(enum order_state state)
{
    return state == ORDER_PAID || (BACK & BIT(state));
}
