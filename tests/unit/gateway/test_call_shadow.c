/* Which calls are shadowed: a share of them, the same ones whoever asks. */
#include "unit.h"

#include "base/bounds.h"
#include "gateway/call_shadow.h"

enum { CALLS = 20000 };

static unsigned chosen(const struct call_id *ids, int32_t permille)
{
    unsigned n = 0;

    for (size_t i = 0; i < CALLS; i++)
        n += call_shadow_chosen(ids[i], permille);
    return n;
}

static struct call_id *some_ids(void)
{
    struct call_id *ids = calloc(CALLS, sizeof(*ids));

    for (size_t i = 0; i < CALLS; i++)
        ids[i] = call_id_new();
    return ids;
}

static void all_of_them_and_none(void **state)
{
    struct call_id *ids = some_ids();

    assert_int_equal(chosen(ids, 1000), CALLS);
    assert_int_equal(chosen(ids, 0), 0);
    free(ids);
}

static void a_share_is_about_that_many(void **state)
{
    struct call_id *ids = some_ids();

    for (int32_t permille = 1; permille <= 1000; permille += 111) {
        unsigned expected = CALLS * (unsigned)permille / 1000, n = chosen(ids, permille);

        /* Six standard deviations of the widest, and a little for the smallest. */
        assert_in_range(n, expected > 430 ? expected - 430 : 0, expected + 430);
    }
    free(ids);
}

static void those_of_a_smaller_share_are_among_those_of_a_larger(void **state)
{
    struct call_id *ids = some_ids();

    for (size_t i = 0; i < CALLS; i++)
        for (int32_t permille = 100; permille < 1000; permille += 100)
            if (call_shadow_chosen(ids[i], permille))
                assert_true(call_shadow_chosen(ids[i], permille + 100));
    free(ids);
}

static void the_edges_of_the_random_bits_are_cut_right(void **state)
{
    struct call_id lowest = {{0}}, highest;

    memset(highest.b, 0xFF, sizeof(highest.b));
    assert_true(call_shadow_chosen(lowest, 1));
    assert_false(call_shadow_chosen(lowest, 0));
    assert_true(call_shadow_chosen(highest, 1000));
    assert_false(call_shadow_chosen(highest, 999));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_them_and_none),
        cmocka_unit_test(a_share_is_about_that_many),
        cmocka_unit_test(those_of_a_smaller_share_are_among_those_of_a_larger),
        cmocka_unit_test(the_edges_of_the_random_bits_are_cut_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
