/* set.h: the rules that hold for one key, compiled; shared by all keys of a node that have the same.
 *
 * Immutable and counted; any thread. */
#pragma once

#include "base/digest.h"
#include "base/list.h"
#include "guard/guardrail.h"
#include "guard/pattern.h"

struct guard_rule {
    struct str name;
    unsigned finds, where;
    enum guard_action action;
    struct pattern **patterns; /* words are one of them */
    size_t n_patterns;
};

struct guards;

struct guard_set {
    struct guards *all_; /* NULL: of nobody else */
    struct list link_;
    unsigned refs_;      /* under the lock of all_ */
    struct arena *arena_;
    struct digest digest; /* of all that the rules say */
    unsigned where;       /* of any of them; bits */
    size_t n;
    struct guard_rule rule[GUARD_RULES_MAX];
};

/* Made of up to GUARD_RULES_MAX rules, which have been checked. 0 or < 0. */
int guard_set_new(const struct guardrail *rules, size_t n, struct guard_set **ret) _must_use_;
void guard_set_free(struct guard_set *s); /* NULL is fine; of a set that nobody shares */

/* The sets of a node. */
int guards_new(struct guards **ret) _must_use_;
void guards_free(struct guards *all); /* NULL is fine */
/* Reads a key's rules on any worker lane. *ret: a reference, or NULL where there are none. 0, DB_E_AWAY
 * or < 0. */
int guards_open(struct guards *all, struct db *db, struct team_id team, struct project_id project,
                struct key_id key, const struct guard_set **ret) _must_use_;
void guard_set_unref(const struct guard_set *s); /* any thread; NULL is fine */
