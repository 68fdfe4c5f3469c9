/* Candidates and their order: priorities, weights, health, needs, and the request's own wishes. */
#include "routing/route_bench.h"


static void cool(struct bench *b, size_t i)
{
    health_failed(health_of(b->health, b->accounts[i].id), b->q.now_ms, HEALTH_RATE_LIMITED, 5000);
}

/* "1 4 2": the ids of the candidates. */
static void assert_order(struct bench *b, const char *expected)
{
    struct route_plan plan = picked(b);
    char text[64] = "";
    size_t at = 0;

    for (size_t i = 0; i < plan.n; i++) {
        if (i)
            text[at++] = ' ';
        text[at++] = (char)('0' + plan.candidates[i]->id.v);
    }
    assert_string_equal(text, expected);
}

static void set_priorities(struct bench *b, int p0, int p1, int p2, int p3)
{
    b->targets[0].priority = p0;
    b->targets[1].priority = p1;
    b->targets[2].priority = p2;
    b->targets[3].priority = p3;
}

static void lower_priorities_go_first(void **state)
{
    struct bench *b = *state;

    set_priorities(b, 3, 1, 2, 0);
    assert_order(b, "4 2 3 1");
}

static void the_accounts_priority_decides_among_equals(void **state)
{
    struct bench *b = *state;

    set_priorities(b, 1, 0, 0, 0);
    b->accounts[1].priority = 2;
    b->accounts[2].priority = 0;
    b->accounts[3].priority = 1;
    assert_order(b, "3 4 2 1");
}

static void weights_are_shares_of_the_first_place(void **state)
{
    struct bench *b = *state;
    int first[5] = {0}, second_after_1[5] = {0}, n_after_1 = 0;
    const int rounds = 40000;

    b->targets[0].weight = 70;
    b->targets[1].weight = 20;
    b->targets[2].weight = 10;
    b->targets[3].priority = 1;
    for (int i = 0; i < rounds; i++) {
        struct route_plan plan = picked(b);

        first[plan.candidates[0]->id.v]++;
        if (plan.candidates[0]->id.v == 1) {
            n_after_1++;
            second_after_1[plan.candidates[1]->id.v]++;
        }
        assert_int_equal(plan.candidates[3]->id.v, 4);
    }
    /* Five standard deviations: sqrt(40000 * p * (1 - p)) is 92, 80 and 60. */
    assert_in_range(first[1], rounds * 70 / 100 - 460, rounds * 70 / 100 + 460);
    assert_in_range(first[2], rounds * 20 / 100 - 400, rounds * 20 / 100 + 400);
    assert_in_range(first[3], rounds * 10 / 100 - 300, rounds * 10 / 100 + 300);
    assert_int_equal(first[4], 0);
    /* What is left shares the second place: two to one. */
    assert_in_range(second_after_1[2], n_after_1 * 2 / 3 - 400, n_after_1 * 2 / 3 + 400);
}

static void the_accounts_weight_multiplies(void **state)
{
    struct bench *b = *state;
    int first[5] = {0};

    b->models[0].n_targets = 2;
    b->accounts[0].weight = 300;
    for (int i = 0; i < 10000; i++)
        first[picked(b).candidates[0]->id.v]++;
    assert_in_range(first[1], 7500 - 220, 7500 + 220);
}

static void weight_zero_comes_last_of_its_priority(void **state)
{
    struct bench *b = *state;

    set_priorities(b, 0, 0, 1, 2);
    b->targets[0].weight = 0;
    for (int i = 0; i < 50; i++)
        assert_order(b, "2 1 3 4");
}

static void the_same_seed_gives_the_same_order(void **state)
{
    struct bench *b = *state;
    struct route_plan once, again;

    random_drive(99);
    once = picked(b);
    random_drive(99);
    again = picked(b);
    assert_memory_equal(once.candidates, again.candidates, once.n * sizeof(once.candidates[0]));
}

static void weighted_models_forget_priorities(void **state)
{
    struct bench *b = *state;
    int first[5] = {0};

    set_priorities(b, 0, 1, 2, 3);
    b->models[0].strategy = STRATEGY_WEIGHTED;
    for (int i = 0; i < 4000; i++)
        first[picked(b).candidates[0]->id.v]++;
    for (int id = 1; id <= 4; id++)
        assert_in_range(first[id], 850, 1150);
}

