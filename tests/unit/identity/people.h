/* people.h: a database with a signed-up owner and their team, for the tests of identity. */
#pragma once

#include "pg_fixture.h"
#include "unit.h"

#include "base/bounds.h"
#include "db/tx.h"
#include "identity/login.h"
#include "identity/user.h"

struct people {
    struct pg_fixture pg;
    struct db *db, *owner; /* as tollgate_app and as the owner of the tables */
    struct arena *a;
};

static const uint8_t test_pepper[32] = "a pepper for the tests, 32 bytes";

static inline void people_start(struct people *t)
{
    pg_fixture_start(&t->pg);
    t->a = arena_new(MIB(64));
    assert_non_null(t->a);
    assert_int_equal(db_open(t->pg.app_conninfo, "test", &t->db), 0);
    assert_int_equal(db_open(t->pg.owner_conninfo, "test", &t->owner), 0);
}

static inline void people_stop(struct people *t)
{
    db_close(t->db);
    db_close(t->owner);
    arena_free(t->a);
    pg_fixture_stop(&t->pg);
}

static inline struct sign_up people_wish(const char *email)
{
    return (struct sign_up){
        .email = str_c(email),
        .name = STR("Ada Example"),
        .password = STR("correct horse battery"),
        .team_name = STR("Example"),
        .from = {STR("192.0.2.1"), STR("test")},
    };
}

/* The try before each other does not count. */
static inline void people_forget_attempts(struct people *t)
{
    assert_int_equal(db_script(t->owner, "DELETE FROM login_attempt"), 0);
}

/* As login_try(), of somebody without a second factor. */
static inline int people_sign_in(struct people *t, const struct login *login,
                                 struct session_made *ret, int32_t *ret_retry)
{
    struct login_made made;
    int r = login_try(t->db, t->a, test_pepper, login, &made, ret_retry);

    if (r == 0)
        *ret = made.session;
    return r;
}

static inline struct session_made people_sign_up(struct people *t, const char *email)
{
    struct sign_up wish = people_wish(email);
    struct session_made made;
    struct identity_fault fault = {"", ""};

    people_forget_attempts(t);
    assert_int_equal(user_sign_up(t->db, t->a, test_pepper, &wish, &made, &fault), 0);
    return made;
}

/* Within the transaction of a scope that the caller has begun and ends. */
static inline void people_begin(struct people *t, struct db_scope scope)
{
    assert_int_equal(db_begin(t->db, scope, false), 0);
}

static inline void people_commit(struct people *t)
{
    assert_int_equal(db_commit(t->db), 0);
}

static inline struct session people_session(struct people *t, struct str token)
{
    struct session s;

    people_begin(t, DB_SYSTEM);
    assert_int_equal(session_find(t->db, t->a, test_pepper, token, &s), 0);
    people_commit(t);
    return s;
}

static inline struct actor people_actor(struct user_id user)
{
    return (struct actor){ACTOR_USER, user.v, STR("ada@example.org"), STR("192.0.2.1")};
}
