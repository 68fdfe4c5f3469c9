/* health.h: how each provider account is doing, seen from this node: a breaker and moving figures.
 *
 * Shared by all loops of the process without a lock: every field is an atomic of its own, figures
 * may be one try behind each other. A slot is found by account id and lives as long as the board,
 * so it outlives catalogue snapshots; on a full board one whose account is idle becomes another's, and
 * a try that was still under way on it is told of that one. Times are clock_mono_ms(). */
#pragma once

#include "base/id.h"

/* Accounts of the installation on one board, and of teams' own, which take no room from those; beyond
 * those that are in use accounts share one slot that never cools down. */
#define HEALTH_SLOTS 4096
#define HEALTH_OWN_SLOTS 32768
/* An account that has not been tried for so long gives its slot up to one that has none. */
#define HEALTH_IDLE_MS 3600000
/* Failures in a row before an account is left alone. */
#define HEALTH_FAILURES_MAX 3
/* The first cool-down; doubled with each further one up to the ceiling, +-20% jitter. */
#define HEALTH_COOL_FIRST_MS 2000
#define HEALTH_COOL_MAX_MS 60000
/* What a Retry-After may ask for at most. */
#define HEALTH_RETRY_AFTER_MAX_MS 300000
/* A wrong or unpaid credential is not tried again sooner. */
#define HEALTH_CREDENTIAL_MS 60000
/* How long the one probe after a cool-down keeps others away. */
#define HEALTH_PROBE_MS 10000

struct health_board;
struct health; /* one account's slot */

int health_board_new(struct health_board **ret) _must_use_;
void health_board_free(struct health_board *b); /* NULL is fine */
/* The slot of an account, of the installation or a team's own, claimed on first use. Never NULL. Any
 * thread. */
struct health *health_at(struct health_board *b, struct account_id account, bool own);
static inline struct health *health_of(struct health_board *b, struct account_id account)
{
    return health_at(b, account, false);
}

enum health_state {
    HEALTH_UP,      /* use it */
    HEALTH_PROBING, /* cooled down; the next try decides */
    HEALTH_COOLING, /* left alone: until the end of the cool-down, or while a probe is out */
};
enum health_state health_state(const struct health *h, int64_t now_ms);
const char *health_state_name(enum health_state s); /* "up", "probing", "cooling" */

/* Call before each try. False: it is cooling, or its one probe is out; take another candidate if
 * there is one, or try anyhow. Whether or not, one of the three below follows each try. */
bool health_begin(struct health *h, int64_t now_ms);

enum health_failure {
    HEALTH_FAILED,       /* connect, timeout, 5xx, reset, malformed answer */
    HEALTH_RATE_LIMITED, /* 429: cools down at once */
    HEALTH_CREDENTIAL,   /* 401, 402, 403: cools down at once, for long */
};
void health_succeeded(struct health *h, int64_t now_ms, int64_t first_byte_us, int64_t latency_us);
/* retry_after_ms <= 0: the upstream named none. */
void health_failed(struct health *h, int64_t now_ms, enum health_failure failure,
                   int64_t retry_after_ms);
/* The try told nothing about the account: the client left, or was wrong. */
void health_untold(struct health *h);
/* An operator says that it works again. */
void health_reset(struct health *h);

struct health_view { /* for pages */
    enum health_state state;
    int64_t cool_for_ms; /* 0 unless cooling */
    int64_t down_since_ms; /* since when nothing has succeeded that ended a cool-down; 0: it is up */
    int64_t failed_ms;     /* the last failure; 0: none */
    uint32_t failures_in_a_row;
    uint32_t error_ppm;                /* moving share of failed tries, parts per million */
    int64_t first_byte_us, latency_us; /* moving means; 0 before the first success */
    uint64_t tries, failures;          /* since the process started */
    enum health_failure last_failure;  /* why it cools, while it does */
};
void health_read(const struct health *h, int64_t now_ms, struct health_view *ret);
