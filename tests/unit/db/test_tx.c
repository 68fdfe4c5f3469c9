/* The transaction runner: scopes, commit and rollback, retries, and a server that goes away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>

#include <cmocka.h>

#include "base/log.h"
#include "db/tx.h"
#include "pg_fixture.h"

static struct pg_fixture pg;
static struct db *db, *other, *owner;

DB_QUERY(who, "SELECT app_scope() AS scope, app_team() AS team, app_user() AS user_id");
DB_QUERY(note_add, "INSERT INTO note (id, team_id, n) VALUES ($1, $2, 0)");
DB_QUERY(note_count, "SELECT count(*) AS n FROM note");
DB_QUERY(note_read, "SELECT n FROM note WHERE id = $1");
DB_QUERY(note_bump, "UPDATE note SET n = n + 1 WHERE id = $1");
DB_QUERY(sleep_for, "SELECT pg_sleep($1::float8)");
DB_QUERY(fail_with, "SELECT note_fail($1)");
DB_QUERY(kill_pid, "SELECT pg_terminate_backend($1::int, 60000) AS done");
DB_QUERY(own_pid, "SELECT pg_backend_pid() AS pid");

static int setup(void **state)
{
    pg_fixture_start(&pg);
    assert_int_equal(db_open(pg.app_conninfo, "test", &db), 0);
    assert_int_equal(db_open(pg.app_conninfo, "test", &other), 0);
    assert_int_equal(db_open(pg.owner_conninfo, "test", &owner), 0);
    assert_int_equal(
        db_script(owner,
                  "CREATE TABLE note (id bigint PRIMARY KEY, team_id bigint NOT NULL, n bigint);"
                  "CALL tenant_table('note'); GRANT SELECT, INSERT, UPDATE ON note TO tollgate_app;"
                  "CREATE FUNCTION note_fail(code text) RETURNS void LANGUAGE plpgsql AS"
                  " $$ BEGIN RAISE 'made up' USING ERRCODE = code; END $$;"
                  "GRANT EXECUTE ON FUNCTION note_fail TO tollgate_app"),
        0);
    return 0;
}

static int teardown(void **state)
{
    db_close(db);
    db_close(other);
    db_close(owner);
    pg_fixture_stop(&pg);
    return 0;
}

struct seen {
    struct str scope;
    int64_t team, user;
    bool no_team, no_user;
    struct arena *arena;
};

static int read_who(struct db *conn, void *ctx)
{
    struct seen *s = ctx;

    return db_one(conn, &who, s->arena, DB_NO_ARGS,
                  DB_COLS(db_col_text("scope", &s->scope),
                          db_col_i64_null("team", &s->team, &s->no_team),
                          db_col_i64_null("user_id", &s->user, &s->no_user)));
}

static void the_scope_holds_for_the_transaction_only(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(1 << 16);
    struct seen s = {.arena = a};

    assert_int_equal(db_tx(db, DB_TEAM((struct team_id){7}), "who", read_who, &s), 0);
    assert_true(str_eq(s.scope, STR("team")));
    assert_int_equal(s.team, 7);
    assert_true(s.no_user);
    assert_int_equal(db_read(db, DB_USER((struct user_id){9}), "who", read_who, &s), 0);
    assert_true(str_eq(s.scope, STR("user")));
    assert_int_equal(s.user, 9);
    assert_true(s.no_team);
    assert_int_equal(read_who(db, &s), 0);
    assert_null(s.scope.p);
}

static int64_t count_as(struct db_scope scope)
{
    int64_t n = -1;

    assert_int_equal(db_begin(db, scope, true), 0);
    assert_int_equal(db_one(db, &note_count, NULL, DB_NO_ARGS, DB_COLS(db_col_i64("n", &n))), 0);
    assert_int_equal(db_commit(db), 0);
    return n;
}

static int add_note(struct db *conn, void *ctx)
{
    const int64_t *ids = ctx;

    return db_exec(conn, &note_add, DB_ARGS(db_i64(ids[0]), db_i64(ids[1])), NULL);
}

static void rows_belong_to_their_team(void **state)
{
    int64_t one[] = {1, 10}, two[] = {2, 20}, foreign[] = {3, 20};

    assert_int_equal(db_tx(db, DB_TEAM((struct team_id){10}), "add", add_note, one), 0);
    assert_int_equal(db_tx(db, DB_TEAM((struct team_id){20}), "add", add_note, two), 0);
    assert_true(db_tx(db, DB_TEAM((struct team_id){10}), "add", add_note, foreign) < 0);
    assert_int_equal(count_as(DB_TEAM((struct team_id){10})), 1);
    assert_int_equal(count_as(DB_OPERATOR), 2);
    assert_int_equal(count_as(DB_SYSTEM), 2);
    assert_int_equal(count_as(DB_USER((struct user_id){1})), 0);
}

static int add_then_say(struct db *conn, void *ctx)
{
    int64_t ids[] = {50, 10};

    return add_note(conn, ids) == 0 ? *(int *)ctx : -1;
}

static void anything_but_0_rolls_back_and_is_returned(void **state)
{
    int say = 17;

    assert_int_equal(db_tx(db, DB_SYSTEM, "say", add_then_say, &say), 17);
    assert_int_equal(count_as(DB_OPERATOR), 2);
    say = -EIO;
    assert_int_equal(db_tx(db, DB_SYSTEM, "say", add_then_say, &say), -EIO);
    assert_int_equal(count_as(DB_OPERATOR), 2);
}

struct failing {
    int left, runs;
    const char *code;
};

static int fail_some_times(struct db *conn, void *ctx)
{
    struct failing *f = ctx;

    f->runs++;
    if (f->left-- > 0)
        return db_exec(conn, &fail_with, DB_ARGS(db_cstr(f->code)), NULL);
    return 0;
}

static void serialization_failures_run_again(void **state)
{
    struct failing f = {.left = 2, .code = "40001"};

    assert_int_equal(db_tx(db, DB_SYSTEM, "retry", fail_some_times, &f), 0);
    assert_int_equal(f.runs, 3);
}

static void retries_end(void **state)
{
    struct failing f = {.left = 1000, .code = "40P01"};

    assert_int_equal(db_tx(db, DB_SYSTEM, "retry", fail_some_times, &f), DB_E_AWAY);
    assert_int_equal(f.runs, 5);
}

static void other_failures_run_once(void **state)
{
    struct failing f = {.left = 1000, .code = "22012"};

    assert_true(db_tx(db, DB_SYSTEM, "once", fail_some_times, &f) < 0);
    assert_int_equal(f.runs, 1);
    f = (struct failing){.left = 1000, .code = "TG042"};
    assert_int_equal(db_tx(db, DB_SYSTEM, "once", fail_some_times, &f), DB_E_REFUSED);
    assert_int_equal(f.runs, 1);
}

static int swallow(struct db *conn, void *ctx)
{
    int r = db_exec(conn, &fail_with, DB_ARGS(db_cstr("TG042")), NULL);

    return r == DB_E_REFUSED ? 0 : -1;
}

static void a_swallowed_failure_is_not_a_commit(void **state)
{
    assert_int_equal(db_tx(db, DB_SYSTEM, "swallow", swallow, NULL), -ECANCELED);
}

/* Two transactions that take two rows in opposite order. */
struct crossing {
    struct db *conn;
    int64_t first, second;
    int r;
};

