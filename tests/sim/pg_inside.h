/* pg_inside.h: the connection to the real PostgreSQL, for pg.c and pg_compare.c. */
#pragma once

#include "db/db.h"
#include "ledger/settle_sql.h"
#include "pg_fixture.h"

struct pg {
    struct pg_fixture fixture;
    struct db *db, *owner; /* as the server, and as the owner of the tables */
    struct settle_sql *sql;
    struct arena *arena;
    unsigned refs;
};
