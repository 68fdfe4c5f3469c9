/* troubles.h: what this node sees amiss that operators are told of (notices/alarm.h): provider accounts that
 * fail, calls that cannot be written down or settled, a database that is away. One thread. */
#pragma once

#include "gateway/services.h"

struct troubles;
/* poll_ms: how often it looks. */
int troubles_new(const struct services *services, int poll_ms, struct troubles **ret) _must_use_;
void troubles_free(struct troubles *t); /* NULL is fine */

/* Reports what is amiss now, and judges for all nodes where none has. Own transactions. */
int troubles_look(struct troubles *t, struct db *db) _must_use_;
/* In its place while the database is away; see alarm_watch_away(). */
void troubles_away(struct troubles *t, bool (*stop)(void *ctx), void *ctx);
