/* stripe.h: paying by card, and by whatever else Stripe offers, on Stripe's own page (Checkout).
 *
 * We make a Checkout Session for an order and send the browser there; what became of it is told by signed
 * events (stripe_event.h) and, where none came, by asking (stripe_look). Sources: docs.stripe.com/api,
 * /webhooks, /payments/checkout. No request to Stripe is made within a transaction. */
#pragma once

#include "base/secret.h"
#include "payments/order.h"

struct stripe;

struct stripe_settings {
    struct str secret_key;
    struct str webhook_secrets; /* separated by commas */
    struct str api_url, checkout_url, own_url;
};
/* *ret NULL, and 0: one of the secrets is not set, so that nothing is offered and no event is taken.
 * Copies everything; stripe_free wipes the secrets, NULL is fine. */
int stripe_new(const struct stripe_settings *settings, struct stripe **ret) _must_use_;
void stripe_free(struct stripe *s);

/* The key is one of Stripe's test mode: no money moves. */
bool stripe_is_test(const struct stripe *s);
/* "https://checkout.stripe.com": of every page that stripe_pay() sends a browser to. */
struct str stripe_checkout_origin(const struct stripe *s);
/* A payment on Stripe's dashboard; p NULL: it is no payment of Stripe's. */
struct str stripe_dashboard_url(struct arena *a, const struct stripe *s, struct str payment_id);

/* Gets an order's page at Stripe, the same one however often it is asked, and waits for Stripe up to
 * STRIPE_TOTAL_MS. Own transactions under the team's scope; no other may be open. *ret_url lives in the
 * arena. Field "": the order is not waiting for a payment, or Stripe gave no page; the order stays as it is,
 * and what was wrong stands in stripe_state, too. IDENTITY_E_NONE: not an order of this team. */
int stripe_pay(const struct stripe *s, struct db *db, struct arena *a, struct team_id team,
               int64_t order_id, struct str *ret_url, struct identity_fault *fault) _must_use_;

struct stripe_state {
    struct str session_id; /* empty: none is known */
    struct str fault;      /* why the last attempt gave no page; empty: it did */
    bool payable;          /* stripe_pay() would give a page */
};
/* Of an order that is paid by Stripe. Scope of the team, or operator. */
int stripe_state(struct db *db, struct arena *a, const struct order *order,
                 struct stripe_state *ret) _must_use_;

/* An event's body and its header Stripe-Signature, at now_s. STRIPE_SIGNATURE_...: see
 * stripe_signature.h. */
int stripe_check(const struct stripe *s, struct str header, struct str body,
                 int64_t now_s) _must_use_;
/* Does what an event says, whose signature was checked. Own transactions; when it returns 0 or more,
 * everything is committed. */
enum {
    STRIPE_TAKEN = 0,
    STRIPE_E_NOT_OURS = 1, /* of a type that is left alone, or about no payment that is known here */
    STRIPE_E_REVIEW = 2,   /* an operator has to look at it: the order's payment is in review */
    STRIPE_E_UNBOOKED = 3, /* a refund or dispute that does not fit its payment; nothing was booked */
    STRIPE_E_MALFORMED = 4,
};
/* What could not be booked, for a person: there are more at Stripe than in the books. */
#define STRIPE_UNBOOKED_MAX 16
struct stripe_unbooked {
    struct {
        struct str subject, detail;
    } v[STRIPE_UNBOOKED_MAX];
    size_t n;
};
int stripe_take(struct db *db, struct arena *a, struct str body,
                struct stripe_unbooked *unbooked) _must_use_;

/* Asks Stripe about some of the orders whose time to be asked after has come; any node, every few
 * seconds. Own transactions. *ret_away: Stripe did not answer as it should; a sentence, or NULL. */
int stripe_look(const struct stripe *s, struct db *db, struct arena *a, const char **ret_away,
                struct stripe_unbooked *unbooked) _must_use_;
