/* stripe_form.h: what Stripe's API is asked, as it wants it: application/x-www-form-urlencoded, with
 * brackets for what is within something (docs.stripe.com/api). Pure. */
#pragma once

#include "base/buf.h"
#include "base/money.h"

struct stripe_session_wish {
    struct str reference; /* of the order */
    int64_t cents;
    struct str return_url;   /* where the customer comes back to, paid or not */
    int64_t expires_at_s;    /* 30 minutes to 24 hours from now */
};
/* The body of POST /v1/checkout/sessions; out's failure is sticky. */
void stripe_session_form(const struct stripe_session_wish *wish, struct buf *out);
/* name=value, with & in front where something stands already; both percent-encoded. */
void stripe_form_put(struct buf *out, const char *name, struct str value);

/* Where our reference stands in what we make at Stripe, and in what Stripe tells of it. Not
 * client_reference_id, which whoever follows a payment link may choose. */
#define STRIPE_ORDER_KEY "tollgate_order"

/* Dollars have two decimals at Stripe. False: the amount is no whole cents, or not above zero. */
bool stripe_cents(struct money amount, int64_t *ret);
/* False: it does not fit. */
bool stripe_money(int64_t cents, struct money *ret);