static int bump_both(struct db *conn, void *ctx)
{
    struct crossing *c = ctx;
    int r = db_exec(conn, &note_bump, DB_ARGS(db_i64(c->first)), NULL);

    if (r == 0)
        r = db_exec(conn, &sleep_for, DB_ARGS(db_cstr("0.2")), NULL);
    if (r == 0)
        r = db_exec(conn, &note_bump, DB_ARGS(db_i64(c->second)), NULL);
    return r;
}

static void *cross(void *arg)
{
    struct crossing *c = arg;

    c->r = db_tx(c->conn, DB_SYSTEM, "cross", bump_both, c);
    return NULL;
}

static void a_real_deadlock_is_survived(void **state)
{
    struct crossing a = {db, 1, 2, -1}, b = {other, 2, 1, -1};
    pthread_t thread;
    int64_t n = 0;

    assert_int_equal(pthread_create(&thread, NULL, cross, &a), 0);
    cross(&b);
    pthread_join(thread, NULL);
    assert_int_equal(a.r, 0);
    assert_int_equal(b.r, 0);
    assert_int_equal(db_begin(db, DB_SYSTEM, true), 0);
    assert_int_equal(db_one(db, &note_read, NULL, DB_ARGS(db_i64(1)), DB_COLS(db_col_i64("n", &n))),
                     0);
    assert_int_equal(db_commit(db), 0);
    assert_int_equal(n, 2);
}

