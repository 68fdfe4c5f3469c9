/* webhook_sql.c: see webhook_rows.h. */
#include "notices/webhook_rows.h"

DB_QUERY(webhook_row, "SELECT url, sealed_secret FROM alert_webhook WHERE team_id = $1")
DB_QUERY(webhook_upsert,
         "INSERT INTO alert_webhook (team_id, url, sealed_secret) VALUES ($1, $2, $3)"
         " ON CONFLICT (team_id) DO UPDATE SET url = excluded.url,"
         "       sealed_secret = excluded.sealed_secret, set_at = now()")
DB_QUERY(webhook_delete, "DELETE FROM alert_webhook WHERE team_id = $1")

DB_QUERY(alarm_webhook_row, "SELECT url, sealed_secret FROM alarm_webhook")
DB_QUERY(alarm_webhook_upsert,
         "INSERT INTO alarm_webhook (url, sealed_secret) VALUES ($1, $2)"
         " ON CONFLICT (one) DO UPDATE SET url = excluded.url,"
         "       sealed_secret = excluded.sealed_secret, set_at = now()")
DB_QUERY(alarm_webhook_delete, "DELETE FROM alarm_webhook")

int webhook_find(struct db *db, struct arena *a, struct team_id team, struct str *ret_url,
                 struct str *ret_sealed)
{
    if (!team.v)
        return db_one(db, &alarm_webhook_row, a, DB_NO_ARGS,
                      DB_COLS(db_col_text("url", ret_url),
                              db_col_bytes("sealed_secret", ret_sealed)));
    return db_one(db, &webhook_row, a, DB_ARGS(db_i64(team.v)),
                  DB_COLS(db_col_text("url", ret_url), db_col_bytes("sealed_secret", ret_sealed)));
}

int webhook_write(struct db *db, struct team_id team, struct str url, struct str sealed)
{
    if (!team.v)
        return db_exec(db, &alarm_webhook_upsert, DB_ARGS(db_text(url), db_bytes(sealed)), NULL);
    return db_exec(db, &webhook_upsert,
                   DB_ARGS(db_i64(team.v), db_text(url), db_bytes(sealed)), NULL);
}

int webhook_remove(struct db *db, struct team_id team, int64_t *ret_rows)
{
    if (!team.v)
        return db_exec(db, &alarm_webhook_delete, DB_NO_ARGS, ret_rows);
    return db_exec(db, &webhook_delete, DB_ARGS(db_i64(team.v)), ret_rows);
}