static void what_cools_down_comes_last(void **state)
{
    struct bench *b = *state;

    set_priorities(b, 0, 1, 2, 3);
    cool(b, 0);
    assert_order(b, "2 3 4 1");
    cool(b, 1);
    cool(b, 2);
    cool(b, 3);
    assert_order(b, "1 2 3 4"); /* nothing else is left */
}

static void another_model_goes_before_a_cooling_account(void **state)
{
    struct bench *b = *state;
    struct route_preference w = ROUTE_PREFERENCE_NONE;

    set_priorities(b, 0, 1, 2, 3);
    b->models[0].n_targets = 2;
    w.models[w.n_models++] = STR("other");
    b->q.preference = &w;
    assert_order(b, "1 2 5");
    cool(b, 0);
    assert_order(b, "2 5 1");
}

static void disabled_and_unusable_ones_are_left_out(void **state)
{
    struct bench *b = *state;

    set_priorities(b, 0, 1, 2, 3);
    b->targets[0].enabled = false;
    b->accounts[1].unusable = "disabled";
    b->targets[2].price = NULL;
    assert_order(b, "4");
}

static void another_teams_account_is_never_used(void **state)
{
    struct bench *b = *state;

    set_priorities(b, 0, 1, 2, 3);
    b->accounts[0].team = (struct team_id){8};
    b->q.team = (struct team_id){9};
    assert_order(b, "2 3 4");
    b->q.team = (struct team_id){8};
    assert_order(b, "1 2 3 4");
}

/* The targets from there on become teams' own. */
static void give_to_teams(struct bench *b, size_t from, int64_t third, int64_t fourth)
{
    b->models[0].n_targets = from;
    b->models[0].own = &b->targets[from];
    b->models[0].n_own = 4 - from;
    b->accounts[2].team = (struct team_id){third};
    b->accounts[3].team = (struct team_id){fourth};
}

static void the_teams_own_account_goes_first(void **state)
{
    struct bench *b = *state;

    set_priorities(b, 0, 1, 2, 3);
    give_to_teams(b, 3, 0, 8);
    b->q.team = (struct team_id){8};
    assert_order(b, "4 1 2 3");
    b->models[0].strategy = STRATEGY_CHEAPEST;
    b->targets[3].price = &b->dear;
    assert_order(b, "4 1 2 3");
    b->models[0].pinned = &b->targets[1]; /* of the installation's */
    assert_order(b, "4 2");
    b->models[0].pinned = NULL;
    health_failed(health_at(b->health, b->accounts[3].id, true), b->q.now_ms, HEALTH_RATE_LIMITED, 5000);
    assert_order(b, "1 2 3 4");
    b->q.team = (struct team_id){9};
    assert_order(b, "1 2 3");
}

static void an_account_for_itself_alone_has_nothing_behind_it(void **state)
{
    struct bench *b = *state;

    set_priorities(b, 0, 1, 2, 3);
    give_to_teams(b, 2, 8, 8);
    b->accounts[3].own_only = true;
    b->q.team = (struct team_id){8};
    assert_order(b, "3 4");
    b->accounts[2].unusable = b->accounts[3].unusable = "It has no credential.";
    assert_refused(b, ROUTE_E_NO_TARGET);
    b->targets[3].enabled = false;
    assert_order(b, "1 2");
    b->targets[3].enabled = true;
    b->q.team = (struct team_id){9}; /* another team's wish is nothing to this one */
    assert_order(b, "1 2");
}

static void of_the_own_ones_of_many_teams_only_ones_own_are_looked_at(void **state)
{
    struct bench *b = *state;
    struct catalog_target *own = calloc(3000, sizeof(*own));
    struct catalog_account *accounts = calloc(1000, sizeof(*accounts));
    size_t n;

    for (size_t i = 0; i < 3000; i++) { /* team 10 + k has three of one account */
        accounts[i / 3] = b->accounts[0];
        accounts[i / 3].id.v = (int64_t)(100 + i / 3);
        accounts[i / 3].team.v = (int64_t)(10 + i / 3);
        own[i] = b->targets[0];
        own[i].id.v = (int64_t)(5 + i);
        own[i].account = &accounts[i / 3];
    }
    b->models[0].own = own;
    b->models[0].n_own = 3000;
    set_priorities(b, 0, 1, 2, 3);
    for (size_t i = 0; i < 3000; i++)
        own[i].priority = (int)(i % 3);
    for (int64_t team = 8; team < 1012; team++) {
        const struct catalog_target *mine = catalog_model_own(&b->models[0], (struct team_id){team}, &n);
        struct route_plan plan;
        bool has = team >= 10 && team < 1010;

        assert_int_equal(n, has ? 3 : 0);
        b->q.team = (struct team_id){team};
        plan = picked(b);
        assert_ptr_equal(plan.candidates[0], has ? mine : &b->targets[0]);
        for (size_t i = 0; i < plan.n; i++)
            assert_true(!plan.candidates[i]->account->team.v || plan.candidates[i]->account->team.v == team);
    }
    (void)catalog_model_own(&b->models[0], (struct team_id){0}, &n);
    assert_int_equal(n, 0);
    free(own);
    free(accounts);
}