static int lose_connection(struct db *conn, void *ctx)
{
    int32_t pid = 0;
    int r = db_one(conn, &own_pid, NULL, DB_NO_ARGS, DB_COLS(db_col_i32("pid", &pid)));

    if (r == 0)
        r = db_exec(other, &kill_pid, DB_ARGS(db_i32(pid)), NULL);
    assert_int_equal(r, 0);
    return add_then_say(conn, &(int){0}) == -1 ? DB_E_AWAY : 0;
}

static void a_connection_lost_inside_is_away_and_comes_back(void **state)
{
    assert_int_equal(db_tx(db, DB_SYSTEM, "lose", lose_connection, NULL), DB_E_AWAY);
    assert_int_equal(count_as(DB_OPERATOR), 2);
}

static int write_something(struct db *conn, void *ctx)
{
    return db_exec(conn, &note_bump, DB_ARGS(db_i64(1)), NULL);
}

static void reading_transactions_cannot_write(void **state)
{
    assert_int_not_equal(db_read(db, DB_SYSTEM, "write", write_something, NULL), 0);
}

static void rescope_changes_who_asks(void **state)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(1 << 16);
    struct seen s = {.arena = a};

    assert_int_equal(db_begin(db, DB_SYSTEM, false), 0);
    assert_int_equal(db_rescope(db, DB_TEAM((struct team_id){3})), 0);
    assert_int_equal(read_who(db, &s), 0);
    assert_true(str_eq(s.scope, STR("team")));
    assert_int_equal(s.team, 3);
    db_rollback(db);
    db_rollback(db);
}

/* A set_config of the owner's stands before PostgreSQL's here, on this connection only. */
static void a_begin_that_fails_half_way_leaves_no_transaction(void **state)
{
    assert_int_equal(
        db_script(owner,
                  "CREATE FUNCTION public.set_config(text, text, boolean) RETURNS text"
                  " LANGUAGE plpgsql AS $$ BEGIN RAISE 'made up' USING ERRCODE = '22012'; END $$;"
                  "GRANT EXECUTE ON FUNCTION public.set_config(text, text, boolean) TO tollgate_app"),
        0);
    assert_int_equal(db_script(db, "SET search_path = public, pg_catalog"), 0);
    assert_true(db_begin(db, DB_SYSTEM, false) < 0);
    assert_int_equal(count_as(DB_OPERATOR), 2);
    assert_int_equal(db_script(owner, "DROP FUNCTION public.set_config(text, text, boolean)"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_scope_holds_for_the_transaction_only),
        cmocka_unit_test(rows_belong_to_their_team),
        cmocka_unit_test(anything_but_0_rolls_back_and_is_returned),
        cmocka_unit_test(serialization_failures_run_again),
        cmocka_unit_test(retries_end),
        cmocka_unit_test(other_failures_run_once),
        cmocka_unit_test(a_swallowed_failure_is_not_a_commit),
        cmocka_unit_test(a_real_deadlock_is_survived),
        cmocka_unit_test(a_connection_lost_inside_is_away_and_comes_back),
        cmocka_unit_test(reading_transactions_cannot_write),
        cmocka_unit_test(rescope_changes_who_asks),
        cmocka_unit_test(a_begin_that_fails_half_way_leaves_no_transaction),
    };

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, setup, teardown);
}
