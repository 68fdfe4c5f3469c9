/* Migrations, the change listener, and adopting a server: what happens around the database. */
#include "patience.h"

#include <pthread.h>

#include "base/log.h"
#include "db/notify.h"
#include "db/tx.h"
#include "pg_fixture.h"

static struct pg_fixture pg;
static char files[64];

DB_QUERY(say, "SELECT note_change($1)");
DB_QUERY(cut_listener, "SELECT pg_terminate_backend(pid) AS done FROM pg_stat_activity"
                       " WHERE application_name = 'tollgate listener'");
DB_QUERY(count_tables, "SELECT count(*) AS n FROM pg_tables WHERE tablename LIKE 'thing%'");

static void write_file(const char *name, const char *text)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", files, name);
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void remove_file(const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", files, name);
    assert_int_equal(unlink(path), 0);
}

/* Foundation as it is, under its own name, so that roles and helpers exist. */
static void copy_foundation(void)
{
    static char text[65536];
    FILE *f = fopen("migrations/0001_foundation.sql", "re");

    assert_non_null(f);
    size_t n = fread(text, 1, sizeof(text) - 1, f);

    fclose(f);
    assert_true(n > 0 && n < sizeof(text) - 1);
    text[n] = '\0';
    write_file("0001_foundation.sql", text);
}

static int setup(void **state)
{
    pg_fixture_start_empty(&pg);
    snprintf(files, sizeof(files), "/tmp/tg-files-XXXXXX");
    assert_non_null(mkdtemp(files));
    copy_foundation();
    return 0;
}

