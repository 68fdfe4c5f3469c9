/* The breaker: when an account is left alone, for how long, and how it comes back. */
#include "unit.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/random.h"
#include "providers/health.h"

static struct health_board *board;
static int64_t next_id = 1;

static int setup(void **state)
{
    random_drive(11);
    return health_board_new(&board);
}

static int teardown(void **state)
{
    random_undrive();
    health_board_free(board);
    return 0;
}

static struct health *fresh(void)
{
    return health_of(board, (struct account_id){next_id++});
}

static int64_t cool_for(const struct health *h, int64_t now_ms)
{
    struct health_view v;

    health_read(h, now_ms, &v);
    return v.cool_for_ms;
}

static void fail_until_cooling(struct health *h, int64_t now_ms)
{
    for (int i = 0; i < HEALTH_FAILURES_MAX; i++)
        health_failed(h, now_ms, HEALTH_FAILED, -1);
}

static void assert_about(int64_t ms, int64_t expected)
{
    assert_in_range(ms, expected * 8 / 10, expected * 12 / 10);
}

static void a_slot_is_an_accounts_own(void **state)
{
    struct health *h = health_of(board, (struct account_id){77});

    assert_ptr_equal(health_of(board, (struct account_id){77}), h);
    assert_ptr_not_equal(health_of(board, (struct account_id){78}), h);
}

static void failures_in_a_row_cool_it_down(void **state)
{
    struct health *h = fresh();

    for (int i = 0; i < HEALTH_FAILURES_MAX - 1; i++)
        health_failed(h, 1000, HEALTH_FAILED, -1);
    assert_int_equal(health_state(h, 1000), HEALTH_UP);
    health_failed(h, 1000, HEALTH_FAILED, -1);
    assert_int_equal(health_state(h, 1000), HEALTH_COOLING);
    assert_false(health_begin(h, 1000));
    assert_about(cool_for(h, 1000), HEALTH_COOL_FIRST_MS);
}

static void a_success_in_between_starts_the_count_anew(void **state)
{
    struct health *h = fresh();

    for (int i = 0; i < 10; i++) {
        for (int k = 0; k < HEALTH_FAILURES_MAX - 1; k++)
            health_failed(h, 1000, HEALTH_FAILED, -1);
        health_succeeded(h, 1000, 5, 10);
    }
    assert_int_equal(health_state(h, 1000), HEALTH_UP);
}

static void after_cooling_one_probe_decides(void **state)
{
    struct health *h = fresh();
    int64_t now = 1000;

    fail_until_cooling(h, now);
    now += 2 * HEALTH_COOL_FIRST_MS;
    assert_int_equal(health_state(h, now), HEALTH_PROBING);
    assert_true(health_begin(h, now));
    assert_false(health_begin(h, now)); /* the others wait for the probe */
    assert_int_equal(health_state(h, now), HEALTH_COOLING);
    health_succeeded(h, now, 5, 10);
    assert_int_equal(health_state(h, now), HEALTH_UP);
    assert_true(health_begin(h, now));
    assert_true(health_begin(h, now));
}

static void a_probe_that_tells_nothing_makes_room_for_the_next(void **state)
{
    struct health *h = fresh();
    int64_t now = 2 * HEALTH_COOL_FIRST_MS;

    fail_until_cooling(h, 0);
    assert_true(health_begin(h, now));
    health_untold(h);
    assert_true(health_begin(h, now));
    /* and one that never ends does not keep it away for ever */
    assert_false(health_begin(h, now + HEALTH_PROBE_MS - 1));
    assert_true(health_begin(h, now + HEALTH_PROBE_MS));
}

static void each_failed_probe_doubles_the_time_up_to_the_ceiling(void **state)
{
    struct health *h = fresh();
    int64_t now = 1000, expected = HEALTH_COOL_FIRST_MS;

    fail_until_cooling(h, now);
    for (int i = 0; i < 10; i++) {
        assert_about(cool_for(h, now), expected);
        now += cool_for(h, now);
        assert_true(health_begin(h, now));
        health_failed(h, now, HEALTH_FAILED, -1);
        expected = MIN(expected * 2, (int64_t)HEALTH_COOL_MAX_MS);
    }
}

static void stragglers_do_not_lengthen_it(void **state)
{
    struct health *h = fresh();
    int64_t before;

    fail_until_cooling(h, 1000);
    before = cool_for(h, 1000);
    for (int i = 0; i < 50; i++)
        health_failed(h, 1000, HEALTH_FAILED, -1);
    assert_int_equal(cool_for(h, 1000), before);
}

