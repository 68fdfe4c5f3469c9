/* How a route stands for a team: what changes the number, and what must not, above all what others do. */
#include "routing/route_bench.h"

#include "gateway/standing.h"

static const struct team_id us = {7}, others = {8};

static struct digest of(const struct bench *b, struct team_id team)
{
    struct digest d;

    assert_true(standing_of(&b->models[0], team, &format_openai_chat, &d));
    return d;
}

static bool same(struct digest a, struct digest b)
{
    return digest_eq(&a, &b);
}

static void what_decides_who_is_asked_and_with_what_counts(void **state)
{
    struct bench *b = *state;
    static const struct catalog_way elsewhere = {&the_way, STR("https://y.test/chat"), STR("https://x.test/chat")};
    static const struct provider_header header = {"x-a", STR("b")};
    struct digest seen[12];
    size_t n = 0;

    seen[n++] = of(b, us);
    b->targets[1].price = &b->dear;
    seen[n++] = of(b, us);
    b->targets[1].upstream_model = STR("another");
    seen[n++] = of(b, us);
    b->targets[1].priority = 3;
    seen[n++] = of(b, us);
    b->accounts[2].priority = 3;
    seen[n++] = of(b, us);
    b->accounts[2].ways = &elsewhere;
    seen[n++] = of(b, us);
    b->accounts[2].headers = &header;
    b->accounts[2].n_headers = 1;
    seen[n++] = of(b, us);
    b->accounts[2].place.region = STR("eu");
    seen[n++] = of(b, us);
    b->models[0].strategy = STRATEGY_WEIGHTED;
    seen[n++] = of(b, us);
    b->models[0].pinned = &b->targets[1];
    seen[n++] = of(b, us);
    b->models[0].abilities = 0;
    seen[n++] = of(b, us);
    b->models[0].n_targets = 3;
    seen[n++] = of(b, us);
    assert_int_equal(n, ARRAY_LEN(seen));
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++)
            assert_int_equal(same(seen[i], seen[k]), i == k);
}

static void what_makes_no_answer_wrong_does_not(void **state)
{
    struct bench *b = *state;
    const struct digest before = of(b, us);

    b->targets[0].weight = 1;
    b->targets[0].enabled = false;
    b->accounts[0].weight = 1;
    b->accounts[0].rpm = 60;
    b->accounts[0].name = STR("renamed");
    b->accounts[0].unusable = "It is switched off.";
    b->accounts[0].credential.mark = 5;
    b->models[0].max_attempts = 1;
    b->models[0].total_timeout_ms = 5;
    b->models[0].description = STR("New words.");
    b->models[1].strategy = STRATEGY_WEIGHTED; /* another model */
    assert_true(same(of(b, us), before));
}

static void an_account_of_a_team_counts_for_that_team_alone(void **state)
{
    struct bench *b = *state;
    struct digest ours, theirs;

    b->models[0].n_targets = 3;
    b->models[0].own = &b->targets[3];
    b->models[0].n_own = 1;
    b->accounts[3].team = others;
    ours = of(b, us);
    theirs = of(b, others);
    assert_false(same(ours, theirs));
    b->targets[3].upstream_model = STR("another");
    b->accounts[3].place.region = STR("eu");
    b->accounts[3].priority = 9;
    assert_true(same(of(b, us), ours));
    assert_false(same(of(b, others), theirs));
    b->models[0].n_own = 0; /* it is taken away */
    assert_true(same(of(b, others), ours));
    assert_true(same(of(b, us), ours));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_decides_who_is_asked_and_with_what_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(what_makes_no_answer_wrong_does_not, setup, teardown),
        cmocka_unit_test_setup_teardown(an_account_of_a_team_counts_for_that_team_alone, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