static int teardown(void **state)
{
    nftw(files, pg_fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
    pg_fixture_stop(&pg);
    return 0;
}

static int run(unsigned *applied)
{
    return migrate_run(pg.owner_conninfo, files, applied);
}

static int check(void)
{
    struct db *db;

    assert_int_equal(db_open(pg.app_conninfo, "test", &db), 0);
    int r = migrate_check(db, files);

    db_close(db);
    return r;
}

static int64_t things(void)
{
    struct db *db;
    int64_t n = -1;

    assert_int_equal(db_open(pg.owner_conninfo, "test", &db), 0);
    assert_int_equal(db_one(db, &count_tables, NULL, DB_NO_ARGS, DB_COLS(db_col_i64("n", &n))), 0);
    db_close(db);
    return n;
}

static void an_empty_database_is_behind(void **state)
{
    assert_int_equal(check(), MIGRATE_E_BEHIND);
}

static void files_apply_once(void **state)
{
    unsigned applied = 99;

    write_file("0002_thing.sql", "CREATE TABLE thing (id bigint);");
    assert_int_equal(run(&applied), MIGRATE_OK);
    assert_int_equal(applied, 2);
    assert_int_equal(run(&applied), MIGRATE_OK);
    assert_int_equal(applied, 0);
    assert_int_equal(check(), MIGRATE_OK);
}

static void a_new_file_is_missing_until_it_is_applied(void **state)
{
    unsigned applied;

    write_file("0003_more.sql", "CREATE TABLE thing_more (id bigint);");
    assert_int_equal(check(), MIGRATE_E_BEHIND);
    assert_int_equal(run(&applied), MIGRATE_OK);
    assert_int_equal(applied, 1);
    assert_int_equal(check(), MIGRATE_OK);
}

static void a_failing_file_leaves_nothing(void **state)
{
    unsigned applied;

    write_file("0004_bad.sql", "CREATE TABLE thing_half (id bigint);\nSELECT nonsense;\n");
    assert_int_equal(run(&applied), MIGRATE_E_FAILED);
    assert_int_equal(things(), 2);
    remove_file("0004_bad.sql");
    assert_int_equal(run(&applied), MIGRATE_OK);
}

static void a_changed_file_is_refused(void **state)
{
    unsigned applied;

    write_file("0003_more.sql", "CREATE TABLE thing_more (id integer);");
    assert_int_equal(run(&applied), MIGRATE_E_CHANGED);
    assert_int_equal(check(), MIGRATE_E_CHANGED);
    write_file("0003_more.sql", "CREATE TABLE thing_more (id bigint);");
    assert_int_equal(check(), MIGRATE_OK);
}

static void a_newer_database_is_refused(void **state)
{
    unsigned applied;

    remove_file("0003_more.sql");
    assert_int_equal(run(&applied), MIGRATE_E_NEWER);
    assert_int_equal(check(), MIGRATE_E_NEWER);
    write_file("0003_more.sql", "CREATE TABLE thing_more (id bigint);");
}

static void a_gap_is_refused(void **state)
{
    unsigned applied;

    write_file("0005_far.sql", "SELECT 1;");
    assert_int_equal(run(&applied), MIGRATE_E_GAP);
    remove_file("0005_far.sql");
    write_file("4_odd.sql", "SELECT 1;");
    assert_int_equal(run(&applied), MIGRATE_E_GAP);
    remove_file("4_odd.sql");
}

static void the_owner_is_no_role_to_serve_with(void **state)
{
    struct db *db;

    assert_int_equal(db_open(pg.owner_conninfo, "test", &db), 0);
    assert_int_equal(migrate_check(db, files), MIGRATE_E_ROLE);
    db_close(db);
}

static void *run_beside(void *arg)
{
    unsigned applied = 0;

    *(int *)arg = run(&applied) == MIGRATE_OK ? (int)applied : -1;
    return NULL;
}

static void two_at_once_apply_each_file_once(void **state)
{
    pthread_t thread;
    int theirs = -1, ours = -1;

    write_file("0004_slow.sql", "SELECT pg_sleep(0.3); CREATE TABLE thing_slow (id bigint);");
    assert_int_equal(pthread_create(&thread, NULL, run_beside, &theirs), 0);
    run_beside(&ours);
    pthread_join(thread, NULL);
    assert_int_equal(theirs + ours, 1);
    assert_true(theirs >= 0);
    assert_true(ours >= 0);
}

/* What the listener has said, counted by payload. */
struct heard {
    pthread_mutex_t lock;
    int all, key, other;
};

static void hear(struct str payload, void *ctx)
{
    struct heard *h = ctx;

    pthread_mutex_lock(&h->lock);
    if (str_eq(payload, STR("all")))
        h->all++;
    else if (str_eq(payload, STR("key:12")))
        h->key++;
    else
        h->other++;
    pthread_mutex_unlock(&h->lock);
}

static bool wait_for(struct heard *h, const int *counter, int wanted)
{
    int64_t end_ms = test_now_ms() + TEST_PATIENCE_MS;
    bool reached = false;

    while (!reached && test_now_ms() < end_ms) {
        usleep(10000);
        pthread_mutex_lock(&h->lock);
        reached = *counter >= wanted;
        pthread_mutex_unlock(&h->lock);
    }
    return reached;
}

static void the_listener_hears_and_outlives_its_connection(void **state)
{
    struct heard h = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct notify_config config = {.conninfo = pg.app_conninfo, .channel = "tollgate_change",
                                   .poll_ms = 100, .changed = hear, .ctx = &h};
    struct notify *n;
    struct db *db;

    assert_int_equal(db_open(pg.app_conninfo, "test", &db), 0);
    assert_int_equal(notify_start(&config, &n), 0);
    assert_true(wait_for(&h, &h.all, 1));
    assert_int_equal(db_exec(db, &say, DB_ARGS(db_cstr("key:12")), NULL), 0);
    assert_true(wait_for(&h, &h.key, 1));
    wait_until(notify_silence_ms(n) < 5000);
    int before = h.all;

    assert_int_equal(db_exec(db, &cut_listener, DB_NO_ARGS, NULL), 0);
    assert_true(wait_for(&h, &h.all, before + 1));
    assert_int_equal(db_exec(db, &say, DB_ARGS(db_cstr("key:12")), NULL), 0);
    assert_true(wait_for(&h, &h.key, 2));
    assert_int_equal(h.other, 0);
    notify_stop(n);
    notify_free(n);
    db_close(db);
}

static void a_change_without_its_message_is_noticed(void **state)
{
    struct heard h = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct notify_config config = {.conninfo = pg.app_conninfo, .channel = "tollgate_change",
                                   .poll_ms = 100, .changed = hear, .ctx = &h};
    struct notify *n;
    struct db *db;

    assert_int_equal(db_open(pg.owner_conninfo, "test", &db), 0);
    assert_int_equal(notify_start(&config, &n), 0);
    assert_true(wait_for(&h, &h.all, 1));
    assert_int_equal(db_script(db, "UPDATE change_epoch SET epoch = epoch + 1"), 0);
    assert_true(wait_for(&h, &h.all, 2));
    notify_stop(n);
    notify_free(n);
    db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_database_is_behind),
        cmocka_unit_test(files_apply_once),
        cmocka_unit_test(a_new_file_is_missing_until_it_is_applied),
        cmocka_unit_test(a_failing_file_leaves_nothing),
        cmocka_unit_test(a_changed_file_is_refused),
        cmocka_unit_test(a_newer_database_is_refused),
        cmocka_unit_test(a_gap_is_refused),
        cmocka_unit_test(the_owner_is_no_role_to_serve_with),
        cmocka_unit_test(two_at_once_apply_each_file_once),
        cmocka_unit_test(the_listener_hears_and_outlives_its_connection),
        cmocka_unit_test(a_change_without_its_message_is_noticed),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