static void jitter_keeps_nodes_out_of_step(void **state)
{
    int64_t first = 0;
    int different = 0;

    for (int i = 0; i < 20; i++) {
        struct health *h = fresh();

        fail_until_cooling(h, 1000);
        first = first ? first : cool_for(h, 1000);
        different += cool_for(h, 1000) != first;
    }
    assert_true(different > 10);
}

static void retry_after_is_honoured_within_reason(void **state)
{
    struct health *h = fresh(), *long_one = fresh(), *unsaid = fresh();

    health_failed(h, 1000, HEALTH_RATE_LIMITED, 7000);
    assert_int_equal(cool_for(h, 1000), 7000);
    health_failed(long_one, 1000, HEALTH_RATE_LIMITED, INT64_C(86400000));
    assert_int_equal(cool_for(long_one, 1000), HEALTH_RETRY_AFTER_MAX_MS);
    health_failed(unsaid, 1000, HEALTH_RATE_LIMITED, -1);
    assert_about(cool_for(unsaid, 1000), HEALTH_COOL_FIRST_MS);
}

static void a_limit_is_not_lifted_by_a_call_from_before(void **state)
{
    struct health *h = fresh();

    health_failed(h, 1000, HEALTH_RATE_LIMITED, 7000);
    health_succeeded(h, 1500, 5, 10);
    assert_int_equal(health_state(h, 1500), HEALTH_COOLING);
}

static void a_bad_credential_rests_longer(void **state)
{
    struct health *h = fresh();

    struct health_view v;

    health_failed(h, 1000, HEALTH_CREDENTIAL, -1);
    assert_int_equal(cool_for(h, 1000), HEALTH_CREDENTIAL_MS);
    health_read(h, 1000, &v);
    assert_int_equal(v.last_failure, HEALTH_CREDENTIAL);
    health_reset(h);
    assert_int_equal(health_state(h, 1000), HEALTH_UP);
}

/* How long it has been down goes by the tries: what nobody asks does not fail for longer. */
static void it_is_down_from_its_first_cooling_until_a_success(void **state)
{
    struct health *h = fresh();
    struct health_view v;

    (void)state;
    health_failed(h, 500, HEALTH_FAILED, 0);
    health_read(h, 600, &v);
    assert_int_equal(v.down_since_ms, 0);
    assert_int_equal(v.failed_ms, 500);
    health_failed(h, 1000, HEALTH_FAILED, 0);
    health_failed(h, 1500, HEALTH_FAILED, 0);
    health_failed(h, 9000, HEALTH_FAILED, 0);
    health_read(h, 90000, &v);
    assert_int_equal(v.down_since_ms, 1500);
    assert_int_equal(v.failed_ms, 9000);
    health_succeeded(h, 900000, 1, 1);
    health_read(h, 900001, &v);
    assert_int_equal(v.down_since_ms, 0);
}

static void figures_move_towards_what_happens(void **state)
{
    struct health *h = fresh();
    struct health_view v;

    health_succeeded(h, 1, 100, 1000);
    health_read(h, 1, &v);
    assert_int_equal(v.first_byte_us, 100);
    assert_int_equal(v.latency_us, 1000);
    for (int i = 0; i < 60; i++)
        health_succeeded(h, 1, 500, 3000);
    health_read(h, 1, &v);
    assert_in_range(v.first_byte_us, 490, 500);
    assert_in_range(v.latency_us, 2980, 3000);
    assert_int_equal(v.error_ppm, 0);
    for (int i = 0; i < 60; i++)
        health_failed(h, 1, HEALTH_FAILED, -1);
    health_read(h, 1, &v);
    assert_in_range(v.error_ppm, 990000, 1000000);
    assert_int_equal(v.failures, 60);
}

static void *claim_all(void *arg)
{
    struct health_board *b = arg;

    for (int64_t id = 1; id <= 2000; id++) {
        struct health *h = health_of(b, (struct account_id){id});

        (void)health_begin(h, 1);
        health_succeeded(h, 1, 1, 1);
    }
    return NULL;
}

