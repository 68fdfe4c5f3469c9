/* settle_sql.h: the port's settle call as a statement. Flusher thread. For this room only. */
#pragma once

#include "db/db.h"
#include "lease/port.h"

/* A PORT_* outcome. REFUSED only for what the database says of the records themselves; whatever
 * else fails may be better tomorrow. */
int settle_sql(struct db *db, struct settle_call *call) _must_use_;
