/* member_sql.c: memberships as the database keeps them.
 *
 * Whoever changes roles locks the team's row first, so that two owners who remove each other meet
 * there and the second one sees that the first is gone. */
#include "identity/member.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "db/rows.h"
#include "identity/invite.h"
#include "identity/manage_key.h"

DB_QUERY(member_rows,
         "SELECT p.id, p.email, p.name, m.role, p.disabled_at IS NOT NULL AS disabled, m.joined_at,"
         "       EXISTS (SELECT FROM second_factor f WHERE f.user_id = p.id"
         "                                     AND f.confirmed_at IS NOT NULL) AS second_factor"
         "  FROM member m JOIN person p ON p.id = m.user_id"
         " WHERE m.team_id = $1 ORDER BY m.joined_at, p.id LIMIT $2")

struct member_read {
    struct member row;
    struct str role;
    struct db_rows rows;
};

static int member_push(void *ctx)
{
    struct member_read *t = ctx;

    if (!role_parse(t->role, &t->row.role))
        return err_origin(-EPROTO);
    return db_rows_push(&t->rows);
}

int member_list(struct db *db, struct arena *a, struct team_id team, struct member_page *ret)
{
    struct member_read t = {.rows = DB_ROWS(a, &t.row)};
    int r = db_each(db, &member_rows, a, DB_ARGS(db_i64(team.v), db_i32(BOUND_MEMBERS_PER_TEAM)),
                    DB_COLS(db_col_i64("id", &t.row.user.v), db_col_text("email", &t.row.email),
                            db_col_text("name", &t.row.name), db_col_text("role", &t.role),
                            db_col_bool("disabled", &t.row.disabled),
                            db_col_bool("second_factor", &t.row.second_factor),
                            db_col_time_us("joined_at", &t.row.joined_at_us)),
                    member_push, &t);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct member_page){t.rows.v, t.rows.n};
    return 0;
}

DB_QUERY(member_team_rows,
         "SELECT t.id, t.name, m.role FROM member m JOIN team t ON t.id = m.team_id"
         " WHERE m.user_id = $1 ORDER BY lower(t.name), t.id LIMIT 200")

struct membership_read {
    struct membership row;
    struct str role;
    struct db_rows rows;
};

static int membership_push(void *ctx)
{
    struct membership_read *t = ctx;

    if (!role_parse(t->role, &t->row.role))
        return err_origin(-EPROTO);
    return db_rows_push(&t->rows);
}

int member_teams(struct db *db, struct arena *a, struct user_id user, struct membership_page *ret)
{
    struct membership_read t = {.rows = DB_ROWS(a, &t.row)};
    int r = db_each(db, &member_team_rows, a, DB_ARGS(db_i64(user.v)),
                    DB_COLS(db_col_i64("id", &t.row.team.v), db_col_text("name", &t.row.team_name),
                            db_col_text("role", &t.role)),
                    membership_push, &t);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct membership_page){t.rows.v, t.rows.n};
    return 0;
}

DB_QUERY(member_lock_team, "SELECT id FROM team WHERE id = $1 FOR UPDATE")
DB_QUERY(member_look, "SELECT m.role, to_jsonb(m)::text AS row,"
                      "       (SELECT count(*) FROM member o JOIN person p ON p.id = o.user_id"
                      "         WHERE o.team_id = $1 AND o.role = 'owner' AND o.user_id <> $2"
                      "           AND p.disabled_at IS NULL) AS other_owners"
                      "  FROM member m WHERE m.team_id = $1 AND m.user_id = $2")

struct standing {
    enum role role;
    int64_t other_owners;
    struct str json;
};

/* Where the member stands, with the team locked. */
static int look(struct db *db, struct arena *a, struct team_id team, struct user_id user,
                struct standing *ret)
{
    struct str role;
    int64_t id;
    int r = db_one(db, &member_lock_team, NULL, DB_ARGS(db_i64(team.v)),
                   DB_COLS(db_col_i64("id", &id)));

    if (r == 0)
        r = db_one(db, &member_look, a, DB_ARGS(db_i64(team.v), db_i64(user.v)),
                   DB_COLS(db_col_text("role", &role), db_col_text("row", &ret->json),
                           db_col_i64("other_owners", &ret->other_owners)));
    if (r == DB_E_NONE)
        return IDENTITY_E_NONE;
    if (r == 0 && !role_parse(role, &ret->role))
        return err_origin(-EPROTO);
    return db_fatal(r);
}

