/* lease_sql.h: the port's calls as statements: each fills its call's answer and returns a PORT_*
 * outcome. All under the system scope, each a transaction of its own. For this room only. */
#pragma once

#include "db/db.h"
#include "lease/port.h"

int lease_sql_grant(struct db *db, struct grant_call *call) _must_use_;
int lease_sql_back(struct db *db, struct back_call *call) _must_use_;
int lease_sql_open(struct db *db, const char *name, const char *version,
                   struct session_call *call) _must_use_;
int lease_sql_heartbeat(struct db *db, struct session_call *call) _must_use_;
int lease_sql_close(struct db *db, struct session_call *call) _must_use_;
int lease_sql_look(struct db *db, struct look_call *call) _must_use_;
int lease_sql_reap(struct db *db, struct reap_call *call) _must_use_;
