/* invite_sql.c: invitations as the database keeps them. */
#include "identity/invite.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/secret.h"
#include "db/rows.h"
#include "identity/field.h"
#include "identity/session.h"

#define INVITE_DAYS 7

DB_QUERY(invite_count,
         "SELECT count(*) FILTER (WHERE used_at IS NULL AND revoked_at IS NULL AND expires_at > now())"
         "       AS open,"
         "       count(*) FILTER (WHERE created_at > now() - interval '1 day') AS lately"
         "  FROM invite WHERE team_id = $1")
DB_QUERY(invite_add, "INSERT INTO invite (team_id, digest, role, email, created_by, expires_at)"
                     " VALUES ($1, $2, $3, nullif($4, ''), nullif($5::bigint, 0),"
                     "         now() + make_interval(days => $6))"
                     " RETURNING id, (to_jsonb(invite) - 'digest')::text AS row")

static int audit_invite(struct db *db, const struct actor *actor, const char *action,
                        struct team_id team, int64_t id, struct str after)
{
    struct audit_entry entry = {
        .team = team, .action = action, .kind = "invite", .object_id = id, .after = after};

    return audit_write(db, actor, &entry);
}

/* Those that were revoked since count for a day, too: each may have been mailed to a stranger. */
static int room_for_another(struct db *db, struct team_id team, struct identity_fault *fault)
{
    int64_t open, lately;
    int r = db_one(db, &invite_count, NULL, DB_ARGS(db_i64(team.v)),
                   DB_COLS(db_col_i64("open", &open), db_col_i64("lately", &lately)));

    if (r != 0)
        return db_fatal(r);
    if (open >= BOUND_INVITES_PER_TEAM)
        return identity_fault_set(fault, "email", "There are 100 open invitations. Revoke some.");
    if (lately >= BOUND_INVITES_PER_TEAM)
        return identity_fault_set(fault, "email",
                                  "100 invitations were made within a day. Make more tomorrow.");
    return 0;
}

DB_QUERY(invite_lock_team, "SELECT id FROM team WHERE id = $1 FOR KEY SHARE")
DB_QUERY(invite_maker, "SELECT role FROM member WHERE team_id = $1 AND user_id = $2")

/* Whoever is removed or demoted at the same time (member_sql.c, which locks the team too) is either told no
 * here, or the invitation is there to be revoked. */
static int still_may(struct db *db, struct arena *a, struct team_id team, int64_t maker, enum role given,
                     struct identity_fault *fault)
{
    enum role now;
    struct str role;
    int64_t id;
    int r = db_one(db, &invite_lock_team, NULL, DB_ARGS(db_i64(team.v)), DB_COLS(db_col_i64("id", &id)));

    if (r == 0)
        r = db_one(db, &invite_maker, a, DB_ARGS(db_i64(team.v), db_i64(maker)),
                   DB_COLS(db_col_text("role", &role)));
    if (r != 0 && r != DB_E_NONE)
        return db_fatal(r);
    if (r == DB_E_NONE || !role_parse(role, &now) ||
        !role_covers(now, given == ROLE_OWNER ? ROLE_OWNER : ROLE_ADMIN))
        return identity_fault_set(fault, "role", "You cannot give this role any longer.");
    return 0;
}

int invite_make(struct db *db, struct arena *a, const uint8_t session_pepper[32],
                const struct actor *actor, enum role by, struct team_id team, enum role role,
                struct str email, struct str *ret_token, struct identity_fault *fault)
{
    struct str token = secret_token(a, ""), row;
    int64_t id, creator = actor->kind == ACTOR_KEY ? 0 : actor->id;

    if (!token.p)
        return err_origin(-ENOMEM);
    if (role == ROLE_OWNER && by != ROLE_OWNER)
        return identity_fault_set(fault, "role", "Only an owner can make another owner.");
    int r = str_trim(email).n > 0 ? field_email(a, email, "email", &email, fault) : 0;

