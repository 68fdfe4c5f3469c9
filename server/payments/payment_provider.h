/* payment_provider.h: one way of paying. One const object per file, listed in payment_providers. */
#pragma once

#include "payments/payment.h"

/* What the customer does next. */
struct payment_next {
    struct str path;         /* go here (a page of ours or an https URL); p NULL: read on here */
    struct str instructions; /* plain text lines: whom to pay, how much, which reference */
};

struct payment_provider {
    const char *name;     /* "sandbox": in orders, for ever */
    const char *label;    /* "Card (sandbox)" */
    const char *sentence; /* what choosing it means */
    bool sandbox_only;    /* offered only by installations marked as sandbox */
    int64_t expires_after_s;
    /* Why an amount cannot be paid so; NULL: it can. The function NULL: any amount can. */
    const char *(*refusal)(struct money amount);
    /* Why what goes back may not be booked under this reference; NULL: it may. The function NULL: it is
     * the operator who sends money back and hears of chargebacks, under whatever name. */
    const char *(*return_refusal)(struct str reference);
    /* Starts paying a created order; may move it on. Team scope, inside the caller's
     * transaction. */
    int (*begin)(struct db *db, struct arena *a, struct order *order, struct payment_next *ret);
    /* The order was canceled, in the caller's transaction: what is left of it elsewhere can be closed.
     * NULL: there is nothing. */
    int (*canceled)(struct db *db, const struct order *order);
};

extern const struct payment_provider payment_sandbox, payment_manual,
    payment_stripe;

const struct payment_provider *payment_provider_find(struct str name); /* NULL: unknown */
/* Those that can be chosen on this installation; any scope. stripe NULL: it is not set up. */
struct payment_choice {
    const struct payment_provider *v[8];
    size_t n;
};
int payment_provider_choices(struct db *db, const struct stripe *stripe,
                             struct payment_choice *ret) _must_use_;
