/* call_money.h: what a call does with money: limits, hold, journal, price.
 *
 * The only place where the gateway meets lease, limits and ledger. All on the call's loop but
 * call_money_open and call_money_close. */
#pragma once

#include "gateway/estimate.h"
#include "gateway/services.h"
#include "ledger/journal.h"
#include "limits/limits.h"

struct call;
struct gateway;
struct key_policy;

struct call_money {
    struct estimate estimate;   /* for the first candidate: limits that are sent, tokens a minute */
    struct price_estimate most; /* of the target that was covered last: what its figures are judged by */
    enum limit which[LIMITS]; /* what each of the first wants is for */
    struct hold hold;
    struct hold_ask ask;
    struct money held; /* the money part of the hold */
    const struct catalog_target
        *asked_for;     /* a dearer candidate that the database is asked about */
    int64_t asked_nano; /* more of the money, for a stream that has used what was held */
    struct journal_mark mark;
    bool begun; /* BEGIN is in the journal */
    int64_t noted_ms;
    int64_t noted_tokens;
};

enum {
    CALL_MONEY_OK = 0,
    CALL_MONEY_WAIT = 1,    /* call_held(), call_covered() or call_grown() will be called */
    CALL_MONEY_REFUSED = 2, /* a limit, a budget or the balance does not cover it: *ret_problem */
    CALL_MONEY_FAILED = 3,  /* it cannot be told: *ret_problem */
};

/* Worker thread: the purses of a key. 0, or another value when they cannot be had now. */
int call_money_open(const struct services *s, struct db *db, const struct key_policy *key,
                    struct key_purses **ret) _must_use_;
void call_money_close(struct key_purses *purses); /* any thread; NULL is fine */

/* Takes the hold for the first candidate of the plan. */
int call_money_hold(struct call *c, struct problem *ret_problem) _must_use_;
/* What counts requests and calls at the same time, no money and no tokens: for an answer that costs
 * nothing. */
int call_money_count(struct call *c, struct problem *ret_problem) _must_use_;
/* Makes the hold large enough for this candidate. CALL_MONEY_OK, _WAIT or _REFUSED. */
int call_money_cover(struct call *c, const struct catalog_target *target) _must_use_;
/* Does the usage cost more than any call may? */
bool call_money_absurd(const struct call *c, const struct usage *u);
/* BEGIN, before the first upstream is asked; once per call. */
int call_money_begin(struct call *c) _must_use_;
/* While an answer comes: notes in the journal how far it is, now and then. True: it was noted. */
bool call_money_progress(struct call *c);
/* Was less than the hold used, when it was noted last? */
bool call_money_covered(const struct call *c);
/* Makes the hold as large as what was noted last, and a little larger. _OK, _WAIT, _REFUSED or
 * _FAILED. */
int call_money_grow(struct call *c, struct problem *ret_problem) _must_use_;
/* The charge as things stand. 0, or non-zero when it cannot be told. */
int call_money_price(const struct call *c, struct money *ret_charge) _must_use_;
/* Prices u into the record, writes END, ends the hold with what was used. Of a call that was not begun,
 * too, where it asked no provider. */
void call_money_settle(struct call *c, const struct usage *u);
/* Gives the hold back unused. Safe without a hold. */
void call_money_release(struct call *c);
/* Writes a finished record of a call that was never begun. */
void call_money_write(struct gateway *g, const struct call_record *r);