static void loops_that_race_for_slots_share_them(void **state)
{
    struct health_board *b;
    pthread_t threads[4];

    assert_int_equal(health_board_new(&b), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, claim_all, b), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        pthread_join(threads[i], NULL);
    for (int64_t id = 1; id <= 2000; id++) {
        struct health_view v;

        health_read(health_of(b, (struct account_id){id}), 1, &v);
        assert_int_equal(v.tries, ARRAY_LEN(threads));
    }
    health_board_free(b);
}

static void beyond_the_board_accounts_share_one_that_never_cools(void **state)
{
    struct health_board *b;
    struct health *h;

    assert_int_equal(health_board_new(&b), 0);
    for (int64_t id = 1; id <= HEALTH_SLOTS; id++)
        assert_true(health_begin(health_of(b, (struct account_id){id}), clock_mono_ms()));
    h = health_of(b, (struct account_id){HEALTH_SLOTS + 1});
    assert_ptr_equal(health_of(b, (struct account_id){HEALTH_SLOTS + 2}), h);
    fail_until_cooling(h, 1000);
    health_failed(h, 1000, HEALTH_RATE_LIMITED, 5000);
    assert_int_equal(health_state(h, 1000), HEALTH_UP);
    health_board_free(b);
}

static void on_a_full_board_idle_ones_make_room(void **state)
{
    const int64_t now_ms = clock_mono_ms();
    struct health_board *b;
    struct health *h;
    struct health_view v;

    assert_int_equal(health_board_new(&b), 0);
    for (int64_t id = 1; id <= HEALTH_SLOTS; id++)
        (void)health_begin(health_of(b, (struct account_id){id}), id == 7 ? now_ms - HEALTH_IDLE_MS - 1 : now_ms);
    h = health_of(b, (struct account_id){7});
    fail_until_cooling(h, now_ms);
    assert_ptr_equal(health_of(b, (struct account_id){HEALTH_SLOTS + 1}), h);
    assert_ptr_equal(health_of(b, (struct account_id){HEALTH_SLOTS + 1}), h);
    health_read(h, now_ms, &v);
    assert_int_equal(v.state, HEALTH_UP);
    assert_int_equal(v.tries, 0);
    assert_int_equal(v.failures, 0);
    assert_true(health_begin(h, now_ms));
    fail_until_cooling(h, now_ms);
    assert_int_equal(health_state(h, now_ms), HEALTH_COOLING);
    assert_ptr_not_equal(health_of(b, (struct account_id){7}), h);
    health_board_free(b);
}

static void teams_own_accounts_take_no_room_from_the_installations(void **state)
{
    struct health_board *b;
    struct health *h;

    assert_int_equal(health_board_new(&b), 0);
    for (int64_t id = 1; id <= HEALTH_OWN_SLOTS + 1; id++)
        (void)health_at(b, (struct account_id){id}, true);
    h = health_of(b, (struct account_id){HEALTH_OWN_SLOTS + 2});
    assert_ptr_not_equal(h, health_at(b, (struct account_id){HEALTH_OWN_SLOTS + 1}, true));
    health_failed(h, 1000, HEALTH_RATE_LIMITED, 5000);
    assert_int_equal(health_state(h, 1000), HEALTH_COOLING);
    assert_int_equal(health_state(health_at(b, (struct account_id){1}, true), 1000), HEALTH_UP);
    health_board_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slot_is_an_accounts_own),
        cmocka_unit_test(failures_in_a_row_cool_it_down),
        cmocka_unit_test(a_success_in_between_starts_the_count_anew),
        cmocka_unit_test(after_cooling_one_probe_decides),
        cmocka_unit_test(a_probe_that_tells_nothing_makes_room_for_the_next),
        cmocka_unit_test(each_failed_probe_doubles_the_time_up_to_the_ceiling),
        cmocka_unit_test(stragglers_do_not_lengthen_it),
        cmocka_unit_test(jitter_keeps_nodes_out_of_step),
        cmocka_unit_test(retry_after_is_honoured_within_reason),
        cmocka_unit_test(a_limit_is_not_lifted_by_a_call_from_before),
        cmocka_unit_test(a_bad_credential_rests_longer),
        cmocka_unit_test(it_is_down_from_its_first_cooling_until_a_success),
        cmocka_unit_test(figures_move_towards_what_happens),
        cmocka_unit_test(loops_that_race_for_slots_share_them),
        cmocka_unit_test(beyond_the_board_accounts_share_one_that_never_cools),
        cmocka_unit_test(on_a_full_board_idle_ones_make_room),
        cmocka_unit_test(teams_own_accounts_take_no_room_from_the_installations),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
