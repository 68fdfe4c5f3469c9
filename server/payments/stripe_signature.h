/* stripe_signature.h: the header Stripe-Signature: "t=1492774577,v1=5257a869...,v0=...", where v1 is
 * HMAC-SHA-256 in hex, under a signing secret, of t, a point and the body's bytes. There may be several
 * v1, and several secrets, while one is replaced; other schemes are passed over. Pure. */
#pragma once

#include "base/str.h"

#define STRIPE_TOLERANCE_S 300 /* as Stripe's own libraries have it */
#define STRIPE_V1_MAX 16       /* one for each secret of an endpoint; more are not looked at */

enum {
    STRIPE_SIGNATURE_OK = 0,
    STRIPE_SIGNATURE_E_HEADER = 1, /* missing, or not of this shape */
    STRIPE_SIGNATURE_E_TIME = 2,   /* too old, or ahead of our clock */
    STRIPE_SIGNATURE_E_FORGED = 3, /* of none of the secrets; an empty one signs nothing */
};
struct stripe_signature {
    struct str t; /* as it was signed */
    int64_t at_s;
    struct str v1[STRIPE_V1_MAX]; /* 64 hexadecimal digits each */
    size_t n;
};
/* STRIPE_SIGNATURE_OK or _E_HEADER. */
int stripe_signature_read(struct str header, struct stripe_signature *ret) _must_use_;
/* Every pair of v1 and secret is compared, in constant time each. < 0: no memory. */
int stripe_signature_check(struct str header, struct str body, const struct str *secrets, size_t n,
                           int64_t now_s) _must_use_;
