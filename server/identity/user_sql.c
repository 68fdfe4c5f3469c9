/* user_sql.c: people as the database keeps them. */
#include "identity/user_row.h"

#include "base/err.h"
#include "db/rows.h"

DB_QUERY(
    user_add,
    "INSERT INTO person (email, name, password_hash, is_operator) VALUES (lower($1), $2, $3, $4)"
    " ON CONFLICT (email) DO NOTHING RETURNING id")

int user_row_add(struct db *db, const struct user_new *user, struct user_id *ret)
{
    struct user_id id;
    int r = db_one(db, &user_add, NULL,
                   DB_ARGS(db_text(user->email), db_text(user->name), db_cstr(user->hash),
                           db_bool(user->is_operator)),
                   DB_COLS(db_col_i64("id", &id.v)));

    if (r == DB_E_NONE)
        return IDENTITY_E_FAULT;
    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = id;
    return 0;
}

#define SECOND_FACTOR_IS_ON                                       \
    "EXISTS (SELECT FROM second_factor f WHERE f.user_id = p.id" \
    "                              AND f.confirmed_at IS NOT NULL) AS second_factor"

DB_QUERY(user_secret, "SELECT p.id, p.email, p.password_hash, p.is_operator, " SECOND_FACTOR_IS_ON
                      "  FROM person p WHERE p.id = $1 AND p.disabled_at IS NULL")

int user_row_get(struct db *db, struct arena *a, struct user_id id, struct user_row *ret)
{
    struct user_row row = {0};
    int r = db_one(db, &user_secret, a, DB_ARGS(db_i64(id.v)),
                   DB_COLS(db_col_i64("id", &row.id.v), db_col_text("email", &row.email),
                           db_col_text("password_hash", &row.hash),
                           db_col_bool("is_operator", &row.is_operator),
                           db_col_bool("second_factor", &row.second_factor)));

    if (r == DB_E_NONE)
        return IDENTITY_E_NONE;
    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = row;
    return 0;
}

/* For statements that name one row: none touched is IDENTITY_E_NONE. */
static int touched(int r, int64_t rows)
{
    if (r != 0)
        return err_trace(db_fatal(r));
    return rows ? 0 : IDENTITY_E_NONE;
}

DB_QUERY(user_set_name, "UPDATE person SET name = $2 WHERE id = $1")

int user_row_set_name(struct db *db, struct user_id id, struct str name)
{
    int64_t rows = 0;
    int r = db_exec(db, &user_set_name, DB_ARGS(db_i64(id.v), db_text(name)), &rows);

    return touched(r, rows);
}

DB_QUERY(user_json,
         "SELECT (to_jsonb(p) - 'password_hash')::text AS row FROM person p WHERE id = $1")

int user_row_json(struct db *db, struct arena *a, struct user_id id, struct str *ret)
{
    struct str json;
    int r = db_one(db, &user_json, a, DB_ARGS(db_i64(id.v)), DB_COLS(db_col_text("row", &json)));

    if (r == DB_E_NONE)
        return IDENTITY_E_NONE;
    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = json;
    return 0;
}

DB_QUERY(user_set_hash,
         "WITH sessions AS (DELETE FROM session WHERE user_id = $1),"
         "     resets AS (DELETE FROM reset_token WHERE user_id = $1)"
         " UPDATE person SET password_hash = $2, password_changed_at = now() WHERE id = $1")

int user_set_password(struct db *db, struct user_id id, const char *hash)
{
    int64_t rows = 0;
    int r = db_exec(db, &user_set_hash, DB_ARGS(db_i64(id.v), db_cstr(hash)), &rows);

    return touched(r, rows);
}

int user_audit(struct db *db, const struct actor *actor, const char *action, struct user_id id,
               struct str before, struct str after)
{
    struct audit_entry entry = {
        .action = action, .kind = "user", .object_id = id.v, .before = before, .after = after};

    return audit_write(db, actor, &entry);
}

#define USER_SELECT                                                                       \
    "SELECT p.id, p.email, p.name, p.is_operator, p.disabled_at IS NOT NULL AS disabled," \
    "       p.created_at, " SECOND_FACTOR_IS_ON ","                                       \
    "       (SELECT max(seen_at) FROM session WHERE user_id = p.id) AS seen_at,"          \
    "       (SELECT count(*) FROM member WHERE user_id = p.id) AS team_count"             \
    "  FROM person p "
#define USER_COLS(u)                                                                        \
    DB_COLS(db_col_i64("id", &(u)->id.v), db_col_text("email", &(u)->email),                \
            db_col_text("name", &(u)->name), db_col_bool("is_operator", &(u)->is_operator), \
            db_col_bool("disabled", &(u)->disabled),                                        \
            db_col_bool("second_factor", &(u)->second_factor),                              \
            db_col_time_us("created_at", &(u)->created_at_us),                              \
            db_col_time_us("seen_at", &(u)->last_seen_at_us),                               \
            db_col_i64("team_count", &(u)->team_count))

