/* federated_sql.c: see federated_row.h. */
#include "identity/federated_row.h"

#include "base/err.h"

DB_QUERY(federated_lock,
         "SELECT pg_advisory_xact_lock(hashtextextended('federated ' || $1 || ' ' || $2, 0))::text AS got")

int federated_row_lock(struct db *db, const struct federated *who)
{
    int r = db_exec(db, &federated_lock, DB_ARGS(db_text(who->issuer), db_text(who->subject)), NULL);

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(federated_find,
         "SELECT user_id, made_operator FROM federated_identity WHERE issuer = $1 AND subject = $2")

int federated_row_find(struct db *db, const struct federated *who, struct user_id *ret,
                       bool *ret_made_operator)
{
    int r = db_one(db, &federated_find, NULL, DB_ARGS(db_text(who->issuer), db_text(who->subject)),
                   DB_COLS(db_col_i64("user_id", &ret->v), db_col_bool("made_operator", ret_made_operator)));

    if (r == DB_E_NONE)
        return IDENTITY_E_NONE;
    return r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(federated_add,
         "INSERT INTO federated_identity AS f (issuer, subject, user_id, email) VALUES ($1, $2, $3, $4)"
         " ON CONFLICT DO NOTHING RETURNING to_jsonb(f)::text AS row")

int federated_row_add(struct db *db, struct arena *a, const struct federated *who, struct user_id user,
                      struct str *ret_json)
{
    int r = db_one(db, &federated_add, a,
                   DB_ARGS(db_text(who->issuer), db_text(who->subject), db_i64(user.v), db_text(who->email)),
                   DB_COLS(db_col_text("row", ret_json)));

    if (r == DB_E_NONE)
        return IDENTITY_E_FAULT;
    return r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(federated_use,
         "UPDATE federated_identity SET used_at = now(), email = coalesce($3, email), made_operator = $4"
         " WHERE issuer = $1 AND subject = $2")

int federated_row_use(struct db *db, const struct federated *who, bool made_operator)
{
    int r = db_exec(db, &federated_use,
                    DB_ARGS(db_text(who->issuer), db_text(who->subject), db_text(who->email),
                            db_bool(made_operator)),
                    NULL);

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(federated_remove,
         "DELETE FROM federated_identity f USING person p"
         " WHERE f.user_id = $1 AND p.id = $1 AND p.password_hash IS NOT NULL"
         " RETURNING to_jsonb(f)::text AS row")

struct removed {
    struct str row, *ret;
};

static int keep_row(void *ctx)
{
    struct removed *t = ctx;

    *t->ret = t->row;
    return 0;
}

int federated_row_remove(struct db *db, struct arena *a, struct user_id user, struct str *ret_json)
{
    struct removed t = {.ret = ret_json};
    int r;

    *ret_json = STR_NONE;
    r = db_each(db, &federated_remove, a, DB_ARGS(db_i64(user.v)), DB_COLS(db_col_text("row", &t.row)),
                keep_row, &t);
    if (r != 0)
        return err_trace(db_fatal(r));
    return ret_json->p ? 0 : IDENTITY_E_NONE;
}

/* The link that was used last, where the issuer was changed meanwhile. */
DB_QUERY(federated_of_user,
         "SELECT p.password_hash IS NOT NULL AS has_password, f.user_id IS NOT NULL AS linked, f.email,"
         "       f.linked_at, f.used_at"
         "  FROM person p LEFT JOIN LATERAL (SELECT * FROM federated_identity WHERE user_id = p.id"
         "                                    ORDER BY used_at DESC LIMIT 1) f ON true"
         " WHERE p.id = $1")

int federated_get(struct db *db, struct arena *a, struct user_id user, struct federated_link *ret)
{
    struct federated_link link = {0};
    int r = db_one(db, &federated_of_user, a, DB_ARGS(db_i64(user.v)),
                   DB_COLS(db_col_bool("has_password", &link.has_password), db_col_bool("linked", &link.linked),
                           db_col_text("email", &link.email), db_col_time_us("linked_at", &link.linked_at_us),
                           db_col_time_us("used_at", &link.used_at_us)));

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = link;
    return 0;
}
