/* reset_sql.c: password reset links. */
#include "identity/reset.h"

#include <errno.h>

#include "base/err.h"
#include "identity/field.h"
#include "identity/login.h"
#include "identity/password.h"
#include "identity/user_row.h"

DB_QUERY(reset_add,
         "INSERT INTO reset_token (digest, user_id, created_by, expires_at)"
         " SELECT $1, id, nullif($3::bigint, 0), now() + make_interval(mins => $4) FROM person"
         "  WHERE id = $2 AND disabled_at IS NULL"
         " ON CONFLICT (user_id) DO UPDATE SET digest = excluded.digest,"
         "       created_by = excluded.created_by, created_at = now(),"
         "       expires_at = excluded.expires_at")

int reset_make(struct db *db, struct arena *a, const uint8_t session_pepper[32],
               const struct actor *actor, struct user_id user, struct str *ret_token)
{
    struct str token = secret_token(a, "");
    int64_t rows = 0, creator = actor->kind == ACTOR_OPERATOR ? actor->id : 0;

    if (!token.p)
        return err_origin(-ENOMEM);
    struct digest digest = session_digest(session_pepper, "reset", token);
    int r = db_fatal(
        db_exec(db, &reset_add,
                DB_ARGS(db_digest(&digest), db_i64(user.v), db_i64(creator), db_i32(RESET_MINUTES)),
                &rows));

    if (r == 0 && rows == 0)
        return IDENTITY_E_NONE;
    if (r == 0)
        r = user_audit(db, actor, "user.make_reset_link", user, STR_NONE, STR_NONE);
    if (r != 0)
        return err_trace(r);
    *ret_token = token;
    return 0;
}

DB_QUERY(reset_by_digest,
         "SELECT p.id, p.email, p.is_operator,"
         "       EXISTS (SELECT FROM second_factor f WHERE f.user_id = p.id"
         "                                     AND f.confirmed_at IS NOT NULL) AS second_factor"
         "  FROM reset_token t JOIN person p ON p.id = t.user_id"
         " WHERE t.digest = $1 AND t.expires_at > now() AND p.disabled_at IS NULL"
         "   FOR UPDATE OF t")

struct resetting {
    struct arena *a;
    const uint8_t *pepper;
    struct digest digest;
    const struct session_from *from;
    struct user_id user;
    struct str email;
    bool is_operator, second_factor;
    int64_t attempt;
    char hash[SECRET_PASSWORD_SIZE];
    struct session_made made;
};

static int look_tx(struct db *db, void *ctx)
{
    struct resetting *t = ctx;
    int r = db_one(db, &reset_by_digest, t->a, DB_ARGS(db_digest(&t->digest)),
                   DB_COLS(db_col_i64("id", &t->user.v), db_col_text("email", &t->email),
                           db_col_bool("is_operator", &t->is_operator),
                           db_col_bool("second_factor", &t->second_factor)));

    return r == DB_E_NONE ? IDENTITY_E_NONE : db_fatal(r);
}

int reset_peek(struct db *db, struct arena *a, const uint8_t session_pepper[32], struct str token,
               bool operators_only, struct str *ret_email)
{
    struct resetting t = {.a = a, .digest = session_digest(session_pepper, "reset", token)};
    int r = look_tx(db, &t);

    if (r == 0 && operators_only && !t.is_operator)
        r = IDENTITY_E_NONE;
    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    *ret_email = t.email;
    return 0;
}

/* Looks again: of two who use the link at once the second one finds it gone. */
static int set_tx(struct db *db, void *ctx)
{
    struct resetting *t = ctx;
    struct actor actor = {.name = t->email, .address = t->from->address};
    int r = look_tx(db, t);

    if (r != 0)
        return r;
    actor.kind = t->is_operator ? ACTOR_OPERATOR : ACTOR_USER;
    actor.id = t->user.v;
    t->made = (struct session_made){.user = t->user};
    r = user_set_password(db, t->user, t->hash);
    if (r == 0 && !t->second_factor)
        r = session_start(db, t->a, t->pepper, t->user, t->from, &t->made);
    if (r == 0)
        r = login_good(db, t->attempt);
    if (r == 0)
        r = user_audit(db, &actor, "user.reset_password", t->user, STR_NONE, STR_NONE);
    return r;
}

