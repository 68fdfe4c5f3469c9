/* Draws of many calls become one sum for each purse and window. */
#include "unit.h"

#include "ledger/draw_sums.h"

static const struct draw_sum *find(const struct draw_sums *s, int64_t team, int64_t purse,
                                   int64_t window)
{
    const struct draw_sum *found = NULL;

    for (size_t i = 0; i < s->n; i++) {
        const struct draw_sum *sum = &s->sum[i];

        if (sum->team_id != team || sum->draw.purse.v != purse || sum->draw.window_us != window)
            continue;
        assert_null(found); /* once only */
        found = sum;
    }
    return found;
}

static void add(struct draw_sums *s, int64_t team, int64_t purse, int64_t window, int64_t taken,
                int64_t used)
{
    struct settle_draw draw = {.purse = {purse}, .window_us = window, .taken = taken, .used = used};

    assert_int_equal(draw_sums_add(s, team, &draw), 0);
}

static void purses_are_told_apart_by_team_and_window(void **state)
{
    struct draw_sums s = {0};

    add(&s, 1, 7, INT64_MIN, 10, 12);
    add(&s, 2, 7, INT64_MIN, 100, 120);
    add(&s, 1, 7, 60, 1000, 1200);
    add(&s, 1, 8, INT64_MIN, 5, 6);
    add(&s, 1, 7, INT64_MIN, 1, 2);
    assert_int_equal(s.n, 4);
    assert_int_equal(find(&s, 1, 7, INT64_MIN)->draw.taken, 11);
    assert_int_equal(find(&s, 1, 7, INT64_MIN)->draw.used, 14);
    assert_int_equal(find(&s, 2, 7, INT64_MIN)->draw.taken, 100);
    assert_int_equal(find(&s, 1, 7, 60)->draw.used, 1200);
    assert_int_equal(find(&s, 1, 8, INT64_MIN)->draw.used, 6);
    draw_sums_done(&s);
}

/* Of that a minute may have to begin. */
static void what_came_of_no_lease_stays_apart(void **state)
{
    struct draw_sums s = {0};

    add(&s, 1, 7, 60, 0, 3);
    add(&s, 1, 7, 60, 5, 6);
    add(&s, 1, 7, 60, 0, 4);
    assert_int_equal(s.n, 2);
    assert_int_equal(s.sum[0].draw.taken, 0);
    assert_int_equal(s.sum[0].draw.used, 7);
    assert_int_equal(s.sum[1].draw.taken, 5);
    assert_int_equal(s.sum[1].draw.used, 6);
    draw_sums_done(&s);
}

#define TEAMS 300
#define PURSES 12
#define ROUNDS 5

/* Against sums that are computed; used again after a reset, as the flusher does. */
static void a_large_batch_adds_up(void **state)
{
    struct draw_sums s = {0};

    for (int again = 0; again < 2; again++) {
        draw_sums_reset(&s);
        for (int64_t i = 0; i < (int64_t)TEAMS * PURSES * ROUNDS; i++)
            add(&s, i % TEAMS + 1, i / TEAMS % PURSES, i % TEAMS % 2 ? INT64_MIN : 60, i + 1,
                2 * (i + 1));
        assert_int_equal(s.n, TEAMS * PURSES);
        for (int64_t first = 0; first < (int64_t)TEAMS * PURSES; first++) {
            int64_t sum = 0;
            const struct draw_sum *found = find(&s, first % TEAMS + 1, first / TEAMS % PURSES,
                                                first % TEAMS % 2 ? INT64_MIN : 60);

            for (int64_t round = 0; round < ROUNDS; round++)
                sum += first + round * TEAMS * PURSES + 1;
            assert_non_null(found);
            assert_int_equal(found->draw.taken, sum);
            assert_int_equal(found->draw.used, 2 * sum);
        }
    }
    draw_sums_done(&s);
}

static void a_sum_that_no_number_holds_is_told(void **state)
{
    struct draw_sums s = {0};
    struct settle_draw more = {.purse = {1}, .window_us = INT64_MIN, .taken = 1, .used = INT64_MAX};

    add(&s, 1, 1, INT64_MIN, 3, 1);
    assert_int_equal(draw_sums_add(&s, 1, &more), DRAW_SUMS_E_LARGE);
    assert_int_equal(find(&s, 1, 1, INT64_MIN)->draw.taken, 3);
    assert_int_equal(find(&s, 1, 1, INT64_MIN)->draw.used, 1);
    draw_sums_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(purses_are_told_apart_by_team_and_window),
        cmocka_unit_test(what_came_of_no_lease_stays_apart),
        cmocka_unit_test(a_large_batch_adds_up),
        cmocka_unit_test(a_sum_that_no_number_holds_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
