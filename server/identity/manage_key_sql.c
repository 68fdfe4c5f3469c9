/* manage_key_sql.c: keys of the management API as the database keeps them. */
#include "identity/manage_key.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "db/rows.h"
#include "identity/field.h"
#include "identity/keyring_check.h"

static int audit_key(struct db *db, const struct actor *actor, const char *action,
                     struct team_id team, int64_t id, struct str after)
{
    struct audit_entry entry = {
        .team = team, .action = action, .kind = "management_key", .object_id = id, .after = after};

    return audit_write(db, actor, &entry);
}

DB_QUERY(manage_key_count,
         "SELECT count(*) AS n FROM management_key"
         " WHERE team_id IS NOT DISTINCT FROM nullif($1::bigint, 0) AND revoked_at IS NULL")

static int check(struct db *db, struct team_id team, enum role role, struct str *name,
                 int64_t expires_at_us, struct identity_fault *fault)
{
    int64_t n;
    int r = field_line(name, "name", 1, KEY_NAME_MAX, fault);

    if (r == 0)
        r = keyring_check_expiry(expires_at_us, fault);
    if (r != 0)
        return r;
    if (team.v != 0 && role == ROLE_OWNER)
        return identity_fault_set(fault, "role", "A key is at most admin.");
    r = db_one(db, &manage_key_count, NULL, DB_ARGS(db_i64(team.v)), DB_COLS(db_col_i64("n", &n)));
    if (r == 0 && n >= BOUND_MANAGE_KEYS_PER_TEAM)
        return identity_fault_set(fault, "name", "There are 100 management keys. Revoke some.");
    return db_fatal(r);
}

DB_QUERY(manage_key_add,
         "INSERT INTO management_key (team_id, name, role, prefix, last4, digest, created_by,"
         "                            expires_at)"
         " VALUES (nullif($1::bigint, 0), $2, $3, $4, $5, $6, nullif($7::bigint, 0), $8)"
         " RETURNING id, (to_jsonb(management_key) - 'digest')::text AS row")

int manage_key_mint(struct db *db, struct arena *a, const uint8_t key_pepper[32],
                    const struct actor *actor, struct team_id team, enum role role, struct str name,
                    int64_t expires_at_us, int64_t *ret_id, struct str *ret_secret,
                    struct identity_fault *fault)
{
    int64_t id, creator = actor->kind == ACTOR_KEY ? 0 : actor->id;
    struct key_secret secret;
    struct str row;
    int r = check(db, team, role, &name, expires_at_us, fault);

    if (r == 0)
        r = keyring_secret(a, key_pepper, MANAGE_KEY_PREFIX, &secret);
    if (r == 0)
        r = db_fatal(
            db_one(db, &manage_key_add, a,
                   DB_ARGS(db_i64(team.v), db_text(name),
                           db_cstr(team.v ? role_name(role) : "operator"), db_text(secret.prefix),
                           db_text(secret.last4), db_digest(&secret.digest), db_i64(creator),
                           expires_at_us ? db_time_us(expires_at_us) : db_null(DB_TIME_US)),
                   DB_COLS(db_col_i64("id", &id), db_col_text("row", &row))));
    if (r == 0)
        r = audit_key(db, actor, "management_key.mint", team, id, row);
    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    *ret_id = id;
    *ret_secret = secret.text;
    return 0;
}

#define MANAGE_KEY_SELECT                                                                 \
    "SELECT k.id, coalesce(k.team_id, 0) AS team_id, k.name, k.role, k.prefix, k.last4,"  \
    "       p.name AS creator, k.created_at, k.expires_at, k.last_used_at, k.revoked_at," \
    "       coalesce(k.last_used_at < now() - interval '1 minute', true) AS stale"        \
    "  FROM management_key k LEFT JOIN person p ON p.id = k.created_by "
#define MANAGE_KEY_COLS(t)                                                                  \
    DB_COLS(db_col_i64("id", &(t)->row.id), db_col_i64("team_id", &(t)->row.team.v),        \
            db_col_text("name", &(t)->row.name), db_col_text("role", &(t)->role),           \
            db_col_text("prefix", &(t)->row.prefix), db_col_text("last4", &(t)->row.last4), \
            db_col_text("creator", &(t)->row.creator),                                      \
            db_col_time_us("created_at", &(t)->row.created_at_us),                          \
            db_col_time_us("expires_at", &(t)->row.expires_at_us),                          \
            db_col_time_us("last_used_at", &(t)->row.last_used_at_us),                      \
            db_col_time_us("revoked_at", &(t)->row.revoked_at_us),                          \
            db_col_bool("stale", &(t)->stale))

