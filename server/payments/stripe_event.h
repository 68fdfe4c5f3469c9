/* stripe_event.h: what Stripe tells, read into what it means here. Pure.
 *
 * Events repeat and come in any order, so each is read for what it says by itself. What has no meaning
 * here, also what other programs do with the same Stripe account, is STRIPE_NOTHING. */
#pragma once

#include "base/arena.h"
#include "base/money.h"

struct json_object;

enum stripe_what {
    STRIPE_NOTHING,
    STRIPE_PAID,
    STRIPE_PENDING, /* checked out, the money takes days: bank debits and the like */
    STRIPE_FAILED,
    STRIPE_EXPIRED,
    STRIPE_REFUND,        /* money is sent back to whoever paid */
    STRIPE_REFUND_FAILED, /* and did not arrive, or was called off: it is ours again */
    STRIPE_REFUNDED,      /* some refunds of a payment, which are to be asked for */
    STRIPE_DISPUTE,       /* the payer's bank has taken the money */
    STRIPE_DISPUTE_BACK,  /* and has given it back */
};

struct stripe_event {
    struct str id; /* "evt_..." */
    enum stripe_what what;
    struct str object_id;  /* "cs_...", "re_...", "dp_..." */
    struct str payment_id; /* "pi_..."; of a session that needed none, the session's */
    struct str reference;  /* of sessions: the order's; p NULL: not ours */
    struct money amount;
    struct str currency; /* "USD" */
    struct str note;     /* Stripe's words: a reason; may be empty */
    bool open;           /* of a session: it can still be paid */
};

/* STRIPE_EVENT_E_MALFORMED: not an event as Stripe's documents have it. Texts live in the arena. */
enum { STRIPE_EVENT_OK = 0, STRIPE_EVENT_E_MALFORMED = 1 };
int stripe_event_read(struct arena *a, struct str body, struct stripe_event *ret) _must_use_;

/* The same of objects as Stripe's API returns them: a Checkout Session (with its payment_intent expanded,
 * or not), a Refund, a Dispute. The event's id is made of what they say, so that it is one event however
 * often it is asked for. */
int stripe_session_read(struct arena *a, const struct json_object *o, struct stripe_event *ret)
    _must_use_;
int stripe_refund_read(struct arena *a, const struct json_object *o, struct stripe_event *ret)
    _must_use_;
int stripe_dispute_read(struct arena *a, const struct json_object *o, struct stripe_event *ret)
    _must_use_;