int reset_use(struct db *db, struct arena *a, const uint8_t session_pepper[32], struct str token,
              struct str password, const struct session_from *from, struct session_made *ret,
              struct identity_fault *fault)
{
    struct resetting t = {.a = a,
                          .pepper = session_pepper,
                          .from = from,
                          .digest = session_digest(session_pepper, "reset", token)};
    int32_t retry_after_s;
    int r = login_admit(db, STR_NONE, from->address, &t.attempt, &retry_after_s);

    if (r == LOGIN_E_LIMITED)
        return identity_limited(fault, retry_after_s);
    if (r == 0)
        r = identity_tx(db, DB_SYSTEM, "reset_look", look_tx, &t);
    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    const char *refusal = password_refusal(password, t.email);

    if (refusal)
        return identity_fault_set(fault, "password", refusal);
    r = secret_password_hash(password, t.hash);
    if (r == 0)
        r = identity_tx(db, DB_SYSTEM, "reset_use", set_tx, &t);
    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    *ret = t.made;
    return 0;
}

DB_QUERY(reset_wish_add, "INSERT INTO reset_wish (email, address) VALUES ($1, $2)")

struct asking {
    struct str email, address;
};

static int ask_tx(struct db *db, void *ctx)
{
    struct asking *t = ctx;

    return db_fatal(
        db_exec(db, &reset_wish_add, DB_ARGS(db_text(t->email), db_text(t->address)), NULL));
}

/* The account of the limits is no e-mail, so that who asks cannot lock its owner out of signing in. */
int reset_ask(struct db *db, struct arena *a, struct str email, struct str address,
              int32_t *ret_retry_after_s, struct identity_fault *fault)
{
    struct asking t = {.address = address.p ? address : STR("")};
    int64_t attempt;
    int r = field_email(a, email, "email", &t.email, fault);

    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    struct str account = arena_strf(a, "reset:%.*s", STR_FMT(t.email));

    r = account.p ? login_admit(db, account, address, &attempt, ret_retry_after_s)
                  : err_origin(-ENOMEM);
    if (r == LOGIN_E_LIMITED)
        return IDENTITY_E_LIMITED;
    if (r == 0)
        r = identity_tx(db, DB_SYSTEM, "reset_ask", ask_tx, &t);
    return r < 0 ? err_trace(r) : r;
}

DB_QUERY(reset_wish_take,
         "DELETE FROM reset_wish WHERE id = (SELECT id FROM reset_wish ORDER BY id LIMIT 1"
         "                                      FOR UPDATE SKIP LOCKED)"
         " RETURNING address, coalesce((SELECT p.id FROM person p WHERE p.email = reset_wish.email"
         "                                 AND p.disabled_at IS NULL AND (p.is_operator OR NOT $1)), 0)"
         "           AS user_id, email")

int reset_grant(struct db *db, struct arena *a, const uint8_t session_pepper[32],
                bool operators_only, struct reset_made *ret)
{
    struct actor actor = ACTOR_THE_SYSTEM;
    struct reset_made made = {0};
    struct user_id user;
    int r = db_one(db, &reset_wish_take, a, DB_ARGS(db_bool(operators_only)),
                   DB_COLS(db_col_text("address", &actor.address), db_col_i64("user_id", &user.v),
                           db_col_text("email", &made.email)));

    if (r == DB_E_NONE)
        return IDENTITY_E_NONE;
    if (r != 0)
        return err_trace(db_fatal(r));
    if (user.v)
        r = reset_make(db, a, session_pepper, &actor, user, &made.token);
    if (r < 0)
        return err_trace(r);
    *ret = made;
    return 0;
}
