/* An account's own limits by the minute: what fits, what is given back, and a new minute. */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "providers/quota.h"

#define MINUTE INT64_C(60000000)
#define NOW (29000000 * MINUTE)

static const struct account_id one = {7}, other = {8};

static void requests_are_counted_by_the_minute(void **state)
{
    const struct quota limit = {.requests = 2};
    struct quota_board *b;

    assert_int_equal(quota_board_new(&b), 0);
    assert_true(quota_take(b, one, NOW, &limit, 5));
    assert_true(quota_take(b, one, NOW + MINUTE - 1, &limit, 5));
    assert_false(quota_take(b, one, NOW + 1, &limit, 5));
    assert_true(quota_take(b, other, NOW, &limit, 5));
    assert_true(quota_take(b, one, NOW + MINUTE, &limit, 5));
    assert_true(quota_take(b, one, NOW, &(struct quota){0}, 5)); /* no limit */
    quota_board_free(b);
}

static void tokens_are_put_right_when_they_are_known(void **state)
{
    const struct quota limit = {.requests = 3, .tokens = 100};
    struct quota_board *b;

    assert_int_equal(quota_board_new(&b), 0);
    assert_true(quota_take(b, one, NOW, &limit, 80));
    assert_false(quota_take(b, one, NOW, &limit, 21)); /* and gives its request back */
    quota_correct(b, one, NOW, NOW + 5, -70);
    assert_true(quota_take(b, one, NOW, &limit, 90));
    assert_false(quota_take(b, one, NOW, &limit, 1));
    quota_correct(b, one, NOW, NOW + 5, -1000); /* never below nothing */
    assert_true(quota_take(b, one, NOW, &limit, 100));
    assert_false(quota_take(b, one, NOW, &limit, 0)); /* the requests are used up */
    /* More than a minute has: alone in its minute. */
    assert_true(quota_take(b, one, NOW + MINUTE, &limit, 5000));
    assert_false(quota_take(b, one, NOW + MINUTE, &limit, 1));
    quota_correct(b, one, NOW, NOW + MINUTE, -5000); /* that minute is over */
    assert_false(quota_take(b, one, NOW + MINUTE, &limit, 1));
    quota_board_free(b);
}

static struct quota_board *board;
static atomic_int taken;

static void *taker(void *arg)
{
    const struct quota limit = {.requests = 1000, .tokens = 1000000};

    for (int i = 0; i < 400; i++)
        if (quota_take(board, one, NOW, &limit, 10))
            atomic_fetch_add(&taken, 1);
    return NULL;
}

static void accounts_of_other_minutes_take_no_room(void **state)
{
    const struct quota limit = {.requests = 1, .tokens = 10};
    struct quota_board *b;

    assert_int_equal(quota_board_new(&b), 0);
    for (int64_t id = 1; id <= QUOTA_SLOTS; id++)
        assert_true(quota_take(b, (struct account_id){id}, NOW, &limit, 5));
    for (int64_t id = QUOTA_SLOTS + 1; id <= QUOTA_SLOTS + 10; id++) {
        assert_true(quota_take(b, (struct account_id){id}, NOW + MINUTE, &limit, 5));
        assert_false(quota_take(b, (struct account_id){id}, NOW + MINUTE, &limit, 5));
    }
    quota_board_free(b);
}

static void threads_take_the_limit_together(void **state)
{
    pthread_t threads[4];

    assert_int_equal(quota_board_new(&board), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, taker, NULL), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&taken), 1000);
    quota_board_free(board);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_counted_by_the_minute),
        cmocka_unit_test(tokens_are_put_right_when_they_are_known),
        cmocka_unit_test(accounts_of_other_minutes_take_no_room),
        cmocka_unit_test(threads_take_the_limit_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
