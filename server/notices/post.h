/* post.h: sends what waits in the outbox. One of each for a channel's thread; several nodes may each have
 * theirs, since a message is taken by one at a time. */
#pragma once

#include "notices/outbox.h"

struct post;
int post_new(const struct notices *n, enum outbox_channel channel, struct post **ret) _must_use_;
void post_free(struct post *p); /* NULL is fine */

/* Sends until nothing may be tried, or stop says so; what failed is tried again later, and what is of no use
 * any more is given up, with a line in the log. Own transactions. */
int post_round(struct post *p, struct db *db, bool (*stop)(void *ctx), void *ctx) _must_use_;
