/* change_sql.c: see change.h. */
#include <errno.h>

#include "base/err.h"
#include "catalog/change.h"

DB_QUERY(catalog_note_change, "SELECT note_change('catalogue')");

int change_failed(int db_outcome)
{
    if (db_outcome == DB_E_AWAY)
        return -ENOTCONN;
    return db_outcome < 0 ? err_trace(db_outcome) : err_origin(-EPROTO);
}

int change_record(struct db *db, const struct actor *actor, const struct change *change)
{
    const struct audit_entry entry = {
        .action = change->action,
        .kind = change->kind,
        .object_id = change->object_id,
        .before = change->before,
        .after = change->after,
    };
    int r = audit_write(db, actor, &entry);

    if (r == 0)
        r = db_exec(db, &catalog_note_change, DB_NO_ARGS, NULL);
    return r ? change_failed(r) : CHANGE_OK;
}
