/* settle_sql.h: the port's settle call as a statement. Flusher thread. For this room and the
 * simulator. */
#pragma once

#include "db/db.h"
#include "lease/port.h"

struct settle_sql;
struct settle_sql *settle_sql_new(void) _must_use_;
void settle_sql_free(struct settle_sql *s); /* NULL is fine */

/* A PORT_* outcome. REFUSED only for what the database says of the records themselves; whatever
 * else fails may be better tomorrow. */
int settle_sql(struct settle_sql *s, struct db *db, struct settle_call *call) _must_use_;
