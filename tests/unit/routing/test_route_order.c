/* Candidates sorted by price and pace, and those that may do with the data what the request allows. */
#include <stdio.h>

#include "routing/route_bench.h"
#include "routing/variant.h"

/* "1 4 2": the ids of the candidates. */
static void assert_order(struct bench *b, const char *expected)
{
    struct route_plan plan = picked(b);
    char text[64] = "";

    for (size_t i = 0; i < plan.n; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%d", i ? " " : "",
                 (int)plan.candidates[i]->id.v);
    assert_string_equal(text, expected);
}

static struct route_preference sorted(struct bench *b, enum route_sort sort)
{
    struct route_preference w = ROUTE_PREFERENCE_NONE;

    w.sort = sort;
    for (int i = 0; i < 4; i++)
        b->targets[i].priority = i;
    return w;
}

static void the_cheapest_for_the_customer_goes_first(void **state)
{
    struct bench *b = *state;
    struct route_preference w = sorted(b, SORT_PRICE);
    struct price long_answers;

    b->q.preference = &w;
    b->targets[0].price = &b->dear;
    assert_order(b, "2 3 4 1");
    /* Cheap to ask, dear to be answered by: what the request asks for decides. */
    bench_price(&long_answers, 3, 10, 400);
    b->targets[1].price = &long_answers;
    b->q.output_tokens = 1;
    b->q.input_tokens_least = 900;
    assert_order(b, "2 3 4 1");
    b->q.output_tokens = 900;
    assert_order(b, "3 4 2 1");
    w.order.v[w.order.n++] = STR("main"); /* a request's own order goes before */
    assert_order(b, "1 3 4 2");
}

static void a_route_goes_by_what_the_operator_pays(void **state)
{
    struct bench *b = *state;
    struct price same_charge;

    (void)sorted(b, SORT_NONE);
    price_init(&same_charge, (struct price_id){9});
    assert_int_equal(price_set(&same_charge, &(struct price_figure){USAGE_INPUT, 0, 100, 1}), PRICE_SET_OK);
    assert_int_equal(price_set(&same_charge, &(struct price_figure){USAGE_OUTPUT, 0, 200, 2}), PRICE_SET_OK);
    price_complete(&same_charge);
    b->targets[3].price = &same_charge;
    assert_order(b, "1 2 3 4");
    b->models[0].strategy = STRATEGY_CHEAPEST;
    assert_order(b, "4 1 2 3");
}

static void note(struct bench *b, struct pace_board *board, int target, int64_t first_byte_us,
                 int64_t tokens_per_ks)
{
    pace_note(board, b->targets[target - 1].id, b->q.now_ms,
              &(struct pace){first_byte_us, tokens_per_ks});
}

static void the_fastest_goes_first_and_what_is_nearly_so_shares(void **state)
{
    struct bench *b = *state;
    struct route_preference w = sorted(b, SORT_LATENCY);
    struct pace_board *board;

    assert_int_equal(pace_board_new(&board), 0);
    b->q.pace = board;
    note(b, board, 1, 900000, 9000);
    note(b, board, 2, 500000, 90000);
    note(b, board, 3, 200000, 1000);
    note(b, board, 4, 230000, 1000);
    assert_order(b, "1 2 3 4");
    b->models[0].strategy = STRATEGY_FASTEST;
    assert_order(b, "3 4 2 1");
    w.sort = SORT_THROUGHPUT; /* the request's wish goes before the route's */
    b->q.preference = &w;
    assert_order(b, "2 1 3 4");
    /* Old figures are none: it has its turn again, by its priority. */
    b->q.now_ms += PACE_GOOD_MS + 1;
    note(b, board, 3, 200000, 1000);
    b->q.preference = NULL;
    assert_order(b, "1 2 3 4");
    pace_board_free(board);
}

static void a_suffix_sorts_the_model_that_it_stands_behind(void **state)
{
    struct bench *b = *state;
    struct route_preference w = sorted(b, SORT_NONE);
    struct price cheap;

    b->targets[0].price = &b->dear;
    assert_order(b, "1 2 3 4");
    b->q.sort = SORT_PRICE;
    assert_order(b, "2 3 4 1");
    b->models[0].strategy = STRATEGY_FASTEST; /* before the route's own */
    assert_order(b, "2 3 4 1");
    b->models[0].strategy = STRATEGY_PRIORITY;
    w.sort = SORT_THROUGHPUT; /* behind a wish that is spelled out: nothing is known of any pace */
    b->q.preference = &w;
    assert_order(b, "1 2 3 4");
    /* Of a list each name has its own. */
    b->q.sort = w.sort = SORT_NONE;
    b->models[1].targets = b->targets;
    b->models[1].n_targets = 4;
    b->models[0].targets = &b->targets[4];
    b->models[0].n_targets = 1;
    bench_price(&cheap, 4, 1, 1);
    b->targets[3].price = &cheap;
    w.models[w.n_models++] = STR("other");
    assert_order(b, "5 1 2 3 4");
    w.models[0] = STR("other:floor");
    assert_order(b, "5 4 2 3 1");
}

static void assert_variant(struct bench *b, const char *name, int64_t model, enum route_sort sort)
{
    enum route_sort got = SORT_COST;
    const struct catalog_model *m = variant_find(&b->c, str_c(name), &got);

    assert_int_equal(m ? m->id.v : 0, model);
    if (m)
        assert_int_equal(got, sort);
}

static void a_models_own_name_goes_before_a_suffix(void **state)
{
    struct bench *b = *state;

    assert_variant(b, "m", 1, SORT_NONE);
    assert_variant(b, "m:floor", 1, SORT_PRICE);
    assert_variant(b, "m:nitro", 1, SORT_THROUGHPUT);
    b->names[1].name = STR("m:nitro");
    assert_variant(b, "m:nitro", 2, SORT_NONE);
    assert_variant(b, "m:nitro:floor", 2, SORT_PRICE);
    static const char *const none[] = {"m:free", "m:", "m:Floor", ":floor", "m:floor:floor", "mfloor", "", "m:8b"};
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        assert_variant(b, none[i], 0, SORT_NONE);
    assert_true(variant_is_free(STR("m:free")));
    assert_false(variant_is_free(STR("m:freed")));
    assert_false(variant_is_free(STR("free")));
}

static void only_those_who_may_keep_no_more_than_asked_serve(void **state)
{
    struct bench *b = *state;
    struct route_preference w = sorted(b, SORT_NONE);

    b->q.preference = &w;
    b->accounts[1].data_policy = DATA_NO_TRAINING;
    b->accounts[3].data_policy = DATA_NO_RETENTION;
    assert_order(b, "1 2 3 4");
    w.data_policy = DATA_NO_TRAINING;
    assert_order(b, "2 4");
    w.data_policy = DATA_NO_RETENTION;
    assert_order(b, "4");
    b->targets[3].enabled = false;
    assert_refused(b, ROUTE_E_PREFERENCE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_cheapest_for_the_customer_goes_first),
        TEST(a_route_goes_by_what_the_operator_pays),
        TEST(the_fastest_goes_first_and_what_is_nearly_so_shares),
        TEST(a_suffix_sorts_the_model_that_it_stands_behind),
        TEST(a_models_own_name_goes_before_a_suffix),
        TEST(only_those_who_may_keep_no_more_than_asked_serve),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
