/* quota.h: how much of an account's own limits by the minute this node has used: requests, and tokens
 * as they are expected, put right when they are known.
 *
 * Shared by all loops without a lock. Minutes are of the clock, as those of keys are. Only accounts with
 * a limit are asked about, so that others cost nothing. A limit is the provider's, so what a node may
 * have of it is the caller's to say: the limit, divided by the nodes that live. */
#pragma once

#include "base/id.h"

/* Accounts with limits that are asked in the same minute; those beyond are not limited. */
#define QUOTA_SLOTS 1024
/* The most tokens of a minute that are counted: larger limits are none. */
#define QUOTA_TOKENS_MAX ((int64_t)1 << 39)

struct quota_board;
int quota_board_new(struct quota_board **ret) _must_use_;
void quota_board_free(struct quota_board *b); /* NULL is fine */

struct quota {
    int64_t requests, tokens; /* of a minute; 0: no limit */
};
/* Takes a request and its tokens of this minute, both or none. False: one of them does not fit; more
 * tokens than a whole minute has fit into one of which none are used. */
bool quota_take(struct quota_board *b, struct account_id account, int64_t wall_us,
                const struct quota *limit, int64_t tokens);
/* tokens more were used than were taken at that time, or fewer; of a minute that is over nothing is
 * changed. */
void quota_correct(struct quota_board *b, struct account_id account, int64_t taken_wall_us,
                   int64_t now_wall_us, int64_t tokens);
