/* Which rule a request meets. */
#include "route_bench.h"

#include <stdio.h>

#include "routing/rule.h"

static const struct str *said; /* tags of the request */
static size_t n_said;

static struct str tag(void *ctx, struct str name)
{
    struct rule_conditions all = {.tags = said, .n_tags = n_said};

    return rule_tag_among(&all, name);
}

static void says(const struct str *tags, size_t n)
{
    said = tags;
    n_said = n;
}

static struct rule_request a_request(void)
{
    return (struct rule_request){.team = {7}, .project = {3}, .key = {9}, .input_tokens = 100, .tag = tag};
}

static bool meets(const struct rule_conditions *when)
{
    const struct rule_request q = a_request();

    return rule_meets(when, &q);
}

static int forget_tags(void **state)
{
    says(NULL, 0);
    return setup(state);
}

static void a_rule_without_conditions_holds_always(void **state)
{
    assert_true(meets(&(struct rule_conditions){.n_tags = 0}));
}

static void one_of_the_ids_is_enough_and_all_kinds_must_hold(void **state)
{
    static const int64_t ours[] = {1, 7}, others[] = {1, 2}, project[] = {3}, key[] = {9};

    assert_true(meets(&(struct rule_conditions){.teams = {ours, 2}}));
    assert_false(meets(&(struct rule_conditions){.teams = {others, 2}}));
    assert_true(meets(&(struct rule_conditions){.teams = {ours, 2}, .projects = {project, 1}, .keys = {key, 1}}));
    assert_false(meets(&(struct rule_conditions){.teams = {ours, 2}, .projects = {others, 2}}));
    assert_false(meets(&(struct rule_conditions){.keys = {others, 2}}));
}

static void tags_of_one_name_are_choices_and_every_name_has_to_be_met(void **state)
{
    static const struct str wanted[] = {STR("plan=free"), STR("region=eu"), STR("plan=trial")};
    const struct rule_conditions when = {.tags = wanted, .n_tags = 3};
    const struct str good[] = {STR("region=eu"), STR("plan=trial")}, half[] = {STR("plan=free")},
                     other[] = {STR("plan=pro"), STR("region=eu")}, none[] = {STR("plans=free"), STR("region=eu")};

    assert_false(meets(&when));
    says(good, 2);
    assert_true(meets(&when));
    says(half, 1);
    assert_false(meets(&when));
    says(other, 2);
    assert_false(meets(&when));
    says(none, 2);
    assert_false(meets(&when));
}

static void a_value_may_hold_the_sign_that_ends_the_name(void **state)
{
    static const struct str wanted[] = {STR("q=a=b")}, given[] = {STR("q=a=b")};

    says(given, 1);
    assert_true(meets(&(struct rule_conditions){.tags = wanted, .n_tags = 1}));
}

static void bounds_of_tokens_are_inclusive(void **state)
{
    assert_true(meets(&(struct rule_conditions){.min_input_tokens = 100, .max_input_tokens = 100}));
    assert_false(meets(&(struct rule_conditions){.min_input_tokens = 101}));
    assert_false(meets(&(struct rule_conditions){.max_input_tokens = 99}));
}

static void what_is_asked_for_has_to_be_all_and_none_of_the_others(void **state)
{
    const uint32_t tools = ABILITY_BIT(ABILITY_TOOLS), vision = ABILITY_BIT(ABILITY_VISION);
    struct rule_request q = a_request();

    q.asks = tools;
    assert_true(rule_meets(&(struct rule_conditions){.asks = tools}, &q));
    assert_false(rule_meets(&(struct rule_conditions){.asks = tools | vision}, &q));
    assert_true(rule_meets(&(struct rule_conditions){.asks = tools, .asks_not = vision}, &q));
    assert_false(rule_meets(&(struct rule_conditions){.asks_not = tools}, &q));
}

/* --- shares --- */