    if (r == 0 && creator)
        r = still_may(db, a, team, creator, role, fault);
    if (r == 0)
        r = room_for_another(db, team, fault);
    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    struct digest digest = session_digest(session_pepper, "invite", token);

    r = db_fatal(db_one(db, &invite_add, a,
                        DB_ARGS(db_i64(team.v), db_digest(&digest), db_cstr(role_name(role)),
                                db_text(email), db_i64(creator), db_i32(INVITE_DAYS)),
                        DB_COLS(db_col_i64("id", &id), db_col_text("row", &row))));
    if (r == 0)
        r = audit_invite(db, actor, "invite.make", team, id, row);
    if (r != 0)
        return err_trace(r);
    *ret_token = token;
    return 0;
}

#define INVITE_SELECT                                                                           \
    "SELECT i.id, i.team_id, t.name AS team_name, p.name AS inviter, i.email, i.role,"          \
    "       i.created_at, i.expires_at"                                                         \
    "  FROM invite i JOIN team t ON t.id = i.team_id LEFT JOIN person p ON p.id = i.created_by" \
    " WHERE i.used_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > now()"
#define INVITE_COLS(i, role)                                                                  \
    DB_COLS(db_col_i64("id", &(i)->id), db_col_i64("team_id", &(i)->team.v),                  \
            db_col_text("team_name", &(i)->team_name), db_col_text("inviter", &(i)->inviter), \
            db_col_text("email", &(i)->email), db_col_text("role", role),                     \
            db_col_time_us("created_at", &(i)->created_at_us),                                \
            db_col_time_us("expires_at", &(i)->expires_at_us))

struct invite_read {
    struct invite row;
    struct str role;
    struct db_rows rows;
};

static int invite_push(void *ctx)
{
    struct invite_read *t = ctx;

    if (!role_parse(t->role, &t->row.role))
        return err_origin(-EPROTO);
    return db_rows_push(&t->rows);
}

DB_QUERY(invite_rows, INVITE_SELECT " AND i.team_id = $1 ORDER BY i.id DESC LIMIT 100")

int invite_list(struct db *db, struct arena *a, struct team_id team, struct invite_page *ret)
{
    struct invite_read t = {.rows = DB_ROWS(a, &t.row)};
    int r = db_each(db, &invite_rows, a, DB_ARGS(db_i64(team.v)), INVITE_COLS(&t.row, &t.role),
                    invite_push, &t);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct invite_page){t.rows.v, t.rows.n};
    return 0;
}

DB_QUERY(invite_end, "UPDATE invite SET revoked_at = now()"
                     " WHERE team_id = $1 AND id = $2 AND used_at IS NULL AND revoked_at IS NULL")

int invite_revoke(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                  int64_t id)
{
    int64_t rows = 0;
    int r = db_fatal(db_exec(db, &invite_end, DB_ARGS(db_i64(team.v), db_i64(id)), &rows));

    if (r == 0 && rows == 0)
        return IDENTITY_E_NONE;
    if (r == 0)
        r = audit_invite(db, actor, "invite.revoke", team, id, STR_NONE);
    return r < 0 ? err_trace(r) : r;
}

DB_QUERY(invite_end_of,
         "UPDATE invite SET revoked_at = now()"
         " WHERE team_id = $1 AND created_by = $2 AND (NOT $3 OR role = 'owner')"
         "   AND used_at IS NULL AND revoked_at IS NULL AND expires_at > now() RETURNING id")

int invite_revoke_of(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                     struct user_id maker, bool owners_only)
{
    int64_t id;
    struct db_rows rows = DB_ROWS(a, &id);
    int r = db_fatal(db_each(db, &invite_end_of, a,
                             DB_ARGS(db_i64(team.v), db_i64(maker.v), db_bool(owners_only)),
                             DB_COLS(db_col_i64("id", &id)), db_rows_push, &rows));
    const int64_t *ended = rows.v;

    for (size_t i = 0; r == 0 && i < rows.n; i++)
        r = audit_invite(db, actor, "invite.revoke", team, ended[i], STR_NONE);
    return r == 0 ? 0 : err_trace(r);
}

