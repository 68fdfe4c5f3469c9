/* What a request asks for, and the targets that cannot do it. */
#include "routing/route_bench.h"

/* Targets 0 to 2 each lack one thing that the model has: the last one serves, and none when it lacks
 * something too. */
static void a_target_that_cannot_is_passed_over(void **state)
{
    struct bench *b = *state;
    struct route_plan plan;

    b->q.abilities = ABILITY_BIT(ABILITY_TOOLS);
    b->q.input_tokens_least = 900;
    b->q.output_tokens = 300;
    b->models[0].max_output_tokens = 500;
    b->targets[0].lacks = ABILITY_BIT(ABILITY_TOOLS);
    b->targets[1].context_tokens = 899;
    b->targets[2].max_output_tokens = 299;
    plan = picked(b);
    assert_int_equal(plan.n, 1);
    assert_ptr_equal(plan.candidates[0], &b->targets[3]);
    b->targets[3].lacks = ABILITY_BIT(ABILITY_TOOLS);
    assert_refused(b, ROUTE_E_OUTPUT);
    b->targets[2].enabled = false;
    assert_refused(b, ROUTE_E_CONTEXT);
    b->targets[1].enabled = false;
    assert_refused(b, ROUTE_E_ABILITY);
    b->q.abilities = 0;
    assert_int_equal(picked(b).n, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_target_that_cannot_is_passed_over, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
