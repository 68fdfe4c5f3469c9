/* answers.h: the answers that a node keeps, to give them again to who asks the same (asked.h).
 *
 * In memory only, for each node by itself, bounded: what was used longest ago leaves first. One lock,
 * held for a look-up or a change of the map and never while bytes are copied; who keeps no answers
 * never comes here. An answer is immutable and counted: who has found one holds it as long as it is
 * needed, whatever leaves the map meanwhile. Any thread. */
#pragma once

#include "base/id.h"
#include "base/money.h"
#include "cache/alike.h"
#include "cache/question.h"

struct answers;

/* What a kept answer is, beside its bytes. Texts are copied when it is kept. */
struct answer_facts {
    bool stream; /* the bytes are events, whole ones */
    struct str served_model, provider, account_name, finish_reason;
    struct str dropped;      /* p NULL: nothing was left out of its request */
    struct str content_type; /* of a plain answer */
    struct model_id model;
    struct target_id target; /* that made it */
    struct account_id account;
    struct money charge; /* that the call which made it was charged */
};

struct answer {
    struct answer_facts facts;
    struct str bytes;
    int64_t made_ms; /* on the clock of who kept it: clock_mono_ms() */
};

/* max_bytes > 0. */
int answers_new(size_t max_bytes, struct answers **ret) _must_use_;
void answers_free(struct answers *all); /* NULL is fine; after everybody has let go */
/* 32 random bytes that digests of this node's answers are made with. */
const uint8_t *answers_pepper(const struct answers *all);
/* More than this is not kept as one answer. */
size_t answers_most(const struct answers *all);

/* The answer of that digest that is at most so old, and not over; a reference for the caller. NULL:
 * there is none. Counted as a hit or a miss. */
const struct answer *answers_find(struct answers *all, const struct digest *digest, int64_t now_ms,
                                  int64_t max_age_ms);
void answer_unref(const struct answer *a); /* NULL is fine */
/* A copy, for keep_ms from now; one of the same digest is replaced. False: it is too large, or there
 * is no memory: nothing was kept. */
bool answers_keep(struct answers *all, const struct digest *digest, struct team_id team,
                  const struct answer_facts *facts, struct str bytes, int64_t now_ms,
                  int64_t keep_ms);

/* Answers by likeness: those whose requests differ only in their last text lie in one bucket, known by the
 * digest of all the rest. A bucket has 64 at most, so a search is that many products; who was
 * found longest ago makes room. Their vectors are within the bound of bytes. */
struct likeness {
    struct digest bucket;
    struct question question;
    struct alike_vector vector; /* copied where it is kept */
};
/* Is there an answer in the bucket that is at most so old, so that a vector is worth having? */
bool answers_has_alike(struct answers *all, const struct digest *bucket, int64_t now_ms,
                       int64_t max_age_ms);
/* The nearest that is at least so near (hundredths of a percent) and that may() lets through; a reference.
 * Of the same words in another order there is none. Compared outside the lock. */
const struct answer *answers_find_alike(struct answers *all, const struct likeness *asked,
                                        int64_t now_ms, int64_t max_age_ms, int least_bp,
                                        bool (*may)(void *ctx, const struct answer *a), void *ctx,
                                        int *ret_bp);
/* What was kept under the digest is found by likeness from now on. */
void answers_place(struct answers *all, const struct digest *digest, const struct likeness *l);

/* Gives the memory of a team's answers back: they were cleared, so nobody finds them any more
 * (asked.h). */
void answers_forget(struct answers *all, struct team_id team);

struct answers_view {
    uint64_t hits, misses, kept, evicted; /* since the start; evicted: for lack of room */
    uint64_t entries, bytes, max_bytes;
    uint64_t alike_hits, alike_misses; /* searches by likeness */
    uint64_t vectors;                  /* answers that are found so */
};
void answers_read(struct answers *all, struct answers_view *ret);
