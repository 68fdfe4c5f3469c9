/* limits.h: which purses a call draws on, and what to tell the caller whom one refuses.
 *
 * Wallet; budgets of the key, its owner, its project and the team; the key's requests and tokens a
 * minute and calls at the same time. Another scope is a place in enum limit and a purse in struct
 * key_purses. */
#pragma once

#include "base/money.h"
#include "lease/hold.h"

enum limit {
    LIMIT_WALLET,
    LIMIT_KEY_BUDGET,
    LIMIT_USER_BUDGET,
    LIMIT_PROJECT_BUDGET,
    LIMIT_TEAM_BUDGET,
    LIMIT_KEY_REQUESTS,
    LIMIT_KEY_TOKENS,
    LIMIT_KEY_PERMITS,
    LIMITS
};

/* What the key's policy says. 0: no such limit. The budgets of project, owner (0: it has none) and team
 * are read from the table `budget`. */
struct key_limits {
    struct team_id team;
    struct key_id key;
    struct project_id project;
    struct user_id owner;
    int64_t rpm, tpm, concurrency;
    struct money budget;
    const char *budget_window; /* "day", "week", "month", "lifetime"; NULL: no budget */
};

/* Counted pointers to this node's cells; NULL where there is no limit. Immutable; any thread. */
struct key_purses {
    struct cell *cell[LIMITS];
    int64_t capacity[LIMITS];
    int64_t left[LIMITS]; /* as found when they were opened */
};

/* Worker: makes or updates the purses and finds their cells. Own transaction. LIMITS_E_NONE: the
 * team has no books. */
enum { LIMITS_OK = 0, LIMITS_E_NONE = 1, LIMITS_E_AWAY = DB_E_AWAY };
int limits_open(struct node *n, struct db *db, const struct key_limits *limits,
                struct key_purses **ret) _must_use_;
void key_purses_free(struct key_purses *p); /* NULL is fine */

/* What one call takes: money as its worst case, tokens as their estimate. Returns how many wants
 * were written; which[i] says which limit wants[i] is. */
struct limits_need {
    struct money money;
    int64_t tokens;
    bool within; /* another call, which counts as the request and as the one at the same time */
};
size_t limits_wants(const struct key_purses *p, const struct limits_need *need,
                    struct hold_want wants[LIMITS], enum limit which[LIMITS]);
/* The same order: what was really used, for hold_end. */
void limits_used(const enum limit *which, size_t n, struct money charge, int64_t tokens,
                 int64_t used[LIMITS]);

/* In the words of DESIGN 7. */
struct limits_word {
    const char *quota_source; /* "prepaid_balance" ... */
    const char *scope;        /* "team", "project", "user", "key" */
    const char *unit;         /* "usd", "requests", "tokens", "calls" */
    bool money;               /* 402; else 429 */
};
const struct limits_word *limits_word(enum limit limit);
/* The least that is left of what money is taken from, as this node last heard. */
struct money limits_money_left(const struct key_purses *p);
/* The purses that money is taken from, in the order of a hold; returns how many. */
size_t limits_money(const struct key_purses *p, struct cell *ret[LIMITS]);
/* Remaining of the purse, as this node last heard; for x-ratelimit-* headers. < 0: no such limit.
 */
int64_t limits_remaining(const struct key_purses *p, enum limit limit);
/* Seconds until the window turns; 0: never or unknown. */
int64_t limits_resets_in_s(const struct key_purses *p, enum limit limit);