struct manage_key_read {
    struct manage_key row;
    struct str role;
    bool stale;
    struct db_rows rows;
};

static int read_role(struct manage_key_read *t)
{
    t->row.is_operator = str_eq_c(t->role, "operator");
    t->row.role = ROLE_ADMIN;
    if (!t->row.is_operator && !role_parse(t->role, &t->row.role))
        return err_origin(-EPROTO);
    return 0;
}

static int push(void *ctx)
{
    struct manage_key_read *t = ctx;
    int r = read_role(t);

    return r == 0 ? db_rows_push(&t->rows) : r;
}

DB_QUERY(manage_key_by_digest,
         MANAGE_KEY_SELECT "WHERE k.digest = $1 AND k.revoked_at IS NULL"
                           "  AND (k.expires_at IS NULL OR k.expires_at > now())")
DB_QUERY(manage_key_touch, "UPDATE management_key SET last_used_at = now() WHERE id = $1")

int manage_key_find(struct db *db, struct arena *a, const uint8_t key_pepper[32], struct str secret,
                    struct manage_key *ret)
{
    struct digest digest = digest_keyed(key_pepper, secret);
    struct manage_key_read t = {0};

    if (!secret_token_wellformed(secret, MANAGE_KEY_PREFIX))
        return IDENTITY_E_NONE;
    int r = db_one(db, &manage_key_by_digest, a, DB_ARGS(db_digest(&digest)), MANAGE_KEY_COLS(&t));

    if (r == DB_E_NONE)
        return IDENTITY_E_NONE;
    if (r == 0)
        r = read_role(&t);
    if (r == 0 && t.stale)
        r = db_exec(db, &manage_key_touch, DB_ARGS(db_i64(t.row.id)), NULL);
    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = t.row;
    return 0;
}

DB_QUERY(manage_key_rows,
         MANAGE_KEY_SELECT "WHERE k.team_id IS NOT DISTINCT FROM nullif($1::bigint, 0)"
                           " ORDER BY k.revoked_at IS NOT NULL, k.id DESC LIMIT 200")

int manage_key_list(struct db *db, struct arena *a, struct team_id team,
                    struct manage_key_page *ret)
{
    struct manage_key_read t = {.rows = DB_ROWS(a, &t.row)};
    int r =
        db_each(db, &manage_key_rows, a, DB_ARGS(db_i64(team.v)), MANAGE_KEY_COLS(&t), push, &t);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct manage_key_page){t.rows.v, t.rows.n};
    return 0;
}

DB_QUERY(manage_key_end, "UPDATE management_key SET revoked_at = now()"
                         " WHERE team_id IS NOT DISTINCT FROM nullif($1::bigint, 0) AND id = $2"
                         "   AND revoked_at IS NULL")

int manage_key_revoke(struct db *db, struct arena *a, const struct actor *actor,
                      struct team_id team, int64_t id)
{
    int64_t rows = 0;
    int r = db_fatal(db_exec(db, &manage_key_end, DB_ARGS(db_i64(team.v), db_i64(id)), &rows));

    if (r == 0 && rows == 0)
        return IDENTITY_E_NONE;
    if (r == 0)
        r = audit_key(db, actor, "management_key.revoke", team, id, STR_NONE);
    return r < 0 ? err_trace(r) : r;
}

DB_QUERY(manage_key_end_of, "UPDATE management_key SET revoked_at = now()"
                            " WHERE team_id = $1 AND created_by = $2 AND revoked_at IS NULL RETURNING id")

int manage_key_revoke_of(struct db *db, struct arena *a, const struct actor *actor,
                         struct team_id team, struct user_id maker)
{
    int64_t id;
    struct db_rows rows = DB_ROWS(a, &id);
    int r = db_fatal(db_each(db, &manage_key_end_of, a, DB_ARGS(db_i64(team.v), db_i64(maker.v)),
                             DB_COLS(db_col_i64("id", &id)), db_rows_push, &rows));
    const int64_t *ended = rows.v;

    for (size_t i = 0; r == 0 && i < rows.n; i++)
        r = audit_key(db, actor, "management_key.revoke", team, ended[i], STR_NONE);
    return r == 0 ? 0 : err_trace(r);
}
