/* How fast targets are: means, what is forgotten, and a full board. */
#include "unit.h"

#include "providers/pace.h"

static void means_move_and_old_ones_are_forgotten(void **state)
{
    const struct target_id one = {7}, other = {8};
    struct pace_board *b;
    struct pace p;

    assert_int_equal(pace_board_new(&b), 0);
    assert_false(pace_read(NULL, one, 1000, &p));
    assert_false(pace_read(b, one, 1000, &p));
    pace_note(b, one, 1000, &(struct pace){800, 0});
    assert_true(pace_read(b, one, 1000, &p));
    assert_int_equal(p.first_byte_us, 800);
    assert_int_equal(p.tokens_per_ks, 0);
    pace_note(b, one, 2000, &(struct pace){1600, 50});
    assert_true(pace_read(b, one, 2000, &p));
    assert_int_equal(p.first_byte_us, 900);
    assert_int_equal(p.tokens_per_ks, 50);
    assert_false(pace_read(b, other, 2000, &p));
    assert_true(pace_read(b, one, 2000 + PACE_GOOD_MS, &p));
    assert_false(pace_read(b, one, 2001 + PACE_GOOD_MS, &p));
    pace_note(b, one, 2001 + PACE_GOOD_MS, &(struct pace){100, 10});
    assert_true(pace_read(b, one, 2001 + PACE_GOOD_MS, &p));
    assert_int_equal(p.first_byte_us, 100);
    pace_board_free(b);
}

static void a_full_board_knows_no_more(void **state)
{
    struct pace_board *b;
    struct pace p;

    assert_int_equal(pace_board_new(&b), 0);
    for (int64_t i = 1; i <= PACE_SLOTS + 10; i++)
        pace_note(b, (struct target_id){i}, 1, &(struct pace){i, i});
    for (int64_t i = 1; i <= PACE_SLOTS; i++) {
        assert_true(pace_read(b, (struct target_id){i}, 1, &p));
        assert_int_equal(p.first_byte_us, i);
    }
    assert_false(pace_read(b, (struct target_id){PACE_SLOTS + 1}, 1, &p));
    /* What is old makes room, and nothing of it is another's. */
    pace_note(b, (struct target_id){PACE_SLOTS + 1}, 2 + PACE_GOOD_MS, &(struct pace){7, 0});
    assert_true(pace_read(b, (struct target_id){PACE_SLOTS + 1}, 2 + PACE_GOOD_MS, &p));
    assert_int_equal(p.first_byte_us, 7);
    assert_int_equal(p.tokens_per_ks, 0);
    pace_board_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_move_and_old_ones_are_forgotten),
        cmocka_unit_test(a_full_board_knows_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
