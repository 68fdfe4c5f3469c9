/* user.c: signing up, changing passwords, making operators: what hashes first and then writes.
 *
 * Hashing stays outside transactions: it takes as long as all the statements together. */
#include "identity/user.h"

#include <errno.h>

#include "base/err.h"
#include "identity/field.h"
#include "identity/invite.h"
#include "identity/login.h"
#include "identity/password.h"
#include "identity/team.h"
#include "identity/user_row.h"

struct joining {
    struct arena *a;
    const uint8_t *pepper;
    struct sign_up wish; /* checked */
    struct actor actor;
    char hash[SECRET_PASSWORD_SIZE];
    int64_t attempt;
    struct session_made made;
    struct identity_fault *fault;
};

int user_first_team(struct db *db, struct arena *a, const uint8_t session_pepper[32], const struct actor *actor,
                    struct str name, struct str team_name, struct str invite, struct identity_fault *fault)
{
    const struct user_id user = {actor->id};
    struct team_id team;
    int r;

    if (invite.p) {
        r = invite_use(db, a, session_pepper, actor, invite, user, &team, fault);
        return r == IDENTITY_E_NONE
                   ? identity_fault_set(fault, "invite", "The invitation is no longer valid.")
                   : r;
    }
    name = field_cut(name, TEAM_NAME_MAX - strlen("'s team"));
    if (team_name.n == 0)
        team_name = arena_strf(a, "%.*s's team", STR_FMT(name));
    if (!team_name.p)
        return err_origin(-ENOMEM);
    return team_create(db, a, actor, user, team_name, STR_NONE, &team, fault);
}

static int sign_up_tx(struct db *db, void *ctx)
{
    struct joining *t = ctx;
    struct user_new user = {.email = t->wish.email, .name = t->wish.name, .hash = t->hash};
    int r = user_row_add(db, &user, &t->made.user);

    if (r == IDENTITY_E_FAULT)
        return identity_fault_set(t->fault, "email",
                                  "There is an account with this e-mail already.");
    if (r == 0) {
        t->actor = (struct actor){ACTOR_USER, t->made.user.v, t->wish.email, t->wish.from.address};
        r = user_audit(db, &t->actor, "user.sign_up", t->made.user, STR_NONE, STR_NONE);
    }
    if (r == 0)
        r = user_first_team(db, t->a, t->pepper, &t->actor, t->wish.name, t->wish.team_name,
                            t->wish.invite, t->fault);
    if (r == 0)
        r = session_start(db, t->a, t->pepper, t->made.user, &t->wish.from, &t->made);
    if (r == 0)
        r = login_good(db, t->attempt);
    return r;
}

static int sign_up_check(struct arena *a, struct sign_up *wish, struct identity_fault *fault)
{
    int r = field_line(&wish->name, "name", 1, PERSON_NAME_MAX, fault);

    if (r == 0)
        r = field_email(a, wish->email, "email", &wish->email, fault);
    if (r == 0)
        r = field_line(&wish->team_name, "team_name", 0, TEAM_NAME_MAX, fault);
    if (r != 0)
        return r;
    if (wish->invite_required && !wish->invite.p)
        return identity_fault_set(fault, "invite", "An invitation is needed to sign up here.");
    const char *refusal = password_refusal(wish->password, wish->email);

    return refusal ? identity_fault_set(fault, "password", refusal) : 0;
}

int user_sign_up(struct db *db, struct arena *a, const uint8_t session_pepper[32],
                 const struct sign_up *wish, struct session_made *ret, struct identity_fault *fault)
{
    struct joining t = {.a = a, .pepper = session_pepper, .wish = *wish, .fault = fault};
    int32_t retry_after_s;
    int r = sign_up_check(a, &t.wish, fault);

    if (r == 0) {
        r = login_admit(db, STR_NONE, wish->from.address, &t.attempt, &retry_after_s);
        if (r == LOGIN_E_LIMITED)
            return identity_limited(fault, retry_after_s);
    }
    if (r == 0)
        r = secret_password_hash(wish->password, t.hash);
    if (r == 0)
        r = identity_tx(db, DB_SYSTEM, "sign_up", sign_up_tx, &t);
    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    *ret = t.made;
    return 0;
}

int user_rename(struct db *db, struct arena *a, const struct actor *actor, struct user_id id,
                struct str name, struct identity_fault *fault)
{
    struct str before, after;
    int r = field_line(&name, "name", 1, PERSON_NAME_MAX, fault);

