/* login_sql.c: signing in.
 *
 * The try is counted in a transaction of its own before the password is looked at, so that whoever
 * hangs up, or a server that dies, has not tried for free. */
#include "identity/login_ticket.h"

#include <errno.h>

#include "base/err.h"
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

DB_QUERY(login_person, "SELECT id FROM person WHERE email = $1 AND disabled_at IS NULL")
DB_QUERY(login_rehash, "UPDATE person SET password_hash = $3 WHERE id = $1 AND password_hash = $2")

struct sign_in {
    struct arena *a;
    const uint8_t *pepper;
    const struct login *login;
    struct str email;
    int64_t attempt;
    struct user_row row;                   /* hash p NULL: unknown */
    char fresh_hash[SECRET_PASSWORD_SIZE]; /* "": the stored one is fine */
    struct session_made made;
};

static int find_tx(struct db *db, void *ctx)
{
    struct sign_in *t = ctx;
    struct user_id id;
    int r = db_one(db, &login_person, NULL, DB_ARGS(db_text(t->email)),
                   DB_COLS(db_col_i64("id", &id.v)));

    if (r != 0)
        return r == DB_E_NONE ? 0 : db_fatal(r);
    r = user_row_get(db, t->a, id, &t->row);
    return r == IDENTITY_E_NONE ? 0 : r;
}

int login_start(struct db *db, struct arena *a, const uint8_t session_pepper[32],
                const struct user_row *row, const struct session_from *from,
                struct session_made *ret)
{
    const struct actor actor = login_actor(row, from);
    int r = session_start(db, a, session_pepper, row->id, from, ret);

    if (r == 0)
        r = user_audit(db, &actor, "user.sign_in", row->id, STR_NONE,
                       from->by_provider ? STR("{\"by\": \"identity provider\"}") : STR_NONE);
    return r;
}

static int rehash(struct db *db, const struct sign_in *t)
{
    return db_fatal(db_exec(
        db, &login_rehash,
        DB_ARGS(db_i64(t->row.id.v), db_text(t->row.hash), db_cstr(t->fresh_hash)), NULL));
}

static int start_tx(struct db *db, void *ctx)
{
    struct sign_in *t = ctx;
    int r = login_good(db, t->attempt);

    if (r == 0 && t->fresh_hash[0])
        r = rehash(db, t);
    if (r == 0)
        r = login_start(db, t->a, t->pepper, &t->row, &t->login->from, &t->made);
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
              const struct login *login, struct login_made *ret, int32_t *ret_retry_after_s)
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
    if (!password_check(t.row.hash.p, login->password))
        return LOGIN_E_WRONG;
    if (login->operators_only && !t.row.is_operator)
        return LOGIN_E_PROVIDER;
    if (t.row.second_factor)
        return login_ticket_make(a, session_pepper, &t.row, t.attempt, &ret->ticket);
    if (secret_password_stale(t.row.hash.p))
        r = secret_password_hash(login->password, t.fresh_hash);
    if (r == 0)
        r = identity_tx(db, DB_SYSTEM, "login_start", start_tx, &t);
    if (r != 0)
        return err_trace(r);
    ret->session = t.made;
    return 0;
}
