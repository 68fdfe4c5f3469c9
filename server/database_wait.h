/* database_wait.h: the first connection of a process, which its database may not be up for yet. */
#pragma once

#include <signal.h>

#include "db/db.h"

/* UNUSABLE: conninfo is no such thing, or there is no memory. ENDED: SIGTERM or SIGINT came. */
enum { DATABASE_WAIT_OK = 0, DATABASE_WAIT_UNUSABLE = 1, DATABASE_WAIT_ENDED = 2 };
/* Tries until the database answers. signals: blocked ones that end the waiting between two tries; SIGHUP is taken
 * and does nothing, since there is nothing that could be read again. One thread. */
int database_wait(const char *conninfo, const sigset_t *signals, struct db **ret) _must_use_;