    if (r == 0)
        r = user_row_json(db, a, id, &before);
    if (r == 0)
        r = user_row_set_name(db, id, name);
    if (r == 0)
        r = user_row_json(db, a, id, &after);
    if (r == 0)
        r = user_audit(db, actor, "user.rename", id, before, after);
    return r < 0 ? err_trace(r) : r;
}

int user_prove(struct db *db, const struct user_row *row, struct str password, struct str address,
               int64_t *ret_attempt, struct identity_fault *fault)
{
    int32_t retry_after_s;
    int r = login_admit(db, row->email, address, ret_attempt, &retry_after_s);

    if (r < 0)
        return err_trace(r);
    if (r == LOGIN_E_LIMITED)
        return identity_limited(fault, retry_after_s);
    return password_check(row->hash.p, password)
               ? 0
               : identity_fault_set(fault, "current_password", "This is not your password.");
}

struct new_password {
    struct arena *a;
    const uint8_t *pepper;
    struct user_row row;
    const struct session_from *from;
    char hash[SECRET_PASSWORD_SIZE];
    int64_t attempt;
    struct session_made made;
};

static int read_tx(struct db *db, void *ctx)
{
    struct new_password *t = ctx;

    return user_row_get(db, t->a, t->row.id, &t->row);
}

static int change_tx(struct db *db, void *ctx)
{
    struct new_password *t = ctx;
    struct actor actor = {t->row.is_operator ? ACTOR_OPERATOR : ACTOR_USER, t->row.id.v,
                          t->row.email, t->from->address};
    int r = user_set_password(db, t->row.id, t->hash);

    if (r == 0)
        r = session_start(db, t->a, t->pepper, t->row.id, t->from, &t->made);
    if (r == 0)
        r = login_good(db, t->attempt);
    if (r == 0)
        r = user_audit(db, &actor, "user.change_password", t->row.id, STR_NONE, STR_NONE);
    return r;
}

int user_change_password(struct db *db, struct arena *a, const uint8_t session_pepper[32],
                         struct user_id id, struct str current, struct str password,
                         const struct session_from *from, struct session_made *ret,
                         struct identity_fault *fault)
{
    struct new_password t = {.a = a, .pepper = session_pepper, .row.id = id, .from = from};
    int r = identity_tx(db, DB_SYSTEM, "user_get", read_tx, &t);

    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    const char *refusal = password_refusal(password, t.row.email);

    if (refusal)
        return identity_fault_set(fault, "password", refusal);
    r = user_prove(db, &t.row, current, from->address, &t.attempt, fault);
    if (r == 0)
        r = secret_password_hash(password, t.hash);
    if (r == 0)
        r = identity_tx(db, DB_SYSTEM, "change_password", change_tx, &t);
    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    *ret = t.made;
    return 0;
}

struct promoting {
    struct arena *a;
    const struct actor *actor;
    struct str email;
    char hash[SECRET_PASSWORD_SIZE];
    bool made;
};

static int promote_tx(struct db *db, void *ctx)
{
    struct promoting *t = ctx;
    struct user_new wish = {
        .email = t->email, .name = STR("Operator"), .hash = t->hash, .is_operator = true};
    struct user_id id;
    struct user user;
    int r = user_row_add(db, &wish, &id);

    t->made = r == 0;
    if (r == 0)
        return user_audit(db, t->actor, "operator.create", id, STR_NONE, STR_NONE);
    if (r == IDENTITY_E_FAULT)
        r = user_by_email(db, t->a, t->email, &user);
    if (r == 0 && !user.is_operator)
        r = user_set_operator(db, t->a, t->actor, user.id, true, NULL);
    return r;
}

int user_create_operator(struct db *db, struct arena *a, const struct actor *actor,
                         struct str email, struct str *ret_password, struct identity_fault *fault)
{
    struct promoting t = {.a = a, .actor = actor};
    struct str password = password_generate(a);
    int r = password.p ? field_email(a, email, "email", &t.email, fault) : err_origin(-ENOMEM);

    if (r == 0)
        r = secret_password_hash(password, t.hash);
    if (r == 0)
        r = identity_tx(db, DB_SYSTEM, "create_operator", promote_tx, &t);
    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    *ret_password = t.made ? password : STR_NONE;
    return 0;
}