static unsigned taken(const struct rule_conditions *when, int64_t rule, unsigned users)
{
    struct rule_request q = a_request();
    unsigned n = 0;

    for (unsigned i = 0; i < users; i++) {
        char text[32];
        struct str one;

        one = str_n(text, (size_t)snprintf(text, sizeof(text), "user=u%u", i));
        says(&one, 1);
        n += rule_takes(when, (struct rule_id){rule}, &q);
    }
    return n;
}

static void a_share_by_tag_is_about_as_large_as_said_and_always_the_same(void **state)
{
    const struct rule_conditions tenth = {.share_percent = 10, .share_tag = STR("user")};
    const struct rule_request q = a_request();
    const struct str one = STR("user=somebody");
    unsigned n = taken(&tenth, 1, 10000);
    bool first;

    assert_in_range(n, 900, 1100);
    assert_int_equal(taken(&tenth, 1, 10000), n);
    says(&one, 1);
    first = rule_takes(&tenth, (struct rule_id){1}, &q);
    for (int i = 0; i < 100; i++)
        assert_int_equal(rule_takes(&tenth, (struct rule_id){1}, &q), first);
}

static void two_rules_divide_independently(void **state)
{
    const struct rule_conditions half = {.share_percent = 50, .share_tag = STR("user")};
    struct rule_request q = a_request();
    unsigned both = 0;

    for (unsigned i = 0; i < 10000; i++) {
        char text[32];
        struct str one = str_n(text, (size_t)snprintf(text, sizeof(text), "user=u%u", i));

        says(&one, 1);
        both += rule_takes(&half, (struct rule_id){1}, &q) && rule_takes(&half, (struct rule_id){2}, &q);
    }
    assert_in_range(both, 2350, 2650);
}

static void a_larger_share_keeps_whoever_was_in_the_smaller(void **state)
{
    const struct rule_conditions less = {.share_percent = 20, .share_tag = STR("user")},
                                 more = {.share_percent = 40, .share_tag = STR("user")};
    struct rule_request q = a_request();

    for (unsigned i = 0; i < 1000; i++) {
        char text[32];
        struct str one = str_n(text, (size_t)snprintf(text, sizeof(text), "user=u%u", i));

        says(&one, 1);
        if (rule_takes(&less, (struct rule_id){1}, &q))
            assert_true(rule_takes(&more, (struct rule_id){1}, &q));
    }
}

static void without_the_tag_a_key_stays_on_its_side(void **state)
{
    const struct rule_conditions half = {.share_percent = 50, .share_tag = STR("user")};
    struct rule_request q = a_request();
    unsigned n = 0;

    for (int64_t key = 1; key <= 1000; key++) {
        bool first;

        q.key.v = key;
        first = rule_takes(&half, (struct rule_id){1}, &q);
        assert_int_equal(rule_takes(&half, (struct rule_id){1}, &q), first);
        n += first;
    }
    assert_in_range(n, 430, 570);
}

static void a_share_by_chance_is_about_as_large_as_said(void **state)
{
    const struct rule_conditions some = {.share_percent = 30};
    const struct rule_request q = a_request();
    unsigned n = 0;

    for (int i = 0; i < 10000; i++)
        n += rule_takes(&some, (struct rule_id){1}, &q);
    assert_in_range(n, 2800, 3200);
}

/* --- the order --- */

static bool not_other(void *ctx, const struct catalog_model *m)
{
    return !str_eq_c(m->name, "other");
}

static void the_first_that_holds_wins(void **state)
{
    struct bench *b = *state;
    const struct catalog_rule rules[] = {
        {.id = {1}, .name = STR("long"), .serves = &b->models[1], .when = {.min_input_tokens = 5000}},
        {.id = {2}, .name = STR("short"), .serves = &b->models[1], .when = {.max_input_tokens = 200}},
        {.id = {3}, .name = STR("any"), .serves = &b->models[1]},
    };
    struct rule_request q = a_request();

    assert_null(rule_pick(&b->models[0], &q));
    b->models[0].rules = rules;
    b->models[0].n_rules = 3;
    assert_ptr_equal(rule_pick(&b->models[0], &q), &rules[1]);
    q.input_tokens = 6000;
    assert_ptr_equal(rule_pick(&b->models[0], &q), &rules[0]);
    q.input_tokens = 1000;
    assert_ptr_equal(rule_pick(&b->models[0], &q), &rules[2]);
    b->models[0].n_rules = 2;
    assert_null(rule_pick(&b->models[0], &q));
}

