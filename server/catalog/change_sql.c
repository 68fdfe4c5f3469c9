/* change_sql.c: see change.h. */
#include "base/err.h"
#include "catalog/change.h"

DB_QUERY(catalog_note_change, "SELECT note_change('catalogue')")

int change_record(struct db *db, const struct actor *actor, const struct change *change)
{
    const struct audit_entry entry = {
        .action = change->action,
        .kind = change->kind,
        .object_id = change->object_id,
        .team = change->team,
        .before = change->before,
        .after = change->after,
    };
    int r = audit_write(db, actor, &entry);

    if (r == 0)
        r = db_exec(db, &catalog_note_change, DB_NO_ARGS, NULL);
    return r ? err_trace(db_fatal(r)) : CHANGE_OK;
}

/* The number is this query's own. */
DB_QUERY(catalog_take_lock, "SELECT pg_advisory_xact_lock(8302211700101)")

int catalog_lock(struct db *db)
{
    return db_exec(db, &catalog_take_lock, DB_NO_ARGS, NULL);
}
