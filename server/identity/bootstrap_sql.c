/* bootstrap_sql.c: what the first start asks of the database. */
#include "identity/bootstrap_row.h"

#include "base/err.h"

DB_QUERY(bootstrap_wait, "SELECT pg_advisory_xact_lock(hashtextextended('bootstrap', 0))")

int bootstrap_lock(struct db *db)
{
    int r = db_exec(db, &bootstrap_wait, DB_NO_ARGS, NULL);

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(bootstrap_operator,
         "SELECT coalesce(min(id), 0) AS id FROM person WHERE is_operator AND disabled_at IS NULL")

int bootstrap_find_operator(struct db *db, struct user_id *ret)
{
    int r = db_one(db, &bootstrap_operator, NULL, DB_NO_ARGS, DB_COLS(db_col_i64("id", &ret->v)));

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(bootstrap_demo, "SELECT coalesce(min(id), 0) AS id FROM team WHERE demo")

int bootstrap_find_demo(struct db *db, struct team_id *ret)
{
    int r = db_one(db, &bootstrap_demo, NULL, DB_NO_ARGS, DB_COLS(db_col_i64("id", &ret->v)));

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(bootstrap_set_demo, "UPDATE team SET demo = true WHERE id = $1")

int bootstrap_mark_demo(struct db *db, struct team_id team)
{
    int r = db_exec(db, &bootstrap_set_demo, DB_ARGS(db_i64(team.v)), NULL);

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(bootstrap_post_grant,
         "SELECT post_grant($1, 'demo', $2, 'Demo credit', 'Credit for trying the demo models', 100,"
         "                  NULL, 'system', NULL, 'system')"
         " WHERE $2::bigint > 0 AND NOT EXISTS"
         "       (SELECT FROM transfer WHERE team_id = $1 AND code = 'GRANT' AND ref = 'demo')")

int bootstrap_grant(struct db *db, struct team_id team, struct money amount)
{
    int r = db_exec(db, &bootstrap_post_grant, DB_ARGS(db_i64(team.v), db_money(amount)), NULL);

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(bootstrap_key, "SELECT coalesce(min(id), 0) AS id FROM api_key"
                        " WHERE team_id = $1 AND name = $2 AND deleted_at IS NULL")

int bootstrap_find_key(struct db *db, struct team_id team, struct str name, struct key_id *ret)
{
    int r = db_one(db, &bootstrap_key, NULL, DB_ARGS(db_i64(team.v), db_text(name)),
                   DB_COLS(db_col_i64("id", &ret->v)));

    return r == 0 ? 0 : err_trace(db_fatal(r));
}
