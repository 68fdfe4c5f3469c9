/* session_sql.c: sessions as the database keeps them. */
#include "identity/session.h"

#include <errno.h>

#include "base/err.h"
#include "base/secret.h"
#include "db/rows.h"

/* A key of its own per purpose, so that an invite's token is not a session. */
struct digest session_digest(const uint8_t session_pepper[32], const char *purpose,
                             struct str token)
{
    struct digest key = digest_keyed(session_pepper, str_c(purpose));

    return digest_keyed(key.b, token);
}

DB_QUERY(session_by_digest,
         "SELECT s.id, p.id AS user_id, p.email, p.name, p.is_operator, s.by_provider,"
         "       coalesce(m.team_id, 0) AS team_id, coalesce(m.role, 'viewer') AS role,"
         "       t.name AS team_name, t.time_zone,"
         "       coalesce(t.frozen_at IS NOT NULL, false) AS frozen,"
         "       s.seen_at < now() - interval '1 minute' AS stale,"
         "       s.team_id IS DISTINCT FROM m.team_id AS moved"
         "  FROM session s JOIN person p ON p.id = s.user_id"
         "  LEFT JOIN LATERAL (SELECT * FROM member WHERE user_id = p.id"
         "                      ORDER BY team_id = s.team_id DESC NULLS LAST, joined_at, team_id"
         "                      LIMIT 1) m ON true"
         "  LEFT JOIN team t ON t.id = m.team_id"
         " WHERE s.digest = $1 AND p.disabled_at IS NULL AND s.expires_at > now()"
         "   AND s.seen_at > now() - CASE WHEN p.is_operator THEN interval '30 minutes'"
         "                                ELSE interval '2 hours' END")

DB_QUERY(session_touch,
         "UPDATE session SET seen_at = now(), team_id = nullif($2::bigint, 0) WHERE id = $1")

static int csrf_of(struct arena *a, const uint8_t session_pepper[32], struct str token,
                   struct str *ret)
{
    struct digest d = session_digest(session_pepper, "csrf", token);
    char hex[65];

    digest_hex(&d, hex);
    *ret = arena_str(a, str_c(hex));
    return ret->p ? 0 : err_origin(-ENOMEM);
}

int session_find(struct db *db, struct arena *a, const uint8_t session_pepper[32], struct str token,
                 struct session *ret)
{
    struct digest digest = session_digest(session_pepper, "session", token);
    struct session s = {0};
    struct str role;
    bool stale, moved;

    if (!secret_token_wellformed(token, ""))
        return IDENTITY_E_NONE;
    int r = db_one(
        db, &session_by_digest, a, DB_ARGS(db_digest(&digest)),
        DB_COLS(db_col_i64("id", &s.id), db_col_i64("user_id", &s.user.v),
                db_col_text("email", &s.email), db_col_text("name", &s.name),
                db_col_bool("is_operator", &s.is_operator),
                db_col_bool("by_provider", &s.by_provider), db_col_i64("team_id", &s.team.v),
                db_col_text("role", &role), db_col_text("team_name", &s.team_name),
                db_col_text("time_zone", &s.team_time_zone), db_col_bool("frozen", &s.team_frozen),
                db_col_bool("stale", &stale), db_col_bool("moved", &moved)));

    if (r == DB_E_NONE)
        return IDENTITY_E_NONE;
    if (r == 0 && !role_parse(role, &s.role))
        r = -EPROTO;
    if (r == 0 && (stale || moved))
        r = db_exec(db, &session_touch, DB_ARGS(db_i64(s.id), db_i64(s.team.v)), NULL);
    if (r == 0)
        r = csrf_of(a, session_pepper, token, &s.csrf);
    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = s;
    return 0;
}

