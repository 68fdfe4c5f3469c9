/* installation_sql.c: see installation.h. */
#include "logs/installation.h"

#include "base/err.h"
#include "db/rows.h"

DB_QUERY(installation_node_rows,
         "SELECT s.id, s.node_name, s.version, s.state, s.opened_at, s.seen_at,"
         "       (extract(epoch FROM clock_timestamp() - s.seen_at) * 1000)::bigint AS silence_ms,"
         "       (SELECT count(*) FROM lease l WHERE l.session_id = s.id) AS leases"
         "  FROM node_session s"
         " WHERE s.state = 'live' OR s.seen_at > now() - interval '1 day'"
         " ORDER BY s.state = 'live' DESC, s.id DESC LIMIT 100")

int installation_nodes(struct db *db, struct arena *a, struct node_page *ret)
{
    struct node_row row = {0};
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &installation_node_rows, a, DB_NO_ARGS,
                    DB_COLS(db_col_i64("id", &row.id), db_col_text("node_name", &row.name),
                            db_col_text("version", &row.version),
                            db_col_text("state", &row.state),
                            db_col_time_us("opened_at", &row.opened_us),
                            db_col_time_us("seen_at", &row.seen_us),
                            db_col_i64("silence_ms", &row.silence_ms),
                            db_col_i64("leases", &row.leases)),
                    db_rows_push, &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct node_page){rows.v, rows.n};
    return 0;
}

/* Partitions are the children of call. */
DB_QUERY(installation_database_facts,
         "SELECT pg_database_size(current_database()) AS bytes,"
         "       pg_postmaster_start_time() AS started_at,"
         "       (SELECT numbackends FROM pg_stat_database"
         "         WHERE datname = current_database()) AS connections,"
         "       current_setting('max_connections')::integer AS max_connections,"
         "       current_setting('server_version') AS version,"
         "       (SELECT coalesce(sum(pg_total_relation_size(inhrelid)), 0)::bigint"
         "          FROM pg_inherits"
         "         WHERE inhparent = 'call'::regclass) AS call_bytes")

int installation_database(struct db *db, struct arena *a, struct database_facts *ret)
{
    struct database_facts f = {0};
    int r = db_one(db, &installation_database_facts, a, DB_NO_ARGS,
                   DB_COLS(db_col_i64("bytes", &f.bytes),
                           db_col_time_us("started_at", &f.started_us),
                           db_col_i32("connections", &f.connections),
                           db_col_i32("max_connections", &f.max_connections),
                           db_col_text("version", &f.version),
                           db_col_i64("call_bytes", &f.call_bytes)));

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = f;
    return 0;
}

/* Who and when stand in the audit log: the last entry of that action about the object. Changes of
 * models belong to no team. */
#define LAST_BY(team, object, action)                                                              \
    "  LEFT JOIN LATERAL (SELECT l.actor_name, l.at FROM audit l"                                  \
    "                      WHERE l.team_id " team " AND l.object = " object                        \
    "                        AND l.action = '" action "'"                                          \
    "                      ORDER BY l.id DESC LIMIT 1) l ON true"

DB_QUERY(installation_incident_rows,
         "SELECT 0 AS kind, m.id, m.name, a.name || ' · ' || t.upstream_model AS detail,"
         "       coalesce(l.actor_name, '') AS by, l.at"
         "  FROM model m JOIN target t ON t.id = m.pinned_target_id"
         "       JOIN provider_account a ON a.id = t.account_id"
         LAST_BY("IS NULL", "'model:' || m.id", "model.pin")
         " UNION ALL "
         "SELECT 1, m.id, m.name, m.route_off_reason, coalesce(l.actor_name, ''), l.at"
         "  FROM model m"
         LAST_BY("IS NULL", "'model:' || m.id", "model.switch_off")
         " WHERE m.route_off_reason IS NOT NULL"
         " UNION ALL "
         "SELECT 2, t.id, t.name, t.frozen_reason, coalesce(l.actor_name, ''), l.at"
         "  FROM team t"
         LAST_BY("= t.id", "'team:' || t.id", "team.freeze")
         " WHERE t.frozen_at IS NOT NULL"
         " ORDER BY kind, id LIMIT 50")

int installation_incidents(struct db *db, struct arena *a, struct incident_page *ret)
{
    struct incident_row row = {0};
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &installation_incident_rows, a, DB_NO_ARGS,
                    DB_COLS(db_col_i32("kind", &row.kind), db_col_i64("id", &row.id),
                            db_col_text("name", &row.name), db_col_text("detail", &row.detail),
                            db_col_text("by", &row.by), db_col_time_us("at", &row.at_us)),
                    db_rows_push, &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct incident_page){rows.v, rows.n};
    return 0;
}
