/* key_book.h: what the database told of keys, for all loops of a node: where it does not tell, a loop that
 * does not know a key takes from here what another one knows of it.
 *
 * Bounded; who was looked up least lately goes first. Any thread; one lock, which no call takes whose loop
 * knows its key. A change is told to the book before it is told to the loops, so that none of them takes
 * from here what it is about to forget. */
#pragma once

#include <stdatomic.h>

#include "base/digest.h"
#include "identity/key.h"

struct key_purses; /* limits/limits.h */
struct guard_set;  /* guard/set.h */

/* Immutable and counted; any thread. */
struct key_facts {
    atomic_uint refs;
    struct key_policy *policy;
    struct key_purses *purses;
    const struct guard_set *guard; /* NULL: no rules hold for it */
};
struct key_facts *key_facts_new(void) _must_use_; /* all NULL, for one thread to fill in; NULL: out of memory */
struct key_facts *key_facts_ref(struct key_facts *f);
void key_facts_unref(struct key_facts *f); /* NULL is fine */

struct key_book;

int key_book_new(struct key_book **ret) _must_use_;
void key_book_free(struct key_book *b); /* NULL is fine */
/* Counts the changes that it was told of. To be noted before the database is asked. */
uint64_t key_book_turn(const struct key_book *b);
/* Keeps a reference, unless something has changed since that turn: perhaps this. */
void key_book_put(struct key_book *b, const struct digest *digest, struct key_facts *f, uint64_t turn);
/* NULL: nothing is known; else the caller's reference. */
struct key_facts *key_book_get(struct key_book *b, const struct digest *digest) _must_use_;
void key_book_drop(struct key_book *b, const struct digest *digest);
void key_book_drop_key(struct key_book *b, struct key_id key);
void key_book_drop_team(struct key_book *b, struct team_id team);
