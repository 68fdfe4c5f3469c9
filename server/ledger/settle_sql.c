/* settle_sql.c: see settle_sql.h. */
#include "ledger/settle_sql.h"

#include "base/failpoint.h"
#include "db/tx.h"

DB_QUERY(settle_all, "SELECT settle_batch($1, $2, $3, $4) AS live")

/* Data exceptions and integrity violations: SQLSTATE classes 22 and 23. */
static bool about_the_records(const struct db *db)
{
    struct str state = str_c(db_last_error(db));

    return str_starts(state, STR("22")) || str_starts(state, STR("23"));
}

int settle_sql(struct db *db, struct settle_call *call)
{
    int r = failpoint_hit("settle.send");

    if (!r)
        r = db_begin(db, DB_SYSTEM, false);
    if (r)
        return PORT_E_AWAY;
    r = db_one(db, &settle_all, NULL,
               DB_ARGS(db_i64(call->session), db_json(call->calls), db_json(call->attempts),
                       db_json(call->draws)),
               DB_COLS(db_col_bool("live", &call->live)));
    if (r == 0)
        r = db_commit(db);
    else
        db_rollback(db);
    if (r == 0)
        r = failpoint_hit("settle.committed");
    if (r == 0)
        return PORT_OK;
    return db_alive(db) && about_the_records(db) ? PORT_E_REFUSED : PORT_E_AWAY;
}
