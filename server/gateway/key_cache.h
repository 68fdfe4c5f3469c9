/* key_cache.h: the keys that one loop knows, by the full digest of their secrets.
 *
 * Bounded; least recently used goes first. A miss is one worker job, whoever else asks for the same
 * key meanwhile waits for it too. An unknown key is remembered for 5 s. With the database away,
 * entries stay good for 55 s after it last answered, those in doubt too, and what another loop of the node
 * knows is as good (key_book.h). Owned by its loop. */
#pragma once

#include "base/digest.h"
#include "base/list.h"
#include "gateway/key_book.h"

struct gateway;
struct key_cache;
struct refusal_sample; /* refusal.c */

/* How many refused calls of a key were recorded in this second, and what stands for the rest. */
struct refusal_tally {
    int64_t second;
    unsigned recorded;
    struct refusal_sample *sample; /* NULL: nothing is held back */
};

struct known_key {
    unsigned refs;
    struct key_cache *cache_;
    struct digest digest;
    struct key_facts *facts_;        /* a reference; NULL: unknown to the database, as the next two */
    const struct key_policy *policy; /* these three are of the facts */
    const struct key_purses *purses;
    const struct guard_set *guard; /* NULL: no rules hold for it */
    int64_t good_until_ms;         /* of an unknown key */
    struct refusal_tally tally;
    unsigned recheck_turn; /* gateway.c */
    bool looking_, stale_;
    bool anew_;    /* it is looked up since a change overtook the look-up before */
    bool doubted_; /* something has changed, perhaps this: looked up anew with its next use */
    int64_t doubt_due_ms_;
    int64_t asked_ms_;         /* while it is looked up: since when */
    struct known_key *before_; /* while it is looked up anew: what is known of it; a reference */
    struct list waiters_;
};

enum {
    KEYS_OK = 0,
    KEYS_E_WAIT = 1,    /* answered() will be called */
    KEYS_E_UNKNOWN = 2, /* there is no such key */
    KEYS_E_AWAY = 3,    /* it cannot be told now */
    KEYS_E_BUSY = 4,    /* the workers have too much to do */
};

struct key_waiter {
    struct list link;
    struct known_key *entry_; /* what it waits for; borrowed */
    bool late_;               /* key_waiter_late() has been asked */
    /* On the loop: KEYS_OK with a reference for the callee, KEYS_E_UNKNOWN or KEYS_E_AWAY. */
    void (*answered)(struct key_waiter *, int outcome, struct known_key *);
};

int key_cache_new(struct gateway *g, struct key_cache **ret) _must_use_;
void key_cache_free(
    struct key_cache *kc); /* what is still looked up answers nobody; NULL is fine */
/* KEYS_OK: *ret has a reference for the caller. */
int key_cache_find(struct key_cache *kc, const struct digest *digest, struct key_waiter *waiter,
                   struct known_key **ret) _must_use_;
/* For who has waited KEYS_LATE_MS: KEYS_OK with a reference to what was known before; where nothing was,
 * KEYS_E_WAIT the first time, and KEYS_E_AWAY the second. It waits on only with KEYS_E_WAIT. */
enum { KEYS_LATE_MS = 1000 };
int key_waiter_late(struct key_waiter *w, struct known_key **ret) _must_use_;
/* Waits no more. Safe when it does not wait. */
void key_waiter_leave(struct key_waiter *w);
struct known_key *known_key_ref(struct known_key *k);
void known_key_unref(struct known_key *k); /* NULL is fine */

/* Forgets a key, or a team's keys. What is being looked up, and may be one of them, is looked up once
 * more before anybody is answered. */
void key_cache_drop_key(struct key_cache *kc, struct key_id key);
void key_cache_drop_team(struct key_cache *kc, struct team_id team);
/* Anything may have changed: each is looked up anew with its next use, and as good as it was where
 * the database cannot tell. */
void key_cache_doubt(struct key_cache *kc);
size_t key_cache_size(const struct key_cache *kc);
