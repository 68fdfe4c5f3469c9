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

static void sell_searches(struct price *p, int64_t nano)
{
    assert_int_equal(price_set(p, &(struct price_figure){USAGE_SEARCH, 0, nano, nano}), PRICE_SET_OK);
    price_complete(p);
}

/* The ability alone sells none, nor does the price; a price of nothing is one. */
static void searches_go_where_they_have_a_price(void **state)
{
    struct bench *b = *state;
    struct route_plan plan;

    assert_int_equal(picked(b).n, 4); /* what asks for none goes everywhere */
    b->q.searches = true;
    assert_refused(b, ROUTE_E_SEARCH);
    sell_searches(&b->dear, 0);
    b->targets[1].price = b->targets[2].price = &b->dear;
    assert_refused(b, ROUTE_E_SEARCH);
    b->models[0].abilities |= ABILITY_BIT(ABILITY_WEB_SEARCH);
    b->targets[2].lacks = ABILITY_BIT(ABILITY_WEB_SEARCH);
    plan = picked(b);
    assert_int_equal(plan.n, 1);
    assert_ptr_equal(plan.candidates[0], &b->targets[1]);
}

/* What is asked in another format is told of no searches: its translation says so. */
static void searches_are_not_sold_across_formats(void **state)
{
    struct bench *b = *state;

    b->q.searches = true;
    b->q.format = &format_anthropic_messages;
    assert_int_equal(picked(b).n, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_target_that_cannot_is_passed_over, setup, teardown),
        cmocka_unit_test_setup_teardown(searches_go_where_they_have_a_price, setup, teardown),
        cmocka_unit_test_setup_teardown(searches_are_not_sold_across_formats, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