static int may_touch(const struct standing *who, enum role by, bool stays_owner,
                     struct identity_fault *fault)
{
    if (who->role == ROLE_OWNER && by != ROLE_OWNER)
        return identity_fault_set(fault, "role", "Only an owner can change an owner.");
    if (who->role == ROLE_OWNER && !stays_owner && who->other_owners == 0)
        return identity_fault_set(
            fault, "role", "A team keeps at least one owner. Make somebody else owner first.");
    return 0;
}

static int note(struct db *db, const struct actor *actor, struct team_id team, struct user_id user,
                const char *action, struct str before, struct str after)
{
    struct audit_entry entry = {.team = team,
                                .action = action,
                                .kind = "user",
                                .object_id = user.v,
                                .before = before,
                                .after = after};

    return audit_write(db, actor, &entry);
}

DB_QUERY(member_set, "UPDATE member m SET role = $3 WHERE team_id = $1 AND user_id = $2"
                     " RETURNING to_jsonb(m)::text AS row")

int member_set_role(struct db *db, struct arena *a, const struct actor *actor, enum role by,
                    struct team_id team, struct user_id user, enum role role,
                    struct identity_fault *fault)
{
    struct standing who;
    struct str after;
    int r = look(db, a, team, user, &who);

    if (r == 0)
        r = may_touch(&who, by, role == ROLE_OWNER, fault);
    if (r == 0 && role == ROLE_OWNER && by != ROLE_OWNER)
        return identity_fault_set(fault, "role", "Only an owner can make another owner.");
    if (r == 0)
        r = db_fatal(db_one(db, &member_set, a,
                            DB_ARGS(db_i64(team.v), db_i64(user.v), db_cstr(role_name(role))),
                            DB_COLS(db_col_text("row", &after))));
    if (r == 0)
        r = note(db, actor, team, user, "member.set_role", who.json, after);
    if (r == 0 && role != ROLE_OWNER)
        r = invite_revoke_of(db, a, actor, team, user, role_covers(role, ROLE_ADMIN));
    return r < 0 ? err_trace(r) : r;
}

DB_QUERY(member_delete, "DELETE FROM member WHERE team_id = $1 AND user_id = $2")
DB_QUERY(member_disable_keys,
         "WITH k AS (UPDATE api_key SET disabled_at = now()"
         "            WHERE team_id = $1 AND owner_user_id = $2 AND disabled_at IS NULL"
         "              AND deleted_at IS NULL RETURNING 1)"
         " SELECT count(*) AS disabled FROM k")
DB_QUERY(member_note_team, "SELECT note_change('team:' || $1::bigint)")

static int stop_keys(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                     struct user_id user)
{
    int64_t disabled;
    int r = db_one(db, &member_disable_keys, NULL, DB_ARGS(db_i64(team.v), db_i64(user.v)),
                   DB_COLS(db_col_i64("disabled", &disabled)));

    if (r == 0 && disabled > 0)
        r = db_exec(db, &member_note_team, DB_ARGS(db_i64(team.v)), NULL);
    return r == 0 ? manage_key_revoke_of(db, a, actor, team, user) : db_fatal(r);
}

int member_remove(struct db *db, struct arena *a, const struct actor *actor, enum role by,
                  struct team_id team, struct user_id user, bool disable_keys,
                  struct identity_fault *fault)
{
    bool leaving = actor->kind != ACTOR_KEY && actor->id == user.v;
    struct standing who;
    int r = look(db, a, team, user, &who);

    if (r == 0)
        r = may_touch(&who, leaving ? who.role : by, false, fault);
    if (r == 0)
        r = db_fatal(db_exec(db, &member_delete, DB_ARGS(db_i64(team.v), db_i64(user.v)), NULL));
    if (r == 0)
        r = note(db, actor, team, user, leaving ? "member.leave" : "member.remove", who.json,
                 STR_NONE);
    if (r == 0)
        r = invite_revoke_of(db, a, actor, team, user, false);
    if (r == 0 && disable_keys)
        r = stop_keys(db, a, actor, team, user);
    return r < 0 ? err_trace(r) : r;
}