static void retries_stand_as_repetitions(void **state)
{
    struct bench *b = *state;

    set_priorities(b, 0, 1, 2, 3);
    b->models[0].retries = 1;
    assert_order(b, "1 1 2 2 3 3 4 4");
    b->models[0].retries = 5;
    assert_int_equal(picked(b).n, BOUND_ATTEMPTS);
}

static void a_pin_leaves_one_also_while_it_cools(void **state)
{
    struct bench *b = *state;

    b->models[0].pinned = &b->targets[2];
    assert_order(b, "3");
    cool(b, 2);
    assert_order(b, "3");
}

static bool nobody(void *ctx, const struct catalog_model *m)
{
    return false;
}

static void each_refusal_has_its_reason(void **state)
{
    struct bench *b = *state;
    struct catalog_model whole = b->models[0];

    b->models[0].off_reason = STR("incident");
    assert_refused(b, ROUTE_E_OFF);
    b->models[0] = whole;
    b->models[0].enabled = false;
    assert_refused(b, ROUTE_E_DISABLED);
    b->models[0] = whole;
    b->models[0].kind = MODEL_EMBEDDING;
    assert_refused(b, ROUTE_E_KIND);
    b->models[0] = whole;
    b->models[0].n_targets = 0;
    assert_refused(b, ROUTE_E_NO_TARGET);
    b->models[0] = whole;
    b->q.abilities = ABILITY_BIT(ABILITY_TOOLS) | ABILITY_BIT(ABILITY_VISION);
    assert_refused(b, ROUTE_E_ABILITY);
    b->q.abilities = ABILITY_BIT(ABILITY_TOOLS);
    b->q.input_tokens_least = 1001;
    assert_refused(b, ROUTE_E_CONTEXT);
    b->q.input_tokens_least = 1000;
    assert_int_equal(picked(b).n, 4);
    b->models[0].max_output_tokens = 500;
    b->q.output_tokens = 501;
    assert_refused(b, ROUTE_E_OUTPUT);
    b->q.output_tokens = 500;
    assert_int_equal(picked(b).n, 4);
    b->q.allowed = nobody;
    assert_refused(b, ROUTE_E_DENIED);
}

static void a_model_without_a_price_is_refused(void **state)
{
    struct bench *b = *state;
    struct price empty;

    price_init(&empty, (struct price_id){3});
    for (size_t i = 0; i < 4; i++)
        b->targets[i].price = i % 2 ? NULL : &empty;
    assert_refused(b, ROUTE_E_NO_PRICE);
}

static void a_request_may_order_narrow_and_shun(void **state)
{
    struct bench *b = *state;
    struct route_preference w = ROUTE_PREFERENCE_NONE;

    set_priorities(b, 0, 1, 2, 3);
    b->q.preference = &w;
    w.order = (struct route_names){{STR("Mistral"), STR("groq-US")}, 2};
    assert_order(b, "4 3 1 2");
    w.no_fallbacks = true; /* only those named */
    assert_order(b, "4 3");
    w = ROUTE_PREFERENCE_NONE;
    w.only = (struct route_names){{STR("groq"), STR("openai")}, 2};
    assert_order(b, "1 2 3");
    w.ignore = (struct route_names){{STR("groq-eu")}, 1};
    assert_order(b, "1 3");
    w.no_fallbacks = true;
    assert_order(b, "1");
    w.only = (struct route_names){{STR("nobody")}, 1};
    assert_refused(b, ROUTE_E_PREFERENCE);
}

