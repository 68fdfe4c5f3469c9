/* pace.h: how fast each target answers, seen from this node, for routes that want the fastest.
 *
 * Shared by all loops without a lock: every figure is an atomic of its own. Figures are moving means;
 * those that are old are forgotten, so that a target which was slow is tried again. */
#pragma once

#include "base/id.h"

/* Targets with figures that are not old; those beyond have none. */
#define PACE_SLOTS 4096
/* Figures that nothing has been added to for so long are not known any more. */
#define PACE_GOOD_MS 300000

struct pace_board;
int pace_board_new(struct pace_board **ret) _must_use_;
void pace_board_free(struct pace_board *b); /* NULL is fine */

struct pace {
    int64_t first_byte_us;
    int64_t tokens_per_ks; /* tokens in a thousand seconds, from sending to the end; 0: none were told */
};
/* A try that went well. Any thread. */
void pace_note(struct pace_board *b, struct target_id target, int64_t now_ms,
               const struct pace *pace);
/* False: nothing is known of it. b NULL: nothing of any. */
bool pace_read(struct pace_board *b, struct target_id target, int64_t now_ms, struct pace *ret);
