/* settle_sql.c: see settle_sql.h. */
#include "ledger/settle_sql.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "db/tx.h"

DB_QUERY(settle_all, "SELECT NOT settle_batch($1, $2, $3, $4) AS fenced")

int settle_sql(struct db *db, int64_t session, struct str calls, struct str attempts,
               struct str draws, bool *ret_fenced)
{
    struct arena *a = arena_new(KIB(64));
    int r = a ? failpoint_hit("settle.send") : err_origin(-ENOMEM);

    if (!r)
        r = db_begin(db, DB_SYSTEM, false);
    if (!r) {
        r = db_one(db, &settle_all, a,
                   DB_ARGS(db_i64(session), db_json(calls), db_json(attempts), db_json(draws)),
                   DB_COLS(db_col_bool("fenced", ret_fenced)));
        if (r == 0)
            r = db_commit(db);
        else
            db_rollback(db);
    }
    if (r == 0)
        r = failpoint_hit("settle.committed");
    arena_free(a);
    if (r == 0)
        return SETTLE_OK;
    if (r == DB_E_AWAY || r == -ECONNRESET || r == -ENOMEM || !db_alive(db))
        return SETTLE_E_AWAY;
    return SETTLE_E_REFUSED;
}
