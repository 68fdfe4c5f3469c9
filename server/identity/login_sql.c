/* login_sql.c: signing in.
 *
 * The try is counted in a transaction of its own before the password is looked at, so that whoever
 * hangs up, or a server that dies, has not tried for free. */
#include "identity/login.h"

#include <errno.h>

#include "base/err.h"
#include "identity/audit.h"
#include "identity/field.h"
#include "identity/password.h"

DB_QUERY(login_count,
         "SELECT coalesce(attempt_id, 0) AS attempt_id, retry_after_s FROM login_admit($1, $2)")

struct admit {
    struct str account, address;
    int64_t attempt;
    int32_t retry_after_s;
};

static int admit_tx(struct db *db, void *ctx)
{
    struct admit *t = ctx;
    int r = db_one(db, &login_count, NULL, DB_ARGS(db_text(t->account), db_text(t->address)),
                   DB_COLS(db_col_i64("attempt_id", &t->attempt),
                           db_col_i32("retry_after_s", &t->retry_after_s)));

    return r == 0 ? 0 : db_fatal(r);
}

int login_admit(struct db *db, struct str account, struct str address, int64_t *ret_attempt,
                int32_t *ret_retry_after_s)
{
    struct admit t = {.account = account.p ? account : STR(""),
                      .address = address.p ? address : STR("")};
    int r = identity_tx(db, DB_SYSTEM, "login_admit", admit_tx, &t);

    if (r != 0)
        return err_trace(r);
    if (t.retry_after_s > 0) {
        *ret_retry_after_s = t.retry_after_s;
        return LOGIN_E_LIMITED;
    }
    *ret_attempt = t.attempt;
    return 0;
}

DB_QUERY(login_mark_good, "UPDATE login_attempt SET good = true WHERE id = $1")

int login_good(struct db *db, int64_t attempt)
{
    int r = db_exec(db, &login_mark_good, DB_ARGS(db_i64(attempt)), NULL);

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(login_person, "SELECT id, password_hash, is_operator FROM person"
                       " WHERE email = $1 AND disabled_at IS NULL")
DB_QUERY(login_rehash, "UPDATE person SET password_hash = $3 WHERE id = $1 AND password_hash = $2")

struct sign_in {
    struct arena *a;
    const uint8_t *pepper;
    const struct login *login;
    struct str email, hash;
    int64_t attempt;
    struct user_id user; /* 0: unknown */
    bool is_operator;
    char fresh_hash[SECRET_PASSWORD_SIZE]; /* "": the stored one is fine */
    struct session_made made;
};

static int find_tx(struct db *db, void *ctx)
{
    struct sign_in *t = ctx;
    int r = db_one(db, &login_person, t->a, DB_ARGS(db_text(t->email)),
                   DB_COLS(db_col_i64("id", &t->user.v), db_col_text("password_hash", &t->hash),
                           db_col_bool("is_operator", &t->is_operator)));

    return r == DB_E_NONE ? 0 : db_fatal(r);
}

static int start_tx(struct db *db, void *ctx)
{
    struct sign_in *t = ctx;
    struct actor actor = {.kind = t->is_operator ? ACTOR_OPERATOR : ACTOR_USER,
                          .id = t->user.v,
                          .name = t->email,
                          .address = t->login->from.address};
    struct audit_entry entry = {.action = "user.sign_in", .kind = "user", .object_id = t->user.v};
    int r = login_good(db, t->attempt);

    if (r == 0 && t->fresh_hash[0])
        r = db_fatal(db_exec(db, &login_rehash,
                             DB_ARGS(db_i64(t->user.v), db_text(t->hash), db_cstr(t->fresh_hash)),
                             NULL));
    if (r == 0)
        r = session_start(db, t->a, t->pepper, t->user, &t->login->from, &t->made);
    if (r == 0)
        r = audit_write(db, &actor, &entry);
    return r;
}

/* Addresses that are none are unknown users: they take the same way. */
static int typed_email(struct arena *a, struct str typed, struct str *ret)
{
    int r = field_email(a, typed, "", ret, NULL);

    if (r != IDENTITY_E_FAULT)
        return r;
    *ret = STR("?");
    return 0;
}

int login_try(struct db *db, struct arena *a, const uint8_t session_pepper[32],
              const struct login *login, struct session_made *ret, int32_t *ret_retry_after_s)
{
    struct sign_in t = {.a = a, .pepper = session_pepper, .login = login};
    int r = typed_email(a, login->email, &t.email);

    if (r == 0)
        r = login_admit(db, t.email, login->from.address, &t.attempt, ret_retry_after_s);
    if (r == LOGIN_E_LIMITED)
        return r;
    if (r == 0)
        r = identity_tx(db, DB_SYSTEM, "login_find", find_tx, &t);
    if (r < 0)
        return err_trace(r);
    if (!password_check(t.hash.p, login->password))
        return LOGIN_E_WRONG;
    if (secret_password_stale(t.hash.p))
        r = secret_password_hash(login->password, t.fresh_hash);
    if (r == 0)
        r = identity_tx(db, DB_SYSTEM, "login_start", start_tx, &t);
    if (r != 0)
        return err_trace(r);
    *ret = t.made;
    return 0;
}
