/* cancel.h: calling off a statement that runs on another thread's connection, when the process ends. */
#pragma once

#include "db/db.h"

struct db_cancel;
/* By the connection's thread; NULL: it cannot be called off. */
struct db_cancel *db_cancel_new(const struct db *db);
void db_cancel_fire(struct db_cancel *c); /* any thread */
void db_cancel_free(struct db_cancel *c); /* NULL is fine */