static void a_rule_is_passed_over_whose_model_is_disabled_or_not_for_the_key(void **state)
{
    struct bench *b = *state;
    const struct catalog_rule rules[] = {{.id = {1}, .name = STR("any"), .serves = &b->models[1]}};
    struct rule_request q = a_request();

    b->models[0].rules = rules;
    b->models[0].n_rules = 1;
    q.allowed = not_other;
    assert_null(rule_pick(&b->models[0], &q));
    q.allowed = NULL;
    b->models[1].off_reason = STR("an incident");
    assert_ptr_equal(rule_pick(&b->models[0], &q), &rules[0]);
    b->models[1].enabled = false;
    assert_null(rule_pick(&b->models[0], &q));
}

static bool anything(void *ctx, const struct catalog_model *m)
{
    return true;
}

static void a_model_without_a_target_is_stood_for_by_what_its_rules_choose(void **state)
{
    struct bench *b = *state;
    struct catalog_model *m = &b->models[0], *other = &b->models[1];
    const struct catalog_rule rules[] = {{.id = {1}, .name = STR("any"), .serves = other}};

    m->rules = rules;
    m->n_rules = 1;
    assert_ptr_equal(rule_stand_in(m, anything, NULL), m);
    m->n_targets = 0;
    assert_ptr_equal(rule_stand_in(m, anything, NULL), other);
    assert_null(rule_stand_in(m, not_other, NULL));
    other->off_reason = STR("an incident");
    assert_null(rule_stand_in(m, anything, NULL));
    other->off_reason = STR_NONE;
    m->enabled = false;
    assert_null(rule_stand_in(m, anything, NULL));
}

static void a_look_ahead_goes_on_to_the_first_that_takes_all(void **state)
{
    const struct rule_row rows[] = {
        {.id = {1}, .serves_enabled = true, .is = {.enabled = true, .when = {.share_percent = 10}}},
        {.id = {2}, .serves_enabled = true, .is = {.enabled = false}},
        {.id = {3}, .serves_enabled = false, .is = {.enabled = true}},
        {.id = {4}, .serves_enabled = true, .is = {.enabled = true, .when = {.min_input_tokens = 5000}}},
        {.id = {5}, .serves_enabled = true, .is = {.enabled = true}},
        {.id = {6}, .serves_enabled = true, .is = {.enabled = true}},
    };
    const struct rule_request q = a_request();
    const struct rule_row *met[RULES_MAX];

    assert_int_equal(rules_met(rows, ARRAY_LEN(rows), &q, met), 2);
    assert_int_equal(met[0]->id.v, 1);
    assert_int_equal(met[1]->id.v, 5);
    assert_int_equal(rules_met(rows, 4, &q, met), 1);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, forget_tags, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_rule_without_conditions_holds_always),
        T(one_of_the_ids_is_enough_and_all_kinds_must_hold),
        T(tags_of_one_name_are_choices_and_every_name_has_to_be_met),
        T(a_value_may_hold_the_sign_that_ends_the_name),
        T(bounds_of_tokens_are_inclusive),
        T(what_is_asked_for_has_to_be_all_and_none_of_the_others),
        T(a_share_by_tag_is_about_as_large_as_said_and_always_the_same),
        T(two_rules_divide_independently),
        T(a_larger_share_keeps_whoever_was_in_the_smaller),
        T(without_the_tag_a_key_stays_on_its_side),
        T(a_share_by_chance_is_about_as_large_as_said),
        T(the_first_that_holds_wins),
        T(a_rule_is_passed_over_whose_model_is_disabled_or_not_for_the_key),
        T(a_model_without_a_target_is_stood_for_by_what_its_rules_choose),
        T(a_look_ahead_goes_on_to_the_first_that_takes_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