DB_QUERY(user_by_id, USER_SELECT "WHERE p.id = $1")

int user_get(struct db *db, struct arena *a, struct user_id id, struct user *ret)
{
    struct user user = {0};
    int r = db_one(db, &user_by_id, a, DB_ARGS(db_i64(id.v)), USER_COLS(&user));

    if (r == DB_E_NONE)
        return IDENTITY_E_NONE;
    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = user;
    return 0;
}

DB_QUERY(user_by_mail, USER_SELECT "WHERE p.email = lower($1)")

int user_by_email(struct db *db, struct arena *a, struct str email, struct user *ret)
{
    struct user user = {0};
    int r = db_one(db, &user_by_mail, a, DB_ARGS(db_text(str_trim(email))), USER_COLS(&user));

    if (r == DB_E_NONE)
        return IDENTITY_E_NONE;
    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = user;
    return 0;
}

/* strpos: what was typed is text, not a pattern. */
DB_QUERY(user_find, USER_SELECT "WHERE ($1::text = '' OR strpos(p.email, lower($1)) > 0"
                                "       OR strpos(lower(p.name), lower($1)) > 0)"
                                "  AND ($2::bigint = 0 OR p.id < $2)"
                                " ORDER BY p.id DESC LIMIT $3")

int user_search(struct db *db, struct arena *a, struct str text, int64_t before_id, int32_t limit,
                struct user_page *ret)
{
    struct user row = {0};
    struct db_rows rows = DB_ROWS(a, &row);
    struct str wanted = str_trim(text);
    int r = db_each(
        db, &user_find, a,
        DB_ARGS(db_text(wanted.p ? wanted : STR("")), db_i64(before_id), db_i32(MIN(limit, 200))),
        USER_COLS(&row), db_rows_push, &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct user_page){rows.v, rows.n};
    return 0;
}

/* Locked in the order of ids, so that two operators who demote each other meet here. */
DB_QUERY(
    operator_lock,
    "SELECT count(*) FILTER (WHERE id <> $1) AS others FROM"
    " (SELECT id FROM person WHERE is_operator AND disabled_at IS NULL ORDER BY id FOR UPDATE) o")

static int keep_an_operator(struct db *db, struct user_id leaving, struct identity_fault *fault)
{
    int64_t others;
    int r = db_one(db, &operator_lock, NULL, DB_ARGS(db_i64(leaving.v)),
                   DB_COLS(db_col_i64("others", &others)));

    if (r != 0)
        return err_trace(db_fatal(r));
    if (others == 0)
        return identity_fault_set(fault, "user", "The last operator stays one.");
    return 0;
}

DB_QUERY(user_disable,
         "WITH sessions AS (DELETE FROM session WHERE user_id = $1 AND $2),"
         "     resets AS (DELETE FROM reset_token WHERE user_id = $1 AND $2)"
         " UPDATE person SET disabled_at = CASE WHEN $2 THEN coalesce(disabled_at, now()) END"
         " WHERE id = $1")

int user_set_disabled(struct db *db, struct arena *a, const struct actor *actor, struct user_id id,
                      bool disabled, struct identity_fault *fault)
{
    struct str before, after;
    int r = user_row_json(db, a, id, &before);

    if (r == 0 && disabled)
        r = keep_an_operator(db, id, fault);
    if (r == 0)
        r = db_fatal(db_exec(db, &user_disable, DB_ARGS(db_i64(id.v), db_bool(disabled)), NULL));
    if (r == 0)
        r = user_row_json(db, a, id, &after);
    if (r == 0)
        r = user_audit(db, actor, disabled ? "user.disable" : "user.enable", id, before, after);
    return r < 0 ? err_trace(r) : r;
}

DB_QUERY(user_promote, "UPDATE person SET is_operator = $2 WHERE id = $1")

int user_set_operator(struct db *db, struct arena *a, const struct actor *actor, struct user_id id,
                      bool is_operator, struct identity_fault *fault)
{
    struct str before, after;
    int r = user_row_json(db, a, id, &before);

    if (r == 0 && !is_operator)
        r = keep_an_operator(db, id, fault);
    if (r == 0)
        r = db_fatal(db_exec(db, &user_promote, DB_ARGS(db_i64(id.v), db_bool(is_operator)), NULL));
    if (r == 0 && !is_operator) /* what was opened with more rights ends */
        r = session_end_all(db, id, 0, NULL);
    if (r == 0)
        r = user_row_json(db, a, id, &after);
    if (r == 0)
        r = user_audit(db, actor, is_operator ? "operator.add" : "operator.remove", id, before,
                       after);
    return r < 0 ? err_trace(r) : r;
}
