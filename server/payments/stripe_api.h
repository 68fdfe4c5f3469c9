/* stripe_api.h: one request to Stripe's API, in the blocking form. Inside this room only; never within a
 * transaction. */
#pragma once

#include "payments/stripe_row.h"

struct json_object;

/* For Stripe to answer at all, and for the whole; a page waits for it. */
#define STRIPE_CONNECT_MS 5000
#define STRIPE_ANSWER_MS 15000
#define STRIPE_TOTAL_MS 20000
#define STRIPE_REPLY_BYTES MIB(1) /* a list of a hundred refunds is a tenth of it */

struct stripe_ask {
    const char *path; /* "/v1/checkout/sessions", with its query */
    struct str form;  /* p NULL: a GET */
    struct str key;   /* idempotency key of a POST; p NULL: doing it twice is doing it once */
};
struct stripe_answer {
    int status;
    struct json_object *json; /* as long as the arena lives */
    const char *fault;        /* a sentence for whoever waits; NULL: none */
    /* Of a refusal: the idempotency key is bound to it, so that another one is wanted. */
    bool key_spent;
};
enum {
    STRIPE_API_OK = 0,
    STRIPE_API_E_REFUSED = 1, /* Stripe has answered that it will not: answer->status says how */
    STRIPE_API_E_UNKNOWN = 2, /* no answer, or one that may be another when it is asked again */
};
int stripe_api(const struct stripe *s, struct arena *a, const struct stripe_ask *ask,
               struct stripe_answer *ret) _must_use_;
