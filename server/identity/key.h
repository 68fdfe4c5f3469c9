/* key.h: a virtual key as the gateway sees it: an immutable policy that may be shared by threads.
 *
 * It carries what was true when it was read; the gateway's cache drops it when the listener says
 * `key:ID` or `team:ID`. Keys that are disabled, expired, or of a frozen team are found too, so
 * that the refused call can be put on the record. */
#pragma once

#include <stdatomic.h>

#include "db/db.h"

/* A block of addresses; IPv4 as ::ffff:a.b.c.d, bits of 128. */
struct key_block {
    uint8_t ip[16];
    uint8_t bits;
};
bool key_block_parse(struct str text, struct key_block *ret);
bool key_block_has(const struct key_block *block, const uint8_t ip[16]);

enum key_window {
    KEY_WINDOW_NONE,
    KEY_WINDOW_DAY,
    KEY_WINDOW_WEEK,
    KEY_WINDOW_MONTH,
    KEY_WINDOW_LIFETIME
};
const char *key_window_name(enum key_window window); /* "day" ...; NULL for none */
bool key_window_parse(struct str name, enum key_window *ret);

struct key_policy {
    atomic_uint refs;
    struct arena *arena_;
    struct key_id key;
    struct team_id team;
    struct project_id project; /* 0: none */
    struct user_id owner;      /* 0: none */
    struct str name, prefix, last4;
    const struct str *models; /* public names; none: every model */
    size_t n_models;
    const struct key_block *blocks; /* none: every address */
    size_t n_blocks;
    int64_t created_at_us;
    int64_t expires_at_us; /* Unix time; 0: never. The end of the overlap for a rotated secret. */
    bool disabled;
    int64_t rpm, tpm, concurrency; /* 0: no limit */
    enum key_window budget_window; /* KEY_WINDOW_NONE: no budget */
    struct money budget;
    bool team_frozen;
    struct str team_time_zone; /* budget windows turn in it */
    int64_t response_days;     /* how long the team keeps responses; 0: not at all */
    int64_t cache_seconds;     /* how old a kept answer may be; 0: none are kept, see cache/asked.h */
    bool cache_own;            /* only answers to its own calls */
    int32_t cache_similarity_bp; /* how near another question has to be, 1/10000; 0: only the same one */
    int64_t cache_cleared_us;  /* what the team's keys had kept before counts no more; Unix time */
    bool shadow_opt_out;       /* the team's calls are asked of no second model: 0015_shadow */
    bool guarded;              /* there are rules that may hold for it: guard/guardrail.h */
    struct str tags;           /* JSON object text */
};

/* By the keyed digest of the whole secret. *ret has one reference, which the caller owns. Runs its
 * own transaction (system scope); any worker lane. */
enum { KEY_OK = 0, KEY_E_UNKNOWN = 1, KEY_E_AWAY = DB_E_AWAY };
int key_find(struct db *db, const struct digest *digest, struct key_policy **ret) _must_use_;
struct key_policy *key_policy_ref(struct key_policy *policy);
void key_policy_unref(struct key_policy *policy); /* NULL is fine */

bool key_policy_allows_model(const struct key_policy *policy, struct str model);
bool key_policy_allows_address(const struct key_policy *policy, const uint8_t ip[16]);
