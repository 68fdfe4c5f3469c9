/* webhook.h: what others' servers tell us unasked. No session and no cross-site token: what is told is
 * believed for its signature. */
#pragma once

#include "http/request.h"

/* An event is a few KiB; of a dispute it carries the evidence, up to 150,000 characters of it. */
#define WEBHOOK_BODY_BYTES KIB(512)

/* POST /webhooks/stripe. The signature is checked on the loop, so that nobody else keeps workers busy;
 * the rest is done on the lane for pages. 200 once it is committed, also for what is left alone; 400 for a
 * signature that is missing, wrong or old; 503 while it is not set up, or cannot be done now: Stripe comes
 * again. Loop thread. */
void webhook_stripe(struct request *r);

/* Asks Stripe about orders of which it may have told nothing (payments/stripe.h); nothing, where it is not
 * set up. Waits for Stripe. Own transactions. */
struct db;
struct services;
int webhook_look(const struct services *services, struct db *db) _must_use_;