/* Locked: of two who use one link at once the second waits and finds it used. */
DB_QUERY(invite_by_digest, INVITE_SELECT " AND i.digest = $1")
DB_QUERY(invite_lock, "SELECT id FROM invite WHERE digest = $1 FOR UPDATE")

int invite_peek(struct db *db, struct arena *a, const uint8_t session_pepper[32], struct str token,
                struct invite *ret)
{
    struct digest digest = session_digest(session_pepper, "invite", token);
    struct invite invite = {0};
    struct str role;
    int r =
        db_one(db, &invite_by_digest, a, DB_ARGS(db_digest(&digest)), INVITE_COLS(&invite, &role));

    if (r == DB_E_NONE)
        return IDENTITY_E_NONE;
    if (r == 0 && !role_parse(role, &invite.role))
        r = -EPROTO;
    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = invite;
    return 0;
}

DB_QUERY(invite_person, "SELECT email, (SELECT count(*) FROM member WHERE team_id = $2) AS members,"
                        "       (SELECT count(*) FROM member WHERE user_id = $1) AS teams"
                        "  FROM person WHERE id = $1")
DB_QUERY(invite_join,
         "INSERT INTO member (team_id, user_id, role) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
DB_QUERY(invite_mark_used,
         "UPDATE invite SET used_at = now(), used_by = $3 WHERE team_id = $1 AND id = $2")

static int check_person(struct db *db, struct arena *a, const struct invite *invite,
                        struct user_id user, struct identity_fault *fault)
{
    int64_t members, teams;
    struct str email;
    int r = db_one(db, &invite_person, a, DB_ARGS(db_i64(user.v), db_i64(invite->team.v)),
                   DB_COLS(db_col_text("email", &email), db_col_i64("members", &members),
                           db_col_i64("teams", &teams)));

    if (r != 0)
        return db_fatal(r);
    if (invite->email.p && !str_ieq(invite->email, email))
        return identity_fault_set(fault, "invite", "This invitation is for another e-mail.");
    if (members >= BOUND_MEMBERS_PER_TEAM)
        return identity_fault_set(fault, "invite", "The team has 500 members already.");
    if (teams >= BOUND_TEAMS_PER_USER)
        return identity_fault_set(fault, "invite", "You belong to 200 teams already.");
    return 0;
}

static int join_team(struct db *db, const struct invite *invite, struct user_id user,
                     struct identity_fault *fault)
{
    int64_t rows = 0;
    int r = db_exec(
        db, &invite_join,
        DB_ARGS(db_i64(invite->team.v), db_i64(user.v), db_cstr(role_name(invite->role))), &rows);

    if (r == 0 && rows == 0)
        return identity_fault_set(fault, "invite", "You are a member of this team already.");
    if (r == 0)
        r = db_exec(db, &invite_mark_used,
                    DB_ARGS(db_i64(invite->team.v), db_i64(invite->id), db_i64(user.v)), NULL);
    return db_fatal(r);
}

int invite_use(struct db *db, struct arena *a, const uint8_t session_pepper[32],
               const struct actor *actor, struct str token, struct user_id user,
               struct team_id *ret_team, struct identity_fault *fault)
{
    struct digest digest = session_digest(session_pepper, "invite", token);
    struct invite invite;
    int64_t id;
    int r =
        db_one(db, &invite_lock, NULL, DB_ARGS(db_digest(&digest)), DB_COLS(db_col_i64("id", &id)));

    if (r == DB_E_NONE)
        return IDENTITY_E_NONE;
    r = db_fatal(r);
    if (r == 0)
        r = invite_peek(db, a, session_pepper, token, &invite);
    if (r == 0)
        r = check_person(db, a, &invite, user, fault);
    if (r == 0)
        r = join_team(db, &invite, user, fault);
    if (r == 0)
        r = audit_invite(db, actor, "invite.use", invite.team, invite.id, STR_NONE);
    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    *ret_team = invite.team;
    return 0;
}