DB_QUERY(session_add,
         "INSERT INTO session (digest, user_id, team_id, address, user_agent, by_provider, expires_at)"
         " VALUES ($1, $2, (SELECT s.team_id FROM session s WHERE s.user_id = $2"
         "                   ORDER BY s.seen_at DESC LIMIT 1),"
         "         coalesce($3, ''), left(coalesce($4, ''), 200), $5,"
         "         now() + make_interval(hours => $6))")

int session_start(struct db *db, struct arena *a, const uint8_t session_pepper[32],
                  struct user_id user, const struct session_from *from, struct session_made *ret)
{
    struct str token = secret_token(a, "");

    if (!token.p)
        return err_origin(-ENOMEM);
    struct digest digest = session_digest(session_pepper, "session", token);
    int r = db_exec(db, &session_add,
                    DB_ARGS(db_digest(&digest), db_i64(user.v), db_text(from->address),
                            db_text(from->user_agent), db_bool(from->by_provider),
                            db_i32(SESSION_HOURS)),
                    NULL);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct session_made){token, user};
    return 0;
}

DB_QUERY(session_delete, "DELETE FROM session WHERE digest = $1")

int session_end(struct db *db, const uint8_t session_pepper[32], struct str token)
{
    struct digest digest = session_digest(session_pepper, "session", token);
    int r = db_exec(db, &session_delete, DB_ARGS(db_digest(&digest)), NULL);

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(session_delete_all, "DELETE FROM session WHERE user_id = $1 AND id <> $2")

int session_end_all(struct db *db, struct user_id user, int64_t keep_id, int64_t *ret_ended)
{
    int r = db_exec(db, &session_delete_all, DB_ARGS(db_i64(user.v), db_i64(keep_id)), ret_ended);

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(session_delete_one, "DELETE FROM session WHERE user_id = $1 AND id = $2")

int session_end_one(struct db *db, struct user_id user, int64_t id)
{
    int64_t rows = 0;
    int r = db_exec(db, &session_delete_one, DB_ARGS(db_i64(user.v), db_i64(id)), &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    return rows ? 0 : IDENTITY_E_NONE;
}

DB_QUERY(session_set_team,
         "UPDATE session s SET team_id = $3, seen_at = now()"
         " WHERE s.id = $1 AND s.user_id = $2"
         "   AND EXISTS (SELECT FROM member m WHERE m.user_id = $2 AND m.team_id = $3)")

int session_show_team(struct db *db, int64_t id, struct user_id user, struct team_id team)
{
    int64_t rows = 0;
    int r =
        db_exec(db, &session_set_team, DB_ARGS(db_i64(id), db_i64(user.v), db_i64(team.v)), &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    return rows ? 0 : IDENTITY_E_NONE;
}

DB_QUERY(session_rows, "SELECT id, created_at, seen_at, address, user_agent FROM session"
                       " WHERE user_id = $1 AND expires_at > now() ORDER BY seen_at DESC LIMIT 100")

int session_list(struct db *db, struct arena *a, struct user_id user, struct session_page *ret)
{
    struct session_row row = {0};
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(
        db, &session_rows, a, DB_ARGS(db_i64(user.v)),
        DB_COLS(db_col_i64("id", &row.id), db_col_time_us("created_at", &row.created_at_us),
                db_col_time_us("seen_at", &row.seen_at_us), db_col_text("address", &row.address),
                db_col_text("user_agent", &row.user_agent)),
        db_rows_push, &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct session_page){rows.v, rows.n};
    return 0;
}

DB_QUERY(session_delete_ended,
         "WITH resets AS (DELETE FROM reset_token WHERE expires_at < now()),"
         "     tries AS (DELETE FROM login_attempt WHERE at < now() - interval '30 days')"
         " DELETE FROM session WHERE expires_at < now() OR seen_at < now() - interval '1 day'")

int session_sweep(struct db *db)
{
    int r = db_exec(db, &session_delete_ended, DB_NO_ARGS, NULL);

    return r == 0 ? 0 : err_trace(db_fatal(r));
}
