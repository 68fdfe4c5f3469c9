/* limits.c: see limits.h. */
#include "limits/limits.h"

#include "base/clock.h"
#include "base/err.h"
#include "limits/limits_sql.h"

#include <errno.h>

/* What is leased beyond the one call: money for a while of calls, a handful of the rest. */
#define LEASE_MONEY_MAX (2 * INT64_C(1000000000))
#define LEASE_CALLS 200

static const struct limits_word words[LIMITS] = {
    [LIMIT_WALLET] = {"prepaid_balance", "team", "usd", true},
    [LIMIT_KEY_BUDGET] = {"app_key", "key", "usd", true},
    [LIMIT_USER_BUDGET] = {"user_budget", "user", "usd", true},
    [LIMIT_PROJECT_BUDGET] = {"project_budget", "project", "usd", true},
    [LIMIT_TEAM_BUDGET] = {"team_budget", "team", "usd", true},
    [LIMIT_KEY_REQUESTS] = {"key_rate_limit", "key", "requests", false},
    [LIMIT_KEY_TOKENS] = {"key_rate_limit", "key", "tokens", false},
    [LIMIT_KEY_PERMITS] = {"concurrency", "key", "calls", false},
};

const struct limits_word *limits_word(enum limit limit)
{
    assert(limit < LIMITS);
    return &words[limit];
}

int limits_open(struct node *n, struct db *db, const struct key_limits *limits,
                struct key_purses **ret)
{
    struct key_purses *p = calloc(1, sizeof(*p));
    struct limits_opened opened;
    int r = p ? limits_sql_open(db, limits, &opened) : err_origin(-ENOMEM);

    if (r) {
        free(p);
        return r;
    }
    memcpy(p->capacity, opened.capacity, sizeof(p->capacity));
    memcpy(p->left, opened.left, sizeof(p->left));
    for (unsigned i = 0; i < LIMITS; i++) {
        if (!opened.id[i].v)
            continue;
        p->cell[i] = node_cell(n, limits->team, opened.id[i]);
        if (!p->cell[i]) {
            key_purses_free(p);
            return err_origin(-ENOMEM);
        }
    }
    *ret = p;
    return LIMITS_OK;
}

void key_purses_free(struct key_purses *p)
{
    for (unsigned i = 0; p && i < LIMITS; i++)
        cell_unref(p->cell[i]);
    free(p);
}

/* What a busy key may lease at once: what a node that is lost may cost its team. */
static int64_t most_of(enum limit limit)
{
    if (words[limit].money)
        return LEASE_MONEY_MAX;
    return limit == LIMIT_KEY_PERMITS ? 0 : INT64_MAX;
}

/* Money is to last twice as long as calls go on without the database (NODE_GRACE_MS): it is filled up
 * at the half. What turns every minute is void by then anyway. */
static int64_t ahead_of(enum limit limit)
{
    return words[limit].money ? INT64_C(120000) : INT64_C(5000);
}

/* What fills again every minute may be shared out while the database is away; see hold.h. */
static int64_t minute_of(const struct key_purses *p, enum limit limit)
{
    return limit == LIMIT_KEY_REQUESTS || limit == LIMIT_KEY_TOKENS ? p->capacity[limit] : 0;
}

static int64_t lease_of(enum limit limit, int64_t amount)
{
    int64_t many;

    if (limit == LIMIT_KEY_PERMITS)
        return amount;
    if (__builtin_mul_overflow(amount, LEASE_CALLS, &many))
        return amount;
    if (words[limit].money)
        return MAX(amount, MIN(many, LEASE_MONEY_MAX));
    return many;
}

/* Of requests and of calls at the same time each call is one. */
static int64_t amount_of(enum limit limit, const struct limits_need *need)
{
    if (words[limit].money)
        return need->money.nano;
    return limit == LIMIT_KEY_TOKENS ? need->tokens : !need->within;
}

/* Cheap refusals first: permits and rates before money, the narrower budget before the wider. */
static const enum limit order[LIMITS] = {
    LIMIT_KEY_PERMITS, LIMIT_KEY_REQUESTS,   LIMIT_KEY_TOKENS,  LIMIT_KEY_BUDGET,
    LIMIT_USER_BUDGET, LIMIT_PROJECT_BUDGET, LIMIT_TEAM_BUDGET, LIMIT_WALLET,
};

size_t limits_wants(const struct key_purses *p, const struct limits_need *need,
                    struct hold_want wants[LIMITS], enum limit which[LIMITS])
{
    size_t n = 0;

    for (unsigned i = 0; i < LIMITS; i++) {
        enum limit limit = order[i];
        int64_t amount = p->cell[limit] ? amount_of(limit, need) : 0;

        if (amount <= 0)
            continue;
        wants[n] = (struct hold_want){.cell = p->cell[limit],
                                      .amount = amount,
                                      .lease = lease_of(limit, amount),
                                      .most = most_of(limit),
                                      .ahead_ms = ahead_of(limit),
                                      .minute = minute_of(p, limit)};
        which[n++] = limit;
    }
    return n;
}

void limits_used(const enum limit *which, size_t n, struct money charge, int64_t tokens,
                 int64_t used[LIMITS])
{
    const struct limits_need made = {.money = charge, .tokens = tokens};

    for (size_t i = 0; i < n; i++)
        used[i] = which[i] == LIMIT_KEY_PERMITS ? 0 : amount_of(which[i], &made);
}

size_t limits_money(const struct key_purses *p, struct cell *ret[LIMITS])
{
    size_t n = 0;

    for (unsigned i = 0; i < LIMITS; i++)
        if (words[order[i]].money && p->cell[order[i]])
            ret[n++] = p->cell[order[i]];
    return n;
}

struct money limits_money_left(const struct key_purses *p)
{
    int64_t least = limits_remaining(p, LIMIT_WALLET);

    for (enum limit l = LIMIT_KEY_BUDGET; l <= LIMIT_TEAM_BUDGET; l++) {
        int64_t budget = limits_remaining(p, l);

        if (budget >= 0 && (least < 0 || budget < least))
            least = budget;
    }
    return (struct money){least};
}

int64_t limits_remaining(const struct key_purses *p, enum limit limit)
{
    const struct cell *c = p->cell[limit];
    int64_t valid_until_ms = c ? atomic_load(&c->valid_until_ms) : 0;

    if (!c)
        return -1;
    if (!valid_until_ms)
        return p->left[limit]; /* nothing has been granted to this node yet */
    if (clock_mono_ms() >= valid_until_ms)
        return p->capacity[limit];
    return MAX(
        (int64_t)(atomic_load(&c->capacity) - atomic_load(&c->spoken_for) + atomic_load(&c->free)),
        (int64_t)0);
}

int64_t limits_resets_in_s(const struct key_purses *p, enum limit limit)
{
    const struct cell *c = p->cell[limit];
    int64_t until, now = clock_mono_ms();

    if (!c)
        return 0;
    until = atomic_load(&c->valid_until_ms);
    return until == INT64_MAX || until <= now ? 0 : (until - now + 999) / 1000;
}
