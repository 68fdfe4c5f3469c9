/* alarm_watch.h: what a node does about a database that is away: it says so at once, with what it has read before,
 * and when the database is back sees to it that the outage stands among the alarms.
 *
 * Of several nodes the one whose session is the oldest says it at once; should it have died, the outage is told
 * afterwards. One thread. */
#pragma once

#include "notices/alarm.h"

/* So long it has to be away. */
#define ALARM_AWAY_MS 30000

struct alarm_watch;
int alarm_watch_new(const struct notices *n, struct str node_name, struct alarm_watch **ret) _must_use_;
void alarm_watch_free(struct alarm_watch *w); /* NULL is fine */

/* The database is here: tells of an outage that is over, and reads whom to tell of the next one. Own
 * transactions. */
int alarm_watch_here(struct alarm_watch *w, struct db *db, int64_t session) _must_use_;
/* It cannot be reached. Waits for the mail server and the webhook, once in an outage; stop is asked from time to
 * time. */
void alarm_watch_away(struct alarm_watch *w, bool (*stop)(void *ctx), void *ctx);
