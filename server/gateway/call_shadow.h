/* call_shadow.h: shadow traffic: a call that has ended is asked of another model too, and nobody waits for
 * that.
 *
 * A shadow is a call like any other but for its client, who is not there from the beginning. It goes its
 * model's own route, with its fallbacks, and keeps to the account's limits; its answer is read to the end,
 * as a stream where the client wanted one, and thrown away: of it only figures are kept. It draws on none of
 * its team's purses and is charged nothing; the operator pays its cost. It is no call of its team's in the
 * log, the books and the figures: see migrations/0015_shadow.sql.
 *
 * What is not asked, and why, is counted by enum shadow_drop. Where the team refuses it, or one of its own
 * accounts could have served, nothing is; the request's wishes for its provider and the key's list of models
 * hold for the shadow too; where guardrails have changed the body, it gets the changed one. Refused and
 * blocked calls, and answers from the cache, have none. When a node has anything better to do, it drops
 * shadows before it does anything else slower. On the call's loop. */
#pragma once

#include "catalog/shadow.h"
#include "catalog/snapshot.h"
#include "gateway/metrics.h"
#include "http/problem.h"

struct call;
struct shadow_ask;

/* A longer body is not asked again: it stays in memory for as long as its shadow runs. */
#define CALL_SHADOW_BODY_BYTES MIB(1)

/* Of a call that is a shadow. */
struct call_shadow {
    const struct catalog_shadow *rule; /* of the call's snapshot */
    enum shadow_drop drop;             /* what it counts as if it comes to no try */
    int64_t taken_nano;                /* of its day */
    struct shadow_ask *ask;            /* NULL: the database is not asked for that */
};

/* Is the call one of the share? The same for whoever asks, and for all shares: those of a smaller one are
 * among those of a larger. */
bool call_shadow_chosen(struct call_id id, int32_t permille);

/* At the end of a call whose model has a rule: its shadow begins with the next turn, or is dropped. */
void call_shadow_consider(struct call *c);

/* Steps of a shadow where they are others than a client's call's. */
void call_shadow_timer(struct call *c);
/* Whose route it goes, and what the request says of models is forgotten. */
const struct catalog_model *call_shadow_model(struct call *c);
/* As call_money_hold() and call_money_cover(), of what the operator pays. */
int call_shadow_hold(struct call *c, struct problem *ret_problem) _must_use_;
int call_shadow_cover(struct call *c, const struct catalog_target *target) _must_use_;
/* When what it has used was noted. False: that is more than it may cost, and it has ended. */
bool call_shadow_stays(struct call *c) _must_use_;
/* It is settled, or not begun and only counted. */
void call_shadow_count(struct call *c);
void call_shadow_leave(struct call *c);
