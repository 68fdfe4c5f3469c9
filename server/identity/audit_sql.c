/* audit_sql.c: writing and reading the audit log. */
#include "identity/audit.h"

#include "base/err.h"
#include "db/rows.h"

static const char *const kinds[] = {
    [ACTOR_USER] = "user",
    [ACTOR_OPERATOR] = "operator",
    [ACTOR_KEY] = "key",
    [ACTOR_SYSTEM] = "system",
};

const char *actor_kind_name(enum actor_kind kind)
{
    return kinds[kind];
}

DB_QUERY(audit_add,
         "INSERT INTO audit (team_id, actor_kind, actor_id, actor_name, action, object, before,"
         "                   after, address)"
         " VALUES (nullif($1::bigint, 0), $2, nullif($3::bigint, 0), $4, $5,"
         "         $6::text || ':' || $7::bigint, $8, $9, coalesce($10, ''))")

int audit_write(struct db *db, const struct actor *actor, const struct audit_entry *entry)
{
    int r = db_exec(db, &audit_add,
                    DB_ARGS(db_i64(entry->team.v), db_cstr(actor_kind_name(actor->kind)),
                            db_i64(actor->id), db_text(actor->name), db_cstr(entry->action),
                            db_cstr(entry->kind), db_i64(entry->object_id), db_json(entry->before),
                            db_json(entry->after), db_text(actor->address)),
                    NULL);

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

/* Deep pages stay cheap: the id is the order. */
DB_QUERY(audit_page,
         "SELECT a.id, coalesce(a.team_id, 0) AS team, a.at, a.actor_kind, a.actor_name, a.action,"
         "       a.object, a.before::text AS before, a.after::text AS after, a.address,"
         "       t.name AS team_name"
         "  FROM audit a LEFT JOIN team t ON t.id = a.team_id"
         " WHERE ($1::bigint = 0 OR a.team_id = $1) AND ($2::bigint = 0 OR a.id < $2)"
         "   AND starts_with(a.action, coalesce($3, ''))"
         " ORDER BY a.id DESC LIMIT $4")

int audit_list(struct db *db, struct arena *a, const struct audit_filter *filter,
               struct audit_page *ret)
{
    struct audit_entry row = {0};
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(
        db, &audit_page, a,
        DB_ARGS(db_i64(filter->team.v), db_i64(filter->before_id), db_text(filter->action),
                db_i32(MIN(filter->limit, 200))),
        DB_COLS(db_col_i64("id", &row.id), db_col_i64("team", &row.team.v),
                db_col_time_us("at", &row.at_us), db_col_text("actor_kind", &row.actor_kind),
                db_col_text("actor_name", &row.actor_name), db_col_text("action", &row.action_text),
                db_col_text("object", &row.object), db_col_text("before", &row.before),
                db_col_text("after", &row.after), db_col_text("address", &row.address),
                db_col_text("team_name", &row.team_name)),
        db_rows_push, &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct audit_page){rows.v, rows.n};
    return 0;
}
