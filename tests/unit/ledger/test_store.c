/* The journal's files: what is known of a disk that refuses, and when that is over. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "ledger/store.h"

#define RECORD STR("a record")

static char dir[] = "/tmp/test_store_XXXXXX";
static struct store store;

static int setup(void **state)
{
    snprintf(dir, sizeof(dir), "/tmp/test_store_XXXXXX");
    assert_non_null(mkdtemp(dir));
    assert_int_equal(store_open(&store, dir, 2), STORE_OK);
    return 0;
}

static int teardown(void **state)
{
    char path[PATH_MAX];

    store_close(&store);
    snprintf(path, sizeof(path), "%.*s/lock", PATH_MAX - 64, store.slot);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(store.slot), 0); /* nothing else was left there */
    return rmdir(dir);
}

static int append(unsigned writer)
{
    struct journal_segment *segment;
    bool first;

    return store_append(&store, writer, RECORD, &segment, &first);
}

/* A writer without a file of its own cannot make one meanwhile. */
static void move_slot(bool away)
{
    char other[PATH_MAX];

    snprintf(other, sizeof(other), "%.*s.away", PATH_MAX - 64, store.slot);
    assert_int_equal(away ? rename(store.slot, other) : rename(other, store.slot), 0);
}

static void a_record_that_is_refused_is_known_until_its_writer_wrote_another(void **state)
{
    assert_int_equal(store_failure(&store), 0);
    move_slot(true);
    assert_int_equal(append(1), -ENOENT);
    assert_int_equal(store_failure(&store), ENOENT);
    move_slot(false);
    assert_int_equal(append(0), 0);
    assert_int_equal(store_failure(&store), ENOENT); /* that was another writer's */
    assert_int_equal(append(1), 0);
    assert_int_equal(store_failure(&store), 0);
}

static void a_try_finds_out_without_records(void **state)
{
    move_slot(true);
    assert_int_equal(append(1), -ENOENT);
    store_try(&store);
    assert_int_equal(store_failure(&store), ENOENT);
    move_slot(false);
    store_try(&store);
    assert_int_equal(store_failure(&store), 0);
}

static void a_sync_that_failed_is_for_good(void **state)
{
    struct journal_segment *segment;

    assert_int_equal(append(0), 0);
    segment = store.writers[0].segment;
    close(segment->fd);
    segment->fd = -1;
    assert_int_equal(store_sync(&store), -EBADF);
    assert_int_equal(store_failure(&store), EIO);
    assert_int_equal(append(1), -EIO);
    store_try(&store);
    assert_int_equal(store_failure(&store), EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_record_that_is_refused_is_known_until_its_writer_wrote_another),
        TEST(a_try_finds_out_without_records),
        TEST(a_sync_that_failed_is_for_good),
    };

    log_set_level(LOG_ERROR + 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
