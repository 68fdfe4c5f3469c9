/* second_factor_sql.c: see second_factor_row.h. */
#include "identity/second_factor_row.h"

#include "base/err.h"

DB_QUERY(factor_state,
         "SELECT f.confirmed_at, (SELECT count(*) FROM recovery_code c WHERE c.user_id = f.user_id) AS codes"
         "  FROM second_factor f WHERE f.user_id = $1 AND f.confirmed_at IS NOT NULL")

int second_factor_get(struct db *db, struct user_id user, struct second_factor *ret)
{
    struct second_factor f = {.on = true};
    int r = db_one(db, &factor_state, NULL, DB_ARGS(db_i64(user.v)),
                   DB_COLS(db_col_time_us("confirmed_at", &f.since_us),
                           db_col_i64("codes", &f.codes_left)));

    if (r != 0 && r != DB_E_NONE)
        return err_trace(db_fatal(r));
    *ret = r == 0 ? f : (struct second_factor){.on = false};
    return 0;
}

#define FACTOR_SELECT                                                      \
    "SELECT sealed_secret, last_step, confirmed_at IS NOT NULL AS is_on" \
    "  FROM second_factor WHERE user_id = $1"
#define FACTOR_COLS(f)                                                                             \
    DB_COLS(db_col_bytes("sealed_secret", &(f)->sealed), db_col_i64("last_step", &(f)->last_step), \
            db_col_bool("is_on", &(f)->on))

DB_QUERY(factor_read, FACTOR_SELECT)
DB_QUERY(factor_locked, FACTOR_SELECT " FOR UPDATE")

static int found(int r, const struct factor_row *row, struct factor_row *ret)
{
    if (r == DB_E_NONE)
        return IDENTITY_E_NONE;
    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = *row;
    return 0;
}

int factor_row_get(struct db *db, struct arena *a, struct user_id user, struct factor_row *ret)
{
    struct factor_row row = {0};
    int r = db_one(db, &factor_read, a, DB_ARGS(db_i64(user.v)), FACTOR_COLS(&row));

    return found(r, &row, ret);
}

int factor_row_lock(struct db *db, struct arena *a, struct user_id user, struct factor_row *ret)
{
    struct factor_row row = {0};
    int r = db_one(db, &factor_locked, a, DB_ARGS(db_i64(user.v)), FACTOR_COLS(&row));

    return found(r, &row, ret);
}

DB_QUERY(factor_put,
         "INSERT INTO second_factor AS f (user_id, sealed_secret) VALUES ($1, $2)"
         " ON CONFLICT (user_id) DO UPDATE SET sealed_secret = excluded.sealed_secret, made_at = now(),"
         "       last_step = 0"
         " WHERE f.confirmed_at IS NULL")
DB_QUERY(factor_spend, "UPDATE second_factor SET last_step = $2 WHERE user_id = $1")
DB_QUERY(factor_confirm, "UPDATE second_factor SET confirmed_at = now() WHERE user_id = $1")
DB_QUERY(factor_remove, "DELETE FROM second_factor WHERE user_id = $1")
DB_QUERY(recovery_add, "INSERT INTO recovery_code (user_id, digest) VALUES ($1, $2)")
DB_QUERY(recovery_clear, "DELETE FROM recovery_code WHERE user_id = $1")
DB_QUERY(recovery_use, "DELETE FROM recovery_code WHERE user_id = $1 AND digest = $2")

/* none: what it means that no row was touched. */
static int done(int r, int64_t rows, int none)
{
    if (r != 0)
        return err_trace(db_fatal(r));
    return rows ? 0 : none;
}

int factor_row_put(struct db *db, struct user_id user, struct str sealed)
{
    int64_t rows = 0;
    int r = db_exec(db, &factor_put, DB_ARGS(db_i64(user.v), db_bytes(sealed)), &rows);

    return done(r, rows, IDENTITY_E_FAULT);
}

int factor_row_spend(struct db *db, struct user_id user, int64_t step)
{
    return done(db_exec(db, &factor_spend, DB_ARGS(db_i64(user.v), db_i64(step)), NULL), 1, 0);
}

int factor_row_confirm(struct db *db, struct user_id user)
{
    return done(db_exec(db, &factor_confirm, DB_ARGS(db_i64(user.v)), NULL), 1, 0);
}

int factor_row_remove(struct db *db, struct user_id user)
{
    int64_t rows = 0;
    int r = db_exec(db, &factor_remove, DB_ARGS(db_i64(user.v)), &rows);

    return done(r, rows, IDENTITY_E_NONE);
}

int recovery_row_add(struct db *db, struct user_id user, const struct digest *digest)
{
    return done(db_exec(db, &recovery_add, DB_ARGS(db_i64(user.v), db_digest(digest)), NULL), 1, 0);
}

int recovery_row_clear(struct db *db, struct user_id user)
{
    return done(db_exec(db, &recovery_clear, DB_ARGS(db_i64(user.v)), NULL), 1, 0);
}

int recovery_row_use(struct db *db, struct user_id user, const struct digest *digest, bool *ret_used)
{
    int64_t rows = 0;
    int r = db_exec(db, &recovery_use, DB_ARGS(db_i64(user.v), db_digest(digest)), &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret_used = rows > 0;
    return 0;
}