static void max_price_leaves_the_dear_ones_out(void **state)
{
    struct bench *b = *state;
    struct route_preference w = ROUTE_PREFERENCE_NONE;

    set_priorities(b, 0, 1, 2, 3);
    b->targets[0].price = &b->dear;
    b->q.preference = &w;
    w.max_input_price = 1000;
    assert_order(b, "1 2 3 4");
    w.max_input_price = 999;
    assert_order(b, "2 3 4");
    w.max_output_price = 199;
    assert_refused(b, ROUTE_E_MAX_PRICE);
}

static void a_service_tier_that_is_not_sold_is_no_candidate(void **state)
{
    struct bench *b = *state;
    const struct price_figure figures[] = {{USAGE_INPUT, 0, 900, 900, SERVICE_PRIORITY},
                                           {USAGE_OUTPUT, 0, 900, 900, SERVICE_PRIORITY}};

    b->q.service = SERVICE_PRIORITY;
    assert_refused(b, ROUTE_E_SERVICE);
    price_init(&b->dear, (struct price_id){2});
    for (size_t i = 0; i < ARRAY_LEN(figures); i++)
        assert_int_equal(price_set(&b->dear, &figures[i]), PRICE_SET_OK);
    assert_int_equal(
        price_set(&b->dear, &(struct price_figure){USAGE_INPUT, 0, 100, 100, SERVICE_STANDARD}),
        PRICE_SET_OK);
    price_complete(&b->dear);
    b->targets[2].price = &b->dear;
    assert_order(b, "3");
}

static void a_long_prompt_is_judged_by_its_own_tier(void **state)
{
    struct bench *b = *state;
    struct route_preference w = ROUTE_PREFERENCE_NONE;

    price_init(&b->dear, (struct price_id){2});
    assert_int_equal(price_set(&b->dear, &(struct price_figure){USAGE_INPUT, 0, 100, 100}), PRICE_SET_OK);
    assert_int_equal(price_set(&b->dear, &(struct price_figure){USAGE_INPUT, 500, 400, 400}), PRICE_SET_OK);
    price_complete(&b->dear);
    b->models[0].n_targets = 1;
    b->targets[0].price = &b->dear;
    b->q.preference = &w;
    w.max_input_price = 300;
    b->q.input_tokens_least = 500;
    assert_order(b, "1");
    b->q.input_tokens_least = 501;
    assert_refused(b, ROUTE_E_MAX_PRICE);
}

static bool not_the_first(void *ctx, const struct catalog_model *m)
{
    return m->id.v != 1;
}

static void the_list_of_models_is_followed_once_each(void **state)
{
    struct bench *b = *state;
    struct route_preference w = ROUTE_PREFERENCE_NONE;

    set_priorities(b, 0, 1, 2, 3);
    w.models[w.n_models++] = STR("m");
    w.models[w.n_models++] = STR("unknown");
    w.models[w.n_models++] = STR("other");
    w.models[w.n_models++] = STR("other");
    b->q.preference = &w;
    assert_order(b, "1 2 3 4 5");
    b->q.allowed = not_the_first;
    assert_order(b, "5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(lower_priorities_go_first),
        TEST(the_accounts_priority_decides_among_equals),
        TEST(weights_are_shares_of_the_first_place),
        TEST(the_accounts_weight_multiplies),
        TEST(weight_zero_comes_last_of_its_priority),
        TEST(the_same_seed_gives_the_same_order),
        TEST(weighted_models_forget_priorities),
        TEST(what_cools_down_comes_last),
        TEST(another_model_goes_before_a_cooling_account),
        TEST(disabled_and_unusable_ones_are_left_out),
        TEST(another_teams_account_is_never_used),
        TEST(the_teams_own_account_goes_first),
        TEST(an_account_for_itself_alone_has_nothing_behind_it),
        TEST(of_the_own_ones_of_many_teams_only_ones_own_are_looked_at),
        TEST(retries_stand_as_repetitions),
        TEST(a_pin_leaves_one_also_while_it_cools),
        TEST(each_refusal_has_its_reason),
        TEST(a_model_without_a_price_is_refused),
        TEST(a_request_may_order_narrow_and_shun),
        TEST(max_price_leaves_the_dear_ones_out),
        TEST(a_long_prompt_is_judged_by_its_own_tier),
        TEST(a_service_tier_that_is_not_sold_is_no_candidate),
        TEST(the_list_of_models_is_followed_once_each),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
